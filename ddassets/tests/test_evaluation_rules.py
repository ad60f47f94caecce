"""Combined sources, fills, counts by window and differences: the values, and the choices of the assumptions."""

import re
from dataclasses import replace

import pytest
from citing import rule
from small import START, letters, run, store, values

from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.bounds import Bounds, bounds
from ddassets.engine.evaluator import evaluate
from ddassets.engine.examples import monitor
from ddassets.engine.graph import draw
from ddassets.engine.planner import graph_plan
from ddassets.language.query.syntax import parse_query

_: None = None
STOPPED = {'m{host:a}': '1x13', 'm{host:b}': '1x4 _x9'}
# One source is silent for 420 s: from 0 in minute 1 to 8 in minute 8.
GAP = {'m{host:a}': '1x10', 'm{host:b}': '0x2 _x6 8x2'}
COUNTS = {'m{host:a} count 60': '1x3', 'm{host:b} count 60': '1 _ 5'}
ODD = {'m': [(0, 15), (30, 25)]}
EVEN = {'m{host:a} gauge 10': [(0, 15), (30, 25)], 'm{host:b} gauge 10': [(10, 10), (40, 40), (60, 0)]}
NORM = [(0, 1), (600, 0), (1200, 1), (1800, 1)]
OFFSET = [(-300, 1), (300, 1), (900, 1), (1500, 1)]
SPARSE = {'n gauge 60': NORM, 'o gauge 60': OFFSET}
BOTH_ENDS = {'A1': '[from,to]'}
LIST = '10 15 12 8 11 14 13 25 37 45 50'
# The second window has 30, the first 20; point by point the changes are -90 % and 160 %.
JOBS = '10 0 0 0 10 1 1 1 1 26'


@pytest.mark.parametrize(
    'query, series, choices, expected',
    [
        # Combined sources
        pytest.param(
            'min(last_1m):sum:m{*} < 2',
            STOPPED,
            {},
            [2] * 9 + [1] * 4,
            id='a source that stopped is held for 300 s',
            marks=rule('2.16', 'A95', 'V53'),
        ),
        pytest.param(
            'min(last_1m):sum:m{*} < 2',
            STOPPED,
            {'A95': 'excluded'},
            [2] * 8 + [1] * 5,
            id='the instant of 300 s excluded',
            marks=rule('A95', 'V53'),
        ),
        pytest.param(
            'min(last_1m):sum:m{*} < 2',
            {'m{host:a}': '1x10', 'm{host:b}': '1x4 _x2 1x4'},
            {},
            [2] * 10,
            id='a source that is back in time',
            marks=rule('2.16', 'V53'),
        ),
        pytest.param(
            'sum(last_9m):sum:m{*} > 0', GAP, {}, [42.142857], id='a long gap: the first 300 s', marks=rule('A96')
        ),
        pytest.param(
            'sum(last_9m):sum:m{*} > 0', GAP, {'A96': 'nothing'}, [25], id='a long gap: nothing', marks=rule('A96')
        ),
        pytest.param(
            'sum(last_2m):sum:m{*} > 0', COUNTS, {}, [2, 3, 7], id='counts are not held', marks=rule('2.16', 'A17')
        ),
        pytest.param(
            'sum(last_2m):sum:m{*} > 0', COUNTS, {'A17': 'linear'}, [2, 4, 10], id='counts are', marks=rule('A17')
        ),
        pytest.param(
            'sum(last_1m):sum:m{*} > 0',
            EVEN,
            {'A1': '(from,to)'},
            # At :10, :30 and :40. At :20 no source has a sample.
            [28.333333 + 55 + 65],
            id='V52, nothing at :20',
            marks=rule('2.16', 'V52'),
        ),
        pytest.param(
            'sum(last_30m):sum:n{*}.fill(last,900) / sum:o{*}.fill(last,900) > 0',
            SPARSE,
            BOTH_ENDS,
            [5],
            id='an explicit fill acts at the instants of all operands',
            marks=rule('2.16', '2.18', 'V51'),
        ),
        pytest.param(
            'sum(last_30m):sum:n{*} / sum:o{*} > 0',
            SPARSE,
            BOTH_ENDS,
            [_],
            id='the default does not',
            marks=rule('2.16'),
        ),
        *(
            pytest.param(
                f'sum(last_1m):{query} > 0', {'m': '1 _ _ 4'}, {}, expected, id=identity, marks=rule('1.9', '2.16')
            )
            for query, expected, identity in (
                ('avg:m{*}.fill(last)', [1, 1, 1, 4], 'a fill alone acts at every instant'),
                (
                    'avg:m{*}.fill(last) - timeshift(avg:m{*}.fill(last), -60)',
                    [_, 0, _, 3],
                    'of arithmetic it does not',
                ),
            )
        ),
        pytest.param(
            'change(sum(last_1m),1m_ago):avg:m{*}.fill(last) > 0',
            {'m': '1 _ _ 4'},
            {},
            [_, 0, 0, 3],
            id='a change is no arithmetic of the query',
            marks=rule('1.9', '2.16'),
        ),
        pytest.param(
            'change(sum(last_1m),1m_ago):avg:m{*}.fill(last) - avg:n{*} > 0',
            {'m': '1 _ 5', 'n': '0 0 0'},
            {},
            [_, 0, 4],
            id='its earlier side is filled where that has samples',
            marks=rule('1.9', '2.16'),
        ),
        # Window bounds
        *(
            pytest.param(
                f'{method}(last_10m):avg:m{{*}} > 0',
                {'m': LIST},
                BOTH_ENDS,
                [expected],
                id=f'V50 {method}',
                marks=rule('2.18', 'V50'),
            )
            for method, expected in (('avg', 21.818182), ('sum', 240), ('max', 50), ('min', 8))
        ),
        pytest.param(
            'sum(last_2m):sum:m{*}.as_count() > 0',
            {'m count 60': '1 2 4'},
            BOTH_ENDS,
            [6],
            id='as_count has its own bounds',
            marks=rule('2.18', 'A89'),
        ),
        pytest.param(
            'sum(last_2m):sum:m{*}.as_count() > 0',
            {'m count 60': '1 2 4'},
            {**BOTH_ENDS, 'A89': 'as A1'},
            [7],
            id='or those of A1',
            marks=rule('2.18', 'A89'),
        ),
        # Fills
        pytest.param(
            'avg(last_5m):default_zero(avg:m{*}) > 0',
            {'m': [(15 * 60, 1)], 'other': '1x23'},
            BOTH_ENDS,
            [2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 5 / 6, 4 / 6],
            id='default_zero: zero, held, zero',
            marks=rule('2.17', 'V48'),
        ),
        pytest.param(
            'sum(last_1m):default_zero(sum:m{*}) > 0',
            {'m count 60': '5 _x3', 'other': '1x4'},
            {},
            [5, 0, 0, 0],
            id='default_zero of counts',
            marks=rule('2.17', '3.16'),
        ),
        pytest.param(
            'sum(last_1m):default(avg:m{*}, 3) > 0',
            {'m': '5 _x3', 'other': '1x4'},
            {},
            [5, 3, 3, 3],
            id='default fills with its number and holds nothing',
            marks=rule('20.7', 'A76'),
        ),
        pytest.param(
            'sum(last_1m):default(avg:m{*}, 3) > 0',
            {'m': '5 _x3', 'other': '1x4'},
            {'A76': 'nothing'},
            [5, _, _, _],
            id='not in an empty window',
            marks=rule('20.7', 'A76'),
        ),
        *(
            pytest.param(
                f'sum(last_1m):{query} > 0',
                {'m count 60': '1 _', 'other': '1x2'},
                {},
                [3, expected],
                id=query,
                marks=rule(*numbers),
            )
            for query, expected, numbers in (
                ('default(2 + sum:m{*}.as_count(), 9)', 9, ('20.7', '2.13')),
                ('default_zero(2 + sum:m{*}.as_count())', 0, ('2.17', '2.13')),
            )
        ),
        pytest.param(
            'sum(last_1m):default_zero(avg:a{*} / avg:b{*}.fill(last)) > 0',
            {'a': '4 _ _ 4', 'b': '2 _ _ _', 'other': '1x4'},
            {},
            [2, 2, 2, 2],
            id='default_zero has what an explicit fill interpolates',
            marks=rule('2.17', '2.16'),
        ),
        *(
            pytest.param(
                f'sum(last_1m):{query} > 0',
                {'a{host:a}': '5 5 _ 5', 'b{host:b}': '1x4', 'c count 60': '4 4 _ 4', 'd count 60': '2 0 _ 2'},
                {'A76': 'nothing'},
                expected,
                id=f'A76: {query}',
                marks=rule('20.7', 'A76'),
            )
            for query, expected in (
                ('default(avg:a{*}, 3) + avg:b{*}', [6, 6, _, 6]),
                ('count_nonzero(default(avg:a{*} by {host}, 3)) + 0 * avg:b{*}', [1, 1, _, 1]),
                ('default(avg:none{*}, 3)', [_, _, _, _]),
                ('default(sum:c{*}.as_count() / sum:d{*}.as_count(), 9)', [2, 9, _, 2]),
                ('default(2 + sum:c{*}.as_count(), 9)', [6, 6, _, 6]),
            )
        ),
        # Counts by window
        pytest.param(
            'pct_change(sum(last_5m),last_5m):sum:m{*}.as_count() > 60',
            {'m count 60': JOBS},
            {},
            [50],
            id='a change of counts is that of the sums',
            marks=rule('1.9', '2.11', 'V49'),
        ),
        pytest.param(
            'pct_change(sum(last_5m),last_5m):sum:m{*} > 60',
            {'m count 60': JOBS},
            {},
            [70],
            id='without as_count that of the points',
            marks=rule('1.9', 'V49'),
        ),
        pytest.param(
            'change(sum(last_5m),last_5m):sum:m{*}.as_count() > 60',
            {'m': JOBS},
            {},
            [10],
            id='of a gauge too',
            marks=rule('1.9', '2.14'),
        ),
        pytest.param(
            'pct_change(avg(last_5m),last_5m):avg:m{*}.as_count() > 60',
            {'m': JOBS},
            {},
            [50],
            id='of a mean',
            marks=rule('1.9', '2.14'),
        ),
        pytest.param(
            'change(sum(last_2m),last_2m):sum:a{*}.as_count() / sum:b{*}.as_count() > 0',
            {'a count 60': '1 1 3 3', 'b count 60': '4x4'},
            {},
            [0.5],
            id='of a quotient of counts',
            marks=rule('1.9', '2.11'),
        ),
        pytest.param(
            'sum(last_2m):diff(sum:a{*}.as_count()) / sum:b{*}.as_count() > 0',
            {'a count 60': '1 2 4 8', 'b count 60': '1x4'},
            {},
            [4.5],
            id='diff of windows',
            marks=rule('2.11'),
        ),
        pytest.param(
            'sum(last_2m):timeshift(sum:a{*}.as_count(), -60) / sum:b{*}.as_count() > 0',
            {'a count 60': '1 2 4 8', 'b count 60': '1x4'},
            {},
            [3],
            id='timeshift of windows',
            marks=rule('2.11'),
        ),
        pytest.param(
            "sum(last_5m):(sum:m{*}.as_count() / moving_rollup(sum:m{*}.as_count(), 14400, 'sum')) * 48 > 2",
            {'m count 60': '10x240'},
            {},
            [1],
            id='V59',
            marks=rule('2.11', '20.12', 'V59'),
        ),
        pytest.param(
            "sum(last_2m):abs(moving_rollup(sum:m{*}.as_count(), 240, 'sum')) * 1 > 0",
            {'m count 60': '1x6'},
            {},
            [4],
            id='a function of a moving rollup is one of windows',
            marks=rule('2.11', '20.12'),
        ),
        pytest.param(
            'sum(last_1m):sum:m{*}.as_count() > 0',
            {'m{host:a}': '1x3', 'm{host:b}': '5 _ 5'},
            {},
            [6, 6, 6],
            id='as_count of gauges interpolates',
            marks=rule('2.14', '2.16'),
        ),
        # Differences
        pytest.param(
            'avg(last_1m):diff(max:m{*}) > 0',
            {'m{host:a}': '1 3', 'm{host:b}': '10 11'},
            {},
            [_, 2],
            id='diff acts on each source',
            marks=rule('2.4', 'V44'),
        ),
        pytest.param(
            'avg(last_1m):diff(sum:m{*}) > 0',
            {'m{host:a}': '1 3 5', 'm{host:b}': '_ 100 101'},
            {},
            [_, 2, 3],
            id='a source that appears is no rise',
            marks=rule('2.4'),
        ),
        pytest.param(
            'avg(last_1m):diff(sum:m{*} + sum:n{*}) > 0',
            {'m': '1 3', 'n': '1 5'},
            {},
            [_, 6],
            id='diff of arithmetic acts on its points',
            marks=rule('2.4'),
        ),
        *(
            pytest.param(
                'avg(last_2m):diff(max:m{*}) > 0',
                {'m': f'0 {gap} 96'},
                {'A19': choice},
                [expected],
                id=f'{choice}: {gap}',
                marks=rule('2.4', 'A19'),
            )
            for choice, gap, expected in (
                # The window of two minutes begins 300 or 360 s after the point before.
                ('within 300 s', '_x6', 96),
                ('within 300 s', '_x7', _),
                ('always', '_x7', 96),
                ('window only', '_x6', _),
                ('window only', '_', _),
            )
        ),
        pytest.param(
            'avg(last_1h):diff(diff(avg:m{*})) > 0',
            # The first difference in the window has its predecessor 900 s before it, so the second has none.
            {'m gauge 600': [(-4500, 1), (-1200, 2), (-600, 4), (0, 9)]},
            {},
            [(9 - 4) - (4 - 2)],
            id='a difference of differences over a gap',
            marks=rule('2.4', 'A19'),
        ),
        pytest.param(
            'avg(last_2m):diff(diff(avg:m{*})) > 0',
            {'m': '1 2 4 8 16'},
            {'A19': 'window only'},
            [_],
            id='a difference of differences loses two points',
            marks=rule('A19'),
        ),
        # Others
        pytest.param(
            'avg(last_1m):m{*} > 0',
            {'m{host:a}': '1', 'm{host:b}': '3'},
            {},
            [2],
            id='no aggregator',
            marks=rule('1.14'),
        ),
        pytest.param(
            'avg(last_1m):m{*} > 0',
            {'m{host:a}': '1', 'm{host:b}': '3'},
            {'A94': 'max'},
            [3],
            id='another one',
            marks=rule('1.14', 'A94'),
        ),
        pytest.param(
            'avg(last_1m):timeshift(avg:m{*}, -90) > 0',
            {'m': '1 2 4 8'},
            {'A20': 'nearest bucket'},
            [2],
            id='nearest bucket',
            marks=rule('A20'),
        ),
        pytest.param(
            'avg(last_5m):avg:m{*} > 0',
            {'m gauge 1': [(second, second) for second in range(241)]},
            {'A2': 'table'},
            # Buckets of two seconds: the mean of 0.5, 2.5, … 238.5 and 240.
            [120.495868],
            id='the documented buckets',
            marks=rule('2.5', 'A2'),
        ),
        pytest.param(
            'avg(last_1m):avg:m{*} by {env,host,env} > 0',
            {'m{env:e,host:a}': '1'},
            {},
            [1],
            id='a key twice',
            marks=rule('1.7'),
        ),
    ],
)
def test_newest_value(query, series, choices, expected):
    timeline = run(query, series, {'new_group_delay': 0}, choices=choices)
    (group,) = timeline.groups
    assert group in ((), ('env:e', 'host:a'))
    found = values(timeline, group)[-len(expected) :]
    assert found == [None if value is None else pytest.approx(value, abs=1e-5) for value in expected]
    assert set(choices) - {'A1'} <= timeline.relied_on


@pytest.mark.parametrize(
    'query, series, choices, expected',
    [
        pytest.param(
            'sum(last_2m):default(avg:m{*}, 3) > 0', {'m': '5 _ 5'}, {'A76': 'nothing'}, 8, id='no empty window'
        ),
        pytest.param(
            'avg(last_10m):diff(max:m{*}) > 0', {'m': '0 _x8 96'}, {'A19': 'window only'}, 96, id='a gap in the window'
        ),
        pytest.param(
            'avg(last_1m):diff(avg:m{*}) > 0', {'m': '1', 'n': '1x4'}, {'A19': 'window only'}, None, id='no later point'
        ),
        pytest.param(
            'avg(last_1m):avg:m{*} > 0',
            {'m{host:a}': '1x3', 'm{host:b}': '1x3'},
            {'A95': 'excluded', 'A96': 'nothing', 'A17': 'linear'},
            1,
            id='no gap',
        ),
    ],
)
def test_irrelevant_assumptions_are_not_reported(query, series, choices, expected):
    timeline = run(query, series, choices=choices)
    assert values(timeline)[-1] == expected
    assert not set(choices) & timeline.relied_on


@pytest.mark.rule('2.17', '3.15', '3.16', '3.20')
def test_an_alert_over_default_zero_ends_with_the_data():
    query = 'sum(last_2m):default_zero(sum:m{*} by {host}.as_count()) > 2'
    for options in ({}, {'on_missing_data': 'default'}, {'notify_no_data': True, 'no_data_timeframe': 2}):
        timeline = run(query, {'m{host:a} count 60': '0 0 5 5'}, options, 8)
        assert letters(timeline, ('host:a',)) == '.OAAAOOOO'
    # The group is dropped a day after its data, as any other.
    timeline = run(query, {'m{host:a} count 60': '0 0 5 5'}, {}, 1450)
    assert letters(timeline, ('host:a',))[-7:] == 'O......'


@pytest.mark.rule('3.16')
def test_default_zero_without_a_bucket_in_the_window_is_zero():
    query = 'sum(last_5m):default_zero(sum:m{*}.as_count().rollup(sum, 3600)) > 5'
    assert letters(run(query, {'m count 60': '9x10'}, {})) == 'AAAAAAOOOO'


@pytest.mark.rule('20.7')
def test_default_creates_no_group_beyond_that_of_a_simple_alert():
    query = 'avg(last_1m):default(avg:m{*} by {host}, 9) > 5'
    assert list(run(query, {'m{host:a}': '1'}, {}).groups) == [('host:a',)]
    timeline = run(query, {'other': '1x3'}, {})
    assert letters(timeline) == 'AAA'


@pytest.mark.rule('2.11', '7.2')
def test_a_sample_whose_bucket_began_before_the_window_does_not_begin_a_query_of_counts():
    series = {'m gauge 90': [(130, 1)], 'other': '1x5'}
    for query in ('default(sum:m{*}.as_count(), 9)', 'default(sum:m{*}.as_count(), 9) * 1'):
        assert letters(run(f'sum(last_1m):{query} > 5', series)) == 'NNNNN'


@pytest.mark.rule('3.20', 'A88')
def test_when_a_group_is_dropped():
    options = {'new_group_delay': 0}
    kept = run('avg(last_1m):avg:m{*} by {host} > 5', {'m{host:a}': '9'}, options, 70)
    short = run('avg(last_1m):avg:m{*} by {host} > 5', {'m{host:a}': '9'}, options, 70, {'A88': '1 h'})
    assert letters(kept, ('host:a',)) == 'A' * 71
    assert letters(short, ('host:a',)) == 'A' * 61 + '.' * 10
    assert 'A88' in kept.relied_on


@pytest.mark.rule('2.21', 'A88')
@pytest.mark.parametrize('back, expected', [(86460, 'AAA'), (86520, '..A')], ids=['less than a day', 'a day'])
def test_a_group_that_was_dropped_early_is_new_after_a_day_of_silence(back, expected):
    points = [(0, 9), *((back + seconds, 9) for seconds in (0, 60, 120))]
    options = {'new_group_delay': 120}
    timeline = run('avg(last_1m):avg:m{*} by {host} > 5', {'m{host:a}': points}, options, choices={'A88': '1 h'})
    assert letters(timeline, ('host:a',))[-3:] == expected


@pytest.mark.rule('A21')
@pytest.mark.parametrize(
    'options, expected',
    [
        pytest.param({'notify_no_data': True, 'no_data_timeframe': 2}, 'OONN', id='notify_no_data'),
        pytest.param({'on_missing_data': 'show_and_notify_no_data'}, 'NNNN', id='show and notify'),
        pytest.param({'on_missing_data': 'resolve'}, 'OOOO', id='resolve'),
        pytest.param({}, 'NNNN', id='nothing to decide'),
    ],
)
def test_a_group_that_never_reported_can_be_evaluated(options, expected):
    timeline = run('avg(last_1m):avg:m{*} > 5', {'other': '1'}, options, 3, {'A21': 'yes'})
    assert letters(timeline) == expected
    assert ('A21' in timeline.relied_on) == bool(options)


@pytest.mark.rule('A21')
def test_reporting_from_the_first_evaluation_relies_on_no_answer():
    options = {'notify_no_data': True, 'no_data_timeframe': 2}
    assert 'A21' not in run('avg(last_1m):avg:m{*} > 5', {'m': '1x3'}, options).relied_on


@pytest.mark.rule('2.7', 'A24')
@pytest.mark.parametrize('operator, exactly, nearly', [('==', 'OA', 'AA'), ('!=', 'AO', 'OO')])
def test_tolerance_of_equality(operator, exactly, nearly):
    query, series = f'avg(last_1m):avg:m{{*}} {operator} 0.3', {'m': [(0, 0.1 + 0.2), (60, 0.3)]}
    assert letters(run(query, series)) == exactly
    assert letters(run(query, series, choices={'A24': 'to 1e-9 of the size'})) == nearly


ANOMALIES = "avg(last_4h):anomalies(avg:m{*}, 'basic', 2, direction='above'ALERT, interval=60) >= 0.75"


@pytest.mark.rule('6.2', '6.3')
@pytest.mark.parametrize(
    'alert_window, windows, expected',
    [
        pytest.param('last_15m', None, 11, id='alert_window decides'),
        pytest.param('last_15m', ('last_15m', 'last_1h'), 11, id='beside threshold_windows too'),
        pytest.param(None, ('last_30m', 'last_15m'), 22, id='threshold_windows'),
        pytest.param(None, None, None, id='the window of the query'),
    ],
)
def test_the_window_of_anomalies(alert_window, windows, expected):
    query = ANOMALIES.replace('ALERT', f", alert_window='{alert_window}'" if alert_window else '')
    options = (
        {'threshold_windows': dict(zip(('trigger_window', 'recovery_window'), windows, strict=True))} if windows else {}
    )
    signal = [(60 * minute, 0 if minute < 0 else 1) for minute in range(-240, 60)]
    timeline = run(query, {'anomalies': signal}, options, 59, second=30)
    (line,) = timeline.groups.values()
    alerts = [one.instant - START for one in line.transitions if str(one.target) == 'Alert']
    assert alerts == ([60 * expected + 30] if expected else [])


@pytest.mark.rule('6.2')
def test_an_alert_window_is_a_window():
    query = ANOMALIES.replace('ALERT', ", alert_window='15m'")
    with pytest.raises(Unsupported, match='column 65: alert_window: expected a window such as last_15m'):
        run(query, {'anomalies': '0'})


@pytest.mark.parametrize(
    'query, series, options, warning',
    [
        pytest.param(
            'avg(last_5m):100 * avg:u{*} / (avg:u{*} + avg:r{*}) > 120',
            {'u': '1', 'r': '1'},
            {},
            'the critical condition > 120 can never hold: the query is between 0 and 100',
            id='a share in percent',
        ),
        pytest.param(
            'avg(last_5m):100 * avg:u{*} / (avg:u{*} + avg:r{*}) > 90', {'u': '1', 'r': '1'}, {}, None, id='a lower one'
        ),
        pytest.param(
            'avg(last_5m):100 * avg:u{*} / (avg:u{*} + avg:r{*}) > 120', {'u': '1', 'r': '-1'}, {}, None, id='negative'
        ),
        pytest.param(ANOMALIES.replace('ALERT', ''), {'anomalies': '0'}, {}, 'is not computed', id='a share below 1'),
        pytest.param(
            'pct_change(avg(last_5m),last_5m):avg:m{*} < -100',
            {'m': '1'},
            {},
            'the query is at least -100',
            id='a fall by more than all',
        ),
        pytest.param('avg(last_5m):avg:m{*} < 0', {'m': '1'}, {}, 'the query is at least 0', id='negative counts'),
        pytest.param('avg(last_5m):-avg:m{*} > 0', {'m': '1'}, {}, 'the query is at most 0', id='a sign'),
        pytest.param(
            'avg(last_5m):clamp_max(avg:m{*}, 5) >= 5',
            {'m': '1'},
            {'thresholds': {'critical': 5, 'warning': 4}},
            None,
            id='a clamp',
        ),
        pytest.param(
            'avg(last_5m):abs(avg:m{*}) > 1',
            {'m': '1'},
            {'thresholds': {'critical': 1, 'warning': -1}},
            None,
            id='a warning that always holds',
        ),
        pytest.param(
            'avg(last_30m):avg:m{*} > 5',
            {'m': '1'},
            {'notify_no_data': True, 'no_data_timeframe': 20},
            'no_data_timeframe (20m) is shorter than the window (30m): No Data starts with the first empty window (A6)',
            id='a timeframe below the window',
        ),
        pytest.param(
            'avg(last_30m):avg:m{*} > 5',
            {'m': '1'},
            {'notify_no_data': True, 'no_data_timeframe': 30},
            None,
            id='equal',
        ),
        pytest.param(
            'avg(last_5m):avg:m{*} > 5',
            {'m': '1'},
            {'renotify_interval': 30, 'renotify_occurrences': 0},
            'renotify_occurrences is 0, so no renotification is sent in spite of renotify_interval (rule 1.15)',
            id='no occurrences',
            marks=rule('1.15'),
        ),
        pytest.param(
            'avg(last_5m):avg:m{*} > 5',
            {'m': '1'},
            {'renotify_interval': 30, 'renotify_occurrences': 1},
            None,
            id='one',
        ),
        pytest.param(
            'avg(last_5m):avg:m{*} < 0', {'m': '5 -1'}, {}, None, id='a series with values on both sides of 0'
        ),
    ],
)
def test_warnings(query, series, options, warning):
    found = '; '.join(run(query, series, options).warnings)
    assert warning in found if warning else found == ''


@pytest.mark.parametrize(
    'text, expected',
    [
        ('avg:a{*} / (avg:a{*} + avg:b{*})', (0, 1)),
        ('100 * (avg:a{*} / (avg:b{*} + avg:a{*} + avg:c{*}))', (0, 100)),
        ('avg:a{*} / avg:b{*}', (0, float('inf'))),
        ('1 / clamp_min(avg:a{*}, 4)', (0, 0.25)),
        ('clamp_max(clamp_min(avg:a{*}, 2), 5) - 3', (-1, 2)),
        ('-2 * clamp_max(avg:a{*}, 5)', (-10, 0)),
        ('abs(clamp_max(avg:a{*}, 5) - 7)', (2, 7)),
        ('diff(avg:a{*})', (-float('inf'), float('inf'))),
        ('default(clamp_min(avg:a{*}, 3), 1)', (1, float('inf'))),
        ('avg:a{*} / (0 - avg:b{*})', (-float('inf'), 0)),
        ('cutoff_min(avg:a{*}, 4)', (4, float('inf'))),
        ('cutoff_max(avg:a{*}, 4)', (0, 4)),
        ('cutoff_min(clamp_max(avg:a{*}, 2), 5)', (5, 5)),
        ('cutoff_max(clamp_min(avg:a{*}, 5), 2)', (2, 2)),
        ('(avg:a{*} - avg:b{*}) / avg:b{*}', (-1, float('inf'))),
        ('(diff(avg:a{*}) - avg:b{*}) / avg:b{*}', (-float('inf'), float('inf'))),
    ],
)
def test_bounds(text, expected):
    found = bounds(graph_plan(parse_query(text), Assumptions()))
    assert (found.least, found.greatest) == expected


@pytest.mark.parametrize(
    'comparator, limits',
    [('>', [-1, 0, 0.5]), ('>=', [-1, 0, 0.5, 1]), ('<', [0.5, 1, 2]), ('<=', [0, 0.5, 1, 2]), ('==', [0, 0.5, 1])],
)
def test_which_limits_a_value_from_0_to_1_can_meet(comparator, limits):
    assert [limit for limit in (-1, 0, 0.5, 1, 2) if Bounds(0, 1).can_be(comparator, limit)] == limits
    assert Bounds(0, 1).can_be('!=', 1) and not Bounds(1, 1).can_be('!=', 1)


@pytest.mark.parametrize(
    'text, expected',
    [
        ('clamp_max(avg:a{*}, 5)', (0, float('inf'))),
        ('-2 * clamp_max(avg:a{*}, 5)', (-float('inf'), 0)),
        ('clamp_max(avg:a{*}, 5) - 3', (-float('inf'), float('inf'))),
    ],
)
def test_a_sum_of_points_keeps_its_sign_alone(text, expected):
    found = bounds(replace(graph_plan(parse_query(text), Assumptions()), aggregator='sum'))
    assert (found.least, found.greatest) == expected


@pytest.mark.rule('2.17')
def test_a_graph_fills_where_its_group_has_points():
    series = store({'m{host:a}': '5 _x9', 'm{host:b}': [(-7200, 1)]})
    (line,) = draw(parse_query('default_zero(avg:m{*} by {host})'), series, START, START + 600)
    assert (line.name, line.values.tolist()) == ('host:a', [5] * 6 + [0] * 4)


@pytest.mark.parametrize(
    'query, column, words',
    [
        pytest.param(
            'median(last_5m):avg:m{*} > 1', 1, 'as a time aggregator is not', id='a time aggregator', marks=rule('2.12')
        ),
        pytest.param(
            'avg(last_5m):avg:m{*}.fill(most) > 1',
            28,
            '.fill: expected linear',
            id='a fill',
            marks=rule('2.16', '20.27'),
        ),
        pytest.param(
            'avg(last_5m):(avg:m{*} + avg:n{*}).fill(zero).rollup(60) > 1', 35, '.fill: after', id='around arithmetic'
        ),
        pytest.param(
            'avg(last_5m):avg:m{*}.fill(last, 0) > 1', 34, '.fill: expected whole seconds', id='the limit of a fill'
        ),
        pytest.param(
            'avg(last_5m):avg:m{*}.fill(last).fill(zero) > 1', 33, '.fill: is not evaluated in this', id='two fills'
        ),
        pytest.param(
            'avg(last_5m):sum:m{*}.as_count() > 1', 1, 'avg: of as_count', id='a mean of counts', marks=rule('2.12')
        ),
        pytest.param(
            'avg(last_5m):default(avg:m{*}) > 1', 14, 'with 1 arguments', id='default of nothing', marks=rule('20.7')
        ),
        pytest.param(
            "sum(last_1m):sum:m{*}.as_count() / moving_rollup(sum:m{*}.as_count(), 1209600, 'sum') > 1",
            14,
            'of more than 1,000 windows',
            id='many windows',
            marks=rule('20.12'),
        ),
    ],
)
def test_refused_with_its_column(query, column, words):
    with pytest.raises(Unsupported, match=re.escape(words)) as caught:
        run(query, {'m': '1'})
    assert caught.value.column == column


def test_a_template_variable_does_not_match_everything():
    with pytest.raises(Unsupported, match=r'column 20: \$env: is a template variable'):
        evaluate(monitor('avg(last_5m):avg:m{$env} > 1'), store({'m': '1'}), START, START + 60)


@pytest.mark.parametrize('end', [START - 60, START])
def test_a_rehearsal_has_a_length(end):
    with pytest.raises(UnusableInputError, match='expected one after the start'):
        run('avg(last_5m):avg:m{*} > 1', {'m': '1'}, end=end)
