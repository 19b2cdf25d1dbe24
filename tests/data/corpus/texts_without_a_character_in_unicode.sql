-- reported: seen with gbk 0xA2E3
-- mistake: bytes that Unicode has no character for are all read as '?'
-- truth: different 1, different 3
CREATE TABLE src.t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET gbk);
CREATE TABLE des.t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET gbk);
INSERT INTO src.t VALUES (1, _gbk X'a2e3'), (2, _gbk X'a2e3'), (3, _gbk X'a2e3'), (4, '?');
INSERT INTO des.t VALUES (1, _gbk X'a2e4'), (2, _gbk X'a2e3'), (3, '?'), (4, '?');
