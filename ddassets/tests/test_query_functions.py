"""The functions of section 20: values, the choices of their assumptions, and what is refused by name."""

import re
from datetime import datetime

import numpy as np
import pytest
from citing import rule
from small import letters, run, values

from ddassets.diagnostic import Unsupported
from ddassets.engine.calendar_shift import CalendarShift
from ddassets.engine.functions import EVALUATED, REFUSED
from ddassets.language.query.vocabulary import ARGUMENTS, FUNCTIONS

_: None = None
HOSTS = {'m{host:a}': '0x3', 'm{host:b}': '3x3', 'm{host:c}': '0 5 _'}
LINE = {'m': '1 2 4 8 16 32'}
RANKED = {'m{host:a}': '1x4', 'm{host:b}': '2x4', 'm{host:c}': '3x4', 'm{host:d}': '3 3 0 0', 'm{host:e}': '4 4 4 9'}
RANKED |= {f'm{{host:f{number}}}': '0x4' for number in range(3)}


@pytest.mark.parametrize(
    'query, series, choices, expected',
    [
        # Groups
        pytest.param('max(last_1m):count_nonzero(avg:m{*} by {host})', HOSTS, {}, [1, 2, 1], marks=rule('20.2')),
        pytest.param('max(last_1m):count_nonzero_finite(avg:m{*} by {host})', HOSTS, {}, [1, 2, 1], marks=rule('20.2')),
        pytest.param('max(last_1m):count_not_null(avg:m{*} by {host})', HOSTS, {}, [3, 3, 2], marks=rule('20.2')),
        pytest.param('max(last_1m):count_not_null(avg:m{*})', HOSTS, {}, [1, 1, 1], id='no groups', marks=rule('20.2')),
        pytest.param(
            'max(last_1m):count_nonzero(max:m{*} by {host} / max:n{*} by {host})',
            {'m{host:a}': '4x3', 'm{host:b}': '4x3', 'n{host:a}': '0 1 1', 'n{host:b}': '1x3'},
            {},
            [1, 2, 2],
            id='n/0 counts in neither',
            marks=rule('20.2'),
        ),
        pytest.param(
            'sum(last_1m):count_nonzero(sum:m{*} by {host}.as_count()) / 2',
            {'m{host:a} count 60': '1 0 1', 'm{host:b} count 60': '1x3', 'n': '0x3'},
            {},
            [1, 0.5, 1],
            id='of counts in windows',
            marks=rule('20.2', '2.11'),
        ),
        pytest.param(
            'max(last_1m):count_not_null(avg:m{*} by {host})', {'m{host:a}': '1 _ 1'}, {}, [1, _, 1], marks=rule('20.3')
        ),
        pytest.param(
            'max(last_1m):count_not_null(avg:m{*} by {host})',
            {'m{host:a}': '1 _ 1'},
            {'A74': '0'},
            [1, 0, 1],
            marks=rule('20.3', 'A74'),
        ),
        pytest.param(
            'sum(last_2m):dt(avg:m{*} by {host})', {'m{host:a}': '1 _ 1'}, {}, [_, _, 120], marks=rule('20.10')
        ),
        # Points
        pytest.param('max(last_1m):log2(avg:m{*})', {'m': '8 0 -1'}, {}, [3, _, _], marks=rule('20.6')),
        pytest.param('max(last_1m):log10(avg:m{*})', {'m': '100 0.1'}, {}, [2, -1], marks=rule('20.6')),
        pytest.param('max(last_1m):cutoff_max(avg:m{*}, 3)', {'m': '2 3 4'}, {}, [2, 3, _], marks=rule('20.4')),
        pytest.param(
            'max(last_1m):clamp_max(100 / avg:m{*}, 30)', {'m': '5 0 2'}, {}, [20, 30, 30], marks=rule('20.5')
        ),
        pytest.param('sum(last_3m):clamp_min(avg:m{*}, 3)', {'m': '1 _ 5'}, {}, [3, 3, 8], marks=rule('20.5')),
        pytest.param(
            'sum(last_3m):clamp_min(avg:m{*}, 3)', {'m': '1 _ 5'}, {'A75': 'n'}, [3, 6, 11], marks=rule('20.5', 'A75')
        ),
        pytest.param('max(last_1m):throughput(sum:m{*})', {'m count 30': '60x4'}, {}, [2, 2], marks=rule('20.11')),
        pytest.param('max(last_2m):monotonic_diff(avg:m{*})', {'m': '5 7 1 1'}, {}, [_, 2, 2, 0], marks=rule('20.9')),
        pytest.param(
            'min(last_2m):monotonic_diff(avg:m{*})',
            {'m': '5 7 1 1'},
            {'A77': '0'},
            [_, 2, 0, 0],
            marks=rule('20.9', 'A77'),
        ),
        # Points before
        pytest.param('max(last_1m):median(avg:m{*})', {'m': '1 9 2 3'}, {}, [1, 5, 2, 3], marks=rule('20.13')),
        pytest.param(
            'max(last_1m):median_5(avg:m{*})', {'m': '1 9 2 3'}, {'A79': 'window only'}, [1, 9, 2, 3], marks=rule('A79')
        ),
        pytest.param('max(last_1m):ewma_1(avg:m{*})', LINE, {}, [1, 2, 4, 8, 16, 32], marks=rule('20.14', '20.28')),
        pytest.param('max(last_1m):ewma_3(avg:m{*})', {'m': '0 8 _ 8'}, {}, [0, 4, _, 6], marks=rule('20.14')),
        pytest.param(
            'max(last_1m):ewma_3(avg:m{*})', {'m': '0 5 5'}, {'A80': '2/(n+2)'}, [0, 2, 3.2], marks=rule('20.14', 'A80')
        ),
        pytest.param(
            'max(last_1m):ewma_3(median_3(diff(avg:m{*})))',
            {'m': '0 4 6 6'},
            {},
            [_, 4, 3.5, 2.75],
            id='the points of inner functions before the window',
            marks=rule('20.14', 'A79'),
        ),
        pytest.param(
            'max(last_1m):diff(avg:m{*}) / avg:m{*}',
            {'m gauge 60': [(0, 1), (50, 2), (100, 8), (120, 8)]},
            {},
            [_, 0.5, 0.75],
            id='a difference beside its own query has the samples of both',
            marks=rule('20.8', 'A2'),
        ),
        pytest.param(
            'max(last_1m):diff(avg:m{*}.fill(zero)) + avg:m{*}.fill(zero)',
            {'m': '5 _ _ 5'},
            {},
            [_, -5, 0, 10],
            id='a difference beside its own query is no other operand',
            marks=rule('2.16'),
        ),
        pytest.param(
            "max(last_1m):moving_rollup(avg:m{*}, 120, 'sum')", LINE, {}, [1, 3, 6, 12, 24, 48], marks=rule('20.12')
        ),
        pytest.param(
            "max(last_1m):moving_rollup(avg:m{*}, 120, 'sum')",
            LINE,
            {'A78': '[t-X,t]'},
            [1, 3, 7, 14, 28, 56],
            marks=rule('20.12', 'A78'),
        ),
        pytest.param(
            "max(last_1m):moving_rollup(avg:m{*}.rollup(120), 240, 'max')",
            {'m': '9 9 1 1 1 1 1 1'},
            {},
            [9, 9, 9, 9, 1, 1, 1, 1],
            id='buckets',
            marks=rule('20.12'),
        ),
        # The window
        pytest.param('min(last_2m):trend_line(avg:m{*})', {'m': '1 4 2'}, {}, [1, 1, 2], marks=rule('20.25', 'A85')),
        pytest.param(
            'max(last_3m):cumsum(avg:m{*})',
            LINE,
            {'A81': 'over the window'},
            [1, 3, 7, 14, 28, 56],
            marks=rule('20.15', 'A81'),
        ),
        pytest.param(
            'max(last_3m):integral(avg:m{*})',
            {'m': '1 2 4'},
            {'A81': 'over the window'},
            [0, 60, 180],
            marks=rule('20.15', 'A81'),
        ),
        # Shifts
        pytest.param(
            'max(last_1m):month_before(avg:m{*})', {'m': [(-28 * 86400, 7), (0, 1)]}, {}, [7], marks=rule('20.18')
        ),
        pytest.param(
            "max(last_1m):calendar_shift(avg:m{*}, '-1w', 'UTC')",
            {'m': [(-7 * 86400, 7), (0, 1)]},
            {},
            [7],
            marks=rule('20.18'),
        ),
        pytest.param(
            "sum(last_1h):calendar_shift(sum:m{*}.as_count(), '-1d', 'UTC') / sum:m{*}.as_count()",
            {'m count 60': [(-86400, 6), (0, 2)]},
            {},
            [3],
            id='calendar shift of windows',
            marks=rule('20.18', '2.11'),
        ),
        pytest.param(
            "max(last_1m):moving_rollup(default(avg:m{*}, 1), 600, 'sum')",
            {'m': [(-3 * 86400, 5), (0, 7)]},
            {},
            [16],
            id='filled since the series are known',
            marks=rule('20.12', '20.7'),
        ),
        pytest.param(
            "change(sum(last_1m),1m_ago):calendar_shift(avg:m{*}, '-1d', 'UTC')",
            {'m': [(-86400 - 60, 2), (-86400, 7), (0, 1)]},
            {},
            [5],
            id='a change of a calendar shift',
            marks=rule('20.18', '1.9'),
        ),
    ],
)
def test_values(query, series, choices, expected):
    found = values(run(f'{query} > 1000', series, {}, len(expected) - 1, choices))
    assert found == expected


@pytest.mark.parametrize(
    'text, zone, instant, earlier',
    [
        pytest.param('-1mo', 'UTC', '2027-03-31T12:00Z', '2027-02-28T12:00Z', marks=rule('A83'), id='month end'),
        pytest.param('-2mo', 'UTC', '2027-03-31T12:00Z', '2027-01-31T12:00Z', marks=rule('20.18'), id='two months'),
        pytest.param('-1d', 'Europe/Berlin', '2027-03-28T12:00+02:00', '2027-03-27T12:00+01:00', marks=rule('V45')),
        pytest.param('-4w', 'Europe/Berlin', '2027-11-07T00:30+01:00', '2027-10-10T00:30+02:00', marks=rule('20.18')),
    ],
)
def test_the_same_local_time_before(text, zone, instant, earlier):
    shift = CalendarShift.parse(text, zone)
    at, before = (int(datetime.fromisoformat(one).timestamp()) for one in (instant, earlier))
    assert at - shift.seconds(np.array([at])).item() == before
    assert shift.least <= at - before <= shift.greatest


@pytest.mark.rule('20.16', '20.17', 'A82')
@pytest.mark.parametrize(
    'function, kept',
    [
        pytest.param('top5({})', 'abcde', id='mean is the default'),
        pytest.param("top({}, 5, 'max', 'desc')", 'abcde'),
        pytest.param("top({}, 5, 'last', 'desc')", 'abce d', id='ties are lexicographic'),
        pytest.param('bottom5_last({})', 'ad f0 f1 f2', id='the smallest'),
        pytest.param("top({}, 5, 'area', 'asc')", 'ad f0 f1 f2'),
        pytest.param('bottom5_l2norm({})', 'ab f0 f1 f2'),
    ],
)
def test_the_top_groups_have_data(function, kept):
    query = f'avg(last_4m):{function.format("avg:m{*} by {host}")} > 1000'
    timeline = run(query, RANKED, {}, 4)
    found = {group[0].removeprefix('host:') for group in timeline.groups if values(timeline, group)[3] is not None}
    expected = set(kept.partition(' ')[0]) | set(kept.partition(' ')[2].split())
    assert found == expected


@pytest.mark.rule('20.16', '20.17')
@pytest.mark.parametrize('rank', ['last', 'area'])
def test_the_first_point_of_all_is_ranked(rank):
    query = f"avg(last_1m):top(avg:m{{*}} by {{host}}, 5, '{rank}', 'desc') > 1000"
    timeline = run(query, {f'm{{host:{number}}}': str(number) for number in range(6)}, {'new_group_delay': 0}, 1)
    assert [values(timeline, group)[0] for group in timeline.groups] == [None, 1, 2, 3, 4, 5]


@pytest.mark.rule('20.16', 'A82')
def test_a_group_that_falls_out_has_no_data():
    series = {f'm{{host:{name}}}': f'{value}x10' for name, value in zip('bcdef', '23456', strict=True)}
    series['m{host:a}'] = '9x2 1x8'
    timeline = run('avg(last_1m):top5(avg:m{*} by {host}) > 1000', series, {'on_missing_data': 'show_no_data'}, 6)
    assert letters(timeline, ('host:a',))[1] == 'O'
    assert letters(timeline, ('host:a',))[-1] == 'N'
    assert 'A82' in timeline.relied_on


@pytest.mark.parametrize(
    'query, column, words',
    [
        pytest.param('avg(last_5m):autosmooth(avg:m{*}) > 1', 14, 'not allowed in monitors', marks=rule('20.21')),
        pytest.param('avg(last_5m):cumsum(avg:m{*}) > 1', 14, 'A81', marks=rule('20.15')),
        pytest.param('avg(last_5m):integral(avg:m{*}) > 1', 14, 'A81', marks=rule('20.15')),
        pytest.param('avg(last_5m):robust_trend(avg:m{*}) > 1', 14, 'use trend_line()', marks=rule('20.25')),
        pytest.param('avg(last_5m):piecewise_constant(avg:m{*}) > 1', 14, 'use median_9()', marks=rule('20.25')),
        pytest.param('avg(last_5m):equiv_to(avg:m{*}) > 1', 14, 'no public description', marks=rule('20.24')),
        pytest.param('avg(last_5m):rollingavg_13(avg:m{*}) > 1', 14, 'moving_rollup()', marks=rule('20.26')),
        pytest.param('avg(last_1d):avg:m{*}.rollup(avg, monthly, 15th) > 1', 44, 'another day', marks=rule('20.19')),
        pytest.param('avg(last_1d):avg:m{*}.rollup(avg, monthly, 1) > 1', 44, 'not published', marks=rule('20.19')),
        pytest.param('avg(last_1d):avg:m{*}.rollup(avg, weekly, mon) > 1', 43, 'such as monday', marks=rule('20.19')),
        pytest.param('avg(last_1d):avg:m{*}.rollup(avg, daily, 13pm) > 1', 42, 'such as 12am', marks=rule('20.19')),
        pytest.param(
            "avg(last_1d):avg:m{*}.rollup(avg, daily, 12am, 'Berlin') > 1", 48, 'a time zone', marks=rule('20.19')
        ),
        pytest.param(
            'avg(last_1d):avg:m{*}.rollup(avg, daily) + avg:m{*}.rollup(avg, daily, 5am) > 1',
            44,
            'days from 5:00 in UTC: beside one to days from 0:00 in UTC',
            marks=rule('20.19'),
        ),
        pytest.param(
            'avg(last_1d):diff(timeshift(avg:m{*}.rollup(avg, daily), -3600)) > 1',
            29,
            'in a shifted difference',
            marks=rule('20.19'),
        ),
        pytest.param(
            'avg(last_5m):avg:m{*} by {a}.rollup(avg, 60).rollup(sum, 300) > 1',
            45,
            '.rollup',
            marks=rule('20.20'),
        ),
        pytest.param('avg(last_5m):count:m{*} > 1', 14, 'm{} is a gauge', marks=rule('20.22')),
        pytest.param('avg(last_5m):count(v: v>1):m{*} > 1', 14, 'as a space aggregator', marks=rule('20.22')),
        pytest.param(
            'avg(last_5m):count:m{*}.rollup(avg, 60) > 1', 24, 'a distribution has no method', marks=rule('20.22')
        ),
        pytest.param('avg(last_5m):avg:m{*}.weighted() > 1', 22, 'weighted() of a sum', marks=rule('20.23')),
        pytest.param(
            'avg(last_5m):1 + top5(avg:m{*} by {a}) > 1', 18, 'only around the whole query', marks=rule('20.16')
        ),
        pytest.param("avg(last_5m):top(avg:m{*} by {a}, 7, 'mean', 'desc') > 1", 35, '5, 10, 25', marks=rule('20.16')),
        pytest.param("avg(last_5m):top(avg:m{*} by {a}, 5, 'mean', 'up') > 1", 46, 'asc or desc', marks=rule('20.16')),
        pytest.param(
            "avg(last_5m):calendar_shift(avg:m{*}, '-1y', 'UTC') > 1", 39, 'expected a shift', marks=rule('20.18')
        ),
        pytest.param(
            "avg(last_5m):calendar_shift(avg:m{*}, '-1d', 'Berlin') > 1",
            46,
            'expected a time zone',
            marks=rule('20.18'),
        ),
        pytest.param(
            "avg(last_5m):diff(calendar_shift(avg:m{*}, '-1d', 'UTC')) > 1",
            14,
            'around calendar_shift',
            marks=rule('20.18'),
        ),
        pytest.param(
            'avg(last_5m):count_nonzero(count_nonzero(avg:m{*} by {a})) > 1',
            14,
            'around another count',
            marks=rule('20.2'),
        ),
        pytest.param(
            'sum(last_5m):ewma_3(sum:m{*}.as_count() / sum:m{*}.as_count()) > 1', 14, 'ewma_3()', marks=rule('2.11')
        ),
    ],
)
def test_refused_by_name(query, column, words):
    with pytest.raises(Unsupported, match=re.escape(words)) as caught:
        run(query, {'m': '1'})
    assert caught.value.column == column


def test_every_function_with_arguments_is_evaluated_or_refused():
    assert {*ARGUMENTS} <= {*EVALUATED, *REFUSED} <= FUNCTIONS
    assert not {*EVALUATED} & {*REFUSED}
