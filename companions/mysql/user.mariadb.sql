-- The `datadog` user of the MySQL integration, on MariaDB 10.5.9 or later. Safe to apply again.
--
-- The password is the session variable @datadog_password: `datadog_mysql.py apply` sets it. By hand, run
-- `SET @datadog_password = '…';` before `SOURCE user.mariadb.sql`. A missing or empty password is a
-- syntax error in the first statement, and a read-only server refuses that statement, so nothing is applied partly.
SET @datadog_statement = IF(@@GLOBAL.read_only,
    'DO `the server is read-only: apply this on its primary`',
    CONCAT('CREATE USER IF NOT EXISTS ''datadog''@''127.0.0.1'' IDENTIFIED BY ', QUOTE(NULLIF(@datadog_password, ''))));
PREPARE datadog_statement FROM @datadog_statement;
EXECUTE datadog_statement;

-- Also sets the password of a user that existed before.
SET @datadog_statement =
    CONCAT('ALTER USER ''datadog''@''127.0.0.1'' IDENTIFIED BY ', QUOTE(NULLIF(@datadog_password, '')));
PREPARE datadog_statement FROM @datadog_statement;
EXECUTE datadog_statement;
DEALLOCATE PREPARE datadog_statement;
SET @datadog_statement = NULL;
ALTER USER 'datadog'@'127.0.0.1' WITH MAX_USER_CONNECTIONS 5;

-- SHOW BINARY LOGS; needed only with `replication: true`.
GRANT BINLOG MONITOR ON *.* TO 'datadog'@'127.0.0.1';
-- SHOW REPLICA STATUS; needed only with `replication: true`. MariaDB separated this privilege from REPLICATION CLIENT.
GRANT SLAVE MONITOR ON *.* TO 'datadog'@'127.0.0.1';
-- Threads of other users, and SHOW ENGINE INNODB STATUS.
GRANT PROCESS ON *.* TO 'datadog'@'127.0.0.1';
-- Statements, waits and events; read access only.
GRANT SELECT ON performance_schema.* TO 'datadog'@'127.0.0.1';
