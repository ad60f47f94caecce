"""Custom schedules: when a monitor is evaluated, what each evaluation notifies, and what is refused."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from citing import rule

from ddassets.assets import read
from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import kinds
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.auto.counted import survey_counted
from ddassets.rehearsal.auto.survey import survey

ACME = Path(__file__).parent / 'acme'
ASSETS = read(ACME)
DAILY = {'rrule': 'FREQ=DAILY', 'start': '2027-01-01T08:00:00', 'timezone': 'UTC'}
LOAD = 'avg(last_5m):avg:acme.load{*} > 4'
BY_HOST = 'avg(last_5m):avg:acme.load{*} by {host} > 4'


def body_of(query, recurrence, **options):
    return {
        'name': 'Acme',
        'type': 'log alert' if query.startswith('logs') else 'query alert',
        'query': query,
        'message': '@ops@example.com',
        'options': {
            'thresholds': {'critical': float(query.rpartition(' ')[2]), **options.pop('thresholds', {})},
            'scheduling_options': {'custom_schedule': {'recurrences': [recurrence]}},
            **options,
        },
    }


def rehearsed(query, series, start, length, recurrence=DAILY, *, assumptions=None, tick_second=0, **options):
    scenario = {
        'start': start,
        'length': length,
        'tick_second': tick_second,
        'series': [one if 'events' in one else {'type': 'gauge', 'interval': '1m', **one} for one in series],
        'monitors': [body_of(query, recurrence, **options)],
        'downtimes': [],
        'assumptions': assumptions or {},
    }
    return rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS, keep=True)


def load(values, **more):
    return {'metric': 'acme.load', 'values': values, **more}


def shown(instant):
    return datetime.fromtimestamp(int(instant), UTC).strftime('%m-%dT%H:%M:%S').removesuffix(':00')


def ticks(found):
    return [shown(tick) for tick in found.monitors[0].evaluator.ticks]


def told(found):
    """The notifications of the only group."""
    (group,) = found.monitors[0].results.values()
    return [f'{shown(one.instant)} {one.target}' for one in group.notifications if one.sent]


def states(found):
    """The states of each group after its evaluations."""
    return {
        ','.join(group) or '*': [*map(int, found.monitors[0].evaluator.timeline(group).states)]
        for group in found.monitors[0].evaluator.groups
    }


@pytest.mark.parametrize(
    'recurrence, length, expected',
    [
        pytest.param(
            {'rrule': 'FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1', 'start': '2027-01-01T20:00:00'},
            '100d',
            ['01-31T20:00', '02-28T20:00', '03-31T20:00'],
            id='last day',
            marks=rule('16.12', 'V29'),
        ),
        pytest.param(
            {'rrule': 'FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU', 'start': '2027-01-01T06:00:00'},
            '100d',
            ['01-03T06:00', '01-31T06:00', '03-07T06:00', '03-28T06:00'],
            id='sundays',
            marks=rule('16.12', 'V29'),
        ),
        pytest.param(
            {'rrule': 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=9', 'start': '2027-01-01T20:15:00', 'timezone': 'Europe/Berlin'},
            '12d',
            ['01-04T08:15', '01-11T08:15'],
            id='an hour of the rule, a minute of the start',
            marks=rule('16.13'),
        ),
    ],
)
def test_when_a_monitor_is_evaluated(recurrence, length, expected):
    found = rehearsed(LOAD, [load('1')], '2027-01-01T00:00:00', length, recurrence, on_missing_data='default')
    assert ticks(found) == expected


@pytest.mark.parametrize('second, expected', [(0, '01-01T08:00:20'), (45, '01-01T08:00:45'), (5, '01-01T08:01:05')])
def test_the_second_of_the_minute(second, expected):
    recurrence = {**DAILY, 'start': '2027-01-01T08:00:20'}
    found = rehearsed(
        LOAD, [load('1')], '2027-01-01T00:00:00', '1d', recurrence, tick_second=second, on_missing_data='default'
    )
    assert ticks(found) == [expected]


@pytest.mark.rule('16.13', '16.15', 'A56')
def test_a_schedule_without_start():
    """The case schedule-without-start of the estate."""
    recurrence = {'rrule': 'FREQ=DAILY;BYHOUR=22;BYMINUTE=30', 'timezone': 'Europe/Stockholm'}
    query = 'max(last_1h):max:acme.replicas{*} <= 2'
    series = [{'metric': 'acme.replicas', 'values': '2x6000'}]
    found = rehearsed(query, series, '2027-03-26T00:00:00', '4d', recurrence, on_missing_data='show_no_data')
    expected = ['03-26T21:30', '03-27T21:30', '03-28T20:30', '03-29T20:30']
    assert ticks(found) == expected
    assert told(found) == [f'{tick} Alert' for tick in expected]
    (warning,) = found.monitors[0].evaluator.warnings
    assert warning.startswith(
        'start is missing: in the account it is the creation of the monitor; here the time of day comes from BYHOUR '
        'and BYMINUTE'
    )
    assert 'A56' in found.monitors[0].relied_on


@pytest.mark.rule('16.13', 'A56')
def test_without_start_and_hour_the_rehearsal_is_the_start():
    found = rehearsed(
        LOAD, [load('1')], '2027-01-01T09:10:00', '2d', {'rrule': 'FREQ=DAILY'}, on_missing_data='default'
    )
    assert ticks(found) == ['01-01T09:10', '01-02T09:10']
    assert 'here it is the start of the rehearsal' in found.monitors[0].evaluator.warnings[0]


@pytest.mark.rule('2.22', '16.15', '16.16', 'V30')
def test_each_evaluation_notifies_and_none_recovers():
    found = rehearsed(
        LOAD,
        [load('9x2880 1x1440')],
        '2027-01-01T00:00:00',
        '3d',
        on_missing_data='default',
        thresholds={'critical_recovery': -100.0},
        renotify_interval=60,
    )
    assert told(found) == ['01-01T08:00 Alert', '01-02T08:00 Alert']
    (group,) = found.monitors[0].results.values()
    assert [(one.first_triggered_at, one.triggered_duration) for one in group.notifications] == [
        (one.instant, 0) for one in group.notifications
    ]
    assert [str(one.target) for one in group.transitions] == ['Alert', 'Alert', 'OK']


@pytest.mark.rule('16.15', '16.16')
def test_a_notification_has_no_flag_of_a_change():
    flags = {'is_alert': 'alert', 'is_warning': 'warn', 'is_alert_to_warning': 'less', 'is_recovery': 'well'}
    message = ''.join(f'{{{{#{flag}}}}}{text}{{{{/{flag}}}}}' for flag, text in flags.items())
    body = body_of(LOAD, DAILY, on_missing_data='default', thresholds={'warning': 2.0})
    scenario = {
        'start': '2027-01-01T00:00:00',
        'length': '2d',
        'series': [{'type': 'gauge', 'interval': '1m', **load('9x1440 3x1440')}],
        'monitors': [{**body, 'message': message}],
    }
    found = rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS)
    (monitor,) = found.monitors
    ((group, result),) = monitor.results.items()
    texts = [monitor.messages.render(group, result.tags, one).text for one in result.notifications]
    assert [text.strip() for text in texts] == ['alert', 'warn']


@pytest.mark.rule('16.14')
def test_an_evaluation_sees_the_window_of_the_query():
    series = [load('1x470 9x5 1x1000')]
    found = rehearsed(LOAD, series, '2027-01-01T00:00:00', '1d', on_missing_data='default')
    assert told(found) == []
    found = rehearsed(LOAD, series, '2027-01-01T00:00:00', '1d', on_missing_data='default', evaluation_delay=300)
    assert told(found) == ['01-01T08:00 Alert']
    cumulative = 'max(current_1d):max:acme.load{*} > 4'
    scheduled = body_of(cumulative, DAILY, on_missing_data='default')
    scheduled['options']['scheduling_options']['evaluation_window'] = {'day_starts': '04:00'}
    scenario = {
        'start': '2027-01-01T00:00:00',
        'length': '2d',
        'series': [{'type': 'gauge', 'interval': '1m', **load('9x200 1x2000')}],
        'monitors': [scheduled],
    }
    found = rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS)
    assert ticks(found) == ['01-01T08:00', '01-02T08:00']
    assert told(found) == []


SILENT = [load('9x540')]


@pytest.mark.rule('16.18', 'A58')
@pytest.mark.parametrize(
    'choice, expected',
    [
        pytest.param('the last status again if not OK', ['01-05T08:00 Alert', '02-05T08:00 Alert'], id='again'),
        pytest.param('silent', ['01-05T08:00 Alert'], id='silent'),
    ],
)
def test_a_gauge_without_data_keeps_its_status(choice, expected):
    """The case schedule-wants-on-missing-data of the estate: an older body, read as `default`."""
    recurrence = {'rrule': 'FREQ=MONTHLY;BYMONTHDAY=5', 'timezone': 'UTC', 'start': '2027-01-01T08:00:00'}
    found = rehearsed(LOAD, SILENT, '2027-01-05T00:00:00', '40d', recurrence, assumptions={'A58': choice})
    assert told(found) == expected
    assert states(found) == {'*': [2, 2]}
    assert 'A58' in found.monitors[0].relied_on


@pytest.mark.rule('16.18')
@pytest.mark.parametrize(
    'option, expected',
    [
        ('show_no_data', ['01-01T08:00 Alert']),
        ('show_and_notify_no_data', ['01-01T08:00 Alert', '01-02T08:00 No Data', '01-03T08:00 No Data']),
        ('resolve', ['01-01T08:00 Alert']),
    ],
)
def test_missing_data(option, expected):
    found = rehearsed(LOAD, SILENT, '2027-01-01T00:00:00', '3d', on_missing_data=option)
    assert told(found) == expected


@pytest.mark.rule('16.18')
def test_a_count_without_data_is_zero():
    query = 'sum(last_1h):sum:acme.jobs{*}.as_count() < 1'
    series = [{'metric': 'acme.jobs', 'type': 'count', 'values': '1x500'}]
    found = rehearsed(query, series, '2027-01-01T00:00:00', '2d', on_missing_data='default')
    assert told(found) == ['01-02T08:00 Alert']


@pytest.mark.rule('16.17', '16.20', 'A59')
def test_groups_notify_by_themselves_and_are_never_dropped():
    series = [
        load('9x540', tags=['host:a']),
        load('9x5000', tags=['host:b']),
        load('1x5000', tags=['host:c']),
    ]
    found = rehearsed(BY_HOST, series, '2027-01-01T00:00:00', '3d', on_missing_data='show_and_notify_no_data')
    results = found.monitors[0].results
    assert {group: len(one.notifications) for group, one in results.items()} == {
        ('host:a',): 3,
        ('host:b',): 3,
        ('host:c',): 0,
    }
    dropped = rehearsed(
        BY_HOST,
        series,
        '2027-01-01T00:00:00',
        '3d',
        on_missing_data='show_and_notify_no_data',
        assumptions={'A59': '24 h'},
    )
    # At 8:00 on the second day the last point of host:a, at 8:59, is 23 hours old.
    assert states(found)['host:a'] == [2, 3, 3]
    assert states(dropped)['host:a'] == [2, 3, -1]
    assert 'A59' in found.monitors[0].relied_on


@pytest.mark.rule('2.21')
def test_a_new_group_is_as_old_as_its_data():
    series = [load('9x3000', tags=['host:a']), load('9x2000', tags=['host:b'], **{'from': '2027-01-01T07:59:30'})]
    found = rehearsed(BY_HOST, series, '2027-01-01T00:00:00', '2d', on_missing_data='default', new_group_delay=300)
    assert states(found) == {'host:a': [2, 2], 'host:b': [-1, 2]}


@pytest.mark.rule('16.12')
def test_a_schedule_of_logs():
    query = 'logs("x").rollup("count").last("1d") > 0'
    series = [{'events': 'logs', 'at': ['2027-01-01T10:00:00']}]
    found = rehearsed(query, series, '2027-01-01T00:00:00', '3d')
    assert told(found) == ['01-02T08:00 Alert']
    assert states(found) == {'*': [0, 2, 0]}


@pytest.mark.rule('16.21', 'A57')
def test_a_downtime_mutes_and_its_end_notifies_nobody():
    downtime = {
        'monitor_identifier': {'monitor_tags': ['*']},
        'scope': '*',
        'schedule': {'start': '2027-01-01T07:00:00+00:00', 'end': '2027-01-01T09:00:00+00:00'},
    }
    scenario = {
        'start': '2027-01-01T00:00:00',
        'length': '2d',
        'series': [{'type': 'gauge', 'interval': '1m', **load('9x2880')}],
        'monitors': [body_of(LOAD, DAILY, on_missing_data='default')],
        'downtimes': [{'name': 'deploy', 'body': downtime}],
    }
    scenario['downtimes'] = [downtime]
    found = rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS)
    (group,) = found.monitors[0].results.values()
    assert [(shown(one.instant), one.sent, one.reason) for one in group.notifications] == [
        ('01-01T08:00', False, 'transition'),
        ('01-02T08:00', True, 'transition'),
    ]
    assert 'A57' in found.monitors[0].relied_on


def test_a_rehearsal_without_evaluation_says_so():
    found = rehearsed(LOAD, [load('9x60')], '2027-01-01T09:00:00', '1h', on_missing_data='default')
    assert ticks(found) == []
    assert found.monitors[0].evaluator.warnings == ('its schedule has no evaluation in this time',)
    assert told(found) == []


@pytest.mark.rule('16.15', '16.18')
def test_an_explanation():
    found = rehearsed(LOAD, SILENT, '2027-01-01T00:00:00', '2d', on_missing_data='default')
    evaluator = found.monitors[0].evaluator
    explained = evaluator.explain((), int(datetime(2027, 1, 2, 12, tzinfo=UTC).timestamp()))
    assert shown(explained.tick) == '01-02T08:00'
    assert explained.reasons == (
        'the evaluation returned nothing',
        'on_missing_data is default: the last status, Alert, is kept (A58)',
        'the state is Alert, and the custom schedule notifies',
    )


PLACE = 'options.scheduling_options.custom_schedule'
RECURRENCE = f'{PLACE}.recurrences[0]'


def faults(recurrence=DAILY, query=LOAD, type='query alert', recurrences=None, **options):
    body = body_of(query, recurrence, **{'on_missing_data': 'default', **options})
    body['type'] = type
    if recurrences is not None:
        body['options']['scheduling_options']['custom_schedule']['recurrences'] = recurrences
    found = read_monitor(Unplaced(Path('m.json')), body).diagnostics
    return [f'{one.severity.name.lower()}: {one.message}' for one in found]


@pytest.mark.parametrize(
    'changes, expected',
    [
        pytest.param({}, [], id='good'),
        pytest.param(
            {'recurrences': [DAILY, DAILY]},
            [f'error: {PLACE}.recurrences: expected a list of 1 to 1 recurrences, found a list of 2'],
            id='two',
            marks=rule('16.12'),
        ),
        pytest.param(
            {'recurrence': {**DAILY, 'rrule': 'FREQ=HOURLY'}},
            [f'error: {RECURRENCE}.rrule: FREQ=HOURLY: evaluations of a custom schedule are a day or longer apart'],
            id='hourly',
            marks=rule('16.12'),
        ),
        pytest.param(
            {'recurrence': {**DAILY, 'rrule': 'FREQ=DAILY;BYHOUR=8,20'}},
            [f'error: {RECURRENCE}.rrule: BYHOUR=8,20: expected one, because evaluations are a day or longer apart'],
            id='twice a day',
            marks=rule('16.12'),
        ),
        pytest.param(
            {'recurrence': {**DAILY, 'rrule': 'FREQ=DAILY;DURATION=1h'}},
            [
                f'error: {RECURRENCE}.rrule: DURATION is not supported in the rule of a custom schedule; write `start` '
                'beside `rrule`'
            ],
            id='duration',
            marks=rule('16.12'),
        ),
        pytest.param(
            {'recurrence': {'timezone': 'UTC'}},
            [f'error: {RECURRENCE}.rrule is missing; expected a rule such as FREQ=DAILY;INTERVAL=1'],
            id='no rule',
        ),
        pytest.param(
            {'recurrence': {**DAILY, 'start': '2027-01-01T08:00:00Z'}},
            [
                f'error: {RECURRENCE}.start: expected a local time without offset such as 2027-01-03T19:00:00, found '
                "'2027-01-01T08:00:00Z'"
            ],
            id='start with offset',
            marks=rule('16.13'),
        ),
        pytest.param(
            {'recurrence': {**DAILY, 'timezone': 'Europe/Stokholm'}},
            [
                f"error: {RECURRENCE}.timezone: expected a time zone such as Europe/Berlin, found 'Europe/Stokholm'; "
                'did you mean Europe/Stockholm?'
            ],
            id='zone',
        ),
        pytest.param(
            {'type': 'composite', 'query': '1 && 2', 'on_missing_data': None, 'thresholds': {'critical': None}},
            [f'error: {PLACE}: a composite monitor has no custom schedule; metric, log and event monitors have'],
            id='composite',
            marks=rule('16.12'),
        ),
        pytest.param(
            {'require_full_window': True},
            ['error: options.require_full_window: a custom schedule requires require_full_window false'],
            id='full window',
            marks=rule('16.19'),
        ),
        pytest.param(
            {'renotify_interval': 60},
            [
                'warning: options.renotify_interval: is taken to have no effect: a custom schedule notifies at its '
                'evaluations only (A57)'
            ],
            id='renotify',
            marks=rule('16.17', 'A57'),
        ),
        pytest.param(
            {'timeout_h': 2},
            [
                'warning: options.timeout_h: is taken to have no effect: a custom schedule has no state between '
                'evaluations that could time out (A57)'
            ],
            id='timeout',
            marks=rule('16.17', 'A57'),
        ),
        pytest.param(
            {'thresholds': {'critical_recovery': 1.0}},
            [
                'warning: options.thresholds.critical_recovery: has no effect: evaluations of a custom schedule are '
                'independent, and none is a recovery'
            ],
            id='recovery',
            marks=rule('16.16'),
        ),
    ],
)
def test_what_is_wrong_with_a_schedule(changes, expected):
    assert faults(**changes) == expected


@pytest.mark.parametrize(
    'recurrence, options, words',
    [
        pytest.param({**DAILY, 'rrule': 'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30'}, {}, 'has no occurrence', id='never'),
        pytest.param(DAILY, {'notify_by': ['host']}, 'notify_by.*custom schedule', id='combined groups'),
    ],
)
def test_what_is_refused(recurrence, options, words):
    query = 'avg(last_5m):avg:acme.load{*} by {host,env} > 4'
    with pytest.raises(UnusableInputError) as caught:
        rehearsed(
            query,
            [load('9x60', tags=['host:a', 'env:b'])],
            '2027-01-01T00:00:00',
            '2d',
            recurrence,
            on_missing_data='default',
            **options,
        )
    assert re.search(words, f'{caught.value} {caught.value.details}')


@pytest.mark.rule('16.12', '16.15')
@pytest.mark.parametrize(
    'query, rrule, states',
    [
        pytest.param(LOAD, 'FREQ=WEEKLY;BYDAY=MO,WE', {'alert': 'yes', 'no_data': 'yes'}, id='metric'),
        pytest.param(
            'logs("x").rollup("count").last("1d") > 5',
            'FREQ=MONTHLY;BYMONTHDAY=3;UNTIL=20270104',
            {'alert': 'yes'},
            id='logs, whose schedule has ended',
        ),
        pytest.param(LOAD, 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', {}, id='too rare'),
    ],
)
def test_a_generated_signal_lasts_until_the_next_evaluation(query, rrule, states):
    body = body_of(query, {**DAILY, 'rrule': rrule}, on_missing_data='show_and_notify_no_data')
    asset = read_monitor(Unplaced(Path('m.json')), body)
    monitor = kinds.read(asset)
    if not states:
        assert 'less than once a year' in survey(asset, monitor).unsupported
        return
    found = survey_counted(asset, monitor) if query.startswith('logs') else survey(asset, monitor)
    assert {name: getattr(found, name).answer for name in states} == states
    assert found.recovery.answer == 'not set'
    assert found.page_after is not None and found.page_after > 3600
