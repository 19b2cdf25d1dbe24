-- reported: data-diff#883, ghostferry PR#137
-- mistake: -0 and 0 are one number and two texts
-- truth: different 3
CREATE TABLE src.t (id INT PRIMARY KEY, v DOUBLE);
CREATE TABLE des.t (id INT PRIMARY KEY, v DOUBLE);
INSERT INTO src.t VALUES (1, -0e0), (2, 0), (3, -0e0), (9, 1);
INSERT INTO des.t VALUES (1, 0), (2, -0e0), (3, 1), (9, 1);
