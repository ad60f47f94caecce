"""Cumulative windows: where they begin, how a monitor is rehearsed with one, and what is refused."""

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from citing import rule

from ddassets.assets import read
from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.cumulative import CumulativeWindow
from ddassets.rehearsal import parse, rehearse

ACME = Path(__file__).parent / 'acme'
ASSETS = read(ACME)
BERLIN, HAVANA = ZoneInfo('Europe/Berlin'), ZoneInfo('America/Havana')
HALF_PAST_TWO = time(2, 30)


def instant(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def starts(window, *ends, **choices):
    assumptions = Assumptions(choices)
    found = window.starts(np.array([instant(end) for end in ends]), assumptions)
    return [datetime.fromtimestamp(int(start), UTC).strftime('%m-%d %H:%M') for start in found], assumptions.relied_on


@pytest.mark.parametrize(
    'window, begins',
    [
        pytest.param(
            CumulativeWindow('h', minute=30),
            {'2027-01-04T07:29': '01-04 06:30', '2027-01-04T07:31': '01-04 07:30'},
            id='hour',
            marks=rule('16.1', '16.5', 'V27'),
        ),
        pytest.param(
            CumulativeWindow('mo'),
            {'2027-03-31T23:59': '03-01 00:00'},
            id='month',
            marks=rule('16.4', '16.5', 'V28'),
        ),
        pytest.param(
            CumulativeWindow('mo', at=time(4)),
            {'2027-03-01T03:59': '02-01 04:00', '2027-03-01T04:01': '03-01 04:00'},
            id='month at four',
            marks=rule('16.2', 'V28'),
        ),
        pytest.param(
            CumulativeWindow('mo', month_day=17),
            {'2027-03-16T23:59:30': '02-17 00:00', '2027-03-17T00:30:30': '03-17 00:00'},
            id='month from the 17th',
            marks=rule('16.2'),
        ),
        pytest.param(
            CumulativeWindow('mo', month_day=31),
            {'2027-02-28T01:00': '02-28 00:00', '2027-03-30T23:59': '02-28 00:00', '2027-03-31T00:01': '03-31 00:00'},
            id='month from the 31st',
            marks=rule('16.2', 'A97'),
        ),
        pytest.param(
            CumulativeWindow('d', at=HALF_PAST_TWO, zone=BERLIN),
            {
                '2027-03-28T00:59': '03-27 01:30',
                '2027-03-28T01:01': '03-28 01:00',
                '2027-03-29T00:31': '03-29 00:30',
            },
            id='day whose boundary does not exist',
            marks=rule('16.4', 'A52'),
        ),
        pytest.param(
            CumulativeWindow('d', at=HALF_PAST_TWO, zone=BERLIN),
            {'2027-10-31T00:31': '10-31 00:30', '2027-10-31T01:31': '10-31 00:30', '2027-10-31T23:59': '10-31 00:30'},
            id='day whose boundary occurs twice',
            marks=rule('16.4'),
        ),
        pytest.param(
            CumulativeWindow('h', minute=30, zone=BERLIN),
            {'2027-10-31T00:31': '10-31 00:30', '2027-10-31T01:31': '10-31 01:30'},
            id='an hour that occurs twice is two',
            marks=rule('16.4'),
        ),
        pytest.param(
            CumulativeWindow('d', zone=HAVANA),
            {'2027-03-14T04:59': '03-13 05:00', '2027-03-14T05:01': '03-14 05:00'},
            id='a change at midnight',
            marks=rule('16.4', 'A52'),
        ),
    ],
)
def test_a_window_begins_at_its_boundary(window, begins):
    assert starts(window, *begins)[0] == [*begins.values()]


@pytest.mark.rule('16.6', 'A53')
def test_a_tick_on_a_boundary_sees_the_new_window():
    window = CumulativeWindow('d')
    assert starts(window, '2027-01-05T00:00') == (['01-05 00:00'], {'A53'})
    assert starts(window, '2027-01-05T00:00', A53='old, full window') == (['01-04 00:00'], {'A53'})
    assert starts(window, '2027-01-05T00:01') == (['01-05 00:00'], set())


@pytest.mark.rule('A52', 'A97')
def test_assumptions_about_boundaries_are_relied_on_where_they_matter():
    window = CumulativeWindow('mo', at=HALF_PAST_TWO, month_day=29, zone=BERLIN)
    assert starts(window, '2027-02-20T00:00')[1] == set()
    assert starts(window, '2027-03-01T00:00')[1] == {'A97'}
    assert starts(CumulativeWindow('d', at=HALF_PAST_TWO, zone=BERLIN), '2027-03-28T12:00')[1] == {'A52'}


def rehearsed(query, series, start, length, evaluation_window, assumptions=None, tick_second=30, **options):
    body = {
        'name': 'Acme',
        'type': 'query alert',
        'query': query,
        'message': '@ops@example.com',
        'options': {
            'thresholds': {'critical': float(query.rpartition(' ')[2])},
            'scheduling_options': {'evaluation_window': evaluation_window},
            **options,
        },
    }
    scenario = {
        'start': start,
        'length': length,
        'tick_second': tick_second,
        'series': [{'type': 'gauge', 'interval': '1m', **one} for one in series],
        'monitors': [body],
        'downtimes': [],
        'assumptions': assumptions or {},
    }
    return rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS, keep=True)


def changes(found):
    (monitor,) = found.monitors
    (group,) = monitor.results.values()
    return [
        f'{datetime.fromtimestamp(one.instant, UTC):%d %H:%M:%S} {one.source} to {one.target} at {one.value:g}'
        for one in group.transitions
    ]


@pytest.mark.rule('16.2', '16.4')
def test_a_month_that_begins_on_the_17th():
    """The case month-begins-on-the-17th of the estate."""
    # The mean is above 100 once a day of 2000 is among four weeks of 10, and again 10 from the 17th on.
    signal = {'metric': 'acme.load', 'interval': '1h', 'from': '2027-02-17T00:00:00', 'values': '10x648 2000x24 10x48'}
    options = {'month_starts': 17, 'day_starts': '00:00', 'timezone': 'UTC'}
    query = 'avg(current_1mo):avg:acme.load{*} > 70'
    found = rehearsed(query, [signal], '2027-03-16T00:00:00', '2d', options, on_missing_data='default')
    assert changes(found) == ['16 20:00:30 OK to Alert at 72.4664', '17 00:00:30 Alert to OK at 10']
    (monitor,) = found.monitors
    spans = [monitor.evaluator.explain((), instant(f'2027-03-{at}')).window for at in ('16T23:59:30', '17T00:30:30')]
    assert [start for start, _ in spans] == [instant('2027-02-17T00:00'), instant('2027-03-17T00:00')]


BACKUP = [{'metric': 'acme.backup.failed', 'type': 'count', 'interval': '1m', 'values': '0x170 1 0x600'}]
FAILED = 'sum(current_1d):sum:acme.backup.failed{*}.as_count() >= 1'


@pytest.mark.rule('16.1', '16.3', '16.8', '16.10', 'A54')
@pytest.mark.parametrize(
    'cadence, expected',
    [
        pytest.param(
            'by its longest extent', ['05 02:50:30 OK to Alert at 1', '05 03:00:30 Alert to OK at 0'], id='10 minutes'
        ),
        pytest.param('every minute', ['05 02:50:30 OK to Alert at 1', '05 03:00:30 Alert to OK at 0'], id='1 minute'),
    ],
)
def test_day_starts_alone(cadence, expected):
    """The case day-starts-without-month-starts of the estate."""
    found = rehearsed(
        FAILED,
        BACKUP,
        '2027-01-05T00:00:00',
        '4h',
        {'day_starts': '03:00'},
        {'A54': cadence},
        on_missing_data='default',
    )
    assert changes(found) == expected
    assert 'A54' in found.monitors[0].relied_on


@pytest.mark.rule('16.7')
def test_a_delay_moves_both_ends():
    found = rehearsed(
        FAILED,
        BACKUP,
        '2027-01-05T00:00:00',
        '4h',
        {'day_starts': '03:00'},
        on_missing_data='default',
        evaluation_delay=900,
    )
    assert changes(found) == ['05 03:10:30 OK to Alert at 1', '05 03:20:30 Alert to OK at 0']


@pytest.mark.rule('16.10')
def test_a_gauge_keeps_its_status_in_an_empty_window():
    signal = {'metric': 'acme.load', 'interval': '1m', 'values': '9x30'}
    query = 'avg(current_1h):avg:acme.load{*} > 5'
    found = rehearsed(query, [signal], '2027-01-05T00:00:00', '3h', {'hour_starts': 0})
    assert changes(found) == ['05 00:00:30 absent to Alert at 9']


@pytest.mark.rule('16.9', 'A55')
def test_a_full_window_is_not_asked_for():
    signal = {'metric': 'acme.load', 'interval': '1m', 'values': '9x30'}
    query = 'avg(current_1h):avg:acme.load{*} > 5'
    found = rehearsed(query, [signal], '2027-01-05T00:00:00', '1h', {}, require_full_window=True)
    assert changes(found) == ['05 00:00:30 absent to Alert at 9']
    assert 'A55' in found.monitors[0].relied_on


def faults(query, **options):
    body = {'name': 'm', 'type': 'query alert', 'query': query, 'message': ''}
    body['options'] = {'thresholds': {'critical': 4}, **options}
    if query.startswith('logs'):
        body['type'] = 'log alert'
    found = read_monitor(Unplaced(Path('m.json')), body).diagnostics
    return [f'{one.severity.name.lower()}: {one.message}' for one in found]


def window(**options):
    return {'scheduling_options': {'evaluation_window': options}}


AGREE = (
    'an evaluation_window needs a current_… period in the query, and a current_… period needs an evaluation_window; '
    'the API answers 400'
)
PLACE = 'options.scheduling_options.evaluation_window'
LAST = 'avg(last_1h):avg:acme.cpu{*} by {host} > 4'
HOUR, DAY, MONTH = (f'avg(current_1{unit}):avg:acme.cpu{{*}} by {{host}} > 4' for unit in ('h', 'd', 'mo'))
LOGS = 'logs("x").rollup("count").last("{}") > 4'


@pytest.mark.parametrize(
    'query, options, expected',
    [
        # The case window-and-query-have-to-agree of the estate.
        pytest.param(LAST, window(hour_starts=0), [f'error: {PLACE}: {AGREE}'], id='option', marks=rule('16.9')),
        pytest.param(HOUR, {}, [f'error: {AGREE}'], id='period', marks=rule('16.9')),
        pytest.param(LOGS.format('1h'), window(), [f'error: {PLACE}: {AGREE}'], id='logs', marks=rule('16.9')),
        pytest.param(LOGS.format('current_1h'), {}, [f'error: {AGREE}'], id='of logs', marks=rule('16.9')),
        pytest.param(LOGS.format('current_1d'), window(day_starts='04:00'), [], id='logs by day', marks=rule('15.3')),
        pytest.param(DAY, window(day_starts='03:00'), [], id='day alone', marks=rule('16.3')),
        pytest.param(DAY, window(day_starts='3:00', month_starts=1), [], id='both', marks=rule('16.3')),
        pytest.param(MONTH, window(day_starts='00:00', month_starts=17), [], id='17th', marks=rule('16.2')),
        pytest.param(
            MONTH,
            window(month_starts=31),
            [
                f'note: {PLACE}.month_starts: not every month has the day 31: where the window begins then is not '
                'documented'
            ],
            id='31st',
            marks=rule('16.2', 'A97'),
        ),
        pytest.param(
            DAY,
            window(hour_starts=5),
            [f'warning: {PLACE}.hour_starts: has no effect on current_1d'],
            id='hour of a day',
        ),
        pytest.param(
            HOUR,
            window(day_starts='04:00'),
            [f'warning: {PLACE}.day_starts: has no effect on current_1h'],
            id='day of an hour',
        ),
        pytest.param(
            DAY,
            window(day_starts='24:00'),
            [f"error: {PLACE}.day_starts: expected a time from 00:00 to 23:59 such as 04:00, found '24:00'"],
            id='time',
        ),
        pytest.param(
            DAY,
            window(timezone='Europe/Berln'),
            [
                f"error: {PLACE}.timezone: expected a time zone such as Europe/Berlin, found 'Europe/Berln'; did you "
                'mean Europe/Berlin?'
            ],
            id='zone',
        ),
        pytest.param(
            MONTH,
            {**window(), 'require_full_window': True},
            [
                'warning: options.require_full_window: with a cumulative window, which is never full before its end; '
                'it is taken to be ignored'
            ],
            id='full window',
            marks=rule('16.9', 'A55'),
        ),
    ],
)
def test_what_is_wrong_with_a_window(query, options, expected):
    assert faults(query, **options) == expected


@pytest.mark.parametrize(
    'query, words',
    [
        pytest.param('change(avg(current_1h),5m_ago):avg:a{*} > 4', 'of a change is not evaluated', id='change'),
        pytest.param("avg(current_1d):anomalies(avg:a{*}, 'basic', 2) > 4", 'around anomalies', id='anomalies'),
        pytest.param(
            'sum(current_1h):diff(sum:a{*}.as_count() / sum:b{*}.as_count()) > 4', 'of whole windows', id='diff'
        ),
        pytest.param(
            'sum(current_1h):throughput(sum:a{*}.as_count() + sum:b{*}.as_count()) > 4', 'of whole windows', id='rate'
        ),
    ],
)
def test_what_is_refused_by_name(query, words):
    with pytest.raises(UnusableInputError, match=words):
        rehearsed(query, [{'metric': 'a', 'values': '1'}], '2027-01-05T00:00:00', '1h', {})
