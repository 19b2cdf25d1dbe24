-- reported: tidb-tools#853, tidb-tools#866
-- mistake: what the copy's collation takes for the same key is reported as missing and extra
-- key: k
-- truth: missing 3
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'Ünï', 'a'), (2, 'café', 'b'), (3, 'new', 'c');
INSERT INTO des.t VALUES ('uni', 'a'), ('CAFE', 'b');
