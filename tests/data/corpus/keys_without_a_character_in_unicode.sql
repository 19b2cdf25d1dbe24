-- reported: seen with gbk 0xA2E3
-- mistake: a key that is read as '?' finds another row, and a reader that pages by it never ends
-- key: k
-- truth: missing 1, different 3, extra 0xa140
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k VARCHAR(20) CHARACTER SET gbk PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k VARCHAR(20) CHARACTER SET gbk PRIMARY KEY, v VARCHAR(20));
INSERT INTO src.t VALUES (1, _gbk X'a2e3', 'a'), (2, _gbk X'a2e4', 'b'), (3, '?', 'c');
INSERT INTO des.t VALUES (_gbk X'a140', 'a'), (_gbk X'a2e4', 'b'), ('?', 'x');
