"""What other repositories use: the hooks of .pre-commit-hooks.yaml and the action of action.yml."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from installing import reached

from ddassets.lint.example import DASHBOARD, widget, write

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / 'action.yml').exists(), reason='a source distribution has neither file')
FAULTY = {DASHBOARD: {'widgets': [widget('avg:acme.queue.lenght{$host}')]}}
#: The monitor alerts, and nothing is expected.
SCENARIO = """\
start: 2027-01-04T10:00:00
length: 30m
series:
  - {metric: acme.queue.length, tags: ['host:a'], interval: 60s, values: 20x10 500x20}
expect: []
"""


def hooks():
    text = (ROOT / '.pre-commit-hooks.yaml').read_text() if (ROOT / '.pre-commit-hooks.yaml').exists() else '[]'
    return {hook['id']: hook for hook in yaml.safe_load(text)}


def steps():
    text = (ROOT / 'action.yml').read_text() if (ROOT / 'action.yml').exists() else 'runs: {steps: []}'
    return {step.get('name', step.get('id')): step for step in yaml.safe_load(text)['runs']['steps']}


def git(folder, *arguments):
    identity = ('-c', 'user.name=Acme', '-c', 'user.email=acme@example.com')
    command = ['git', *identity, '-C', str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A Git repository of two integrations, `clean` and `faulty`, both committed."""
    folder = tmp_path / 'checkout'
    for name, files in (('clean', {}), ('faulty', FAULTY)):
        shutil.move(write(tmp_path / 'made' / name, files), folder / name)
    git(folder, 'init', '-q')
    git(folder, 'add', '-A')
    git(folder, 'commit', '-q', '-m', 'Start')
    return folder


def run(command, folder, **environment):
    programs = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    given = {'PATH': programs, 'HOME': str(folder), 'LANG': 'C.UTF-8', **environment}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=300, check=False)


def run_hook(name, folder, *arguments):
    hook = hooks()[name]
    return run([*hook['entry'].split(), *(arguments or hook['args'])], folder)


def change(folder):
    path = folder / DASHBOARD
    path.write_text(path.read_text().replace('acme.queue.length', 'acme.queue.lenhgt'))


def test_the_hooks_are_complete():
    assert hooks().keys() == {'ddassets-lint', 'ddassets-rehearse'}
    for hook in hooks().values():
        assert {'id', 'name', 'description', 'entry', 'args', 'language', 'types_or'} <= hook.keys()
        assert (hook['language'], hook['pass_filenames']) == ('python', False)
        [package] = hook['additional_dependencies']
        assert (ROOT / re.fullmatch(r'--editable=(\./\w+)\[\w+\]', package)[1] / 'pyproject.toml').exists()


def test_the_root_is_installable_without_code():
    """pre-commit runs `pip install .` there; setuptools cannot choose between packages."""
    assert tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['setuptools'] == {'packages': []}


def test_the_hook_lints_the_whole_repository(checkout):
    done = run_hook('ddassets-lint', checkout)
    assert (done.returncode, done.stdout.count('acme.queue.lenght is not in metadata.csv')) == (1, 1), done
    shutil.rmtree(checkout / 'faulty')
    done = run_hook('ddassets-lint', checkout)
    assert (done.returncode, done.stderr) == (0, ''), done


def test_the_hook_lints_what_a_commit_touches_and_the_baseline_lacks(checkout):
    known = run_hook('ddassets-lint', checkout, '--write-baseline', 'baseline.json', '.')
    assert known.returncode == 0
    arguments = ('--since=HEAD', '--baseline=baseline.json', '.')
    assert run_hook('ddassets-lint', checkout, *arguments).returncode == 0
    change(checkout / 'clean')
    done = run_hook('ddassets-lint', checkout, *arguments)
    assert done.returncode == 1
    assert 'acme.queue.lenhgt' in done.stdout and 'acme.queue.lenght' not in done.stdout
    assert 'no longer found' not in done.stdout


def test_the_hook_rehearses(checkout):
    (checkout / 'clean' / 'rehearsals').mkdir()
    (checkout / 'clean' / 'rehearsals' / 'a.yaml').write_text(SCENARIO)
    arguments = [*hooks()['ddassets-rehearse']['args'][:-1], 'clean']
    done = run_hook('ddassets-rehearse', checkout, *arguments)
    assert done.returncode == 1 and 'Alert' in done.stdout, done


def test_the_action_names_versions_and_no_secrets():
    text = (ROOT / 'action.yml').read_text()
    assert 'secrets.' not in text and 'github.token' not in text
    for step in steps().values():
        assert 'run' in step or re.fullmatch(r'[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})', step['uses'])
        # The text of an input that stands in a script would be run.
        assert '${{' not in step.get('run', '')


@pytest.mark.parametrize('name', [name for name, step in steps().items() if 'run' in step])
def test_the_steps_of_the_action_parse(name):
    done = subprocess.run(['bash', '-n'], input=steps()[name]['run'], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, '')


def run_step(name, folder, **inputs):
    """Run a step of the action as GitHub does, with the ddassets of this environment."""
    runner = folder.parent / 'runner'
    if not (runner / 'ddassets').exists():
        (runner / 'ddassets').mkdir(parents=True)
        (runner / 'ddassets' / 'bin').symlink_to(Path(sys.executable).parent)
    step = steps()[name]
    defaults = yaml.safe_load((ROOT / 'action.yml').read_text())['inputs']
    assert inputs.keys() <= defaults.keys()
    environment = {}
    for key, value in step['env'].items():
        given = re.fullmatch(r'\$\{\{ inputs\.([\w-]+) \}\}', value)[1]
        environment[key] = inputs.get(given, defaults[given]['default'])
    command = ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', step['run']]
    return run(command, folder, RUNNER_TEMP=str(runner), **environment)


@pytest.mark.parametrize(
    ('inputs', 'code', 'shown'),
    [
        pytest.param({}, 1, 'acme.queue.lenght is not in metadata.csv', id='everything'),
        pytest.param({'paths': 'clean'}, 0, '', id='a-clean-one'),
        pytest.param({'paths': 'clean\nfaulty\n'}, 1, 'acme.queue.lenght', id='two-lines'),
        pytest.param({'since': 'HEAD'}, 0, '', id='nothing-changed'),
        pytest.param({'args': '--fail-on never'}, 0, 'acme.queue.lenght', id='options'),
        pytest.param({'baseline': 'none.json'}, 2, '', id='no-baseline'),
        pytest.param({'since': 'nowhere'}, 128, '', id='no-revision'),
        pytest.param({'since': '--upload-pack=touch hacked'}, 128, '', id='an-option-as-a-revision'),
        pytest.param({'args': '$(touch hacked)', 'paths': '`touch hacked` ; touch hacked'}, 2, '', id='shell-code'),
    ],
)
def test_the_action_lints(inputs, code, shown, checkout):
    done = run_step('Lint', checkout, **inputs)
    assert done.returncode == code, done
    assert shown in done.stdout and (code or shown or '::' not in done.stdout)
    assert not (checkout / 'hacked').exists()


def test_the_action_fetches_a_revision_that_a_shallow_checkout_lacks(checkout):
    before = git(checkout, 'rev-parse', 'HEAD')
    change(checkout / 'clean')
    git(checkout, 'commit', '-q', '-a', '-m', 'Break it')
    shallow = checkout.parent / 'shallow'
    git(checkout, 'clone', '-q', '--depth=1', checkout.as_uri(), str(shallow))
    done = run_step('Lint', shallow, since=before)
    assert done.returncode == 1, done
    assert 'acme.queue.lenhgt' in done.stdout and 'acme.queue.lenght' not in done.stdout


def test_the_action_fails_on_what_is_new_since_the_baseline(checkout):
    run_hook('ddassets-lint', checkout, '--write-baseline', 'baseline.json', '.')
    assert run_step('Lint', checkout, baseline='baseline.json').returncode == 0
    change(checkout / 'clean')
    done = run_step('Lint', checkout, baseline='baseline.json')
    assert (done.returncode, done.stdout.count('::error')) == (1, 1), done


def test_the_action_rehearses(checkout):
    (checkout / 'clean' / 'rehearsals').mkdir()
    (checkout / 'clean' / 'rehearsals' / 'a.yaml').write_text(SCENARIO)
    done = run_step('Rehearse', checkout, rehearse='clean')
    assert done.returncode == 1 and '::error' in done.stdout, done
    # Not skipped if lint fails.
    ran = "steps.install.outcome == 'success'"
    assert steps()['Rehearse']['if'] == f"${{{{ !cancelled() && {ran} && inputs.rehearse != '' }}}}"
    assert not any('continue-on-error' in step for step in steps().values())


def test_the_workflow_that_init_writes_uses_the_action(checkout):
    """ddassets is on no package index, so a workflow that installs it from one would fail."""
    assert run([sys.executable, '-m', 'ddassets', 'init', 'clean'], checkout).returncode == 0
    workflow = yaml.safe_load((checkout / 'clean' / '.ddassets' / 'github-workflow.yml').read_text())
    *_, used = workflow['jobs']['ddassets']['steps']
    assert used['uses'] == 'my-metric-maintainers/my_metric@main'
    for name in ('Lint', 'Rehearse'):
        done = run_step(name, checkout, **used['with'])
        assert done.returncode == 0, done


def test_the_action_installs_ddassets_from_its_own_files(tmp_path):
    """GitHub downloads an action as an archive: without Git, and here without npm."""
    action, runner = tmp_path / 'action', tmp_path / 'runner'
    runner.mkdir()
    for name in subprocess.run(
        ['git', '-C', ROOT, 'ls-files', 'ddassets', ':!ddassets/tests'], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        (action / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, action / name)
    programs = tmp_path / 'programs'
    programs.mkdir()
    (programs / 'bash').symlink_to(shutil.which('bash'))
    network = {key: os.environ[key] for key in os.environ if key.startswith(('PIP_', 'SSL_'))}
    environment = {
        'PATH': str(programs),
        'PYTHON': getattr(sys, '_base_executable', sys.executable),
        'ACTION': str(action),
        'EXTRAS': 'terraform',
        'RUNNER_TEMP': str(runner),
        **network,
    }
    done = run(['bash', '-eo', 'pipefail', '-c', steps()['Install ddassets']['run']], tmp_path, **environment)
    assert reached(done).returncode == 0, done.stderr
    shown = run([runner / 'ddassets' / 'bin' / 'ddassets', 'lint', '--json', write(tmp_path, FAULTY)], tmp_path)
    assert [finding['rule'] for finding in json.loads(shown.stdout)['findings']] == ['metric/unknown']
