"""The host's files: parsed by the real parsers; provisioning runs in a scratch root with a fake Agent."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[1]
WHEEL = 'datadog_my_metric-1.0.0-py3-none-any.whl'


def test_datadog_yaml():
    config = yaml.safe_load((FOLDER / 'datadog.yaml').read_text())
    assert config['tags'] == ['interview', 'home:desktop', 'role:testing']
    assert config['env'] == 'dev'
    assert config['api_key'] == 'ENC[api_key]'
    assert config['secret_backend_command'] == '/etc/datadog-agent/secret_backend.py'


def backend(text: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, FOLDER / 'secret_backend.py'],
        input=text,
        env={'DATADOG_SECRETS': str(folder)},
        capture_output=True,
        text=True,
    )


def test_secret_backend_answers_each_handle(tmp_path):
    (tmp_path / 'api_key').write_text('k3y "quoted"\n')
    (tmp_path / 'empty').write_text('')
    done = backend(json.dumps({'version': '1.0', 'secrets': ['api_key', 'empty', 'absent', '../api_key']}), tmp_path)
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer['api_key'] == {'value': 'k3y "quoted"', 'error': None}
    for handle, reason in {'empty': 'is empty', 'absent': 'No such file', '../api_key': 'consists of'}.items():
        assert answer[handle]['value'] is None
        assert reason in answer[handle]['error']


@pytest.mark.parametrize('text', ['', '[]', '{}', '{"secrets": 3}', '{"secrets": [[]]}'])
def test_secret_backend_refuses_another_protocol(tmp_path, text):
    done = backend(text, tmp_path)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith('error: stdin must contain')


def test_every_command_of_the_readme_runs(tmp_path, commands, interpreter):
    lines = commands('host')
    assert len(lines) == 2
    path = f'{interpreter.parent}{os.pathsep}{os.environ["PATH"]}'
    env = os.environ | {'PATH': path, 'DATADOG_SECRETS': str(tmp_path / 'secrets')}
    done = [subprocess.run(line, shell=True, cwd=FOLDER, env=env, capture_output=True, text=True) for line in lines]
    assert [one.returncode for one in done] == [0, 0]
    assert json.loads(done[1].stdout) == {'api_key': {'value': 'not a key', 'error': None}}


@pytest.fixture
def host(tmp_path):
    """A scratch root, with commands on PATH that log their calls and change files as the Agent's commands do."""
    etc, binaries, calls = tmp_path / 'etc/datadog-agent', tmp_path / 'bin', tmp_path / 'calls'
    (etc / 'secrets').mkdir(parents=True)
    (etc / 'secrets/api_key').write_text('k3y')
    (tmp_path / WHEEL).write_text('')
    binaries.mkdir()
    # Like the real command: `install` of the installed version keeps the old code unless `remove` ran before.
    agent = f"""case "$1 $2" in
    'integration show') cat {tmp_path}/installed ;;
    'integration remove') rm {tmp_path}/installed {tmp_path}/code ;;
    'integration install')
        [ -e {tmp_path}/code ] || cp "$5" {tmp_path}/code 2>/dev/null
        echo 1.0.0 > {tmp_path}/installed
        mkdir -p {etc}/conf.d/my_metric.d && echo "instances: [{{}}]" > {etc}/conf.d/my_metric.d/conf.yaml.example ;;
    esac"""
    for name, does in {'datadog-agent': agent, 'systemctl': ':', 'chown': ':'}.items():
        (binaries / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {calls}\n{does}\n')
        (binaries / name).chmod(0o755)
    return tmp_path


def provision(host: Path, *arguments: str) -> subprocess.CompletedProcess:
    env = {'PATH': f'{host}/bin:/usr/bin:/bin', 'PROVISION_ROOT': str(host)}
    command = ['bash', FOLDER / 'provision.sh', *arguments]
    return subprocess.run(command, cwd=host, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    'argument, flags',
    [
        pytest.param(WHEEL, f'-r -w {WHEEL}', id='wheel'),
        pytest.param('datadog-my_metric==1.0.0', '-r -t datadog-my_metric==1.0.0', id='published'),
    ],
)
def test_provision_installs_enables_and_restarts_in_this_order(host, argument, flags):
    done = provision(host, argument)
    assert done.returncode == 0, done.stderr
    etc = host / 'etc/datadog-agent'
    calls = (host / 'calls').read_text().splitlines()
    install = calls.index(f'datadog-agent integration install {flags}')
    enable = calls.index(f'chown dd-agent:dd-agent {etc}/conf.d/my_metric.d/conf.yaml')
    assert install < enable < calls.index('systemctl restart datadog-agent') == len(calls) - 1
    assert (etc / 'conf.d/my_metric.d/conf.yaml').read_text() == 'instances: [{}]\n'
    assert (etc / 'datadog.yaml').read_text() == (FOLDER / 'datadog.yaml').read_text()
    modes = {name: (etc / name).stat().st_mode & 0o777 for name in ('secret_backend.py', 'secrets', 'secrets/api_key')}
    assert modes == {'secret_backend.py': 0o500, 'secrets': 0o700, 'secrets/api_key': 0o400}
    assert 'k3y' not in done.stdout + done.stderr + '\n'.join(calls)


def test_provision_again_keeps_the_configuration(host):
    assert provision(host, WHEEL).returncode == 0
    conf = host / 'etc/datadog-agent/conf.d/my_metric.d/conf.yaml'
    conf.write_text('instances: [{tags: [mine]}]\n')
    assert provision(host, WHEEL).returncode == 0
    assert 'mine' in conf.read_text()


def test_another_build_of_the_same_version_replaces_the_old(host):
    (host / WHEEL).write_text('old')
    assert provision(host, WHEEL).returncode == 0
    (host / WHEEL).write_text('new')
    (host / 'calls').unlink()
    done = provision(host, WHEEL)
    assert done.returncode == 0, done.stderr
    calls = [call for call in (host / 'calls').read_text().splitlines() if call.startswith('datadog-agent')]
    assert calls == [
        'datadog-agent integration show -q datadog-my_metric',
        'datadog-agent integration remove -r datadog-my_metric',
        f'datadog-agent integration install -r -w {WHEEL}',
    ]
    assert 'removing it first' in done.stdout
    assert (host / 'code').read_text() == 'new'


def test_another_version_is_installed_over_the_old(host):
    assert provision(host, WHEEL).returncode == 0
    (host / 'installed').write_text('0.9.0\n')
    done = provision(host, WHEEL)
    assert done.returncode == 0, done.stderr
    assert 'integration remove' not in (host / 'calls').read_text()


@pytest.mark.parametrize(
    'arguments, break_it, message',
    [
        pytest.param([], '', 'one argument', id='no-argument'),
        pytest.param(['absent.whl'], '', 'absent.whl cannot be read', id='no-wheel'),
        pytest.param(['my_metric'], '', 'neither a wheel', id='no-version'),
        pytest.param([WHEEL], 'etc/datadog-agent/secrets/api_key', 'it holds the API key', id='no-key'),
        pytest.param([WHEEL], 'bin/datadog-agent', 'install the Agent first', id='no-agent'),
    ],
)
def test_provision_refuses_and_changes_nothing(host, arguments, break_it, message):
    if break_it:
        (host / break_it).unlink()
    done = provision(host, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (host / 'calls').exists() and not (host / 'etc/datadog-agent/datadog.yaml').exists()


def vagrant_shell() -> str:
    return re.search(r"<<~'SHELL'\n(.*?)^ *SHELL$", (FOLDER / 'Vagrantfile').read_text(), re.M | re.S)[1]


@pytest.mark.parametrize('source', [(FOLDER / 'provision.sh').read_text(), '#!/bin/bash\n' + vagrant_shell()])
def test_shellcheck(tmp_path, source):
    (tmp_path / 'script').write_text(source)
    done = subprocess.run(
        [Path(sys.executable).parent / 'shellcheck', tmp_path / 'script'], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_vagrantfile(unavailable):
    if not shutil.which('ruby'):
        unavailable('no Ruby here: apt-get install -y ruby')
    done = subprocess.run(['ruby', '-c', FOLDER / 'Vagrantfile'], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert vagrant_shell().rstrip().endswith('/vagrant/provision.sh "$INTEGRATION"')


def test_vagrant_without_a_key_says_so(unavailable):
    if not shutil.which('ruby'):
        unavailable('no Ruby here: apt-get install -y ruby')
    done = subprocess.run(
        ['ruby', FOLDER / 'Vagrantfile', 'up'], env={'PATH': os.environ['PATH']}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, 'error: DD_API_KEY is missing or empty\n')
