"""`--auto` generates runs for check monitors and states for the members of composites."""

import json

import pytest
from citing import rule

from ddassets.rehearsal.auto.estate import judge, survey_paths

HANDLE = '@ops@example.com'


def check(query, message=HANDLE, **options):
    return {'type': 'service check', 'query': query, 'message': message, 'options': options}


UP = '"datadog.agent.up".over("env:prod").by("host").last(2).count_by_status()'
CONNECT = '"acme.can_connect".over("*").by("host").last(4).count_by_status()'
CLUSTER = '"acme.can_connect".over("*").by("env").last(1).pct_by_status()'
AGENTS = UP.replace('.by("host").last(2).count', '.by("*").last(1).pct')
CPU = {'type': 'query alert', 'query': 'avg(last_5m):avg:acme.cpu{*} by {host} > 90', 'message': HANDLE}
ERRORS = {'type': 'query alert', 'query': 'avg(last_5m):avg:acme.errors{*} by {service} > 5', 'message': HANDLE}


WORKERS = {
    'type': 'query alert',
    'query': 'min(last_5m):count_not_null(avg:acme.load{*} by {host}) < 2',
    'message': HANDLE,
}


def composite(query, **more):
    return {'type': 'composite', 'query': query, 'message': HANDLE, 'options': {}, **more}


def surveyed(tmp_path, monitors, rules=()):
    for kind, bodies in (('monitors', monitors), ('notification_rules', dict(rules))):
        folder = tmp_path / 'assets' / kind
        folder.mkdir(parents=True)
        for name, body in bodies.items():
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
        pytest.param(
            check(AGENTS, thresholds={'critical': 60, 'warning': 30}),
            ('yes', 'yes', 'not set', 'yes'),
            id='a cluster of hosts',
            marks=rule('14.19'),
        ),
        pytest.param(
            check(AGENTS, thresholds={'critical': 60.4, 'warning': 60.1}),
            ('yes', 'no', 'not set', 'yes'),
            id='no share of hosts warns',
        ),
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
        pytest.param('workers && errors', 'yes', '', id='a count has no groups'),
    ],
)
@pytest.mark.rule('13.6', '13.15')
def test_composites(tmp_path, query, alert, says):
    monitors = {'cpu': CPU, 'errors': ERRORS, 'workers': WORKERS, 'connect': check(CONNECT), 'c': composite(query)}
    found = surveyed(tmp_path, monitors)['c']
    assert found.alert.answer == alert
    assert says in found.alert.reason


@pytest.mark.parametrize(
    'query, alert, says',
    [
        pytest.param(WORKERS['query'], 'no', 'count_not_null(): counts groups', id='a count', marks=rule('20.2')),
        pytest.param(
            'max(last_5m):dt(avg:acme.x{*}) > 90', 'no', 'dt(): measures gaps', id='gaps', marks=rule('20.10')
        ),
        pytest.param(
            "avg(last_5m):avg:acme.x{*} / calendar_shift(avg:acme.x{*}, '-1d', 'Europe/Berlin') < 0.5",
            'yes',
            '',
            id='a day before',
            marks=rule('20.18'),
        ),
        pytest.param(
            "avg(last_5m):avg:acme.x{*} - calendar_shift(avg:acme.x{*}, '-1mo', 'UTC') > 5",
            'yes',
            '',
            id='a month before',
        ),
    ],
)
def test_queries_that_constant_levels_can_or_cannot_make_alert(tmp_path, query, alert, says):
    found = surveyed(tmp_path, {'m': {'type': 'query alert', 'query': query, 'message': HANDLE}})['m']
    assert (found.alert.answer, says in found.unsupported) == (alert, True)


def test_a_composite_of_a_missing_monitor(tmp_path):
    found = surveyed(tmp_path, {'c': composite('1 && 2')})['c']
    assert "no monitor '1'" in found.unsupported


@pytest.mark.rule('3.27')
@pytest.mark.parametrize(
    'rule, told',
    [
        pytest.param(
            {'recipients': ['slack-acme']},
            {'Alert': ('@slack-acme',), 'recovery from Alert': ('@slack-acme',)},
            id='all',
        ),
        pytest.param(
            {'conditional_recipients': {'conditions': [{'scope': 'transition_type:is_alert', 'recipients': ['page']}]}},
            {'Alert': ('@page',), 'recovery from Alert': ()},
            id='one-transition',
        ),
        pytest.param(
            {'filter': {'tags': ['team:other']}, 'recipients': ['page']},
            {'Alert': (), 'recovery from Alert': ()},
            id='of-others',
        ),
        pytest.param(
            {'filter': {'scope': 'region:eu'}, 'recipients': ['page']},
            {'Alert': ('@page',), 'recovery from Alert': ('@page',)},
            id='some-group',
        ),
        pytest.param({'recipients': ['@page']}, {'Alert': (), 'recovery from Alert': ()}, id='refused-by-datadog'),
    ],
)
@pytest.mark.parametrize(
    'body',
    [
        pytest.param(
            {'type': 'query alert', 'query': 'avg(last_5m):avg:acme.cpu{*} by {region} > 90'}, id='a-metric-monitor'
        ),
        pytest.param(
            {'type': 'service check', 'query': '"acme.up".over("*").by("region").last(2).count_by_status()'},
            id='a-check',
        ),
    ],
)
def test_recipients_of_rules(tmp_path, body, rule, told):
    monitor = {'tags': ['team:acme'], 'message': 'Look.', 'options': {}, **body}
    rules = {'route': {'filter': {'tags': ['team:acme']}, **rule}}
    found = surveyed(tmp_path, {'m': monitor}, rules)['m']
    assert {kind: found.notified[kind] for kind in told} == told
    silent = 'auto/notifies-nobody' in {one.code for one in judge(found)}
    assert silent == (not any(told.values()))


def test_downtimes_of_a_source_are_named_by_their_address(tmp_path):
    blocks = [
        f'resource "datadog_downtime_schedule" "{name}" {{\n'
        '  scope = "region:eu"\n  monitor_identifier { monitor_tags = ["*"] }\n}\n'
        for name in ('day', 'night')
    ]
    monitor = 'resource "datadog_monitor" "m" {\n' + ''.join(
        f'  {key} = {json.dumps(value)}\n' for key, value in {'name': 'm', **CPU}.items()
    )
    (tmp_path / 'main.tf').write_text(''.join([*blocks, monitor, '  monitor_thresholds { critical = 90 }\n}\n']))
    (found,) = survey_paths([tmp_path / 'main.tf']).surveys
    assert found.idle_downtimes == ('datadog_downtime_schedule.day', 'datadog_downtime_schedule.night')
