-- reported: data-diff#649, data-diff#883
-- mistake: rounding both sides is no tolerance: 1.004 and 1.006 are close, and round apart
-- rule v: "tolerance": 0.01
-- truth: different 3
-- pt-table-sync: --float-precision 2
-- reladiff: cannot express a tolerance
CREATE TABLE src.t (id INT PRIMARY KEY, v DOUBLE);
CREATE TABLE des.t (id INT PRIMARY KEY, v DOUBLE);
INSERT INTO src.t VALUES (1, 1.004), (2, 5), (3, 1), (9, 1);
INSERT INTO des.t VALUES (1, 1.006), (2, 4.999), (3, 1.02), (9, 1);
