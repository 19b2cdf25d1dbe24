-- reported: ape-dts, which says that it cannot detect extra rows; tidb-tools#853
-- mistake: a key that the source's character set has no letters for ends the comparison
-- key: k
-- truth: extra 中文, different 2
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) CHARACTER SET utf8mb4 PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'abc', 'a'), (2, 'é', 'b'), (3, 'new', 'c');
INSERT INTO des.t VALUES ('abc', 'a'), ('é', 'x'), ('new', 'c'), ('中文', 'd');
