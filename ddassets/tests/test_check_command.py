"""The command on a real integration: built, installed and run."""

import json
import re
import socket

import pytest
from tiny_probe import write_integration

from ddassets.agent.environment import build_wheel
from ddassets.agent.sampler import NOT_IMITATED
from ddassets.agent.wheel import SAME_VERSION

TEXT = """\
=== Series ===
[
  {
    "metric": "tiny.level",
    "points": [
      [
        TIME,
        42
      ]
    ],
    "tags": [
      "team:a",
      "env:test"
    ],
    "host": "HOST",
    "type": "gauge",
    "interval": 0
  },
  {
    "metric": "tiny.runs",
    "points": [
      [
        TIME,
        1
      ]
    ],
    "tags": [],
    "host": "HOST",
    "type": "count",
    "interval": 0
  }
]

=== tiny_probe (1.2.3) ===
  Class: TinyProbeCheck

  Instance 1 [OK]
    Total Runs: 1
    Metric Samples: Last Run: 3, Total: 3
    Events: Last Run: 0, Total: 0
    Service Checks: Last Run: 0, Total: 0
    Errors: 0
    Execution Time: DURATION
    Next Run: after 45 s (min_collection_interval of the instance)

=== Install ===
  install -w datadog_tiny_probe-1.2.3-py2.py3-none-any.whl: accepted
  install -t datadog-tiny-probe==1.2.3: accepted
  conf.d/tiny_probe.d/conf.yaml.example: new (0644)
  Note: SAME_VERSION

  Imitates the check sampler of Agent 7.82.1. Not imitated:
""" + ''.join(f'    - {sentence}\n' for sentence in NOT_IMITATED)


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / 'conf.yaml'
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope='module')
def probe(integration, tmp_path_factory):
    """The wheel of the integration, so that it is not built for each test."""
    return build_wheel(integration, tmp_path_factory.mktemp('probe'))


def test_text(ddassets, integration):
    outcome = ddassets('check', integration)
    assert outcome.code == 0, outcome.err
    text = re.sub(r'\b\d{10}\b', 'TIME', outcome.out.replace(socket.gethostname(), 'HOST'))
    expected = TEXT.replace('SAME_VERSION', SAME_VERSION.format(distribution='datadog-tiny-probe'))
    assert re.sub(r'Time: [0-9.e+]+ m?s', 'Time: DURATION', text) == expected
    assert 'noise of print' in outcome.err
    assert 'noise of a child' in outcome.err


def test_json_of_every_outcome_at_once(ddassets, probe, write):
    """Four instances in one environment; one that fails or cannot be loaded does not keep the others from running."""
    path = write('instances: [{mode: talk}, {mode: fail}, {refuse: true}, null]')
    outcome = ddassets('check', probe, '--json', '--config', path)
    assert outcome.code == 1
    document = json.loads(outcome.out)
    assert (document['integration'], document['version'], document['ok']) == ('tiny_probe', '1.2.3', False)
    talk, fail, refused, empty = document['instances']
    assert talk['errors'] == []
    assert talk['warnings'] == ['careful']
    assert [error['message'] for error in fail['errors']] == ['the probe broke']
    assert 'Traceback' in fail['errors'][0]['traceback']
    assert refused['total_runs'] == 0
    assert 'refuse: found true, allowed is false' in refused['errors'][0]['message']
    assert empty['metric_samples'] == {'last': 3, 'total': 3}
    assert empty['next_run']['after_seconds'] == 15
    assert [event['msg_title'] for event in document['events']] == ['hello']
    assert [(item['check'], item['status']) for item in document['service_checks']] == [('tiny.up', 0)]


@pytest.mark.parametrize(
    ('options', 'traceback'),
    [pytest.param([], False, id='plain'), pytest.param(['--verbose'], True, id='verbose')],
)
def test_failing_check(ddassets, probe, write, options, traceback):
    outcome = ddassets('check', probe, '--config', write('instances: [{mode: fail}]'), *options)
    assert outcome.code == 1
    assert 'the probe broke' in outcome.out
    assert ('Traceback' in outcome.out + outcome.err) is traceback


@pytest.mark.parametrize(
    ('mode', 'message'),
    [
        pytest.param('exit', 'ended with exit code 3', id='process-ends'),
        pytest.param('hang', 'run 1 of instance 1 did not finish within 3 s', id='process-hangs'),
    ],
)
def test_check_that_does_not_return(ddassets, probe, write, mode, message):
    config = write(f'instances: [{{mode: {mode}}}]')
    outcome = ddassets('check', probe, '--config', config, '--timeout', 3)
    assert outcome.code == 1
    assert message in outcome.err
    assert 'Traceback' not in outcome.err


def test_rate(ddassets, probe):
    outcome = ddassets('check', probe, '--rate', '--json')
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    series = {item['metric']: item for item in document['series']}
    # The probe's rate is that of the clock itself: one second per second.
    [[_, value]] = series['tiny.turns']['points']
    assert value == pytest.approx(1, abs=0.05)
    assert series['tiny.turns']['type'] == 'gauge'
    assert [point[1] for point in series['tiny.runs']['points']] == [1, 2]


def test_times(ddassets, probe, write):
    config = write('instances: [{min_collection_interval: 3}]')
    outcome = ddassets('check', probe, '--times', 2, '--config', config)
    assert outcome.code == 0, outcome.err
    first, second = (int(stamp) for stamp in re.findall(r'\b\d{10}\b(?=,\n *42)', outcome.out))
    # How long after depends on the load of the machine; the interval itself is in the text.
    assert second > first and 'Next Run: after 3 s ' in outcome.out
    assert '(run 1 of 2)' in outcome.out
    assert '(run 2 of 2)' in outcome.out
    assert 'Total Runs: 2' in outcome.out
    # A busy machine is late with the first run, and has less to wait.
    assert len(re.findall(r'next run of instance 1 in [0-3] s', outcome.err)) == 1


HOSTILE = '''\
from datadog_checks.base import AgentCheck


class TinyProbeCheck(AgentCheck):
    def check(self, instance):
        self.gauge('tiny.level', 1, tags=['a:\\x9b2J'])
        numbers = {'value': [float('nan'), 2.5], 'pair': (float('inf'), 1)}
        self.event({'msg_title': '\\x1b[2J', 'msg_text': '\\x7f', **numbers})
        self.warning('\\x1b[2J')
        if instance:
            raise ValueError('\\x1b[2J')


Between = TinyProbeCheck
'''


def test_text_of_a_wheel_cannot_control_the_terminal(ddassets, tmp_path, write):
    folder = write_integration(tmp_path / 'tiny_probe', check=HOSTILE)
    (folder / 'datadog_checks' / 'tiny_probe' / 'data' / 'a\x1b[2J.yaml.default').write_text('instances: []\n')
    outcome = ddassets('check', folder, '--config', write('instances: [null, {mode: fail}]'))
    assert outcome.code == 1, outcome.err
    shown = outcome.out.replace('\n', '')
    assert shown.isprintable()
    # The other lines are from the process of the check, which runs with the rights of the user.
    assert all(line.isprintable() for line in outcome.err.split('\n') if line.startswith('ddassets: '))
    assert '"value": [      null,      2.5    ]' in shown and '"pair": [      null,      1    ]' in shown
    assert all(text in shown for text in (r'a:\u009b2J', r'"\u001b[2J"', r'Warning: \x1b[2J', r'      \x1b[2J'))


def test_refused_wheel(ddassets, refused_integration):
    outcome = ddassets('check', refused_integration)
    assert outcome.code == 2
    assert 'the Agent would refuse this wheel: it has no METADATA with a line "Requires-Dist: ' in outcome.err
    assert outcome.out == ''


def test_a_wheel_that_is_refused_only_as_a_published_integration(ddassets, tmp_path):
    """With -w no versions are compared, so the check runs; the other verdict is a warning."""
    host = tmp_path / 'conf.d'
    (host / 'tiny_probe.d').mkdir(parents=True)
    (host / 'tiny_probe.d' / 'conf.yaml.example').touch(0o600)
    (host / 'tiny_probe.d' / 'conf.yaml').touch(0o640)
    folder = write_integration(tmp_path / 'tiny_probe', floor='38.0')
    outcome = ddassets('check', folder, '--json', '--confd', host)
    assert outcome.code == 0, outcome.err
    install = json.loads(outcome.out)['install']
    assert install['wheel'] == {'accepted': True, 'reason': ''}
    assert install['named']['accepted'] is False
    assert 'write >=38.0.0' in install['named']['reason']
    assert 'warning: as a published integration the Agent would refuse this wheel: in "Requires-Dist' in outcome.err
    assert [(file['path'], file['action'], file['mode']) for file in install['files']] == [
        ('conf.yaml.example', 'overwrite', '0600'),
        ('conf.yaml', 'leave', '0640'),
    ]


def test_refused_wheel_in_json(ddassets, refused_integration):
    outcome = ddassets('check', refused_integration, '--json')
    assert outcome.code == 2
    document = json.loads(outcome.out)
    assert document['ok'] is False
    assert 'it has no METADATA with a line' in document['error']


def test_build_that_fails_shows_its_output(ddassets, integration, tmp_path):
    (tmp_path / 'pyproject.toml').write_text('[project]\nname = "datadog-broken"\n')
    outcome = ddassets('check', tmp_path)
    assert outcome.code == 2
    assert 'could not be built' in outcome.err
    assert 'version' in outcome.err.partition('could not be built')[2]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        pytest.param('instances: [', 'line 1, column 13: invalid YAML', id='yaml'),
        pytest.param('instances: [{min_collection_interval: 1:30}]', "found '1:30'", id='interval'),
    ],
)
def test_unusable_configuration(ddassets, integration, write, text, message):
    outcome = ddassets('check', integration, '--config', write(text))
    assert outcome.code == 2
    assert message in outcome.err


def test_missing_configuration(ddassets, integration, tmp_path):
    outcome = ddassets('check', integration, '--config', tmp_path / 'none.yaml')
    assert outcome.code == 2
    assert 'none.yaml: cannot be read: No such file' in outcome.err


def test_unusable_paths(ddassets, integration, tmp_path):
    project = tmp_path / 'pyproject.toml'
    cases = [
        (integration.parent / 'tiny_prob', f'did you mean {integration}?'),
        (integration.parent, f'did you mean {integration}?'),
        (integration / 'pyproject.toml', 'neither a folder nor a .whl file'),
        (tmp_path / 'none.whl', 'no such wheel'),
    ]
    for path, message in cases:
        outcome = ddassets('check', path)
        assert (outcome.code, message in outcome.err) == (2, True), outcome.err
    for text, message in [('[project', 'invalid TOML'), ('[project]\nname = "web"', "found 'web'"), ('', 'found none')]:
        project.write_text(text)
        outcome = ddassets('check', tmp_path)
        assert (outcome.code, message in outcome.err) == (2, True), outcome.err


@pytest.mark.parametrize(
    'arguments',
    [
        pytest.param(['--times', '0'], id='times-zero'),
        pytest.param(['--times', '2', '--rate'], id='times-and-rate'),
        pytest.param(['--timeout', 'nan'], id='timeout'),
        pytest.param(['--base-version', '38.5'], id='base-version'),
    ],
)
def test_unusable_options(ddassets, integration, arguments):
    outcome = ddassets('check', integration, *arguments)
    assert outcome.code == 2
    assert 'Traceback' not in outcome.err
