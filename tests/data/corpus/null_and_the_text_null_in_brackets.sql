-- reported: data-diff's sentinel, ghostferry PR#137
-- mistake: NULL is replaced by the text '<null>' before it is hashed
-- truth: different 1, different 2
CREATE TABLE src.t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, NULL), (2, '<null>'), (3, NULL), (4, '<null>'), (9, 'z');
INSERT INTO des.t VALUES (1, '<null>'), (2, NULL), (3, NULL), (4, '<null>'), (9, 'z');
