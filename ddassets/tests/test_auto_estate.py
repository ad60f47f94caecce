"""`--auto` makes runs for check monitors, and drives the members of composites."""

import json

import pytest

from ddassets.rehearsal.auto.estate import judge, survey_paths

HANDLE = '@ops@example.com'


def check(query, message=HANDLE, **options):
    return {'type': 'service check', 'query': query, 'message': message, 'options': options}


UP = '"datadog.agent.up".over("env:prod").by("host").last(2).count_by_status()'
CONNECT = '"acme.can_connect".over("*").by("host").last(4).count_by_status()'
CLUSTER = '"acme.can_connect".over("*").by("env").last(1).pct_by_status()'
CPU = {'type': 'query alert', 'query': 'avg(last_5m):avg:acme.cpu{*} by {host} > 90', 'message': HANDLE}
ERRORS = {'type': 'query alert', 'query': 'avg(last_5m):avg:acme.errors{*} by {service} > 5', 'message': HANDLE}


def composite(query, **more):
    return {'type': 'composite', 'query': query, 'message': HANDLE, 'options': {}, **more}


def surveyed(tmp_path, monitors):
    folder = tmp_path / 'assets' / 'monitors'
    folder.mkdir(parents=True)
    for name, body in monitors.items():
        (folder / f'{name}.json').write_text(json.dumps({'name': name, **body}))
    return {found.name: found for found in survey_paths([tmp_path]).surveys}


@pytest.mark.parametrize(
    'body, answers',
    [
        pytest.param(check(CONNECT), ('yes', 'yes', 'not set', 'yes'), id='a check'),
        pytest.param(
            check(CONNECT, notify_no_data=True, no_data_timeframe=5), ('yes', 'yes', 'yes', 'yes'), id='missing data'
        ),
        pytest.param(check(CLUSTER, thresholds={'critical': 50}), ('yes', 'not set', 'not set', 'yes'), id='a cluster'),
        pytest.param(check(UP, notify_no_data=True), ('not set', 'not set', 'yes', 'yes'), id='a host'),
        pytest.param(check(UP, notify_no_data=False), ('no', 'not set', 'not set', 'no'), id='a host, silent'),
    ],
)
@pytest.mark.rule('14.7', '14.18', '14.20')
def test_checks(tmp_path, body, answers):
    found = surveyed(tmp_path, {'m': body})['m']
    assert tuple(one.answer for one in (found.alert, found.warn, found.no_data, found.recovery)) == answers
    assert (found.page_after is None) is (answers[0] == answers[2] == 'not set' or answers[0] == 'no')


@pytest.mark.rule('14.18', '14.20')
def test_a_host_monitor_that_waits_for_an_alert(tmp_path):
    message = '{{#is_alert}}{{host.name}} is down{{/is_alert}} @ops@example.com'
    found = surveyed(tmp_path, {'m': check(UP, message, notify_no_data=False)})['m']
    assert found.alert.reason == 'the Agent submits only OK'
    assert found.unrendered == ('is_alert',)
    assert {one.code for one in judge(found)} >= {'auto/never-alerts', 'auto/branch-never-rendered'}


@pytest.mark.parametrize(
    'query, alert, says',
    [
        pytest.param('cpu && connect', 'yes', '', id='by host'),
        pytest.param('cpu && !errors', 'no', 'group by host against service', id='no common group'),
        pytest.param('cpu && !cpu', 'no', 'no combination', id='a contradiction'),
        pytest.param('!cpu', 'yes', '', id='not'),
    ],
)
@pytest.mark.rule('13.6', '13.15')
def test_composites(tmp_path, query, alert, says):
    monitors = {'cpu': CPU, 'errors': ERRORS, 'connect': check(CONNECT), 'c': composite(query)}
    found = surveyed(tmp_path, monitors)['c']
    assert found.alert.answer == alert
    assert says in found.alert.reason


def test_a_composite_of_a_monitor_that_is_not_there(tmp_path):
    found = surveyed(tmp_path, {'c': composite('1 && 2')})['c']
    assert "no monitor '1'" in found.unsupported
