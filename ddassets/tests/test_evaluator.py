"""The rules of evaluation one by one: which points, which value, and what is refused."""

import re

import numpy as np
import pytest
from citing import rule
from small import LETTERS, START, body, letters, read, run, store, values

from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine import monitor as monitors
from ddassets.engine.evaluator import Evaluator, evaluate
from ddassets.engine.points import table_bucket
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State

_: None = None


@pytest.mark.parametrize(
    'query, series, expected',
    [
        pytest.param(
            'avg(last_2m):avg:m{*} > 0', {'m': '1 3 5 5'}, [1, 2, 4, 5], id='avg', marks=rule('1.1', '2.3', '2.4')
        ),
        pytest.param('sum(last_2m):avg:m{*} > 0', {'m': '1 3 5'}, [1, 4, 8], id='sum', marks=rule('1.1')),
        pytest.param('max(last_2m):avg:m{*} > 0', {'m': '1 3 2 0'}, [1, 3, 3, 2], id='max', marks=rule('2.6')),
        pytest.param('min(last_2m):avg:m{*} > 0', {'m': '1 3 2 0'}, [1, 1, 2, 0], id='min', marks=rule('2.6')),
        pytest.param(
            'avg(last_2m):avg:m{*}.rollup(avg, 120) > 0',
            {'m': [(0, 0), (30, 0), (60, 0), (119, 0), (120, 9)]},
            [0, 0, 4.5],
            id='the mean of buckets, not of samples',
            marks=rule('2.5'),
        ),
        pytest.param(
            'avg(last_1m):avg:m{!host:b} > 0',
            {'m{host:a}': '1 2', 'm{host:b}': '9 9'},
            [1, 2],
            id='scope',
            marks=rule('1.5'),
        ),
        pytest.param(
            'change(avg(last_1m),1m_ago):avg:m{*} > 0', {'m': '1 3 9'}, [_, 2, 6], id='change', marks=rule('1.8', '1.9')
        ),
        pytest.param(
            'change(max(last_2m),last_2m):avg:m{*} > 0',
            {'m': '10 0 11 5'},
            [_, _, 1, 5],
            id='change: the greatest difference, not the difference of the greatest',
            marks=rule('1.9'),
        ),
        pytest.param(
            'pct_change(avg(last_1m),1m_ago):avg:m{*} > 0',
            {'m': '2 4 3'},
            [_, 100, -25],
            id='pct_change',
            marks=rule('1.9', 'V7'),
        ),
        pytest.param(
            'avg(last_5m):avg:m{*} > 0',
            {'m': '10 15 12 8 11'},
            [10, 12.5, 12.333333, 11.25, 11.2],
            id='V5',
            marks=rule('2.4', 'V5'),
        ),
        pytest.param(
            'sum(last_3m):avg:a{*} / avg:b{*} > 0',
            {'a': '10 10 10', 'b': '0 1 _'},
            [_, 10, 10],
            id='n/0 and a missing operand are discarded',
            marks=rule('2.13', 'V6'),
        ),
        pytest.param(
            'sum(last_5m):sum:e{*}.as_count() / sum:t{*}.as_count() > 0',
            {'e count 60': '1 2 3 4 5', 't count 60': '10x5'},
            [0.1, 0.15, 0.2, 0.25, 0.3],
            id='as_count: the sums first',
            marks=rule('2.11', 'V1'),
        ),
        pytest.param(
            'sum(last_5m):sum:e{*}.as_rate() / sum:t{*}.as_rate() > 0',
            {'e count 60': '1 2 3 4 5', 't count 60': '10x5'},
            [0.1, 0.3, 0.6, 1, 1.5],
            id='as_rate: the quotients first',
            marks=rule('2.11', 'V1'),
        ),
        pytest.param(
            'sum(last_1m):sum:e{*}.as_count() + sum:t{*}.as_count() > 0',
            {'e count 60': '1 _ 3', 't count 60': '10x3'},
            [11, 10, 13],
            id='a missing count is 0',
            marks=rule('2.13'),
        ),
        pytest.param(
            'sum(last_1m):(sum:e{*}.as_count() + 5) / sum:t{*}.as_count() > 0',
            {'e count 60': '5 _ 5', 't count 60': '10x3'},
            [1, 0.5, 1],
            id='a missing count is 0 before the arithmetic',
            marks=rule('2.13'),
        ),
        pytest.param(
            'sum(last_1m):sum:t{*}.as_count() - sum:t{*}.as_count() / sum:e{*}.as_count() > 0',
            {'e count 60': '5 _ 5', 't count 60': '10x3'},
            [8, _, 8],
            id='n/0 of counts is no missing count',
            marks=rule('2.13'),
        ),
        pytest.param(
            'sum(last_1m):sum:m{*}.as_rate() > 0',
            {'m count 60': '6 60'},
            [0.1, 1],
            id='count as_rate',
            marks=rule('2.14', '2.15'),
        ),
        pytest.param(
            'sum(last_3m):1 / sum:m{*}.as_rate().rollup(180) > 0',
            {'m count 60': '1 2 -3'},
            [180, 60, None],
            id='counts that cancel out are no rate at all',
            marks=rule('2.14'),
        ),
        pytest.param(
            'sum(last_1m):sum:m{*}.as_count() > 0',
            {'m rate 60': '0.1 2'},
            [6, 120],
            id='rate as_count',
            marks=rule('2.14', '2.15'),
        ),
        pytest.param(
            'sum(last_1m):sum:m{*}.as_count() > 0', {'m': '3 4'}, [3, 4], id='gauge as_count', marks=rule('2.14')
        ),
        pytest.param(
            'sum(last_4m):sum:m{*}.as_count().rollup(120) > 0',
            {'m count 60': '1 2 3 4'},
            [1, 3, 6, 10],
            id='as_count sums in a bucket without a method',
            marks=rule('2.14', '7.4'),
        ),
        pytest.param(
            'avg(last_1m):sum:m{*} > 0',
            {'m{host:a}': '1 _ 5 9', 'm{host:b}': '10x4'},
            [11, 11, 15, 19],
            id='the last value is held, until there is a later one',
            marks=rule('2.16'),
        ),
        pytest.param(
            'avg(last_2m):sum:m{*} > 0',
            {'m{host:a}': '1 _ 5 9', 'm{host:b}': '10x4'},
            [11, 11, 14, 17],
            id='then the gap is linear, in the past too',
            marks=rule('2.16'),
        ),
        pytest.param(
            'avg(last_9m):sum:m{*} > 0',
            {'m{host:a}': '0 _x6 7', 'm{host:b}': '10x8'},
            [10, 10, 10, 10, 10, 10, 10, 12.75],
            id='300 s far',
            marks=rule('2.16'),
        ),
        pytest.param(
            'avg(last_1m):avg:m{*} > 0',
            {'m': '1 _ 3'},
            [1, _, 3],
            id='one source is not interpolated',
            marks=rule('2.16'),
        ),
        pytest.param(
            'sum(last_2m):sum:m{*}.as_count() > 0',
            {'m{host:a} count 60': '1 _ 5', 'm{host:b} count 60': '10x3'},
            [11, 21, 25],
            id='nor is a count under as_count',
            marks=rule('2.14'),
        ),
        pytest.param(
            'avg(last_1m):avg:m{*}.fill(last, 120) > 0',
            {'m': '7 _x3 1'},
            [7, 7, 7, _, 1],
            id='fill last',
            marks=rule('1.10', '2.16'),
        ),
        pytest.param(
            'avg(last_1m):avg:m{*}.fill(zero) > 0',
            {'m': '7 _ 1'},
            [7, 0, 1],
            id='fill zero',
            marks=rule('1.10', '2.16'),
        ),
        pytest.param(
            'avg(last_2m):default_zero(avg:m{*}) > 0',
            {'m': '6 _ _ _ 2'},
            [6, 6, 6, 6, 2.5],
            id='default_zero extends a gauge',
            marks=rule('2.17'),
        ),
        pytest.param(
            'avg(last_2m):default_zero(avg:m{*}) + avg:m{*} > 0',
            {'m': '2 _ 4'},
            [4, 4, 8],
            id='default_zero leaves what is beside it alone',
            marks=rule('2.16', '2.17'),
        ),
        pytest.param(
            'sum(last_2m):default_zero(avg:m{*}.rollup(60) * sum:n{*}.as_count().rollup(60)) > 0',
            {'m': '4 _ _ _ 2', 'n count 60': '10x5'},
            [40, 80, 120, 0, 60],
            id='default_zero around arithmetic on as_count sees windows, not gaps',
            marks=rule('2.11', '2.17'),
        ),
        pytest.param(
            'sum(last_2m):default_zero(avg:m{*}.rollup(60)) * sum:n{*}.as_count().rollup(60) > 0',
            {'m': '4 _ _ _ 2', 'n count 60': '10x5'},
            [40, 160, 360, 360, 225],
            id='default_zero of one operand sees its gaps',
            marks=rule('2.11', '2.17'),
        ),
        pytest.param(
            'avg(last_1m):diff(sum:m{*}) > 0',
            {'m{host:a}': '0 _x6 7', 'm{host:b}': '10x8'},
            [_, 0, 0, 0, 0, 0, 0, 2],
            id='diff: the source that was silent, and the others',
            marks=rule('2.16', 'A19'),
        ),
        pytest.param(
            'avg(last_1m):diff(default_zero(avg:m{*})) > 0',
            {'m': '5 7'},
            [_, 2],
            id='diff: nothing is filled before the series are known',
            marks=rule('2.17', 'A19'),
        ),
        pytest.param(
            'avg(last_1m):diff(avg:m{*}) > 0', {'m': '1 4 _ 9'}, [_, 3, _, 5], id='diff', marks=rule('1.10', 'A19')
        ),
        pytest.param(
            'avg(last_1m):per_second(avg:m{*}) > 0',
            {'m': '0 60 _ 300'},
            [_, 1, _, 2],
            id='per_second',
            marks=rule('1.10'),
        ),
        pytest.param(
            'avg(last_1m):per_minute(avg:m{*}) > 0', {'m': '0 60'}, [_, 60], id='per_minute', marks=rule('1.10')
        ),
        pytest.param('avg(last_1m):abs(avg:m{*}) > 0', {'m': '-3 2'}, [3, 2], id='abs', marks=rule('1.10')),
        pytest.param(
            'avg(last_1m):clamp_max(clamp_min(avg:m{*}, 1), 5) > 0',
            {'m': '-3 2 9'},
            [1, 2, 5],
            id='clamp',
            marks=rule('1.10'),
        ),
        pytest.param(
            'avg(last_1m):timeshift(avg:m{*}, -120) > 0',
            {'m': '1 2 3 4'},
            [_, _, 1, 2],
            id='timeshift',
            marks=rule('1.10'),
        ),
        pytest.param(
            'avg(last_1m):timeshift(avg:m{*}, -90) > 0',
            {'m': '1 2 3 4'},
            [_, _, 1, 2],
            id='timeshift: the bucket of the shifted start',
            marks=rule('A20'),
        ),
        pytest.param(
            'sum(last_1h):sum:m{*}.rollup(sum, 3600) > 0',
            {'m': '1x4'},
            [1, 2, 3, 4],
            id='the newest bucket is partial',
            marks=rule('7.1', '7.3', '7.5'),
        ),
        pytest.param(
            'sum(last_5m):sum:m{*}.rollup(sum, 3600) > 0',
            {'m': '1x9'},
            [1, 2, 3, 4, 5, 6, _, _, _],
            id='a bucket counts by its start',
            marks=rule('7.2', '7.5', 'A1'),
        ),
        pytest.param(
            'sum(last_4m):sum:m{*}.rollup(sum, 180) > 0',
            {'m': '1x8'},
            [1, 2, 3, 4, 5, 3, 4, 5],
            id='what a bucket before the edge holds is missed',
            marks=rule('7.2', '7.6'),
        ),
        pytest.param(
            'max(last_4m):avg:m{*}.rollup(count, 120) > 0',
            {'m': '5 5 _ 5'},
            [1, 2, 2, 2],
            id='count',
            marks=rule('7.4'),
        ),
        pytest.param(
            'max(last_2m):avg:m{*}.rollup(min, 120) > 0',
            {'m': '5 2 7 8'},
            [5, 2, 7, 7],
            id='rollup min',
            marks=rule('7.4'),
        ),
        pytest.param(
            'max(last_2m):avg:m{*}.rollup(120) > 0',
            {'m': '5 2'},
            [5, 3.5],
            id='rollup: avg unless said',
            marks=rule('7.4'),
        ),
    ],
)
def test_value(query, series, expected):
    assert values(run(query, series)) == expected


@pytest.mark.rule('2.3', '7.3', 'A6')
def test_delay():
    timeline = run('sum(last_2m):sum:m{*} > 0', {'m': '1 2 4 8 16'}, {'evaluation_delay': 120})
    assert values(timeline) == [None, None, 1, 3, 6]
    timeline = run('sum(last_2m):sum:m{*}.rollup(sum, 120) > 0', {'m': '1 2 4 8 16'}, {'evaluation_delay': 60})
    # What has arrived of a bucket counts, after the window's end too.
    assert values(timeline) == [None, 3, 3, 15, 12]


@pytest.mark.rule('2.3', '2.18', 'V3')
def test_window_of_a_delayed_evaluation():
    seven = 1_800_025_200
    points = store({'m': [(at - START, at) for at in range(seven - 3600, seven + 1, 60)]})
    monitor = monitors.read(body('avg(last_5m):avg:m{*} > 0', {'evaluation_delay': 900}))
    explanation = Evaluator(monitor, points, seven, seven + 60).explain((), seven)
    assert explanation.window == (seven - 1200, seven - 900)
    assert [at for _, at, _ in explanation.points] == [seven - 1200 + 60 * n for n in range(1, 6)]


@pytest.mark.parametrize(
    'group, instant, says',
    [
        pytest.param(('host:one',), START, r'no group host:one; did you mean host:on\?; groups: host:on', id='group'),
        pytest.param((), START, r'no group \*; groups: host:on', id='none'),
        pytest.param(
            ('host:on',),
            START - 1,
            'no evaluation of host:on until 2027-01-15T07:59:59Z; the first is at',
            id='instant',
        ),
    ],
)
def test_an_explanation_that_there_is_not(group, instant, says):
    monitor = monitors.read(body('avg(last_5m):avg:m{*} by {host} > 0', {}))
    with pytest.raises(UnusableInputError, match=says):
        Evaluator(monitor, store({'m{host:on}': '1x9'}), START, START + 300).explain(group, instant)


@pytest.mark.rule('2.18', 'A1')
@pytest.mark.parametrize('last, assumed', [(120, True), (119, False)])
def test_bounds_are_assumed_where_a_point_is_on_one(last, assumed):
    series = {'m gauge 60': [(10, 1), (50, 1), (last, 1), (130, 1)]}
    assert ('A1' in run('avg(last_1m):avg:m{*} > 5', series, minutes=2).relied_on) == assumed


@pytest.mark.rule('2.18', 'A1')
@pytest.mark.parametrize(
    'bounds, expected',
    [('(from,to]', [1, 2, 4]), ('[from,to]', [1, 3, 6]), ('[from,to)', [None, 1, 2]), ('(from,to)', [None] * 3)],
)
def test_bounds(bounds, expected):
    timeline = run('sum(last_1m):sum:m{*} > 5', {'m': '1 2 4'}, choices={'A1': bounds})
    assert values(timeline) == expected
    assert 'A1' in timeline.relied_on


@pytest.mark.rule('2.2', '7.1', '7.2', 'V4')
@pytest.mark.parametrize('rollup, expected', [('.rollup(sum, 60)', (0, 'A')), ('', (100, 'O'))])
def test_rollup_and_the_window_do_not_align(rollup, expected):
    at = START + 17 * 3600
    times = np.array([at + 14 * 60 + 50, *(at + 15 * 60 + 60 * n for n in range(9)), at + 24 * 60 + 20], dtype=float)
    series = SeriesSet([Series('m', frozenset(), times, [100.0, *[0.0] * 9, 100.0], 'gauge', 60)])
    monitor = monitors.read(body(f'max(last_10m):sum:m{{*}}{rollup} < 1'))
    tick = at + 24 * 60 + 2
    (line,) = evaluate(monitor, series, tick, tick + 1, tick_second=2).groups.values()
    assert (line.values[0], LETTERS[State(line.states[0])]) == expected


@pytest.mark.rule('2.1', '2.2')
@pytest.mark.parametrize(
    'window, every', [('last_23h', 60), ('last_1d', 600), ('last_47h', 600), ('last_2d', 1800), ('last_1w', 1800)]
)
def test_cadence(window, every):
    monitor = monitors.read(body(f'avg({window}):avg:m{{*}} > 5'))
    (line,) = evaluate(monitor, store({'m': '1'}), START, START + 7200, tick_second=17).groups.values()
    assert list(line.ticks) == list(range(START + 17, START + 7200, every))


@pytest.mark.rule('2.8', 'V2', 'A3')
@pytest.mark.parametrize(
    'gaps, evaluated',
    [
        pytest.param((), True, id='all there'),
        pytest.param((1,), False, id='the first is empty'),
        pytest.param((2, 3, 4), True, id='three are empty'),
        pytest.param((1, 2, 3, 8, 9), False, id='the first of five'),
        pytest.param((2, 3, 8, 9), False, id='four are empty'),
    ],
)
def test_full_window(gaps, evaluated):
    points = [(600 * part - 300, 9) for part in range(1, 13) if part not in gaps]
    monitor = monitors.read(body('avg(last_2h):avg:m{*} > 5', {'require_full_window': True}))
    timeline = evaluate(monitor, store({'m': points}), START + 7200, START + 7260)
    assert letters(timeline) == ('A' if evaluated else 'N')
    assert ('A3' in timeline.relied_on) == (not evaluated)


@pytest.mark.rule('2.8', '2.9', '2.10')
@pytest.mark.parametrize(
    'options, expected', [({'require_full_window': True}, 'NNNNOOA'), ({}, 'OOOOOOA')], ids=['full', 'any']
)
def test_the_parts_of_minutes_are_minutes(options, expected):
    assert letters(run('max(last_5m):avg:m{*} > 5', {'m': '1x6 9'}, options)) == expected


@pytest.mark.rule('2.8', '3.9', 'A3', 'A6')
def test_a_window_that_is_not_full_stays_in_no_data():
    options = {'notify_no_data': True, 'no_data_timeframe': 5, 'require_full_window': True}
    series = {'m': '9x6 _x11 1x6'}
    assert letters(run('min(last_5m):avg:m{*} > 5', series, options)) == 'NNNNAAAAAANNNNNNNNNNNOO'
    timeline = run('min(last_5m):avg:m{*} > 5', series, options, choices={'A3': 'no data'})
    assert letters(timeline)[8:] == 'AANNNNNNNNNNNOO'


ANOMALIES = "avg(last_4h):anomalies(avg:m{*}, 'basic', 2) >= 0.75"


@pytest.mark.rule('6.1', '6.2', '6.3')
def test_a_stub_replaces_anomalies():
    options = {
        'thresholds': {'critical': 0.75, 'critical_recovery': 0.25},
        'threshold_windows': {'trigger_window': 'last_4m', 'recovery_window': 'last_2m'},
    }
    timeline = run(ANOMALIES, {'anomalies': '1x4 0x4'}, options)
    assert letters(timeline) == 'AAAAAOOO'
    assert values(timeline) == [1, 1, 1, 1, 0.75, 0.5, 0.25, 0]
    assert timeline.warnings == ('anomalies() is not computed: a series of the scenario replaces its result',)


@pytest.mark.parametrize(
    'query, options, keys, words',
    [
        pytest.param('percentile(last_5m):p95:m{*} > 1', {}, {}, 'p95', id='percentiles', marks=rule('1.2')),
        pytest.param('avg(last_5m):p95:m{*} > 1', {}, {}, 'p95', id='of space too', marks=rule('1.2')),
        pytest.param('avg(last_5m):cumsum(avg:m{*}) > 1', {}, {}, 'cumsum', id='cumsum', marks=rule('1.10', '6.7')),
        pytest.param(ANOMALIES, {}, {}, 'anomalies', id='anomalies', marks=rule('6.5', '6.6')),
        pytest.param(
            "max(next_1d):forecast(avg:m{*}, 'linear', 1) >= 1", {}, {}, 'next_1d', id='forecast', marks=rule('6.7')
        ),
        pytest.param(
            'avg(last_5m):avg:m{*}.as_count() > 1', {}, {}, 'only sum', id='avg of as_count', marks=rule('2.12')
        ),
        pytest.param(
            'logs("m").index("*").rollup("count").last("5m") > 1',
            {},
            {'type': 'log alert'},
            'log alert',
            id='logs',
            marks=rule('1.10'),
        ),
        pytest.param(
            'avg(last_5m):timeshift(avg:m{*}, -1e300) > 1', {}, {}, 'at most 316,224,000', id='a shift by ages'
        ),
        pytest.param(
            'avg(last_5m):avg:m{*}.rollup(avg, 99999999999999999999) > 1',
            {},
            {},
            'at most 316,224,000',
            id='a bucket of ages',
        ),
    ],
)
def test_unsupported_constructs_are_refused_by_name(query, options, keys, words):
    with pytest.raises(Unsupported, match=re.escape(words)):
        run(query, {'m': '1'}, options, **keys)


@pytest.mark.parametrize(
    'options, words',
    [
        pytest.param(
            {'thresholds': {'critical': 6}}, 'the query compares with 5', id='two thresholds', marks=rule('3.1')
        ),
        pytest.param(
            {'thresholds': {'critical': 5, 'warning': 6}}, 'below the critical 5', id='warning above', marks=rule('3.2')
        ),
        pytest.param(
            {'thresholds': {'critical': 5, 'warning_recovery': 1}},
            'no warning',
            id='recovery of what',
            marks=rule('3.2'),
        ),
        pytest.param(
            {'thresholds': {'critical': 5, 'critical_recovery': 6}},
            'in the range that triggers (> 5)',
            id='recovery inside',
            marks=rule('3.4'),
        ),
        pytest.param({'on_missing_data': 'resolve', 'timeout_h': 1}, 'must be 0', id='resolve', marks=rule('3.17')),
        pytest.param({'timeout_h': 25}, '25', id='timeout of 25 h', marks=rule('3.19')),
        pytest.param({'evaluation_delay': 86401}, '86401', id='a delay of a day and more', marks=rule('2.3')),
        pytest.param(
            {'notify_no_data': True, 'no_data_timeframe': 1441}, '1441', id='longer than retention', marks=rule('3.11')
        ),
        pytest.param(
            {'thresholds': {'critical': 5, 'warning': float('nan')}}, 'expected a number, found nan', id='no number'
        ),
        pytest.param({'renotify_interval': 10**400}, '0 or more, found 1000', id='more than a float holds'),
        pytest.param(
            {'threshold_windows': {'trigger_window': 'last_9999999d', 'recovery_window': 'last_15m'}},
            "expected a window such as last_15m, found 'last_9999999d'",
            id='a window of ages',
            marks=rule('6.3'),
        ),
        pytest.param(
            {'escalation_message': 5},
            'some: options.escalation_message: expected a text, found 5',
            id='a number for a text',
            marks=rule('3.23'),
        ),
        pytest.param(
            {'include_tags': 'x'},
            "options.include_tags: expected true or false, found 'x'",
            id='neither true nor false',
        ),
    ],
)
def test_bodies_that_the_api_would_refuse(options, words):
    with pytest.raises(UnusableInputError, match=re.escape(words)):
        run('avg(last_5m):avg:m{*} > 5', {'m': '1'}, options)


@pytest.mark.rule('2.23')
def test_a_draft_is_recognised_by_its_status():
    with pytest.raises(
        UnusableInputError, match=r'^some: draft_status: expected draft or published, found 5 \[file/shape\]$'
    ):
        run('avg(last_5m):avg:m{*} > 5', {'m': '1'}, draft_status=5)


@pytest.mark.rule('3.4')
def test_equality_has_no_recovery():
    with pytest.raises(UnusableInputError, match='no meaning'):
        run('avg(last_5m):avg:m{*} == 5', {'m': '1'}, {'thresholds': {'critical': 5, 'critical_recovery': 4}})


@pytest.mark.rule('A5')
def test_the_strict_choice_refuses_a_missing_timeframe():
    with pytest.raises(UnusableInputError, match='no_data_timeframe'):
        run('avg(last_1m):avg:m{*} > 5', {'m': '1 _'}, {'notify_no_data': True}, 2, {'A5': 'error'})


@pytest.mark.rule('1.3')
def test_a_window_longer_than_a_month_is_reported():
    assert run('avg(last_2mo):avg:m{*} > 5', {'m': '1'}).warnings == (
        'the window of 5184000 s is longer than a month (rule 1.3)',
    )


@pytest.mark.rule('1.12')
def test_both_names_of_the_type_are_one():
    series = {'m': '9 1'}
    new, old = (run('avg(last_1m):avg:m{*} > 5', series, type=name) for name in ('query alert', 'metric alert'))
    assert letters(new) == letters(old) == 'AO'


@pytest.mark.rule('A2')
def test_the_size_of_a_bucket():
    series = {'m': '1 2 3 4 5 9'}
    assert values(run('sum(last_5m):avg:m{*} > 5', series)) == [1, 3, 6, 10, 15, 23]
    assert values(run('sum(last_5m):avg:m{*} > 5', series, choices={'A2': '300'})) == [1, 1.5, 2, 2.5, 3, 9]


@pytest.mark.rule('2.7')
@pytest.mark.parametrize('operator, holds', [('<', 0), ('<=', 1), ('>', 0), ('>=', 1), ('==', 1), ('!=', 0)])
def test_an_explanation_compares_as_the_monitor_does(operator, holds):
    evaluator = Evaluator(read(f'avg(last_1m):avg:m{{*}} {operator} 5'), store({'m': '5'}), START, START + 60)
    (critical,) = (one for one in evaluator.explain((), START).reasons if one.startswith('critical'))
    assert critical == f'critical: 5.0 {operator} 5.0 {"holds" if holds else "does not hold"}'


@pytest.mark.rule('2.5', 'A2')
@pytest.mark.parametrize(
    'window, bucket',
    [
        *((60, 1), (61, 2), (300, 2), (301, 5), (900, 5), (901, 10), (1800, 10), (1801, 20), (3600, 20), (3601, 60)),
        *((4 * 3600, 60), (4 * 3600 + 1, 300), (86400, 300), (86401, 600), (2 * 86400, 600), (2 * 86400 + 1, 3600)),
        *((7 * 86400, 3600), (7 * 86400 + 1, 14400)),
    ],
)
def test_the_documented_buckets(window, bucket):
    assert table_bucket(window) == bucket


@pytest.mark.rule('A17')
def test_counts_without_as_count():
    series = {'m{host:a} count 60': '1 _ 5', 'm{host:b} count 60': '10x3'}
    query = 'sum(last_2m):sum:m{*} > 5'
    assert values(run(query, series)) == [11, 21, 25]
    assert values(run(query, series, choices={'A17': 'linear'})) == [11, 22, 28]
