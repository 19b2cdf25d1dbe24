-- reported: kafka-connect-jdbc#103, kafka-connect-jdbc#321, kafka-connect-jdbc#470, tidb-tools#722, tidb-tools#591
-- mistake: an instant is compared as the local time of somebody's session
-- truth: different 2
CREATE TABLE src.t (id INT PRIMARY KEY, v TIMESTAMP NULL);
CREATE TABLE des.t (id INT PRIMARY KEY, v TIMESTAMP NULL);
SET time_zone = '+08:00';
INSERT INTO src.t VALUES (1, '2024-01-01 08:00:00'), (2, '2024-01-01 08:00:00'), (3, NULL), (9, NULL);
SET time_zone = '-05:00';
INSERT INTO des.t VALUES (1, '2023-12-31 19:00:00'), (2, '2024-01-01 08:00:00'), (3, NULL), (9, NULL);
SET time_zone = '+00:00';
