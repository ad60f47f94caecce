"""Hostile checkouts: no traceback, the budget kept, no code run, nothing outside read or shown."""

import argparse
import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import hostile
import pytest
import scale

from ddassets import cli

# A tenth of the corpus, or all of it in the long run.
SHARE = 1 if scale.MANY else 0.1
MAX_CPU, MAX_MEGABYTES = 20, 800
COMMANDS = {
    'lint': ('lint', '{home}', '--max-cpu', str(MAX_CPU), '--max-memory', str(MAX_MEGABYTES)),
    'rehearse': ('rehearse', '{home}', '--no-code', '--max-cpu', str(MAX_CPU), '--max-memory', str(MAX_MEGABYTES)),
    'plan': ('plan', '{home}', '--dry-run', '--max-cpu', str(MAX_CPU), '--max-memory', str(MAX_MEGABYTES)),
}


def working_strace() -> tuple[str, ...]:
    """Return the command of strace; empty where it is not installed or may not trace, as in many containers.

    With --seccomp-bpf a process stops only at the traced calls, which costs a fifth less. Older versions lack it.
    """
    if found := shutil.which('strace'):
        for command in ((found, '--seccomp-bpf', '-f', '-qq'), (found, '-f', '-qq')):
            if subprocess.run([*command, '-o', os.devnull, 'true'], capture_output=True, check=False).returncode == 0:
                return command
    return ()


STRACE = working_strace()
# Written to a file, so that the output is the command's own.
# -y shows what a file descriptor stands for: a path may be relative to one, and a link is shown as where it led.
TRACE = (*STRACE, '-y', '-e', 'trace=open,openat,openat2,execve', '-o')
KEY = 'k' * 32


@pytest.fixture
def strace():
    return STRACE or pytest.skip('strace is not installed, or may not trace here')


@pytest.fixture(scope='module')
def checkouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp('hostile')
    ran = folder / 'ran'
    return hostile.make(folder / 'checkouts', folder / 'outside', ran, SHARE), folder / 'outside', ran


def run(home: Path, command: str, outside: Path, trace: Path | None = None):
    words = [word.format(home=home) for word in COMMANDS[command]]
    before = (*TRACE, str(trace)) if trace else ()
    return subprocess.run(
        [*before, sys.executable, '-P', '-m', 'ddassets', *words],
        env={'PATH': os.environ['PATH'], 'HOME': str(home.parents[1]), 'DD_API_KEY': KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        # One that waits for a pipe; --max-cpu ends one that works.
        timeout=600,
        check=False,
    )


# openat(AT_FDCWD</folder>, "path", flags) = 3</real/path>, or an error.
CALL = re.compile(r'open(?:at2?\(\w+<(?P<base>[^>]*)>, |\()"(?P<path>(?:[^"\\]|\\.)*)"(?P<rest>.*)')
RESULT = re.compile(r'\) = \d+<(?P<real>[^>]*)>')


def opened_outside(trace: Path, home: Path, outside: Path) -> list[str]:
    """Return the opened files and folders that a checkout must not open."""
    found = []
    for line in trace.read_text(errors='replace').splitlines():
        if (call := CALL.search(line)) and ' ENOENT ' not in call['rest']:
            result = RESULT.search(call['rest'])
            asked = os.path.normpath(os.path.join(call['base'] or '', call['path']))
            if any(is_forbidden(path, home, outside) for path in (asked, result['real'] if result else asked)):
                found.append(line)
    return found


def is_forbidden(path: str, home: Path, outside: Path) -> bool:
    if path in ('/etc', '/etc/passwd', '/dev/zero', '/dev/tty') or re.fullmatch(r'/proc/(self|\d+)/environ', path):
        return True
    place = Path(path)
    return place.is_relative_to(outside) or (place.is_relative_to(home.parent) and place.match('.git/config'))


@pytest.mark.parametrize('command', COMMANDS)
def test_a_hostile_checkout_ends_in_an_exit_code(checkouts, cases, tmp_path, command):
    homes, outside, ran = checkouts
    for home in homes:
        trace = tmp_path / f'{home.parent.name}.trace' if STRACE else None
        done = run(home, command, outside, trace)
        said = (done.stdout + done.stderr).decode(errors='replace')
        about = f'{home.parent.name}: {said[-2000:]}'
        assert done.returncode in (0, 1, 2), about
        for forbidden in ('Traceback', 'unexpected', hostile.SECRET, 'root:x:0', KEY):
            assert forbidden not in said, about
        assert not re.search('[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]', said.replace('\r', '')), about
        assert max(map(len, said.split('\n'))) <= 2500, about
        assert not ran.exists(), about
        if trace:
            assert opened_outside(trace, home, outside) == [], about
            assert not [line for line in trace.read_text(errors='replace').splitlines()[1:] if 'execve(' in line]
        seen = 'nothing outside read' if trace else 'NOT traced: strace is missing or may not trace here'
        cases[f'hostile checkouts x {command}: no traceback, no code run, {seen}'] += 1


def test_the_corpus_is_large_enough(tmp_path):
    names = [name for name, _ in hostile._cases(tmp_path, tmp_path)]
    assert len(set(names)) == len(names) >= 229


@pytest.mark.parametrize('command', COMMANDS)
def test_canary_the_usual_integration_is_accepted(tmp_path, command):
    home = hostile.write(tmp_path / 'acme')
    done = run(home, command, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_canary_reading_outside_is_seen(tmp_path, strace):
    outside = tmp_path / 'outside'
    (home,) = (home for home in hostile.make(tmp_path / 'c', outside, tmp_path / 'ran') if home.parent.name == 'csv-4')
    done = subprocess.run(
        [*TRACE, tmp_path / 'trace', sys.executable, '-m', 'ddassets', 'rehearse', home, '--allow-outside'],
        capture_output=True,
        check=False,
    )
    assert hostile.SECRET.encode() in done.stdout + done.stderr
    assert opened_outside(tmp_path / 'trace', home, outside)


@pytest.mark.parametrize(
    'code, seen',
    [
        pytest.param('os.open("/etc/passwd", 0)', ['/etc/passwd'], id='absolute'),
        pytest.param('os.open("passwd", 0, dir_fd=os.open("linked", 0))', ['/etc', '/etc/passwd'], id='descriptor'),
        pytest.param('os.open("secret", 0)', ['/outside/secret'], id='link'),
        pytest.param('os.listdir("linked")', ['/etc'], id='linked folder'),
        pytest.param('os.open("../.git/config", 0)', ['/.git/config'], id='climbing'),
        pytest.param('os.open("/proc/self/environ", 0)', ['/environ'], id='environment'),
        pytest.param('os.open("own", 0)', [], id='own'),
    ],
)
def test_canary_each_way_to_open_is_seen(tmp_path, strace, code, seen):
    home = tmp_path / 'checkout' / 'acme'
    for folder in (home, home.parent / '.git', tmp_path / 'outside'):
        folder.mkdir(parents=True)
    for path in (home / 'own', home.parent / '.git' / 'config', tmp_path / 'outside' / 'secret'):
        path.touch()
    (home / 'linked').symlink_to('/etc')
    (home / 'secret').symlink_to(tmp_path / 'outside' / 'secret')
    command = [*TRACE, tmp_path / 'trace', sys.executable, '-I', '-S', '-c', f'import os; {code}']
    subprocess.run(command, cwd=home, check=True)
    lines = opened_outside(tmp_path / 'trace', home, tmp_path / 'outside')
    assert [f'{path}>' in line for path, line in zip(seen, lines, strict=True)] == [True] * len(seen), lines


def test_canary_code_of_a_scenario_is_refused_by_no_code_alone(tmp_path):
    homes = hostile.make(tmp_path / 'c', tmp_path / 'outside', tmp_path / 'ran')
    (home,) = (home for home in homes if home.parent.name == 'code-0')
    done = run(home, 'rehearse', tmp_path)
    assert done.returncode == 2 and b'--no-code: this would run' in done.stderr


def test_a_query_that_does_not_parse_is_a_placeholder_on_the_page(tmp_path):
    home = hostile.write(tmp_path / 'acme')
    dashboard = json.loads(hostile.FILES['assets/dashboards/acme.json'])
    dashboard['widgets'][0]['definition']['requests'] = [{'q': 'avg:acme.jobs{'}]
    (home / 'assets/dashboards/acme.json').write_text(json.dumps(dashboard))
    done = subprocess.run(
        [sys.executable, '-m', 'ddassets', 'rehearse', home, '--report', tmp_path / 'page'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The page holds its data compressed.
    packed = re.findall(r'H4sI[\w+/]+=*', (tmp_path / 'page' / 'index.html').read_text())
    data = [gzip.decompress(base64.b64decode(part)).decode(errors='replace') for part in packed]
    assert any('Its query is not valid: column ' in part for part in data)


@pytest.mark.parametrize('verbose', [False, True])
def test_an_unexpected_error_is_short_unless_verbose(tmp_path, monkeypatch, capsys, verbose):
    def broken(*_, **__):
        raise ZeroDivisionError('a fault\x1b[2J of ours')

    monkeypatch.setattr('ddassets.lint.run.lint_paths', broken)
    code = cli.main(['lint', str(hostile.write(tmp_path / 'acme')), *(['--verbose'] if verbose else [])])
    said = capsys.readouterr().err
    assert code == 2 and 'unexpected ZeroDivisionError: a fault\\x1b[2J of ours' in said and 'please report it' in said
    assert ('Traceback' in said) == verbose


@pytest.mark.parametrize('error', [KeyboardInterrupt(), OSError(9, 'Bad file descriptor'), MemoryError()])
def test_what_ends_a_command_at_any_place(monkeypatch, capsys, error):
    """For example Ctrl-C while a command is imported."""

    def broken(name):
        raise error

    monkeypatch.setattr(cli, 'command_parser' if isinstance(error, KeyboardInterrupt) else 'command_module', broken)
    if not isinstance(error, KeyboardInterrupt):
        monkeypatch.setattr(cli, '_parse', lambda words: ('lint', argparse.Namespace()))
        monkeypatch.setattr(cli, '_discard_output', lambda: None)
    assert cli.main(['lint', '.']) == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert 'Traceback' not in capsys.readouterr().err


@pytest.mark.parametrize('options', ['--max-cpu 0.05', '--max-memory 40'])
def test_a_budget_ends_a_run_with_a_diagnostic(tmp_path, options):
    home = hostile.write(tmp_path / 'acme')
    (home / 'assets/dashboards/acme.json').write_text('{"widgets": [' + ','.join(['{}'] * 1_000_000) + ']}')
    done = subprocess.run(
        [sys.executable, '-m', 'ddassets', 'lint', home, *options.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stderr.startswith('ddassets: error: stopped a'), done.stderr
    assert options.split()[0] in done.stderr


def test_closed_standard_output(tmp_path):
    home = hostile.write(tmp_path / 'acme')
    done = subprocess.run(
        ['sh', '-c', f'"{sys.executable}" -m ddassets lint "{home}" >&-'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stderr == 'ddassets: error: standard output is closed\n'
