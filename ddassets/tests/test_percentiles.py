"""Percentiles of distributions (rules 17.17 to 17.22): from raw values, over windows and buckets, and their error."""

import re

import estate
import numpy as np
import pytest
from citing import rule
from small import START, body
from test_distributions import HOSTS, source, values

from ddassets.cli import rehearse_text
from ddassets.cli.rehearse_output import report
from ddassets.diagnostic import Unsupported
from ddassets.engine import monitor as monitors
from ddassets.engine.column import Column
from ddassets.engine.evaluator import Evaluator, evaluate
from ddassets.engine.raw_values import RawValues, Share
from ddassets.engine.series import Series, SeriesSet
from ddassets.language.query.syntax import parse_query
from ddassets.rehearsal import Judgement
from ddassets.rehearsal.inbox import inbox
from ddassets.rehearsal.outcome import Outcome, Run
from ddassets.rehearsal.what_if import what_if
from ddassets.report.rehearsed import page

_: None = None
HUNDRED = f'[{" ".join(map(str, range(1, 101)))}]'
SHARED, INTERPOLATED = {'A63': 'share of points'}, {'A63': 'interpolated'}


@pytest.mark.rule('17.18', '17.20', 'V47', 'A63')
@pytest.mark.parametrize(
    'query, choices, expected',
    [
        ('percentile(last_1m):p95:d{*}', {}, 95),
        ('percentile(last_1m):p95:d{*}', INTERPOLATED, 95.05),
        # 95 of the values are 6 or more, so p95 crosses every threshold below 6.
        ('percentile(last_1m):p95:d{*}', SHARED, 6),
        ('avg(last_1m):p95:d{*}', {}, 95),
        ('avg(last_1m):p95:d{*}', INTERPOLATED, 95.05),
        ('percentile(last_1m):p99.9:d{*}', {}, 99),
        ('percentile(last_1m):p0:d{*}', {}, 1),
        ('percentile(last_1m):p100:d{*}', {}, 100),
    ],
)
def test_the_percentile_of_a_hundred_values(query, choices, expected):
    assert values(query, {'host:a': HUNDRED}, 0, choices=choices)[()] == [pytest.approx(expected)]


@pytest.mark.rule('17.18', '17.21', '17.19')
@pytest.mark.parametrize(
    'query, expected',
    [
        # [1 2 3 5 5 5 5], [1 1], [7]: all values of two minutes, and the mean of the medians of minutes.
        pytest.param('percentile(last_2m):p50:d{*}', [5, 3, 1], id='merged over time and space'),
        pytest.param('p50(last_2m):p50:d{*}', [5, 3, 1], id='spelled twice', marks=rule('17.17')),
        pytest.param('avg(last_2m):p50:d{*}', [5, 3, 4], id='mean of minutes'),
        pytest.param('max(last_2m):p50:d{*}', [5, 5, 7], id='largest of minutes'),
        pytest.param('avg(last_2m):p50:d{host:a}', [2, 2, 7], id='one source'),
        pytest.param('max(last_1h):p50:d{*}.rollup(3600)', [5, 3, 3], id='rollup', marks=rule('7.2')),
        pytest.param('max(last_1h):p50:d{*}.rollup(max, 3600)', [5, 3, 3], id='a method has no effect'),
        pytest.param('max(last_1m):diff(p50:d{*})', [_, -4, 6], id='difference of the merged', marks=rule('20.8')),
        pytest.param('max(last_1m):timeshift(p50:d{*}, -60)', [_, 5, 1], id='timeshift'),
        pytest.param('max(last_1m):p100:d{*} - p0:d{*}', [4, 0, 0], id='arithmetic'),
        pytest.param('avg(last_1m):default_zero(p50:d{host:b})', [5, 1, 0], id='default_zero'),
        pytest.param('avg(last_1m):p50:d{host:b}.fill(last, 60)', [5, 1, 1], id='fill'),
    ],
)
def test_percentiles_of_windows_and_buckets(query, expected):
    assert values(query, HOSTS, 2)[()] == expected


@pytest.mark.rule('17.18')
def test_groups():
    found = values('percentile(last_2m):p50:d{*} by {host}', HOSTS, 2, {'new_group_delay': 0})
    assert found == {('host:a',): [2, 2, 7], ('host:b',): [5, 5, 1]}


@pytest.mark.rule('17.18')
@pytest.mark.parametrize('operator, expected', [('>', 2), ('>=', 2), ('<', 9), ('<=', 9)])
def test_a_share_of_points_is_taken_on_the_side_of_the_threshold(operator, expected):
    # At least 90 % of ten values have to cross the threshold: nine do up to 2, or from 9 on.
    store = SeriesSet([source('host:a', '[1 2 3 4 5 6 7 8 9 10]')])
    monitor = monitors.read(body(f'percentile(last_1m):p90:d{{*}} {operator} 1000'))
    timeline = evaluate(monitor, store, START, START + 1, 0, SHARED)
    assert timeline.groups[()].values.tolist() == [expected]
    assert 'A63' in timeline.relied_on


@pytest.mark.rule('17.18')
def test_a_single_value_relies_on_no_reading():
    store = SeriesSet([source('host:a', '[3]')])
    timeline = evaluate(monitors.read(body('percentile(last_1m):p95:d{*} > 2')), store, START, START + 60)
    assert 'A63' not in timeline.relied_on


@pytest.mark.rule('1.2', '17.17', '17.19')
@pytest.mark.parametrize(
    'query, words, column',
    [
        ('p95(last_5m):p99:d{*}', 'beside p99: the two percentiles have to match', 1),
        ('percentile(last_5m):avg:d{*}', 'of avg: has no percentile', 1),
        ('percentile(last_5m):p95:d{*} * 2', 'of an expression is not evaluated', 1),
        ('percentile(last_5m):abs(p95:d{*})', 'of an expression is not evaluated', 1),
        ('percentile(last_5m):p95:d{*}.rollup(60)', '.rollup: inside percentile() is not evaluated', 29),
        ('change(percentile(last_5m),5m_ago):p95:d{*}', 'in change() is not evaluated', 1),
        ('avg(last_5m):p999:d{*}', 'is not a percentile that is evaluated, only p0 to p100', 14),
        ('avg(last_5m):p95:d{*}.as_count()', 'of as_count is refused', 1),
        ('median(last_5m):p95:d{*}', 'only avg, sum, min, max and percentile', 1),
        ('avg(last_5m):p95:plain{*}', 'needs the raw values of a distribution (rule 17.19); plain{} is a gauge', 14),
        ('percentile(last_5m):p95:plain{*}', 'needs the raw values of a distribution', 21),
    ],
)
def test_what_is_refused(query, words, column):
    plain = Series('plain', frozenset(), np.array([START]), np.array([1.0]), 'gauge', 60)
    store = SeriesSet([source('host:a', '[1 2]'), plain])
    with pytest.raises(Unsupported, match=re.escape(words)) as caught:
        evaluate(monitors.read(body(f'{query} > 1')), store, START, START + 60)
    assert caught.value.column == column


@pytest.mark.rule('17.18')
def test_equality_has_no_share_of_points():
    monitor = monitors.read(body('percentile(last_5m):p95:d{*} == 1'))
    with pytest.raises(Unsupported, match='with == has no share of points'):
        evaluate(monitor, SeriesSet([source('host:a', '[1 2]')]), START, START + 60, 0, SHARED)


@pytest.mark.rule('17.18', '2.9')
def test_values_that_arrive_late():
    # The values of the first minute of b arrive with the second evaluation after them.
    late = source('host:b', '[9 9 9] [5]')
    late = Series(late.metric, late.tags, late.times, late.values, late.kind, 60, late.times + [120, 120, 120, 60])
    store = SeriesSet([source('host:a', '[1 2 3] [4] [6] [6]'), late])
    for query, expected in (
        ('percentile(last_5m):p100:d{*}', [3, 4, 9, 9]),
        ('max(last_5m):p100:d{*}', [3, 4, 9, 9]),
        ('max(last_1m):p0:d{*}', [1, 4, 6, 6]),
        ('sum(last_5m):sum:d{*}', [6, 10, 48, 54]),
    ):
        found = evaluate(monitors.read(body(f'{query} > 100')), store, START, START + 181)
        assert found.groups[()].values.tolist() == expected, query


@pytest.mark.rule('17.18', '3.10')
def test_no_data_counts_from_the_last_value():
    options = {'notify_no_data': True, 'no_data_timeframe': 10, 'require_full_window': False}
    monitor = monitors.read(body('percentile(last_5m):p95:d{*} > 2', options))
    found = evaluate(monitor, SeriesSet([source('host:a', '[1 2] [1]')]), START, START + 1200)
    assert [(one.instant - START, str(one.target)) for one in found.groups[()].transitions] == [(660, 'No Data')]


@pytest.mark.rule('17.18', '2.8')
def test_a_full_window():
    monitor = monitors.read(body('percentile(last_5m):p50:d{*} > 9', {'require_full_window': True}))
    found = evaluate(monitor, SeriesSet([source('host:a', '[1 2]x8')]), START, START + 420)
    assert [bool(np.isnan(one)) for one in found.groups[()].values] == [True] * 4 + [False] * 3


@pytest.mark.rule('17.18', '20.16')
def test_top_ranks_the_percentile_of_the_window():
    store = SeriesSet(source(f'host:{index:02}', f'[{index} 0 0]x3') for index in range(12))
    monitor = monitors.read(body("percentile(last_1m):top(p100:d{*} by {host}, 10, 'mean', 'desc') > 5"))
    found = evaluate(monitor, store, START, START + 120)
    assert [group for group, one in found.groups.items() if np.isnan(one.values).all()] == [('host:00',), ('host:01',)]


@pytest.mark.rule('17.20')
@pytest.mark.parametrize(
    'value, before, expected',
    [
        (2.0157, 1, True),
        (2.0159, 1, False),
        (1.9843, 1, True),
        (1.9841, 1, False),
        # A warning threshold decides too, a recovery threshold only in its state.
        (1.505, 1, True),
        (1.0, 0.5, False),
        (1.0, 3, True),
    ],
)
def test_a_value_near_a_threshold_is_within_the_error(value, before, expected):
    options = {'thresholds': {'critical': 2, 'warning': 1.5, 'critical_recovery': 1}}
    monitor = monitors.read(body('percentile(last_1m):p95:d{*} > 2', options))
    store = SeriesSet([source('host:a', f'[{before}] [{value}]')])
    found = evaluate(monitor, store, START, START + 61)
    assert found.groups[()].uncertain.tolist() == [False, expected]
    shown = Evaluator(monitor, store, START, START + 61).explain((), START + 60)
    assert any("within the sketch's error" in reason for reason in shown.reasons) == expected


@pytest.mark.rule('17.20', '17.22')
def test_only_percentiles_have_an_error():
    store = SeriesSet([source('host:a', '[2]')])
    found = evaluate(monitors.read(body('avg(last_1m):max:d{*} > 2')), store, START, START + 1)
    assert found.groups[()].uncertain is None


@pytest.mark.rule('17.20')
def test_ranks_and_sums_are_exact():
    random = np.random.default_rng(17)
    for _run in range(60):
        size = int(random.integers(1, 30))
        column = random.integers(-3, 6, size) * float(random.choice([1, 0.1, 1e9]))
        numbers = random.integers(1, 4, size).astype(float)
        bounds = np.sort(random.integers(0, size + 1, (2, 2, 8)), axis=0)
        ranges = [(bounds[0, index], bounds[1, index]) for index in range(2)]
        raw = RawValues(column, numbers)
        for row in range(8):
            each = np.concatenate(
                [np.repeat(column[a[row] : b[row]], numbers[a[row] : b[row]].astype(int)) for a, b in ranges]
            )
            for word in ('p0', 'p29', 'p50', 'p99.9', 'p100'):
                share = Share.parse(word)
                found = raw.percentile(share, 'lower', *ranges)[row]
                ranks = np.sort(each)
                assert np.isnan(found) if not each.size else found == ranks[share.part * (each.size - 1) // share.whole]
            for method in ('sum', 'avg', 'min', 'max', 'count'):
                whole = Column(each).aggregate(method, (np.array([0]), np.array([each.size])))
                assert np.array_equal(raw.aggregate(method, *ranges)[[row]], whole, equal_nan=True)


def test_many_equal_values_stay_exact():
    raw = RawValues(np.array([0.1, 0.1]), np.array([3.0, 10**12]))
    everything = (np.array([0]), np.array([2]))
    assert raw.aggregate('avg', everything).tolist() == [0.1]
    assert raw.percentile(Share.parse('p50'), 'lower', everything).tolist() == [0.1]


SLOW = {
    'query': 'percentile(last_1m):p95:acme.wait{*} by {host} > 2',
    'message': '@slack-slow',
    'options': {'thresholds': {'critical': 2, 'warning': 1}, 'new_group_delay': 0},
}


def slow(values='[1.5]x10 [0.1 2.01 9] [3]x4 [1.99] [0.5]x60', **more):
    """A rehearsal whose percentile is within the sketch's error of 2 at 10:00 (2.01) and 10:05 (1.99)."""
    return estate.rehearsed(
        {'slow': SLOW | more}, [estate.points('acme.wait', values, ['host:a'], type='distribution')]
    )


@pytest.mark.rule('17.20')
def test_a_change_within_the_error_is_marked():
    rehearsal = slow()
    group = estate.monitor(rehearsal, 'slow').results[('host:a',)]
    assert [estate.clock(instant) for instant in group.uncertain] == ['10:00', '10:05']
    found = Judgement(rehearsal)
    shown = rehearse_text.text(found)
    assert "2 evaluations decided within the sketch's error of 0.79%: Mon 2027-01-04 10:00:30" in shown
    assert "2.01 > 2.0 within the sketch's error" in shown
    assert "3 > 2.0 within" not in shown
    (shown,) = report(Run((Outcome(rehearsal.scenario.path, found),))).document['rehearsals']
    changes = [(one['to'], one['within_sketch_error']) for one in shown['monitors'][0]['groups'][0]['transitions']]
    assert changes == [('Alert', True), ('Warn', True), ('OK', False)]
    assert [one['within_sketch_error'] for one in shown['inbox']] == [True, True, False]
    assert shown['monitors'][0]['groups'][0]['within_sketch_error'] == [
        f'2027-01-04T10:{minute}:30+00:00' for minute in ('00', '05')
    ]


@pytest.mark.rule('17.20', '2.20')
def test_the_worst_sub_group_is_marked():
    options = {**SLOW['options'], 'notify_by': ['*']}
    rehearsal = estate.rehearsed(
        {'slow': SLOW | {'options': options}},
        [
            estate.points('acme.wait', '[0.5]x10 [2.01] [0.5]x60', ['host:a'], type='distribution'),
            estate.points('acme.wait', '[0.5]x12 [1.005] [0.5]x60', ['host:b'], type='distribution'),
        ],
    )
    (group,) = estate.monitor(rehearsal, 'slow').results.values()
    assert [estate.clock(instant) for instant in group.uncertain] == ['10:00', '10:02']


@pytest.mark.rule('17.22', '8.2')
@pytest.mark.parametrize(
    'query, attached', [(SLOW['query'], False), ('max(last_1m):max:acme.wait{*} by {host} > 2', True)]
)
def test_a_notification_of_a_percentile_has_no_snapshot(query, attached):
    rehearsal = slow(query=query)
    delivery = next(iter(inbox(rehearsal))).message.delivery
    assert ('SNAPSHOT' in delivery.event_message) == attached
    assert (delivery.slack()['snapshot'], delivery.webhook()['$SNAPSHOT']) == (
        ('SNAPSHOT', None) if attached else ('', '')
    )


@pytest.mark.rule('17.18', 'A63')
def test_another_reading_would_change_the_notifications():
    # Two of three values are above 2: 95 % of the values are not.
    rehearsal = slow('[0.5]x10 [0.1 3 9]x5 [0.5]x60')
    effects = [one for one in what_if(rehearsal, 'all').effects if one.assumption == 'A63']
    assert {one.choice: one.matters for one in effects} == {'share of points': True, 'interpolated': False}


@pytest.mark.rule('17.21', '17.22')
@pytest.mark.parametrize(
    'query, expected',
    [('p50:acme.wait{*}', [2, 2, 9]), ('avg:acme.wait{*}', [3, 2, 9]), ('count:acme.wait{*}.as_count()', [3, 1, 1])],
)
def test_a_graph_of_a_distribution(query, expected):
    rehearsal = slow('_x10 [1 2 6] [2] [9]')
    (line,) = rehearsal.lines(parse_query(query), rehearsal.start, rehearsal.start + 180)
    assert line.held().values.tolist() == expected


def test_the_page_marks_what_the_error_decides(tmp_path):
    rehearsal = slow()
    (shown,) = page(rehearsal.bundle, [Judgement(rehearsal)]).rehearsals
    assert [estate.clock(instant) for instant in shown.monitors[0].groups[0].uncertain] == ['10:00', '10:05']


@pytest.mark.rule('17.18')
def test_explain_says_how_many_values_there_are():
    monitor = monitors.read(body('percentile(last_2m):p95:d{*} > 2'))
    store = SeriesSet([source('host:a', '{1: 1200} [3 4]'), source('host:b', '[5]')])
    shown = Evaluator(monitor, store, START, START + 61).explain((), START + 60)
    assert shown.reasons[0] == 'p95 of 1,203 values in the window (rule 17.18)'
    assert [value for _, _, value in shown.points] == [1, 5, 3, 4]
