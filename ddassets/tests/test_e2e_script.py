"""`make e2e` asks the Docker daemon before ddev does, and says what is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / '.ci' / 'e2e'
DOWN = "echo 'Cannot connect to the Docker daemon at unix:///run/docker.sock. Is it running?' >&2; exit 1"

pytestmark = pytest.mark.skipif(not shutil.which('bash'), reason='a script for bash')


@pytest.fixture
def e2e(tmp_path):
    """Run the script with a `docker` command of this text, or none, and a `ddev` that prints its arguments."""

    def run(docker: str | None, *arguments: str) -> subprocess.CompletedProcess:
        binaries = tmp_path / 'bin'
        binaries.mkdir()
        for name in ('bash', 'env', 'dirname'):
            (binaries / name).symlink_to(shutil.which(name))
        commands = {'ddev': 'echo ddev "$@"'} | ({'docker': docker} if docker is not None else {})
        for name, text in commands.items():
            (binaries / name).write_text(f'#!/bin/sh\n{text}\n')
            (binaries / name).chmod(0o755)
        environment = {'PATH': str(binaries), 'HOME': os.environ['HOME']}
        return subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=30)

    return run


@pytest.mark.parametrize(
    ('docker', 'message'),
    [
        pytest.param(None, 'error: no docker command here: install Docker Engine', id='no-client'),
        pytest.param(DOWN, 'error: the Docker daemon does not answer: Cannot connect', id='no-daemon'),
        pytest.param('echo "28.1 (windows/amd64)"', 'runs no Linux containers: it says 28.1 (windows', id='windows'),
    ],
)
def test_missing_requirements_are_reported(e2e, docker, message):
    done = e2e(docker)
    assert (done.returncode, done.stdout) == (2, '')
    assert message in done.stderr


@pytest.mark.parametrize(
    ('arguments', 'passed_on'),
    [pytest.param([], 'all', id='all'), pytest.param(['py3.13', '-k', 'signal'], 'py3.13 -k signal', id='arguments')],
)
def test_ddev_runs_if_the_daemon_answers(e2e, arguments, passed_on):
    done = e2e('echo "28.1 (linux/amd64)"', *arguments)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.splitlines()[-1] == f'ddev env test --dev my_metric {passed_on}'
