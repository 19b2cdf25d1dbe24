-- reported: tiflow's JSON as float64, vitess PR#9508
-- mistake: integers in JSON are read as doubles and lose their last digits
-- truth: different 1, different 2
CREATE TABLE src.t (id INT PRIMARY KEY, v JSON);
CREATE TABLE des.t (id INT PRIMARY KEY, v JSON);
INSERT INTO src.t VALUES (1, '{"n": 9007199254740993}'), (2, '[18446744073709551615]'), (3, '{"n": 9007199254740993}'), (9, '[1]');
INSERT INTO des.t VALUES (1, '{"n": 9007199254740992}'), (2, '[18446744073709551614]'), (3, '{"n": 9007199254740993}'), (9, '[1]');
