-- reported: tidb-tools#699, data-diff#649
-- mistake: a tolerance holds for all columns or for none
-- columns: a b
-- rule a: "tolerance": 0.01
-- truth: different 2
-- pt-table-sync: cannot express a tolerance for one column
-- reladiff: cannot express a tolerance
CREATE TABLE src.t (id INT PRIMARY KEY, a DOUBLE, b DOUBLE);
CREATE TABLE des.t (id INT PRIMARY KEY, a DOUBLE, b DOUBLE);
INSERT INTO src.t VALUES (1, 1.001, 1), (2, 1, 1.001), (3, 1, 1), (9, 1, 1);
INSERT INTO des.t VALUES (1, 1, 1), (2, 1, 1), (3, 1, 1), (9, 1, 1);
