"""Hostile checkouts: no traceback, the budget kept, no code run, nothing outside read or shown."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import hostile
import pytest

# `make test-long` sets more: 150 and all further ones.
COUNT = int(os.environ.get('DDASSETS_HOSTILE', '15'))
MAX_CPU, MAX_MEGABYTES = 20, 800
COMMANDS = {
    'lint': ('lint', '{home}', '--max-cpu', str(MAX_CPU), '--max-memory', str(MAX_MEGABYTES)),
    'rehearse': ('rehearse', '{home}', '--no-code', '--max-cpu', str(MAX_CPU), '--max-memory', str(MAX_MEGABYTES)),
    'plan': ('plan', '{home}', '--dry-run', '--max-cpu', str(MAX_CPU), '--max-memory', str(MAX_MEGABYTES)),
}
STRACE = shutil.which('strace')
# Written to a file, so that the output is the command's own.
TRACE = (STRACE, '-f', '-qq', '-e', 'trace=open,openat,execve', '-o')
KEY = 'k' * 32


@pytest.fixture(scope='module')
def checkouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp('hostile')
    ran = folder / 'ran'
    return hostile.make(folder / 'checkouts', folder / 'outside', ran, COUNT), folder / 'outside', ran


def run(home: Path, command: str, outside: Path, trace: Path | None = None):
    words = [word.format(home=home) for word in COMMANDS[command]]
    before = (*TRACE, str(trace)) if trace else ()
    return subprocess.run(
        [*before, sys.executable, '-P', '-m', 'ddassets', *words],
        env={'PATH': os.environ['PATH'], 'HOME': str(home.parents[1]), 'DD_API_KEY': KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=4 * MAX_CPU,
        check=False,
    )


def opened_outside(trace: Path, home: Path, outside: Path) -> list[str]:
    """What was opened of the things that a checkout must not lead to."""
    forbidden = re.compile(
        rf'"(/etc/passwd|/proc/self/environ|/dev/zero|{re.escape(str(outside))}[^"]*'
        rf'|{re.escape(str(home.parent))}/(acme/)?[^"]*\.git/config|/etc)"'
    )
    text = trace.read_text(errors='replace')
    return [line for line in text.splitlines() if forbidden.search(line) and ' ENOENT ' not in line]


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
        cases[f'hostile checkouts x {command}: no traceback, no code run, nothing outside read'] += 1


def test_the_corpus_is_large_enough(tmp_path):
    homes = hostile.make(tmp_path / 'all', tmp_path / 'outside', tmp_path / 'ran', 0)
    assert homes == []
    assert len(list(hostile._cases(tmp_path, tmp_path))) >= 150


@pytest.mark.parametrize('command', COMMANDS)
def test_canary_the_usual_integration_is_accepted(tmp_path, command):
    home = hostile.write(tmp_path / 'acme')
    done = run(home, command, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not STRACE, reason='strace is not installed')
def test_canary_reading_outside_is_seen(tmp_path):
    outside = tmp_path / 'outside'
    (home,) = (home for home in hostile.make(tmp_path / 'c', outside, tmp_path / 'ran') if home.parent.name == 'csv-4')
    done = subprocess.run(
        [*TRACE, tmp_path / 'trace', sys.executable, '-m', 'ddassets', 'rehearse', home, '--allow-outside'],
        capture_output=True,
        check=False,
    )
    assert hostile.SECRET.encode() in done.stdout + done.stderr
    assert opened_outside(tmp_path / 'trace', home, outside)


def test_canary_code_of_a_scenario_is_refused_by_no_code_alone(tmp_path):
    homes = hostile.make(tmp_path / 'c', tmp_path / 'outside', tmp_path / 'ran')
    (home,) = (home for home in homes if home.parent.name == 'code-0')
    done = run(home, 'rehearse', tmp_path)
    assert done.returncode == 2 and b'--no-code: this would run' in done.stderr
