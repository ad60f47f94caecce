-- The `datadog` user of the MySQL integration, on MariaDB 10.5.9 or later. Safe to apply again.
--
-- The password comes from outside, as the session variable @datadog_password: `datadog_mysql.py apply` sets it, and by
-- hand it is `SET @datadog_password = '…';` before `SOURCE user.mariadb.sql`. A missing or empty one is a syntax error
-- in the first statement, and a read-only server refuses it by name, so that nothing is half applied.
SET @datadog_statement = IF(@@GLOBAL.read_only,
    'DO `the server is read-only: apply this on its primary`',
    CONCAT('CREATE USER IF NOT EXISTS ''datadog''@''127.0.0.1'' IDENTIFIED BY ', QUOTE(NULLIF(@datadog_password, ''))));
PREPARE datadog_statement FROM @datadog_statement;
EXECUTE datadog_statement;

-- Again for a user that was there before: its password becomes the given one.
SET @datadog_statement =
    CONCAT('ALTER USER ''datadog''@''127.0.0.1'' IDENTIFIED BY ', QUOTE(NULLIF(@datadog_password, '')));
PREPARE datadog_statement FROM @datadog_statement;
EXECUTE datadog_statement;
DEALLOCATE PREPARE datadog_statement;
SET @datadog_statement = NULL;
ALTER USER 'datadog'@'127.0.0.1' WITH MAX_USER_CONNECTIONS 5;

-- SHOW BINARY LOGS; needed with `replication: true` only.
GRANT BINLOG MONITOR ON *.* TO 'datadog'@'127.0.0.1';
-- SHOW REPLICA STATUS; needed with `replication: true` only. MariaDB split this privilege off REPLICATION CLIENT.
GRANT SLAVE MONITOR ON *.* TO 'datadog'@'127.0.0.1';
-- Threads of other users, and SHOW ENGINE INNODB STATUS.
GRANT PROCESS ON *.* TO 'datadog'@'127.0.0.1';
-- Statements, waits and events; reading only.
GRANT SELECT ON performance_schema.* TO 'datadog'@'127.0.0.1';
