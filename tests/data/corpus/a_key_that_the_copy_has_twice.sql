-- reported: data-diff PR#850, data-diff#527
-- mistake: of two rows with one key only one is seen
-- key: k
-- truth: duplicate 2, duplicate 3, different 3
CREATE TABLE src.t (id INT NOT NULL UNIQUE, k INT NOT NULL PRIMARY KEY, v VARCHAR(20));
CREATE TABLE des.t (k INT NOT NULL, v VARCHAR(20), n INT PRIMARY KEY, KEY (k));
INSERT INTO src.t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');
INSERT INTO des.t VALUES (10, 'a', 1), (20, 'b', 2), (20, 'b', 3), (30, 'x', 4), (30, 'y', 5);
