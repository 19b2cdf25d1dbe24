-- Two tables to try cupid with: 1,000 users, their copy, and two changes that got lost.
--   mysql < examples/user.sql
CREATE DATABASE my CHARACTER SET utf8mb4;
CREATE DATABASE my2 CHARACTER SET utf8mb4;

CREATE TABLE my.user (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  number VARCHAR(64) NOT NULL UNIQUE,
  name VARCHAR(64) NOT NULL,
  avatar VARCHAR(255),
  update_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  KEY (update_time));

CREATE TABLE my2.user (
  number VARCHAR(64) NOT NULL PRIMARY KEY,
  name VARCHAR(64) NOT NULL,
  avatar VARCHAR(255));

INSERT INTO my.user (number, name, avatar)
WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 1000)
SELECT CONCAT('N-', n), CONCAT('User ', n), CONCAT('/', n, '.png') FROM seq;

INSERT INTO my2.user SELECT number, name, avatar FROM my.user;

-- An insert that never arrived, and an update that got lost.
DELETE FROM my2.user WHERE number = 'N-7';
UPDATE my2.user SET name = 'Usr 300', avatar = NULL WHERE number = 'N-300';

-- cupid reads, and that is all.
CREATE USER cupid IDENTIFIED BY 'secret';
GRANT SELECT ON my.* TO cupid;
GRANT SELECT ON my2.* TO cupid;
