-- reported: DVT#1080
-- mistake: the last of thirty digits after the point, and the first of thirty-five before it, are lost
-- key: k
-- truth: missing 1, different 3
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k DECIMAL(65,28) PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k DECIMAL(65,28) PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 1e-28, 'a'), (2, 0, 'b'), (3, 1234567890123456789012345678901234567, 'c'), (4, 1234567890123456789012345678901234568, 'd');
INSERT INTO des.t VALUES (0, 'b'), (1234567890123456789012345678901234567, 'x'), (1234567890123456789012345678901234568, 'd');
