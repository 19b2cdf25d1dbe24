-- reported: spirit PR#931
-- mistake: the columns are joined without any frame, so a character that moves over is not seen
-- columns: a b
-- truth: different 1
CREATE TABLE src.t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
INSERT INTO src.t VALUES (1, 'x0', 'y'), (2, 'x', 'y'), (9, 'y', 'z');
INSERT INTO des.t VALUES (1, 'x', '0y'), (2, 'x', 'y'), (9, 'y', 'z');
