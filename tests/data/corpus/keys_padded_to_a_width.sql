-- reported: DVT#1801
-- mistake: a key that one side pads and the other does not finds nothing
-- key: k
-- truth: different 2
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k CHAR(8) PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(8) PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, 'ab', 'a'), (2, 'cd', 'b'), (3, 'ef', 'c');
INSERT INTO des.t VALUES ('ab', 'a'), ('cd', 'x'), ('ef', 'c');
