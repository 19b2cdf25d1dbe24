-- reported: recce#66
-- mistake: '|' is the separator between columns, in whichever order they are joined
-- columns: a b
-- truth: different 2, different 8
CREATE TABLE src.t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20));
INSERT INTO src.t VALUES (1, 'a', 'b'), (2, 'a|b', 'c'), (8, 'c', 'a|b'), (9, 'y', 'z');
INSERT INTO des.t VALUES (1, 'a', 'b'), (2, 'a', 'b|c'), (8, 'b|c', 'a'), (9, 'y', 'z');
