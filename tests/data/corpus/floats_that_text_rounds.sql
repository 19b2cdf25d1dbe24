-- reported: tidb-tools#699, tidb-tools#565
-- mistake: FLOAT as text has six digits, so neighbours look the same
-- truth: different 1, different 2
-- pt-table-sync: --float-precision 7
CREATE TABLE src.t (id INT PRIMARY KEY, v FLOAT);
CREATE TABLE des.t (id INT PRIMARY KEY, v FLOAT);
INSERT INTO src.t VALUES (1, 16777216), (2, 0.1234567), (3, 0.1), (4, 16777216), (9, 1);
INSERT INTO des.t VALUES (1, 16777218), (2, 0.1234569), (3, 0.1), (4, 16777216), (9, 1);
