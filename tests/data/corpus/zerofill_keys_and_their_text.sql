-- reported: DVT#1368
-- mistake: a number printed with zeros before it does not find its text
-- key: k
-- truth: missing 2, extra 0008
CREATE TABLE src.t (id INT PRIMARY KEY, k INT(6) UNSIGNED ZEROFILL, v VARCHAR(20), UNIQUE KEY (k));
CREATE TABLE des.t (k VARCHAR(20) PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 7, 'a'), (2, 8, 'b'), (3, 123456, 'c'), (4, 9, 'd');
INSERT INTO des.t VALUES ('000007', 'a'), ('0008', 'b'), ('123456', 'c'), ('9', 'd');
