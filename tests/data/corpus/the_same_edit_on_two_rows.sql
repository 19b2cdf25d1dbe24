-- reported: tidb-tools#634, tidb-tools#703, Launchpad percona-toolkit#1030053
-- mistake: the CRCs of an even number of equal edits cancel out under BIT_XOR
-- truth: different 1, different 2, different 3, different 4
CREATE TABLE src.t (id INT PRIMARY KEY, v DATETIME);
CREATE TABLE des.t (id INT PRIMARY KEY, v DATETIME);
INSERT INTO src.t VALUES (1, '2022-02-23 11:22:00'), (2, '2022-02-23 11:22:00'), (3, '2022-02-23 11:22:00'), (4, '2022-02-23 11:22:00'), (9, '2022-02-23 11:22:00');
INSERT INTO des.t VALUES (1, '2022-02-23 11:32:00'), (2, '2022-02-23 11:32:00'), (3, '2022-02-23 11:32:00'), (4, '2022-02-23 11:32:00'), (9, '2022-02-23 11:22:00');
