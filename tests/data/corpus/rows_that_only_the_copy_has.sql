-- reported: ape-dts, which says that it cannot detect extra rows
-- mistake: rows deleted at the source stay in the copy for ever
-- truth: extra 3, extra 9
CREATE TABLE src.t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'a'), (2, 'b'), (4, 'd'), (12, 'y');
INSERT INTO des.t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (9, 'z'), (12, 'y');
