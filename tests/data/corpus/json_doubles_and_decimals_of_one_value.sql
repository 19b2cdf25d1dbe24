-- reported: spirit PR#1066, spirit PR#1078
-- mistake: one value as a double and as a decimal is written differently and so called different
-- truth: different 3
CREATE TABLE src.t (id INT PRIMARY KEY, v JSON);
CREATE TABLE des.t (id INT PRIMARY KEY, v JSON);
INSERT INTO src.t VALUES (1, '{"n": 1.5}'), (2, '{"n": 1e3}'), (3, '{"n": 1.5}'), (9, '[1]');
INSERT INTO des.t VALUES (1, JSON_OBJECT('n', CAST(1.50 AS DECIMAL(5,2)))), (2, '{"n": 1000}'), (3, '{"n": 1.25}'), (9, '[1]');
