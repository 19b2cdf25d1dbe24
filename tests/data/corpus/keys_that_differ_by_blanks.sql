-- reported: DVT#1368
-- mistake: keys are trimmed, so two rows become one
-- key: k
-- truth: different 2, missing 4
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'k', 'a'), (2, ' k', 'b'), (3, '  k', 'c'), (4, '   k', 'a');
INSERT INTO des.t VALUES ('k', 'a'), (' k', 'x'), ('  k', 'c');
