-- reported: ape-dts, which says that it cannot detect extra rows; vitess#9715
-- mistake: the source takes an extra key for one of its own, the copy does not
-- key: k
-- truth: extra ABC, extra café
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'abc', 'a'), (2, 'cafe', 'b'), (3, 'new', 'c');
INSERT INTO des.t VALUES ('abc', 'a'), ('ABC', 'a'), ('cafe', 'b'), ('café', 'b'), ('new', 'c');
