"""A core of few packages: lint and rehearse import no extra, and a command that lacks its extra says which."""

import os
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from installing import PROJECT, build, find_python, reached, uv_run
from missing import unavailable

from ddassets.extras import EXTRAS

ACME = Path(__file__).parent / 'acme'
# Python refuses to import the modules of every extra, as where none is installed.
WITHOUT_EXTRAS = f"""\
import sys
import tarfile

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {set(EXTRAS)!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)

sys.meta_path.insert(0, Missing())
from ddassets.cli import main
code = main(sys.argv[1:])
print('imported:', sorted({set(EXTRAS)!r} & sys.modules.keys()))
sys.exit(code)
"""
IMPORT_ALL = f"""\
import importlib, pkgutil, ddassets
for module in pkgutil.walk_packages(ddassets.__path__, 'ddassets.'):
    try:
        if module.name not in ('ddassets.__main__', 'ddassets.pytest_plugin'):
            importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name.partition('.')[0] not in {{'datadog_checks', *{set(EXTRAS)!r}}}:
            raise
"""
#: Megabytes of an environment with the core: numpy is 66 of them.
MAX_SIZE = 85


def run_without_extras(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-c', WITHOUT_EXTRAS, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    'arguments',
    [
        pytest.param(['lint', ACME], id='lint'),
        pytest.param(['lint', '--format', 'sarif', ACME], id='lint-sarif'),
        pytest.param(['rehearse', ACME], id='rehearse'),
        pytest.param(['rehearse', '--format', 'junit', ACME], id='rehearse-junit'),
        pytest.param(['explain', 'metric/unknown'], id='explain'),
        pytest.param(['rules'], id='rules'),
    ],
)
def test_the_core_imports_no_extra(arguments):
    done = run_without_extras(*arguments)
    assert done.returncode in (0, 1) and done.stderr == ''
    assert done.stdout.endswith('imported: []\n')


def test_lint_imports_no_rules_about_what_is_not_there(tmp_path):
    path = shutil.copy(ACME / 'assets' / 'monitors' / 'queue_full.json', tmp_path)
    program = 'import sys; from ddassets.cli import main; code = main(["lint", sys.argv[1]]); print(*sys.modules)'
    done = subprocess.run(
        [sys.executable, '-c', program, path], capture_output=True, text=True, timeout=60, check=False
    )
    prefix = 'ddassets.lint.rules.'
    imported = [name.removeprefix(prefix) for name in done.stdout.split() if name.startswith(prefix)]
    assert len(imported) > 50
    absent = ('dashboard_', 'downtime_', 'manifest_', 'notification_', 'variable_', 'widget_')
    assert [name for name in imported if name.startswith(absent)] == []
    assert 'ddassets.engine.downtime' not in done.stdout.split()


@pytest.mark.parametrize(
    ('arguments', 'extra'),
    [
        pytest.param(['check', '.'], 'check', id='check'),
        pytest.param(['plan', ACME], 'org', id='plan'),
        pytest.param(['apply', '--dry-run', ACME], 'org', id='apply'),
        pytest.param(['destroy', '--yes', ACME], 'org', id='destroy'),
        pytest.param(['snapshot', ACME, '--widget', 'x'], 'org', id='snapshot'),
        pytest.param(['doctor'], 'org', id='doctor'),
        pytest.param(['sandbox', '--data', 'data'], 'sandbox', id='sandbox'),
        pytest.param(['rehearse', '--report', 'page', ACME], 'report', id='report'),
    ],
)
def test_a_missing_extra_is_named(arguments, extra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'pyproject.toml').write_text('project.name = "datadog-acme"')
    done = run_without_extras(*arguments)
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if 'error' in line]
    assert line.startswith(f"ddassets: error: ddassets {arguments[0]} needs the extra '{extra}' (")
    # No command: on an index the name may be a stranger's.
    assert line.endswith(f'install ddassets with [{extra}], see "Install" in ddassets/README.md of its repository')
    assert '\n## Install\n' in (PROJECT / 'README.md').read_text()


def test_extras_are_those_of_the_package():
    project = tomllib.loads((PROJECT / 'pyproject.toml').read_text())['project']
    names = packages_distributions()
    modules = {(extra, names[module][0].lower()) for module, extra in EXTRAS.items()}
    declared = {
        (extra, requirement.partition('>')[0].partition('=')[0].lower())
        for extra, requirements in project['optional-dependencies'].items()
        for requirement in requirements
    }
    assert modules == declared
    core = {requirement.partition('>')[0] for requirement in project['dependencies']}
    assert core == {'python-dateutil', 'numpy', 'pyyaml', 'tzdata'}


@pytest.mark.parametrize('version', [pytest.param('3.12', id='3.12'), pytest.param('3.13', id='3.13')])
def test_the_wheel_lints_and_rehearses_in_an_empty_environment(version, wheel, tmp_path):
    made = uv_run('venv', '--python', find_python(version), tmp_path / 'venv')
    if made.returncode:
        unavailable(f'no Python {version}: {made.stderr[-200:]}')
    python = tmp_path / 'venv' / 'bin' / 'python'
    begun = time.time()
    done = uv_run('pip', 'install', '--python', python, wheel)
    assert reached(done).returncode == 0, done.stderr
    size = sum(file.stat().st_size for file in (tmp_path / 'venv').rglob('*') if file.is_file()) / 1e6
    print(f'Python {version}: {size:.0f} MB installed in {time.time() - begun:.1f} s')
    assert size < MAX_SIZE
    program = python.with_name('ddassets')
    for arguments, text in ((['lint', ACME], '1 integration'), (['rehearse', ACME], '2 rehearsed: 2 passed')):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (0, 1) and done.stderr == '' and text in done.stdout, done.stderr + done.stdout
    # Every module can be imported on this Python, but for those that need an extra or the Agent's base package.
    imported = subprocess.run([python, '-c', IMPORT_ALL], capture_output=True, text=True, timeout=60, check=False)
    assert imported.returncode == 0, imported.stderr
    missing = subprocess.run([program, 'plan', ACME], capture_output=True, text=True, timeout=60, check=False)
    assert missing.returncode == 2 and "needs the extra 'org'" in missing.stderr


def test_the_tests_can_be_collected_from_a_source_distribution(tmp_path):
    path = build('sdist', tmp_path)
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter='data')
    folder = tmp_path / path.name.removesuffix('.tar.gz')
    command = [sys.executable, '-m', 'pytest', '--collect-only', '-q', '-p', 'no:cacheprovider']
    environment = {**os.environ, 'PYTHONPATH': str(folder / 'src')}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-500:]
