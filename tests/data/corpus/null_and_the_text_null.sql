-- reported: ghostferry PR#137
-- mistake: NULL is replaced by the text 'NULL' before it is hashed
-- truth: different 1, different 2
CREATE TABLE src.t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, NULL), (2, 'NULL'), (3, NULL), (4, 'NULL'), (9, 'z');
INSERT INTO des.t VALUES (1, 'NULL'), (2, NULL), (3, NULL), (4, 'NULL'), (9, 'z');
