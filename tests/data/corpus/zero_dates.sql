-- reported: airbyte#16159, python-mysql-replication#162
-- mistake: zero dates become NULL
-- columns: a b
-- truth: different 1, different 2, different 3
CREATE TABLE src.t (id INT PRIMARY KEY, a DATE, b DATETIME);
CREATE TABLE des.t (id INT PRIMARY KEY, a DATE, b DATETIME);
INSERT INTO src.t VALUES (1, '0000-00-00', NULL), (2, NULL, '0000-00-00 00:00:00'), (3, '2024-00-00', NULL), (4, '0000-00-00', '0000-00-00 00:00:00'), (9, NULL, NULL);
INSERT INTO des.t VALUES (1, NULL, NULL), (2, NULL, NULL), (3, '2024-01-01', NULL), (4, '0000-00-00', '0000-00-00 00:00:00'), (9, NULL, NULL);
