"""The environment of the processes that run code of a checkout, and how that code is refused."""

import os
import sys
from pathlib import Path

import pytest
from tiny_probe import write_integration

from ddassets.agent import cache, process, simulation
from ddassets.diagnostic import UnusableInputError

# A build backend, and a check, that note the environment that they were started with.
NOTE = """\
def note():
    import os
    with open({target!r}, 'a') as file:
        file.write(open('/proc/self/environ').read().replace('\\0', '\\n') + '\\n')
    assert not [name for name in os.environ if name.startswith('DD_')]


note()
"""
SECRETS = {
    'DD_API_KEY': 'secret-1',
    'DD_APP_KEY': 'secret-2',
    'GITHUB_TOKEN': 'secret-3',
    'AWS_SECRET_ACCESS_KEY': 'secret-4',
    'UV_DEFAULT_INDEX': 'https://someone:secret-5@example.com/simple',
    'HTTPS_PROXY': 'http://secret-6@proxy.example.com:3128',
}
CHECK = """\
from datadog_checks.base import AgentCheck


class TinyProbeCheck(AgentCheck):
    def check(self, _):
        note()
        self.gauge('tiny.level', 1)


class Between(AgentCheck):
    pass


del Between
Between = TinyProbeCheck
"""
linux = pytest.mark.skipif(not Path('/proc/self/environ').exists(), reason='there is no /proc')


@pytest.fixture
def noting(tmp_path):
    """An integration whose build and check record their environment, and the file with the record."""
    target = tmp_path / 'environments'
    note = NOTE.format(target=str(target))
    folder = write_integration(tmp_path / 'tiny_probe', check=note + CHECK)
    project = folder / 'pyproject.toml'
    (folder / 'backend.py').write_text(note + 'from hatchling.build import *\n')
    project.write_text(
        project.read_text().replace(
            'build-backend = "hatchling.build"', 'build-backend = "backend"\nbackend-path = ["."]'
        )
    )
    return folder, target


@linux
def test_children_of_check_carry_no_secrets(ddassets, noting, monkeypatch):
    folder, target = noting
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    outcome = ddassets('check', folder)
    assert outcome.code == 0, outcome.err
    noted = target.read_text()
    assert noted.count('PATH=') >= 3, 'the build, the load and the run'
    assert 'secret' not in noted
    assert 'DD_' not in noted
    assert f'running code from the checkout: the build of {folder}' in outcome.err
    assert 'running code from the checkout: the check tiny_probe' in outcome.err


@linux
def test_children_of_a_simulation_carry_no_secrets(noting, monkeypatch, tmp_path):
    folder, target = noting
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    cache._place.cache_clear()
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    try:
        found = simulation.simulate(folder, simulation.Conditions(0, 60, 'alpha'))
    finally:
        cache._place.cache_clear()
    assert [series.metric for series in found.series] == ['tiny.level']
    noted = target.read_text()
    assert noted.count('PATH=') >= 3
    assert 'secret' not in noted


def test_variables(monkeypatch):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in {**SECRETS, 'PATH': '/bin', 'LC_ALL': 'C', 'UV_CACHE_DIR': '/cache', 'NO_PROXY': '*'}.items():
        monkeypatch.setenv(name, value)
    assert process.variables() == {'PATH': '/bin', 'LC_ALL': 'C'}
    assert process.variables(network=True) == {'PATH': '/bin', 'LC_ALL': 'C', 'UV_CACHE_DIR': '/cache', 'NO_PROXY': '*'}


def test_the_name_of_code_cannot_control_the_terminal(capsys):
    process.permit_code('the check of a\x1b[2J')
    assert capsys.readouterr().err == 'ddassets: running code from the checkout: the check of a\\x1b[2J\n'


@pytest.fixture
def no_code():
    token = process._refusal.set('--no-code')
    yield
    process._refusal.reset(token)


def test_code_is_refused(no_code, noting):
    """Neither the build nor the check of a folder runs, and no process that names code starts."""
    folder, target = noting
    with pytest.raises(UnusableInputError, match='--no-code: this would run the check of '):
        simulation.simulate(folder, simulation.Conditions(0, 60))
    assert not target.exists()
    with pytest.raises(UnusableInputError, match='--no-code: this would run the check'):
        process.start([sys.executable, '-c', 'pass'], code='the check')
    done = process.start([sys.executable, '-c', 'import sys; sys.exit(3)'], code=None)
    assert done.wait() == 3


def test_code_in_this_process_is_refused(no_code, noting, monkeypatch):
    folder, _ = noting
    monkeypatch.setattr(simulation, 'is_importable', lambda name, integration: True)
    for isolated in (False, True):
        with pytest.raises(UnusableInputError, match='--no-code: this would run the check of '):
            simulation.simulate(folder, simulation.Conditions(0, 60), isolated=isolated)


def test_a_package_that_can_be_imported_runs_in_a_child_if_isolated(monkeypatch, tmp_path):
    """So that rehearsals do not expose our memory and variables to the check."""
    started = []

    def start(command, code, **options):
        started.append((command, code))
        raise UnusableInputError('stop')

    monkeypatch.setattr(simulation, 'start', start)
    monkeypatch.setattr(simulation, 'is_importable', lambda name, integration: True)
    folder = write_integration(tmp_path / 'tiny_probe')
    with pytest.raises(UnusableInputError, match='stop'):
        simulation.simulate(folder, simulation.Conditions(0, 60), isolated=True)
    assert started == [([sys.executable, '-I', '-u', str(simulation._SIMULATOR)], f'the check of {folder}')]
