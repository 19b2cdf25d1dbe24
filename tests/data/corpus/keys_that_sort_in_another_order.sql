-- reported: vitess#9715, data-diff#550, tidb-tools#759
-- mistake: two sorted streams are merged although each table sorts by a collation of its own
-- key: k
-- truth: missing 3, different 6
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'a1', 'a'), (2, 'B1', 'b'), (3, 'b2', 'c'), (4, 'C_', 'd'), (5, '_d', 'e'), (6, 'Z', 'f'), (7, 'a2', 'g');
INSERT INTO des.t VALUES ('a1', 'a'), ('B1', 'b'), ('C_', 'd'), ('_d', 'e'), ('Z', 'x'), ('a2', 'g');
