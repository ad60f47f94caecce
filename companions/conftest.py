"""Shared fixtures: README commands, interpreters, free ports, and waiting for a server."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
MARK = '# needs a Datadog account'


def readme_commands(folder: str) -> list[str]:
    """Return the commands of a README's shell blocks, except blocks whose first line is the mark."""
    blocks = re.findall(
        r'^```(?:shell|sh|bash|console)\n(.*?)^```', (HERE / folder / 'README.md').read_text(), re.M | re.S
    )
    lines = [line for block in blocks if not block.startswith(MARK) for line in block.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith('#')]


@pytest.fixture(scope='session')
def commands() -> Callable[[str], list[str]]:
    """Return the commands of a companion's README that a test must run."""
    return readme_commands


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get('CI'):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope='session')
def unavailable() -> Callable[[str], NoReturn]:
    """Skip a test that lacks something on this machine; in CI, fail it."""
    return _unavailable


OLDEST = '3.11'


@pytest.fixture(scope='session', params=[pytest.param('', id='here'), pytest.param(OLDEST, id=f'python-{OLDEST}')])
def interpreter(request, tmp_path_factory, unavailable) -> Path:
    """A Python with the scripts' requirements: the current version, and the oldest supported one."""
    if not request.param:
        return Path(sys.executable)
    uv = os.environ.get('UV') or shutil.which('uv')
    folder = tmp_path_factory.mktemp('oldest') / 'environment'
    python = folder / 'bin' / 'python'
    requirements = HERE / 'flask_app' / 'requirements.txt'
    done = None
    for command in (
        ['venv', '--no-project', '--python', request.param, folder],
        ['pip', 'install', '--python', python, '--requirement', requirements, 'pymysql>=1.1'],
    ):
        done = uv and subprocess.run([uv, '--quiet', *command], capture_output=True, text=True, timeout=300)
        if not done or done.returncode:
            why = done.stderr if done else 'uv is not installed'
            unavailable(f'no Python {request.param}: {why}')
    return python


@pytest.fixture(scope='session')
def free_port() -> Callable[[], int]:
    """Return a free TCP port of the loopback interface."""

    def pick() -> int:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            return int(probe.getsockname()[1])

    return pick


@pytest.fixture(scope='session')
def wait_for_port() -> Callable[[int, 'subprocess.Popen[str]'], None]:
    """Wait up to 30 s until a new process listens on its port."""

    def wait(port: int, process: 'subprocess.Popen[str]') -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(('127.0.0.1', port)) == 0:
                    return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f'no server on port {port}; exit code of the process: {process.poll()}')

    return wait
