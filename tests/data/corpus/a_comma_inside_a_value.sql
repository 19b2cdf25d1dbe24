-- reported: recce#66, tidb-tools#344
-- mistake: ',' is the separator between columns
-- columns: a b
-- truth: different 2
CREATE TABLE src.t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
INSERT INTO src.t VALUES (1, 'a', 'b'), (2, 'a,b', 'c'), (9, 'y', 'z');
INSERT INTO des.t VALUES (1, 'a', 'b'), (2, 'a', 'b,c'), (9, 'y', 'z');
