-- reported: vitess PR#8686
-- mistake: JSON is compared as text, where the order of keys and blanks count
-- truth: different 3
CREATE TABLE src.t (id INT PRIMARY KEY, v JSON);
CREATE TABLE des.t (id INT PRIMARY KEY, v JSON);
INSERT INTO src.t VALUES (1, '{"a": 1, "b": [1, 2]}'), (2, '{"name": "é"}'), (3, '{"a": [1, 2]}'), (9, '[1]');
INSERT INTO des.t VALUES (1, '{"b":[1,2],"a":1}'), (2, '{"name":"\\u00e9"}'), (3, '{"a": [2, 1]}'), (9, '[1]');
