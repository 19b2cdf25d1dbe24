-- reported: data-diff#634, data-diff#366
-- mistake: a NULL among the keys ends the comparison
-- key: k
-- truth: missing 2, different 3
CREATE TABLE src.t (id INT NOT NULL, k INT NULL, v VARCHAR(20), KEY (id), KEY (k));
CREATE TABLE des.t (k INT NULL, v VARCHAR(20), n INT NOT NULL PRIMARY KEY, KEY (k));
INSERT INTO src.t VALUES (1, 10, 'a'), (2, NULL, 'b'), (3, 30, 'c'), (4, 40, 'd');
INSERT INTO des.t VALUES (10, 'a', 1), (30, 'x', 3), (40, 'd', 4);
