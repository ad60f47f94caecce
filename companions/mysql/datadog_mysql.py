"""Create, verify and exercise the `datadog` user of the MySQL integration.

Needs Python 3.11 or later and PyMySQL, the client of the integration, which the Agent's Python contains.
Exit codes: 0 success, 1 a check failed, 2 unusable input (password, port or server missing, read-only server).
Passwords come only from the environment, so that neither `ps` nor a shell history shows them.
"""

import argparse
import math
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pymysql
from pymysql.constants import CR, ER

PASSWORD = 'DATADOG_MYSQL_PASSWORD'
ADMIN_PASSWORD = 'MYSQL_ADMIN_PASSWORD'
USER = 'datadog'
ACCOUNT = "'datadog'@'127.0.0.1'"
MAX_QUERIES = 10_000_000
MAX_SECONDS = 3600.0
# Seconds between two lines of `load`: the interval of the MySQL integration, shorter in a short run.
MAX_STEP = 15.0
MIN_STEPS = 8
# The server refused the login: a finding about the account, not unusable input. Locked accounts:
# 3118 is MySQL's code, 4151 MariaDB's.
REFUSED = {ER.ACCESS_DENIED_ERROR, ER.HOST_NOT_PRIVILEGED, 3118, 4151, 1226}


class Unusable(Exception):
    """The input or the server is unusable (exit code 2); the message says what to do."""


class Check(NamedTuple):
    """An operation of the integration, and advice if the user may not do it.

    `advice` has the key True for MariaDB, False for MySQL. `replication`: needed only with `replication: true`.
    """

    name: str
    run: Callable[[Any], str]
    advice: dict[bool, str]
    replication: bool = False


def _rows(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    return list(cursor.fetchall())


def _uptime(cursor: Any) -> str:
    [(_, uptime)] = _rows(cursor, "SHOW GLOBAL STATUS LIKE 'Uptime'")
    return f'{uptime} s'


def _binary_logs(cursor: Any) -> str:
    try:
        return f'{len(_rows(cursor, "SHOW BINARY LOGS"))} files'
    except pymysql.MySQLError as error:
        # The server checks the privilege first, so this answer proves it.
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
    # Without PROCESS the list is not refused but contains only the user's own threads; this statement is refused.
    cursor.execute('SHOW ENGINE INNODB STATUS')
    return f'{len(_rows(cursor, "SHOW FULL PROCESSLIST"))} threads'


def _grant(mysql: str, mariadb: str | None = None, on: str = '*.*') -> dict[bool, str]:
    return {maria: f'GRANT {name} ON {on} TO {ACCOUNT};' for maria, name in ((False, mysql), (True, mariadb or mysql))}


CONNECT_ADVICE = f'apply the SQL again with the password in {PASSWORD} (datadog_mysql.py apply)'
CHECKS = (
    Check('uptime', _uptime, dict.fromkeys((False, True), 'look at the error log of the server')),
    Check('binary logs', _binary_logs, _grant('REPLICATION CLIENT', 'BINLOG MONITOR'), replication=True),
    Check('replication status', _replication, _grant('REPLICATION CLIENT', 'SLAVE MONITOR'), replication=True),
    Check('performance_schema', _performance_schema, _grant('SELECT', on='performance_schema.*')),
    Check('process list', _process_list, _grant('PROCESS')),
)


def _password(variable: str) -> str:
    value = os.environ.get(variable, '')
    if not value:
        raise Unusable(f'the environment variable {variable} is missing or empty: set it to the password')
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
            raise Unusable(f'no MySQL or MariaDB server at {place}: start it, or pass its address') from None
        raise
    except RuntimeError as error:  # Raised by PyMySQL for authentication that needs the cryptography package.
        raise Unusable(str(error)) from None


def _is_mariadb(cursor: Any) -> bool:
    return 'mariadb' in str(_rows(cursor, 'SELECT VERSION()')[0][0]).lower()


def statements(sql: str) -> list[str]:
    """Split a file into statements. Each ends with a semicolon at the end of a line; comments are whole lines."""
    text = '\n'.join(line for line in sql.splitlines() if not line.startswith('--'))
    return [part.strip() for part in re.split(r';[ \t]*(?:\n|$)', text) if part.strip()]


def apply(args: argparse.Namespace) -> int:
    """Apply the SQL for this kind of server. If a grant fails, a user created by this call is dropped again."""
    password = _password(PASSWORD)
    try:
        connection = _connect(args, args.admin, os.environ.get(ADMIN_PASSWORD, ''))
    except pymysql.OperationalError as error:
        raise Unusable(f'{args.admin} cannot log in ({error.args[1]}): set {ADMIN_PASSWORD} to its password') from None
    with connection, connection.cursor() as cursor:
        if _rows(cursor, 'SELECT @@GLOBAL.read_only')[0][0]:
            raise Unusable('the server is read-only: apply this on its primary, and replication creates the user here')
        file = Path(__file__).with_name('user.mariadb.sql' if _is_mariadb(cursor) else 'user.mysql.sql')
        step = 'reading mysql.user'
        created = False
        try:
            cursor.execute("SELECT 1 FROM mysql.user WHERE User = 'datadog' AND Host = '127.0.0.1'")
            created = not cursor.fetchall()
            # With NO_BACKSLASH_ESCAPES, QUOTE() and the client would quote differently.
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
                left = 'the user existed before and is kept; apply again with an account that may grant'
            raise Unusable(f'{file.name}: {step}: {str(error.args[-1]).replace(password, "***")}; {left}') from None
        finally:
            cursor.execute('SET @datadog_password = NULL')
    print(f'applied {file.name}: {ACCOUNT} is {"created" if created else "up to date"}')
    return 0


def verify(args: argparse.Namespace) -> int:
    """Do what the integration does, as its user: print one line per check, with advice if it fails.

    Without `--replication`, a missing grant that only `replication: true` needs is a warning.
    """
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
            needed = args.replication or not check.replication
            note = '' if needed else ' (needed only with replication: true)'
            try:
                print(f'ok   {check.name}: {check.run(cursor)}{note}')
                continue
            except LookupError as error:
                remedy = f'To do: {error.args[0]}'
            except pymysql.MySQLError as error:
                remedy = f'{error.args[-1]}. To do: {check.advice[mariadb]}'
            failed |= needed
            print(f'{"FAIL" if needed else "WARN"} {check.name}{note}: {remedy}')
    return int(failed)


def hill(share: float) -> float:
    """Return the share of queries sent after a share of the time, both 0 to 1: the rate is half a sine wave."""
    return (1 - math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2


def load(args: argparse.Namespace) -> int:
    """Send queries that read nothing over the given seconds, and print the rate that the server counts."""
    try:
        connection = _connect(args, USER, _password(PASSWORD))
    except pymysql.OperationalError as error:
        raise Unusable(f'{error.args[1]}: {CONNECT_ADVICE}') from None
    with connection, connection.cursor() as cursor:
        start = time.monotonic()
        step = min(MAX_STEP, args.seconds / MIN_STEPS)
        peak = args.count / args.seconds * math.pi / 2
        sent, at, counted = 0, start, _queries(cursor)
        before = counted
        while sent < args.count and (now := time.monotonic()) < start + args.seconds:
            if now >= at + step:
                at, counted = _print_rate(cursor, start, at, counted, peak)
            if sent < args.count * hill((now - start) / args.seconds):
                cursor.execute('DO 0')
                sent += 1
            else:
                time.sleep(0.005)
        _print_rate(cursor, start, at, counted, peak)
        after = _queries(cursor)
    print(f'sent {sent} queries; Queries rose from {before} to {after}')
    if sent < args.count * 0.99:
        print(f'the server handled fewer than {args.count} queries: lower --count or raise --seconds')
    return 0


def _queries(cursor: Any) -> int:
    [(_, value)] = _rows(cursor, "SHOW GLOBAL STATUS LIKE 'Queries'")
    return int(value)


def _print_rate(cursor: Any, start: float, at: float, counted: int, peak: float) -> tuple[float, int]:
    """Print the rate since `at` and return the instant and the counter for the next call."""
    now, counter = time.monotonic(), _queries(cursor)
    rate = (counter - counted) / max(now - at, 0.001)
    print(f'{now - start:7.1f} s {rate:9.1f} queries/s {"#" * min(round(40 * rate / peak), 60)}', flush=True)
    return now, counter


Number = TypeVar('Number', int, float)


def _between(kind: Callable[[str], Number], low: float, high: float) -> Callable[[str], Number]:
    def parse(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f'{text!r} is not a number from {low:g} to {high:g}')
        return value

    return parse


def parser() -> argparse.ArgumentParser:
    """Return the argument parser. DATADOG_MYSQL_HOST and DATADOG_MYSQL_PORT set defaults."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument('--host', default=os.environ.get('DATADOG_MYSQL_HOST', '127.0.0.1'))
    where.add_argument('--port', type=_between(int, 1, 65535), default=os.environ.get('DATADOG_MYSQL_PORT', '3306'))
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True, metavar='apply|verify|load')
    command = commands.add_parser('apply', parents=[where], help='create or update the user')
    command.add_argument('--admin', default='root', help='account with the right to create users')
    command.add_argument('--socket', help='socket for the login of the administrator, e.g. /run/mysqld/mysqld.sock')
    command.set_defaults(run=apply)
    command = commands.add_parser('verify', parents=[where], help='check the grants: one line per check')
    command.add_argument(
        '--replication', action='store_true', help='treat the grants for replication: true as required'
    )
    command.set_defaults(run=verify)
    command = commands.add_parser('load', parents=[where], help='send empty queries at a rising and falling rate')
    command.add_argument(
        '--count', type=_between(int, 1, MAX_QUERIES), default=60_000, help='total number of queries (60000)'
    )
    command.add_argument(
        '--seconds', type=_between(float, 0.1, MAX_SECONDS), default=300.0, help='duration in seconds (300)'
    )
    command.set_defaults(run=load)
    return top


def main() -> int:
    """Parse and run; report unusable input in one line on stderr."""
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
