"""Create, verify and exercise the `datadog` user of the MySQL integration.

Needs PyMySQL alone, which the Agent's own Python brings: it is the client that the integration uses.
Exit codes: 0 fine, 1 a check failed, 2 unusable input (password, port or server missing, read-only server).
Passwords come from the environment only, where neither `ps` nor a shell history shows them.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pymysql
from pymysql.constants import CR, ER

PASSWORD = 'DATADOG_MYSQL_PASSWORD'
ADMIN_PASSWORD = 'MYSQL_ADMIN_PASSWORD'
USER = 'datadog'
ACCOUNT = "'datadog'@'127.0.0.1'"
MOST_QUERIES = 1_000_000
MOST_SECONDS = 3600.0
# The server was reached and turned the account away: a finding about the account, not unusable input. Locked accounts:
# 3118 is MySQL's code, 4151 MariaDB's.
REFUSED = {ER.ACCESS_DENIED_ERROR, ER.HOST_NOT_PRIVILEGED, 3118, 4151, 1226}


class Unusable(Exception):
    """Input or a server that nothing can be done with; the message says what to do. Exit code 2."""


class Check(NamedTuple):
    """One thing the integration does with the user, and what to do when it can't."""

    name: str
    run: Callable[[Any], str]
    advice: dict[bool, str]
    """By whether the server is MariaDB."""


def _rows(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    return list(cursor.fetchall())


def _uptime(cursor: Any) -> str:
    return f'{_rows(cursor, "SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]} s'


def _binary_logs(cursor: Any) -> str:
    try:
        return f'{len(_rows(cursor, "SHOW BINARY LOGS"))} files'
    except pymysql.MySQLError as error:
        # The server checks the privilege first, so that this answer proves it.
        if error.args[0] == ER.NO_BINARY_LOGGING:
            return 'binary logging is off'
        raise


def _replication(cursor: Any) -> str:
    return 'a replica' if _rows(cursor, 'SHOW REPLICA STATUS') else 'not a replica'


def _performance_schema(cursor: Any) -> str:
    threads = _rows(cursor, 'SELECT COUNT(*) FROM performance_schema.threads')[0][0]
    if not _rows(cursor, 'SELECT @@GLOBAL.performance_schema')[0][0]:
        raise LookupError('performance_schema is OFF: set performance_schema=ON under [mysqld] and restart the server')
    return f'{threads} threads'


def _process_list(cursor: Any) -> str:
    # Without PROCESS the list is not refused but silently holds the user's own threads; this statement is refused.
    cursor.execute('SHOW ENGINE INNODB STATUS')
    return f'{len(_rows(cursor, "SHOW FULL PROCESSLIST"))} threads'


def _grant(mysql: str, mariadb: str | None = None, on: str = '*.*') -> dict[bool, str]:
    return {maria: f'GRANT {name} ON {on} TO {ACCOUNT};' for maria, name in ((False, mysql), (True, mariadb or mysql))}


CONNECT_ADVICE = f'apply the SQL again with the password in {PASSWORD} (datadog_mysql.py apply)'
CHECKS = (
    Check('uptime', _uptime, dict.fromkeys((False, True), 'look at the error log of the server')),
    Check('binary logs', _binary_logs, _grant('REPLICATION CLIENT', 'BINLOG MONITOR')),
    Check('replication status', _replication, _grant('REPLICATION CLIENT', 'SLAVE MONITOR')),
    Check('performance_schema', _performance_schema, _grant('SELECT', on='performance_schema.*')),
    Check('process list', _process_list, _grant('PROCESS')),
)


def _password(variable: str) -> str:
    value = os.environ.get(variable, '')
    if not value:
        raise Unusable(f'the environment variable {variable} is missing or empty: it holds the password')
    return value


def _connect(args: argparse.Namespace, user: str, password: str) -> Any:
    socket = getattr(args, 'socket', None)
    where = {'unix_socket': socket} if socket else {'host': args.host, 'port': args.port}
    try:
        return pymysql.connect(
            user=user, password=password, connect_timeout=5, read_timeout=30, write_timeout=30, autocommit=True, **where
        )
    except pymysql.OperationalError as error:
        if error.args[0] == CR.CR_CONN_HOST_ERROR:
            place = socket or f'{args.host}:{args.port}'
            raise Unusable(f'no MySQL or MariaDB server answers at {place}: start it, or give its address') from None
        raise
    except RuntimeError as error:  # PyMySQL's own, for authentication that needs the cryptography package.
        raise Unusable(str(error)) from None


def _is_mariadb(cursor: Any) -> bool:
    return 'mariadb' in str(_rows(cursor, 'SELECT VERSION()')[0][0]).lower()


def statements(sql: str) -> list[str]:
    """Split a file of statements, each of which ends a line with a semicolon; comments are whole lines."""
    text = '\n'.join(line for line in sql.splitlines() if not line.startswith('--'))
    return [part.strip() for part in re.split(r';[ \t]*(?:\n|$)', text) if part.strip()]


def apply(args: argparse.Namespace) -> int:
    """Apply the SQL for the server that is there. A user that this call created is dropped again if a grant fails."""
    password = _password(PASSWORD)
    try:
        connection = _connect(args, args.admin, os.environ.get(ADMIN_PASSWORD, ''))
    except pymysql.OperationalError as error:
        raise Unusable(f'{args.admin} may not log in ({error.args[1]}): {ADMIN_PASSWORD} holds its password') from None
    with connection, connection.cursor() as cursor:
        if _rows(cursor, 'SELECT @@GLOBAL.read_only')[0][0]:
            raise Unusable('the server is read-only: apply this on its primary, the user arrives here by replication')
        file = Path(__file__).with_name('user.mariadb.sql' if _is_mariadb(cursor) else 'user.mysql.sql')
        step = 'reading mysql.user'
        created = False
        try:
            cursor.execute("SELECT 1 FROM mysql.user WHERE User = 'datadog' AND Host = '127.0.0.1'")
            created = not cursor.fetchall()
            # Quoted by the server's own rules: with NO_BACKSLASH_ESCAPES, QUOTE() and the client would disagree.
            cursor.execute("SET SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', '')")
            cursor.execute('SET @datadog_password = %s', (password,))
            for statement in statements(file.read_text(encoding='utf-8')):
                step = ' '.join(statement.split())[:60]
                cursor.execute(statement)
        except pymysql.MySQLError as error:
            left = 'nothing was changed'
            if step.startswith(('GRANT', 'ALTER', 'EXECUTE')) and created:
                cursor.execute(f'DROP USER IF EXISTS {ACCOUNT}')
                left = 'the new user was dropped again'
            elif step.startswith(('GRANT', 'ALTER')):
                left = 'the user was there before and stays; apply again with an account that may grant'
            raise Unusable(f'{file.name}: {step}: {str(error.args[-1]).replace(password, "***")}; {left}') from None
        finally:
            cursor.execute('SET @datadog_password = NULL')
    print(f'applied {file.name}: {ACCOUNT} is {"created" if created else "up to date"}')
    return 0


def verify(args: argparse.Namespace) -> int:
    """Do what the integration will do, as its user: one line per check, with the remedy of each that fails."""
    password = _password(PASSWORD)
    try:
        connection = _connect(args, USER, password)
    except pymysql.OperationalError as error:
        if error.args[0] not in REFUSED:
            raise
        print(f'FAIL connect: {error.args[1]}. To do: {CONNECT_ADVICE}')
        for check in CHECKS:
            print(f'SKIP {check.name}: not connected')
        return 1
    failed = False
    with connection, connection.cursor() as cursor:
        mariadb = _is_mariadb(cursor)
        print(f'ok   connect: {_rows(cursor, "SELECT VERSION()")[0][0]}')
        for check in CHECKS:
            try:
                print(f'ok   {check.name}: {check.run(cursor)}')
            except LookupError as error:
                failed = True
                print(f'FAIL {check.name}: To do: {error.args[0]}')
            except pymysql.MySQLError as error:
                failed = True
                print(f'FAIL {check.name}: {error.args[-1]}. To do: {check.advice[mariadb]}')
    return int(failed)


def load(args: argparse.Namespace) -> int:
    """Send a burst of queries that read nothing, up to a count and a number of seconds, whichever is first."""
    try:
        connection = _connect(args, USER, _password(PASSWORD))
    except pymysql.OperationalError as error:
        raise Unusable(f'{error.args[1]}: {CONNECT_ADVICE}') from None
    with connection, connection.cursor() as cursor:
        count = "SHOW GLOBAL STATUS LIKE 'Queries'"
        before = int(_rows(cursor, count)[0][1])
        end = time.monotonic() + args.seconds
        sent = 0
        while sent < args.count and time.monotonic() < end:
            cursor.execute('DO 0')
            sent += 1
        after = int(_rows(cursor, count)[0][1])
    print(f'sent {sent} queries; Queries rose from {before} to {after}')
    return 0


def _between[N: (int, float)](kind: Callable[[str], N], low: float, high: float) -> Callable[[str], N]:
    def parse(text: str) -> N:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{text!r} is not a number from {low:g} to {high:g}')
        return value

    return parse


def parser() -> argparse.ArgumentParser:
    """The command line. A default comes from DATADOG_MYSQL_HOST and DATADOG_MYSQL_PORT where they are set."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument('--host', default=os.environ.get('DATADOG_MYSQL_HOST', '127.0.0.1'))
    where.add_argument('--port', type=_between(int, 1, 65535), default=os.environ.get('DATADOG_MYSQL_PORT', '3306'))
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True, metavar='apply|verify|load')
    one = commands.add_parser('apply', parents=[where], help='create the user, or bring it up to date')
    one.add_argument('--admin', default='root', help='account that may create users')
    one.add_argument('--socket', help='log the administrator in over this socket, e.g. /run/mysqld/mysqld.sock')
    one.set_defaults(run=apply)
    commands.add_parser('verify', parents=[where], help='one line per check').set_defaults(run=verify)
    one = commands.add_parser('load', parents=[where], help='a burst of empty queries')
    one.add_argument('--count', type=_between(int, 1, MOST_QUERIES), default=20_000)
    one.add_argument('--seconds', type=_between(float, 0.1, MOST_SECONDS), default=60.0)
    one.set_defaults(run=load)
    return top


def main() -> int:
    """Parse, run, and turn what can't be used into one line on stderr."""
    args = parser().parse_args()
    try:
        return int(args.run(args))
    except Unusable as error:
        print(f'error: {error}', file=sys.stderr)
    except (pymysql.MySQLError, OSError) as error:
        print(f'error: {error.args[-1] if error.args else error}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
