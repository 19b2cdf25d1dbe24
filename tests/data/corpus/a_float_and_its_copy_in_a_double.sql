-- reported: tidb-tools#699, data-diff#883
-- mistake: a FLOAT and the DOUBLE that holds the same number are called different
-- truth: different 3
-- pt-table-sync: --float-precision 4
CREATE TABLE src.t (id INT PRIMARY KEY, v FLOAT);
CREATE TABLE des.t (id INT PRIMARY KEY, v DOUBLE);
INSERT INTO src.t VALUES (1, 0.1), (2, 3.14159274), (3, 0.1), (4, 16777216), (9, 1);
INSERT INTO des.t VALUES (1, 0.1), (2, 3.14159274), (3, 0.2), (4, 16777216), (9, 1);
