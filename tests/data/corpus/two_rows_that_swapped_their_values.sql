-- reported: tidb-tools#634, tidb-tools#344
-- mistake: CRC32 is linear, so the exclusive or of the two rows stays what it was
-- columns: a b
-- truth: different 2, different 3
CREATE TABLE src.t (id INT PRIMARY KEY, a VARCHAR(20), b INT);
CREATE TABLE des.t (id INT PRIMARY KEY, a VARCHAR(20), b INT);
INSERT INTO src.t VALUES (1, 'Ada', 10), (2, 'Bob', 20), (3, 'Cyd', 30), (4, 'Dan', 40), (9, 'Eve', 90);
INSERT INTO des.t VALUES (1, 'Ada', 10), (2, 'Cyd', 20), (3, 'Bob', 30), (4, 'Dan', 40), (9, 'Eve', 90);
