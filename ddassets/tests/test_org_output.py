"""The exact output of plan, apply and destroy, and their confirmation prompt."""

import copy
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import integration
from loopback.trial import KEYS, run

GOLDEN = Path(__file__).parent / 'golden'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, so that paths are short."""
    monkeypatch.chdir(tmp_path)

    def write(assets):
        for old in tmp_path.rglob('assets/*/*.json'):
            old.unlink()
        return integration.write(Path('.'), assets)

    return write


def steady(datadog, text):
    """Return the output without the port, and with equal ids of objects, because threads create them in any order."""
    text = text.replace(datadog.url.removeprefix('http://'), '127.0.0.1:80')
    text = re.sub(r'(?<=slo_id=)[0-9a-f]{32}', 'ID', text)
    text = re.sub(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'ID', text)
    return re.sub(r'(?<=/dashboard/)[0-9a-f-]{11}|(?<=/monitors/)\d+|(?<="id": ")[0-9a-f-]+(?=")', 'ID', text)


def check(name, text):
    path = GOLDEN / name
    if not path.exists():
        path.write_text(text)
        pytest.fail(f'{path} was written: read it and commit it')
    assert text == path.read_text()


def everything(datadog, folder):
    """Return one object of each kind of step: create, change, replace, delete, leave, ended and keep."""
    run(datadog, 'apply', folder(integration.ASSETS), '--yes')
    assets = integration.mixed()
    slow = assets['monitors/slow.json']['definition']
    slow['message'] = slow['message'].strip() + '\nLook at the queue.\n'
    assets['downtimes/past.json'] = copy.deepcopy(integration.ASSETS['downtimes/lab.json'])
    assets['downtimes/past.json']['data']['attributes'] |= {
        'scope': 'env:past',
        'schedule': {'end': '2020-01-01T00:00:00Z'},
    }
    assets['downtimes/move.json']['data']['attributes']['schedule'] = {'end': '2036-06-01T00:00:00Z'}
    assets['dashboards/jobs.json']['widgets'].insert(0, {'definition': {'type': 'free_text', 'text': 'Hello'}})
    full = next(one for one in datadog.organisation.monitors.values() if one['name'] == 'Spool is full')
    full['options']['renotify_interval'] = 30
    return folder(assets)


def test_plan(datadog, folder):
    outcome = run(datadog, 'plan', everything(datadog, folder))
    assert outcome.code == 1
    check('plan.txt', steady(datadog, outcome.out))


def test_plan_in_80_columns(datadog, folder, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    outcome = run(datadog, 'plan', everything(datadog, folder))
    lines = outcome.out.splitlines()
    # A changed line of a message and an address are shown as they are.
    assert [line for line in lines if len(line) > 80 and not line.strip().startswith(('+', '-', '{{', 'http'))] == []
    check('plan_80.txt', steady(datadog, outcome.out))


def test_plan_as_json(datadog, folder):
    outcome = run(datadog, 'plan', everything(datadog, folder), '--json')
    assert outcome.code == 1 and outcome.err == ''
    check('plan.json', steady(datadog, outcome.out))


def test_apply_and_destroy(datadog, folder):
    path = everything(datadog, folder)
    outcome = run(datadog, 'apply', path, '--yes')
    assert outcome.code == 1
    destroyed = run(datadog, 'destroy', path, '--yes')
    assert destroyed.code == 0
    # What is done is told behind the plan, in the order in which it ends.
    told = [sorted(line for line in one.out.splitlines() if re.match('  [a-z]', line)) for one in (outcome, destroyed)]
    text = '\n'.join(['apply:', *told[0], 'destroy:', *told[1], ''])
    check('apply.txt', steady(datadog, text))


def test_dry_run(datadog, folder):
    path = folder({name: integration.ASSETS[name] for name in ('monitors/full.json', 'downtimes/move.json')})
    outcome = run(datadog, 'apply', path, '--dry-run', '--redirect', '@me@example.com', '--host', 'alpha')
    assert outcome.code == 0 and datadog.exchanges == []
    check('dry_run.txt', outcome.out + outcome.err)
    document = json.loads(run(datadog, 'plan', path, '--dry-run', '--json').out)
    assert [(one['method'], one['path']) for one in document['requests']] == [
        ('POST', '/api/v1/monitor'),
        ('POST', '/api/v2/downtime'),
    ]
    assert run(datadog, 'destroy', path, '--dry-run').code == 0 and datadog.exchanges == []


def test_errors_of_a_first_time_user(datadog, folder):
    path = folder(integration.ASSETS)
    cases = {
        'no keys': ({'DD_API_KEY': '', 'DD_APP_KEY': '', 'DDASSETS_API_URL': ''}, ()),
        'a wrong site': ({'DDASSETS_API_URL': ''}, ('--site', 'datadog.eu')),
        'wrong keys': ({'DD_API_KEY': 'x' * 32}, ()),
        'nobody to ask': ({}, ()),
        'a name that is not there': ({}, ('--only', 'monitors/ful', '--yes')),
        'a wrong folder': ({}, ()),
    }
    lines: list[str] = []
    for title, (environment, options) in cases.items():
        where = 'acme_spol' if title == 'a wrong folder' else path
        outcome = run(
            datadog, 'apply', where, *options, *(['--yes'] if title != 'nobody to ask' else []), environment=environment
        )
        assert outcome.code == 2 and outcome.out == ''
        lines += [f'# {title}', outcome.err]
    check('apply_errors.txt', steady(datadog, '\n'.join(lines)))


@pytest.mark.parametrize(
    'said, code, count',
    [
        pytest.param('y\n', 0, 2, id='yes'),
        pytest.param('\n', 1, 0, id='no'),
        pytest.param('nope\n', 1, 0, id='else'),
        pytest.param('yesterday\n', 1, 0, id='nearly'),
    ],
)
def test_apply_asks_for_confirmation(datadog, folder, said, code, count):
    path = folder(integration.ASSETS)
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, '-m', 'ddassets', 'apply', path, '--only', 'monitors'],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **KEYS, 'DDASSETS_API_URL': datadog.url},
        ) as process:
            os.write(ours, said.encode())
            out, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert 'Apply this? [y/N] ' in out
    assert (process.returncode, len(datadog.organisation.monitors)) == (code, count), err
    assert ('nothing was changed' in err) == (code == 1)


@pytest.mark.parametrize('command', ['plan', 'apply', 'destroy'])
@pytest.mark.parametrize('option', [[], ['--dry-run']], ids=['for-real', 'dry-run'])
def test_a_report_names_its_command(datadog, folder, command, option):
    yes = [] if command == 'plan' else ['--yes']
    out = run(datadog, command, folder(integration.ASSETS), *yes, *option, '--format', 'junit').out
    assert f'<testsuites name="ddassets {command}"' in out


def test_json_does_not_prompt(datadog, folder):
    outcome = run(datadog, 'apply', folder(integration.ASSETS), '--json')
    assert outcome.code == 2 and '--format json asks no question: pass --yes' in outcome.err
    assert json.loads(outcome.out)['ok'] is False


def test_progress_has_separate_lines(datadog, folder):
    err = run(datadog, 'apply', folder(integration.ASSETS), '--yes', '--verbose').err
    assert err.count('\n') == len(datadog.exchanges)
    assert all(re.fullmatch(r'ddassets: [A-Z]+ \S+: \d+\.\d\d s', line) for line in err.splitlines())


HOSTILE = 'Jobs\x9b2J\u202e\x1b[2J'


@pytest.mark.parametrize(
    'command, options',
    [
        pytest.param('plan', ('--dry-run',), id='plan-dry-run'),
        pytest.param('plan', (), id='plan'),
        pytest.param('snapshot', ('--widget', HOSTILE, '--dry-run'), id='snapshot-dry-run'),
        pytest.param('snapshot', ('--widget', HOSTILE, '--dry-run', '--json'), id='snapshot-dry-run-as-json'),
        pytest.param('doctor', ('--json',), id='doctor-as-json'),
    ],
)
def test_text_of_a_file_cannot_control_the_terminal(datadog, folder, command, options):
    assets = copy.deepcopy(integration.ASSETS)
    assets['monitors/full.json']['definition']['name'] = HOSTILE
    assets['dashboards/jobs.json']['widgets'][1]['definition']['title'] = HOSTILE
    outcome = run(datadog, command, folder(assets), *options)
    assert 'Jobs\\' in outcome.out and outcome.out.replace('\n', '').isprintable(), outcome.said
