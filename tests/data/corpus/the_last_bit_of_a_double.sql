-- reported: tidb-tools#565, data-diff#649
-- mistake: doubles are rounded before they are compared
-- truth: different 1, different 2
CREATE TABLE src.t (id INT PRIMARY KEY, v DOUBLE);
CREATE TABLE des.t (id INT PRIMARY KEY, v DOUBLE);
INSERT INTO src.t VALUES (1, 0.1), (2, 1e-30), (3, 0.1), (4, 1e300), (9, 1);
INSERT INTO des.t VALUES (1, 0.10000000000000002), (2, 2e-30), (3, 0.1), (4, 1e300), (9, 1);
