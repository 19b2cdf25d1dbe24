-- reported: tidb-tools#841, tiflow PR#12533
-- mistake: 0 in a DOUBLE is taken for NULL
-- truth: different 1, different 2
CREATE TABLE src.t (id INT PRIMARY KEY, v DOUBLE);
CREATE TABLE des.t (id INT PRIMARY KEY, v DOUBLE);
INSERT INTO src.t VALUES (1, 0), (2, NULL), (3, 0), (4, NULL), (9, 1);
INSERT INTO des.t VALUES (1, NULL), (2, 0), (3, 0), (4, NULL), (9, 1);
