"""The SQL, `verify` and `load` against a real MariaDB: a plain process with a private data directory."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest
import yaml

FOLDER = Path(__file__).parents[1]
EXAMPLE = FOLDER.parents[1] / 'my_metric/datadog_checks/my_metric/data/mysql.yaml.example'
# A password that reveals quoting mistakes.
PASSWORD = """it's "a" \\ secret %s `x`"""
ACCOUNT = "'datadog'@'127.0.0.1'"
INSTALL = 'apt-get install -y --no-install-recommends mariadb-server'


class Server:
    def __init__(self, port: int, socket: Path) -> None:
        self.port, self.socket = port, socket

    def execute(self, statement: str) -> list[tuple]:
        connection = pymysql.connect(unix_socket=str(self.socket), user='root', autocommit=True)
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def environment(self, **changes: str | None) -> dict[str, str]:
        values = os.environ | {'DATADOG_MYSQL_PASSWORD': PASSWORD, 'DATADOG_MYSQL_PORT': str(self.port)} | changes
        return {key: value for key, value in values.items() if value is not None}

    def run(self, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [sys.executable, FOLDER / 'datadog_mysql.py', *arguments],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert 'Traceback' not in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done

    def users(self) -> int:
        return self.execute("SELECT COUNT(*) FROM mysql.user WHERE User = 'datadog'")[0][0]


@pytest.fixture(scope='module')
def server(tmp_path_factory, free_port, wait_for_port, unavailable):
    daemon = shutil.which('mariadbd') or shutil.which('/usr/sbin/mariadbd')
    if not daemon:
        unavailable(f'no MariaDB server installed: {INSTALL}')
    root = tmp_path_factory.mktemp('mariadb')
    user = ['--user=root'] if os.geteuid() == 0 else []
    install = ['mariadb-install-db', '--no-defaults', f'--datadir={root}/data', '--skip-test-db', *user]
    subprocess.run([*install, '--auth-root-authentication-method=normal'], check=True, capture_output=True, timeout=60)
    port = free_port()
    options = [f'--datadir={root}/data', f'--port={port}', f'--socket={root}/s', f'--pid-file={root}/pid', *user]
    with open(root / 'log', 'w') as log:
        process = subprocess.Popen(
            [daemon, '--no-defaults', '--bind-address=127.0.0.1', '--performance-schema=ON', *options],
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        wait_for_port(port, process)
        yield Server(port, root / 's')
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def applied(server):
    """The user with every grant, whatever the previous test did."""
    server.execute('SET GLOBAL read_only = 0')
    server.execute(f'DROP USER IF EXISTS {ACCOUNT}')
    assert server.run('apply', '--socket', str(server.socket)).returncode == 0
    yield server
    server.execute('SET GLOBAL read_only = 0')


def results(done: subprocess.CompletedProcess) -> dict[str, str]:
    return {
        match[2]: match[1] for match in re.finditer(r'^(ok|FAIL|WARN|SKIP) +([\w ]+?)(?: \(.*\))?:', done.stdout, re.M)
    }


ALL_OK = dict.fromkeys(
    ['connect', 'uptime', 'binary logs', 'replication status', 'performance_schema', 'process list'], 'ok'
)


def test_applied_twice_changes_nothing_and_verify_passes(applied):
    grants = applied.execute(f'SHOW GRANTS FOR {ACCOUNT}')
    again = applied.run('apply', '--socket', str(applied.socket))
    assert (again.returncode, again.stdout) == (0, f'applied user.mariadb.sql: {ACCOUNT} is up to date\n')
    assert applied.execute(f'SHOW GRANTS FOR {ACCOUNT}') == grants
    verified = applied.run('verify')
    assert (verified.returncode, results(verified)) == (0, ALL_OK)
    noted = re.findall(r'^ok +([\w ]+): .* \(needed only with replication: true\)$', verified.stdout, re.M)
    assert noted == ['binary logs', 'replication status']
    assert 'needed with' not in applied.run('verify', '--replication').stdout


def test_grants_are_the_least(applied):
    text = ' '.join(row[0] for row in applied.execute(f'SHOW GRANTS FOR {ACCOUNT}'))
    assert re.findall(r'GRANT (.*?) ON (\S+) TO', text) == [
        ('PROCESS, BINLOG MONITOR, SLAVE MONITOR', '*.*'),
        ('SELECT', '`performance_schema`.*'),
    ]
    assert 'MAX_USER_CONNECTIONS 5' in text


@pytest.mark.parametrize(
    'grant, on, check',
    [
        pytest.param('BINLOG MONITOR', '*.*', 'binary logs', id='binary-logs'),
        pytest.param('SLAVE MONITOR', '*.*', 'replication status', id='replication'),
        pytest.param('PROCESS', '*.*', 'process list', id='process'),
        pytest.param('SELECT', 'performance_schema.*', 'performance_schema', id='performance-schema'),
    ],
)
def test_revoked_grant_fails_only_its_check_and_the_advice_fixes_it(applied, grant, on, check):
    applied.execute(f'REVOKE {grant} ON {on} FROM {ACCOUNT}')
    done = applied.run('verify', '--replication')
    assert (done.returncode, results(done)) == (1, ALL_OK | {check: 'FAIL'})
    # The packaged configuration has replication off.
    without = applied.run('verify')
    expected = (0, 'WARN') if grant.endswith('MONITOR') else (1, 'FAIL')
    assert (without.returncode, results(without)[check]) == expected
    advice = re.search(r'^FAIL .*To do: (GRANT .*;)$', done.stdout, re.M)[1]
    assert advice == f'GRANT {grant} ON {on} TO {ACCOUNT};'
    applied.execute(advice)
    assert results(applied.run('verify')) == ALL_OK


@pytest.mark.parametrize(
    'statement',
    [
        pytest.param(f'DROP USER {ACCOUNT}', id='no-user'),
        pytest.param(f'ALTER USER {ACCOUNT} ACCOUNT LOCK', id='locked'),
        pytest.param(f"ALTER USER {ACCOUNT} IDENTIFIED BY 'other'", id='other-password'),
    ],
)
def test_refused_login_is_a_failed_check(applied, statement):
    applied.execute(statement)
    done = applied.run('verify')
    assert (done.returncode, results(done)) == (1, dict.fromkeys(ALL_OK, 'SKIP') | {'connect': 'FAIL'})
    assert 'To do: apply the SQL again' in done.stdout


def test_load_raises_queries_and_stops_at_its_count(applied):
    done = applied.run('load', '--count', '500', '--seconds', '2')
    sent, before, after = totals(done)
    assert done.returncode == 0
    assert 495 <= sent <= 500
    assert after - before >= sent


def totals(done: subprocess.CompletedProcess) -> list[int]:
    """Return the queries sent, and the server's counter before and after."""
    return list(
        map(int, re.search(r'^sent (\d+) queries; Queries rose from (\d+) to (\d+)$', done.stdout, re.M).groups())
    )


def test_load_is_a_hill(applied):
    """The rate that the server counts rises to the middle and falls again: in the middle above twice the ends."""
    done = applied.run('load', '--count', '4000', '--seconds', '8')
    print(done.stdout)
    rates = [float(rate) for rate in re.findall(r's +([0-9.]+) queries/s', done.stdout)]
    assert len(rates) == 8
    assert min(rates[3:5]) > 2 * max(rates[0], rates[-1])
    assert rates[1] < rates[3] and rates[6] < rates[4]


def test_load_stops_at_its_time(applied):
    done = applied.run('load', '--count', '1000000', '--seconds', '0.1')
    assert done.returncode == 0
    assert 0 < totals(done)[0] < 1_000_000
    assert 'fewer than 1000000 queries' in done.stdout


def test_companion_configuration_connects(applied):
    instance = yaml.safe_load(EXAMPLE.read_text())['instances'][0]
    secrets = {'ENC[mysql_datadog_password]': PASSWORD}
    with pymysql.connect(
        host=instance['host'], port=applied.port, user=instance['username'], password=secrets[instance['password']]
    ):
        pass
    assert instance['port'] == 3306
    # Both options are for other kinds of server; the user may read either.
    assert instance['options'] == {'replication': False, 'galera_cluster': False}


def test_every_command_of_the_readme_runs(applied, commands, interpreter):
    lines = commands('mysql')
    assert len(lines) == 3
    path = f'{interpreter.parent}{os.pathsep}{os.environ["PATH"]}'
    for line in lines:
        # Shorten the five minutes for the test.
        line = line.replace('--count 60000 --seconds 300', '--count 400 --seconds 4')
        assert '300' not in line
        done = subprocess.run(
            line,
            shell=True,
            cwd=FOLDER,
            env=applied.environment(PATH=path),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('command', ['apply', 'verify', 'load'])
@pytest.mark.parametrize('password', [pytest.param(None, id='unset'), pytest.param('', id='empty')])
def test_missing_password(applied, command, password):
    done = applied.run(command, DATADOG_MYSQL_PASSWORD=password)
    assert (done.returncode, done.stdout) == (2, '')
    assert 'DATADOG_MYSQL_PASSWORD' in done.stderr


@pytest.mark.parametrize('command', ['apply', 'verify', 'load'])
def test_missing_server(server, command, free_port):
    port = str(free_port())
    done = server.run(command, '--port', port)
    assert (done.returncode, done.stdout) == (2, '')
    assert f'server at 127.0.0.1:{port}' in done.stderr


@pytest.mark.parametrize(
    'arguments',
    [
        pytest.param(['verify', '--port', '99999'], id='port'),
        pytest.param(['verify', '--port', 'x'], id='port-word'),
        pytest.param(['load', '--count', '0'], id='count'),
        pytest.param(['load', '--seconds', 'nan'], id='nan'),
        pytest.param(['load', '--seconds', '1e9'], id='hours'),
    ],
)
def test_bad_argument(server, arguments):
    done = server.run(*arguments)
    assert done.returncode == 2
    assert 'is not a number from' in done.stderr


def test_read_only_server_is_not_changed(applied):
    applied.execute(f'DROP USER {ACCOUNT}')
    applied.execute('SET GLOBAL read_only = 1')
    done = applied.run('apply', '--socket', str(applied.socket))
    assert (done.returncode, done.stdout, applied.users()) == (2, '', 0)
    assert 'the server is read-only: apply this on its primary, and replication creates the user here' in done.stderr


@pytest.mark.parametrize(
    'set_up, message',
    [
        pytest.param("SET GLOBAL read_only = 1; SET @datadog_password = 'x';", 'read-only', id='read-only'),
        pytest.param('', 'error in your SQL syntax', id='no-password'),
        pytest.param("SET @datadog_password = '';", 'error in your SQL syntax', id='empty-password'),
    ],
)
def test_sql_by_hand_stops_at_the_first_statement(applied, set_up, message):
    applied.execute(f'DROP USER {ACCOUNT}')
    done = subprocess.run(
        ['mariadb', '--no-defaults', '-uroot', f'--socket={applied.socket}'],
        input=set_up + (FOLDER / 'user.mariadb.sql').read_text(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, applied.users()) == (1, 0)
    assert message in done.stderr


def test_administrator_without_grant_option_leaves_no_user(applied):
    applied.execute(f'DROP USER {ACCOUNT}')
    applied.execute("CREATE OR REPLACE USER clerk@localhost IDENTIFIED BY 'c'")
    applied.execute('GRANT CREATE USER ON *.* TO clerk@localhost')
    applied.execute('GRANT SELECT ON mysql.* TO clerk@localhost')
    done = applied.run('apply', '--admin', 'clerk', '--socket', str(applied.socket), MYSQL_ADMIN_PASSWORD='c')
    assert (done.returncode, applied.users()) == (2, 0)
    assert 'the new user was dropped again' in done.stderr
