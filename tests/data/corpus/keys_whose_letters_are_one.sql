-- reported: MySQL Reference Manual, "Unicode Character Sets": contractions
-- mistake: 'cH' is taken for 'ch' in another case, which is one letter in Czech
-- key: k
-- truth: missing 1, extra cH
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) COLLATE utf8mb4_czech_ci PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) COLLATE utf8mb4_czech_ci PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'ch', 'a'), (2, 'b', 'b');
INSERT INTO des.t VALUES ('cH', 'a'), ('B', 'b');
