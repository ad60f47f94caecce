"""`count:` of distributions (rule 20.22), the notation of their values, and what is refused."""

import re

import numpy as np
import pytest
from citing import rule
from small import START, body

from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine import monitor as monitors
from ddassets.engine.evaluator import evaluate
from ddassets.engine.series import Series, SeriesSet, parse_distribution, read_csv

_: None = None
HOSTS = {'host:a': '[1 2 3] _ 7', 'host:b': '{5: 4} [1 1] _'}


def source(tags: str, text: str) -> Series:
    steps, values, numbers, _size = parse_distribution(text)
    return Series('d', frozenset({tags}), START + 60 * steps, values, 'distribution', 60, numbers=numbers)


def values(query: str, texts: dict[str, str], minutes: int, options=None, choices=None):
    store = SeriesSet(source(tags, text) for tags, text in texts.items())
    monitor = monitors.read(body(f'{query} > 1000', options))
    timeline = evaluate(monitor, store, START, START + 60 * minutes + 1, 0, choices)
    return {
        group: [None if np.isnan(value) else float(value) for value in line.values]
        for group, line in timeline.groups.items()
    }


@pytest.mark.rule('20.22', '17.22')
@pytest.mark.parametrize(
    'query, expected',
    [
        pytest.param('sum(last_1m):count:d{*}', [7, 2, 1], id='all sources'),
        pytest.param('sum(last_1m):count:d{host:a}', [3, _, 1], id='one source'),
        pytest.param('sum(last_2m):count:d{*}.as_count()', [7, 9, 3], id='as_count'),
        pytest.param('avg(last_2m):count:d{*}', [7, 4.5, 1.5], id='a mean of minutes'),
        pytest.param('max(last_1m):count:d{*}.as_rate() * 60', [7, 2, 1], id='as_rate'),
        # The bucket of the hour fills as values arrive.
        pytest.param('sum(last_1h):count:d{*}.rollup(3600)', [7, 9, 10], id='rollup', marks=rule('7.2')),
        pytest.param('sum(last_1h):count:d{*}.as_count().rollup(sum, 3600)', [7, 9, 10], id='rollup by sum'),
        pytest.param('sum(last_1m):count:d{host:a}.as_count() / count:d{*}.as_count()', [3 / 7, 0, 1], id='a share'),
        pytest.param('sum(last_1m):diff(count:d{*})', [_, -5, -1], id='difference of the merged', marks=rule('20.8')),
        pytest.param('max(last_1m):timeshift(count:d{*}, -60)', [_, 7, 2], id='timeshift'),
    ],
)
def test_count_is_the_number_of_values(query, expected):
    # The source of the newest minute is not over, so nothing after it is asked.
    end = START + 120
    store = SeriesSet(source(tags, text) for tags, text in HOSTS.items())
    timeline = evaluate(monitors.read(body(f'{query} > 1000')), store, START, end + 1)
    found = [None if np.isnan(value) else round(float(value), 9) for value in timeline.groups[()].values]
    assert found == [None if one is None else round(one, 9) for one in expected]


@pytest.mark.rule('20.22')
def test_groups():
    found = values('sum(last_1m):count:d{*} by {host}', HOSTS, 2, {'new_group_delay': 0})
    assert found == {('host:a',): [3, _, 1], ('host:b',): [4, 2, _]}


@pytest.mark.rule('3.16', '20.22')
def test_a_distribution_counts_as_zero_where_it_is_missing():
    found = values('sum(last_1m):count:d{*}', {'host:a': '[1 2]'}, 3, {'on_missing_data': 'default'})
    assert found == {(): [2, 0, 0, 0]}


@pytest.mark.rule('17.22')
@pytest.mark.parametrize(
    'query, expected',
    [
        # [1 2 3 5 5 5 5], [1 1], [7]: the sources are merged before.
        pytest.param('sum(last_1m):sum:d{*}', [26, 2, 7], id='sum'),
        pytest.param('max(last_1m):avg:d{*}', [26 / 7, 1, 7], id='mean of all values, not of sources'),
        pytest.param('max(last_1m):min:d{*}', [1, 1, 7], id='smallest'),
        pytest.param('max(last_1m):max:d{*}', [5, 1, 7], id='largest'),
        pytest.param('avg(last_2m):avg:d{*}', [26 / 7, (26 / 7 + 1) / 2, 4], id='mean of minutes', marks=rule('2.5')),
        pytest.param('max(last_1m):avg:d{host:a}', [2, _, 7], id='one source'),
        pytest.param('max(last_1h):avg:d{*}.rollup(3600)', [26 / 7, 28 / 9, 3.5], id='rollup', marks=rule('7.2')),
        pytest.param('max(last_1h):sum:d{*}.rollup(sum, 3600)', [26, 28, 35], id='the same method'),
        pytest.param('sum(last_1m):diff(sum:d{*})', [_, -24, 5], id='difference of the merged', marks=rule('20.8')),
        pytest.param('max(last_1m):timeshift(max:d{*}, -60)', [_, 5, 1], id='timeshift'),
        pytest.param('max(last_1m):sum:d{*} / count:d{*}', [26 / 7, 1, 7], id='with count'),
    ],
)
def test_aggregates_are_those_of_all_raw_values(query, expected):
    found = values(query, HOSTS, 2)[()]
    assert found == [None if one is None else pytest.approx(one) for one in expected]


@pytest.mark.rule('17.22', '20.22')
@pytest.mark.parametrize(
    'query, words, column',
    [
        ('avg(last_1m):avg:d{*}.as_rate()', 'only as_count() and as_rate() of count:', 14),
        ('sum(last_1m):sum:d{*}.as_count()', 'only as_count() and as_rate() of count:', 14),
        ('avg(last_1m):sum:d{*}.weighted()', '.weighted: of sum: of a distribution', 14),
        ('avg(last_1m):avg:d{*}.rollup(sum, 60)', 'with sum of avg: of a distribution has no meaning', 14),
        ('avg(last_1m):count:d{*}.rollup(avg, 60)', 'of a distribution has no method', 24),
    ],
)
def test_what_a_distribution_has_not_is_refused(query, words, column):
    with pytest.raises(Unsupported, match=re.escape(words)) as caught:
        values(query, HOSTS, 2)
    assert caught.value.column == column


@pytest.mark.rule('17.19')
@pytest.mark.parametrize(
    'text, steps, raw, numbers, size',
    [
        ('[1 2 2]', [0, 0, 0], [1, 2, 2], [1, 1, 1], 1),
        ('[1, -2.5]x2 _', [0, 0, 1, 1], [1, -2.5, 1, -2.5], [1] * 4, 3),
        ('_x5 {1: 20, 3.5: 4}', [5, 5], [1, 3.5], [20, 4], 6),
        ('{1:20}x2 7', [0, 1, 2], [1, 1, 7], [20, 20, 1], 3),
        ('', [], [], [], 0),
    ],
)
def test_the_notation_of_values(text, steps, raw, numbers, size):
    found = parse_distribution(text)
    assert [list(column) for column in found[:3]] == [steps, raw, numbers]
    assert found[3] == size


def test_points_behind_the_limit_are_left_out():
    steps, _values, _numbers, size = parse_distribution('[1 2]x1000000 {3: 4}', 2)
    assert list(steps) == [0, 0, 1, 1]
    assert size == 1_000_001


@pytest.mark.parametrize(
    'text, words',
    [
        ('[1 2', "column 1: found '[1', expected such as [1 2 3]"),
        ('1 [a]', "column 3: found '[a]', expected numbers: [1 2 3]"),
        ('[]', "found '[]', expected at least one value"),
        ('{1: 0}', 'expected values with whole numbers'),
        ('{1: 2.5}', 'expected values with whole numbers'),
        ('{1}', 'expected values with whole numbers'),
        ('[1]x0', 'expected 1 to 100,000,000 points'),
        ('[1]y', 'expected such as'),
        ('[1 2 3]x99999999', 'at most 100,000,000 values'),
        ('[nan]', 'and finite ones'),
    ],
)
def test_a_notation_that_is_wrong(text, words):
    with pytest.raises(UnusableInputError, match=re.escape(words)):
        parse_distribution(text, None)


@pytest.mark.parametrize(
    'keys, words',
    [
        ({'times': [60, 0], 'values': [1, 2]}, 'times must rise'),
        ({'arrivals': [0, 30]}, 'the values of one instant must arrive together'),
        ({'numbers': [1, 0.5]}, 'one whole number of at least 1'),
        ({'numbers': [1, 1e16]}, 'at most 9,007,199,254,740,992 values in all'),
        ({'values': [1, 1e308], 'numbers': [1, 10]}, 'a value times its number is not finite'),
        ({'kind': 'gauge', 'times': [0, 60], 'numbers': [1, 1]}, 'only values of a distribution'),
        ({'kind': 'gauge'}, 'times must rise'),
    ],
)
def test_a_series_that_is_wrong(keys, words):
    columns = {'times': [0, 0], 'values': [1, 2], 'kind': 'distribution', **keys}
    with pytest.raises(UnusableInputError, match=words):
        Series(
            'd',
            frozenset(),
            interval=60,
            **{k: np.array(v, float) if isinstance(v, list) else v for k, v in columns.items()},
        )


def test_rows_of_one_instant_are_its_values():
    (series,) = read_csv('time,value\n0,1\n0,2\n60,5\n', 'd', (), 'distribution', 60)
    assert [*series.counted().times] == [0, 60]
    assert [*series.counted().values] == [2, 1]


@pytest.mark.rule('17.19')
@pytest.mark.parametrize(
    'text',
    [
        'time,value,count\n60,5,1\n0,1,20\n0,2,3\n',
        'time,value,count\n60,5,\n0,1,20\n0,2,3\n',
        '"time",value,count\n0,1,20\n0,2,3\n60,5,1\n',
    ],
)
def test_a_column_of_counts_holds_the_bins_of_a_sketch(text):
    (series,) = read_csv(text, 'd', (), 'distribution', 60)
    assert [list(column) for column in (series.times, series.values, series.numbers)] == [
        [0, 0, 60],
        [1, 2, 5],
        [20, 3, 1],
    ]


def test_a_column_of_counts_is_a_tag_of_other_types():
    (series,) = read_csv('time,value,count\n0,1,20\n', 'd', (), 'gauge', 60)
    assert series.tags == {'count:20'}


@pytest.mark.parametrize(
    'cell, words', [('many', "line 2, count: found 'many'"), ('0', 'one whole number of at least 1')]
)
def test_a_count_that_is_wrong(cell, words):
    with pytest.raises(UnusableInputError, match=words):
        read_csv(f'time,value,count\n0,1,{cell}\n', 'd', (), 'distribution', 60)
