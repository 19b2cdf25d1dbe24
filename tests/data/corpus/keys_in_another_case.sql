-- reported: vitess#9715, tidb-tools#759, data-diff#532
-- mistake: the server finds 'abc' for 'ABC', a client that compares bytes does not
-- key: k
-- truth: different 4
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'ABC', 'a'), (2, 'Def', 'b'), (3, 'ghi', 'c'), (4, 'JKL', 'd');
INSERT INTO des.t VALUES ('abc', 'a'), ('dEF', 'b'), ('ghi', 'c'), ('jkl', 'x');
