-- reported: tidb-tools#703, tidb-tools#344
-- mistake: what one UPDATE did to a thousand rows of equal length cancels out
-- columns: a b
-- truth: different 11, different 12, different 13, different 14, different 15, different 16, different 17, different 18
CREATE TABLE src.t (id INT PRIMARY KEY, a CHAR(8), b DECIMAL(8,2));
CREATE TABLE des.t (id INT PRIMARY KEY, a CHAR(8), b DECIMAL(8,2));
INSERT INTO src.t VALUES (10, 'open', 1.10), (11, 'open', 2.20), (12, 'open', 3.30), (13, 'open', 4.40), (14, 'open', 5.50),
 (15, 'open', 6.60), (16, 'open', 7.70), (17, 'open', 8.80), (18, 'open', 9.90), (19, 'open', 9.95);
INSERT INTO des.t SELECT * FROM src.t;
UPDATE src.t SET a = 'paid' WHERE id BETWEEN 11 AND 18;
