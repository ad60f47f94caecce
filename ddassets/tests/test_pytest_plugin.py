"""The pytest plugin in separate runs of pytest, on a small integration."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ddassets.pytest_plugin import judged

pytest_plugins = 'pytester'

# Hypothesis' own plugin is left out: each run would load it anew.
PLUGIN = ('-p', 'ddassets.pytest_plugin', '-p', 'no:hypothesispytest', '-p', 'no:cacheprovider')
MONITOR: dict[str, Any] = {
    'version': 2,
    'title': 'Tank is full',
    'definition': {
        'name': 'Tank is full',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:tank.level{*} by {host} > 90',
        'message': '{{#is_alert}}Full on {{host.name}}{{/is_alert}} @oncall@example.com',
        'tags': ['integration:tank'],
        'options': {'thresholds': {'critical': 90}, 'require_full_window': False},
    },
}
DOWNTIME = {
    'data': {
        'type': 'downtime',
        'attributes': {
            'monitor_identifier': {'monitor_tags': ['integration:tank']},
            'scope': '*',
            'schedule': {'start': '2027-01-04T09:00:00Z', 'end': '2027-01-04T10:00:00Z'},
        },
    }
}
SCENARIO = """\
start: 2027-01-04T08:00:00
length: 20m
series:
  - {metric: tank.level, tags: [host:a], values: 50x10 100x10}
expect:
  - {at: 2027-01-04T08:14:00, from: OK, to: Alert, notification: sent, recipients: ['@oncall@example.com']}
"""
# A window of 5 with three points at 100 and two at 50 averages 80, with four it averages 90: not above.
WRONG = SCENARIO.replace('08:14', '08:13')


FILES = {
    'manifest.json': json.dumps({'app_id': 'tank'}),
    'metadata.csv': 'metric_name,metric_type,interval\ntank.level,gauge,60\n',
    'assets/monitors/full.json': json.dumps(MONITOR),
    'assets/downtimes/quiet.json': json.dumps(DOWNTIME),
    'tests/test_nothing.py': 'def test_nothing(): pass\n',
    'rehearsals/fills_up.yaml': SCENARIO,
    # Assets that a scenario may name.
    'rehearsals/monitors.yaml': json.dumps([MONITOR['definition']]),
    # Of no interest here.
    'rehearsals/notes.txt': 'x: [',
    'rehearsals/deeper/other.yaml': 'x: [',
    'assets/service.yaml': 'x: [',
    'elsewhere/rehearsals/other.yaml': 'x: [',
}


def write_integration(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope='module', autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what a rehearsal loads, before `pytester` looks at what is loaded.

    Its runs happen in this process and unload everything else. Numpy cannot be loaded twice, and an exception that is
    loaded twice is caught no more, in the tests after these.
    """
    from ddassets.rehearsal import read
    from ddassets.rehearsal.discovery import source_at

    scenario = write_integration(tmp_path_factory.mktemp('tank')) / 'rehearsals' / 'fills_up.yaml'
    judged(read(scenario), scenario)
    assert source_at(scenario.with_name('monitors.yaml'))


@pytest.fixture
def integration(pytester: pytest.Pytester) -> Path:
    return write_integration(pytester.path)


def test_scenarios_are_collected_and_no_other_yaml(pytester: pytest.Pytester, integration: Path) -> None:
    result = pytester.runpytest(*PLUGIN, '--collect-only', '-q')
    assert [line for line in result.outlines if '::' in line] == [
        'rehearsals/fills_up.yaml::rehearsal',
        'tests/test_nothing.py::test_nothing',
    ]


@pytest.mark.parametrize(
    ('arguments', 'count'),
    [
        pytest.param([], 2, id='nothing'),
        pytest.param(['tests'], 2, id='tests'),
        pytest.param(['tests/'], 2, id='tests-slash'),
        pytest.param(['tests', 'rehearsals'], 2, id='both'),
        pytest.param(['rehearsals/fills_up.yaml'], 1, id='file'),
        pytest.param(['tests/test_nothing.py'], 1, id='one-test-file'),
    ],
)
def test_running_all_tests_runs_the_rehearsals(
    pytester: pytest.Pytester, integration: Path, arguments: list[str], count: int
) -> None:
    pytester.runpytest(*PLUGIN, *arguments).assert_outcomes(passed=count)


def test_a_tests_folder_of_something_else_is_left_alone(pytester: pytest.Pytester, integration: Path) -> None:
    (integration / 'manifest.json').unlink()
    (integration / 'assets' / 'monitors' / 'full.json').unlink()
    (integration / 'assets' / 'monitors').rmdir()
    pytester.runpytest(*PLUGIN, 'tests').assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ('text', 'lines'),
    [
        pytest.param(
            WRONG,
            [
                'rehearsals/fills_up.yaml:6: 2027-01-04T08:13:00 Tank is full, host:a: OK to Alert',
                '    did not happen: OK since Mon 2027-01-04 08:01:00',
                'rehearsals/fills_up.yaml:6: nothing else happens',
                '    Mon 2027-01-04 08:14:00 Tank is full, host:a: OK to Alert (sent)',
            ],
            id='expectation',
        ),
        pytest.param(
            SCENARIO.replace('length', 'lenght'), ["rehearsals/fills_up.yaml:2:1: unknown key 'lenght'*"], id='key'
        ),
        pytest.param('x: [', ['rehearsals/fills_up.yaml:2:1: not YAML: *'], id='yaml'),
        pytest.param(
            SCENARIO.replace('50x10 100x10', '50x5'), ['*the series of host:a end at*before the expectation*'], id='end'
        ),
    ],
)
def test_a_failure_has_no_traceback(pytester: pytest.Pytester, integration: Path, text: str, lines: list[str]) -> None:
    (integration / 'rehearsals' / 'fills_up.yaml').write_text(text)
    (integration / 'rehearsals' / 'good.yaml').write_text(SCENARIO)
    result = pytester.runpytest(*PLUGIN, 'rehearsals')
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(lines)
    result.stdout.no_fnmatch_line('*Traceback*')
    result.stdout.no_fnmatch_line('*pytest_plugin.py*')


def test_the_fixture_takes_a_file_a_mapping_and_series(pytester: pytest.Pytester, integration: Path) -> None:
    pytester.makepyfile(
        **{
            'tests/test_rehearsed': """
            import numpy as np
            import pytest
            from ddassets.diagnostic import UnusableInputError
            from ddassets.engine.series import Series

            SCENARIO = {'start': '2027-01-04T08:50:00', 'length': '40m'}

            def computed(count=40, begin=20):
                times = 1799052600.0 + 60 * np.arange(count)
                return Series('tank.level', {'host:b'}, times, np.where(np.arange(count) < begin, 0, 95), 'gauge', 60)

            def test_file(rehearse):
                rehearsed = rehearse('../rehearsals/fills_up.yaml')
                assert rehearsed.timeline == [('2027-01-04T08:14:00', 'host:a', 'OK', 'Alert', 'sent')]
                [mail] = rehearsed.sent
                assert (mail.text.split(' @')[0], mail.recipients) == ('Full on a', ('@oncall@example.com',))

            def test_mapping(rehearse):
                given = {**SCENARIO, 'series': [{'metric': 'tank.level', 'tags': ['host:c'], 'values': '100x5 0x35'}]}
                expected = [{'at': '2027-01-04T08:51:00', 'to': 'Alert'}, {'at': '2027-01-04T08:55:00', 'to': 'OK'}]
                rehearsed = rehearse({**given, 'expect': expected})
                assert [row[2:] for row in rehearsed.timeline] == [('absent', 'Alert', 'sent'), ('Alert', 'OK', 'sent')]

            def test_series(rehearse):
                rehearsed = rehearse(SCENARIO, [computed()])
                assert rehearsed.timeline == [('2027-01-04T09:14:00', 'host:b', 'OK', 'Alert', 'muted')]
                assert rehearsed.sent == []
                assert [mail.muted_by for mail in rehearsed.muted] == [('quiet',)]

            def test_what_is_expected_is_judged(rehearse):
                rehearse({**SCENARIO, 'expect': []}, [computed()])

            def test_series_that_end_early(rehearse):
                with pytest.raises(UnusableInputError, match='end at Mon 2027-01-04 09:00:00'):
                    rehearse({**SCENARIO, 'expect': [{'at': '2027-01-04T09:14:00', 'to': 'Alert'}]}, [computed(10)])
            """
        }
    )
    result = pytester.runpytest(*PLUGIN, 'tests/test_rehearsed.py')
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        [
            '*RehearsalFailed: tests/test_rehearsed.py::test_what_is_expected_is_judged: nothing else happens',
            '*Mon 2027-01-04 09:14:00 Tank is full, host:b: OK to Alert (muted by quiet)',
            'tests/test_rehearsed.py:*: RehearsalFailed',
        ]
    )
    result.stdout.no_fnmatch_line('*pytest_plugin.py*')


def test_the_fixture_shows_the_query_at_fault_and_the_line_of_the_test(
    pytester: pytest.Pytester, integration: Path
) -> None:
    broken = {**MONITOR['definition'], 'query': 'avg(last_5m):avg:tank.level{*} >'}
    scenario = {'start': '2027-01-04T08:50:00', 'length': '40m', 'monitors': [broken]}
    pytester.makepyfile(**{'tests/test_broken': f'def test(rehearse):\n    rehearse({scenario!r})\n'})
    result = pytester.runpytest(*PLUGIN, 'tests/test_broken.py')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            'E  *UnusableInputError: tests/test_broken.py::test: Tank is full: column 33: expected a number*',
            'E     *avg(last_5m):avg:tank.level{[*]} >',
            'E      * ^',
            'tests/test_broken.py:2: UnusableInputError',
        ]
    )
    result.stdout.no_fnmatch_line('*ddassets/*')


def test_without_numpy_only_the_rehearsal_fails_with_a_hint(pytester: pytest.Pytester, integration: Path) -> None:
    pytester.makeconftest("import sys\nsys.modules['numpy'] = None")
    # Without numpy it is not known to contain assets.
    (integration / 'rehearsals' / 'monitors.yaml').unlink()
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(['a rehearsal needs numpy, which is not installed; install ddassets'])


def test_loading_the_plugin_imports_nothing_else() -> None:
    code = (
        'import sys, pytest; before = set(sys.modules); import ddassets.pytest_plugin; '
        'print(*sorted(set(sys.modules) - before))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ['ddassets', 'ddassets.diagnostic', 'ddassets.pytest_plugin']
