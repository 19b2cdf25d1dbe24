-- reported: the first cupid
-- mistake: a loose comparison takes texts that look like numbers for numbers
-- truth: different 1, different 2, different 3
CREATE TABLE src.t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, '1.0'), (2, '1e3'), (3, '0e12345'), (4, '1.0'), (9, 'z');
INSERT INTO des.t VALUES (1, '1'), (2, '1000'), (3, '0e99999'), (4, '1.0'), (9, 'z');
