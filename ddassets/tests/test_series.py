"""Series from text: compact notation and CSV, their faults, and equal numbers from both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.series import MAX_POINTS, Series, parse_compact, read_csv

NAN = float('nan')


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('', [], id='nothing'),
        pytest.param(' \n', [], id='blank'),
        pytest.param('500', [500], id='one'),
        pytest.param('1 -2.5\n.5\t1e2', [1, -2.5, 0.5, 100], id='plain'),
        pytest.param('500x3', [500] * 3, id='repeated'),
        pytest.param('600+10x3 600-10x3', [600, 610, 620, 600, 590, 580], id='steps'),
        pytest.param('1 _ 2 _x2 3', [1, NAN, 2, NAN, NAN, 3], id='gaps'),
        pytest.param('_', [NAN], id='a gap alone'),
        pytest.param('1 2  _x1  3', [1, 2, NAN, 3], id='more than one space'),
        pytest.param('0.30000000000000004 123456789012345678', [0.30000000000000004, 123456789012345678], id='long'),
    ],
)
def test_compact(text, expected):
    assert np.array_equal(parse_compact(text), np.array(expected, dtype=float), equal_nan=True)


ITEMS = {'7': [7], '-0.25': [-0.25], '1e2': [100], '_': [NAN], '_x3': [NAN] * 3, '5x2': [5, 5], '1+2x3': [1, 3, 5]}


@given(st.lists(st.tuples(st.sampled_from(sorted(ITEMS)), st.integers(1, 200)), max_size=12))
def test_compact_of_many(runs):
    words = [item for item, number in runs for _ in range(number)]
    expected = [value for word in words for value in ITEMS[word]]
    assert np.array_equal(parse_compact(' '.join(words)), np.array(expected, dtype=float), equal_nan=True)


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('1 2 z', "column 5: found 'z', expected such as 500, 500x20, 600+10x5, _ or _x5", id='a word'),
        pytest.param('7 ' * 400 + 'z', "column 801: found 'z'", id='a word after many'),
        pytest.param('_ 1 nan', "column 5: found 'nan'", id='nan'),
        pytest.param('1 1+2', "column 3: found '1+2'", id='a step without a count'),
        pytest.param('1e999', "column 1: found '1e999', which is not finite", id='overflow'),
        pytest.param('1e308+1e308x9', "column 1: found '1e308+1e308x9', which is not finite", id='overflow of steps'),
        pytest.param('1 5x0', f"column 3: found '5x0', expected 1 to {MAX_POINTS:,} points", id='no point'),
        pytest.param('5x2 5x99999999999', "column 5: found '5x99999999999', expected 1 to 100,000,000", id='too many'),
        pytest.param(f'_ 5x{MAX_POINTS}', f"column 3: found '5x{MAX_POINTS}', expected 1 to", id='too many together'),
        pytest.param('5x' + '9' * 9000, "column 1: found '5x" + '9' * 38 + "…', expected", id='a count without end'),
        pytest.param('1' * 200_000 + 'x', "column 1: found '" + '1' * 40 + "…', expected", id='digits without end'),
    ],
)
def test_compact_faults(text, message):
    with pytest.raises(UnusableInputError) as error:
        parse_compact(text)
    assert message in str(error.value)


ROWS = [(1_800_000_000, 5.0), (1_800_000_045, -0.5), (1_800_000_090, 1000.0)]


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('time,value\n1800000000,5\n1800000045,-.5\n1800000090,1000\n', id='plain'),
        pytest.param('time,value\n1800000000,5\n1800000045,-.5\n1800000090,1000', id='no end of line'),
        pytest.param('time,value\r\n1800000000,5\r\n1800000045,-.5\r\n1800000090,1000\r\n', id='carriage returns'),
        pytest.param('\ufefftime,value\n1800000000,5\n1800000045,-.5\n1800000090,1000\n', id='byte order mark'),
        pytest.param('time,value\n1800000090,1000\n1800000000,5\n1800000045,-.5\n', id='out of order'),
        pytest.param('time,value\n1.8e9,5e0\n1800000045,-5e-1\n1800000090,1e3\n', id='exponents'),
        pytest.param('time,value\n1800000000,5\n1800000030,\n1800000045,-.5\n1800000090,1000\n', id='missing value'),
        pytest.param(
            'time,value\n1800000000,5\n1800000045,-.5\n1800000090,1000\n1800000135,\n', id='last value missing'
        ),
        pytest.param('value,time\n5,1800000000\n-.5,1800000045\n1000,1800000090\n', id='other order'),
        pytest.param(
            'time,value\n2027-01-15T08:00:00Z,5\n1800000045,-.5\n2027-01-15T09:01:30+01:00,1000\n', id='ISO 8601'
        ),
        pytest.param('"time",value\n"1800000000",5\n1800000045, -.5\n1800000090,"1000"\n', id='quotes and spaces'),
        pytest.param('time,value\n1800000000000,5\n1800000045000,-.5\n1800000090000,1000\n', id='milliseconds'),
        pytest.param('value,time\n5,1800000000000\n-.5,1800000045000\n1000,1800000090000\n', id='ms in any column'),
        pytest.param('time,value\n1800000000000.0,5\n1.800000045e12,-.5\n1800000090,1000\n', id='ms in any notation'),
        pytest.param('time,value\n"1800000000000",5\n1800000045000, -.5\n1800000090,1000\n', id='ms in quotes'),
    ],
)
def test_csv(text):
    (series,) = read_csv(text, 'm', ['host:a'])
    assert list(zip(series.times.tolist(), series.values.tolist(), strict=True)) == ROWS
    assert series.tags == {'host:a'}


# The same rows: read by the column, and row by row for the sake of a space.
@pytest.mark.parametrize('space', [pytest.param('', id='plain'), pytest.param(' ', id='padded')])
@pytest.mark.parametrize(
    'fixed, expected',
    [
        pytest.param(
            ['team:x'],
            {
                ('host:b', 'team:x'): [(60, 2), (120, 5)],
                ('env:prod', 'host:a', 'team:x'): [(60, 1), (120, 3)],
                ('env:prod', 'team:x'): [(180, 4)],
            },
            id='another-tag',
        ),
        pytest.param(
            ['host:a'],
            {('host:a', 'host:b'): [(60, 2), (120, 5)], ('env:prod', 'host:a'): [(60, 1), (120, 3), (180, 4)]},
            id='a-tag-that-rows-have',
        ),
    ],
)
def test_csv_of_many_hosts(space, fixed, expected):
    text = f'host,time,env,value\nb,{space}60,,2\na,60,prod,1\n,180,prod,4\na,120,prod,3\nb,120,,5\n'
    found = {
        tuple(sorted(one.tags)): list(zip(one.times.tolist(), one.values.tolist(), strict=True))
        for one in read_csv(text, 'm', fixed)
    }
    assert found == expected


def test_the_years_to_5000_are_seconds():
    (series,) = read_csv('time,value\n95617584000,5\n', 'm')
    assert series.times.tolist() == [95617584000]


def test_arrivals_in_milliseconds():
    (series,) = read_csv('time,value,arrival\n1800000000000,5,1800000007000\n', 'm')
    assert (series.times.tolist(), series.arrivals.tolist()) == ([1800000000], [1800000007])


@pytest.mark.parametrize('kind', ['gauge', 'count', 'distribution'])
def test_times_may_be_less_than_a_second_apart(kind):
    times = np.array([0.0, 0.5, 1.0])
    assert len(Series('m', frozenset(), times, times, kind, 1)) == 3


@pytest.mark.parametrize('interval', [0, -1, 0.5])
def test_an_interval_is_at_least_a_second(interval):
    with pytest.raises(UnusableInputError, match=f'interval: found {interval}, expected whole seconds, at least 1'):
        Series('m', frozenset(), np.array([0.0]), np.array([1.0]), 'gauge', interval)


@pytest.mark.parametrize('empty', ['', '\n'], ids=['by columns', 'by rows'])
def test_csv_with_tags_and_arrivals(empty):
    text = f'time,host,env,value,arrival\n60,a,prod,1,70\n60,b,,2,60\n120,a,prod,3,180\n{empty}'
    first, second = read_csv(text, 'm', ['team:x'])
    assert (first.tags, first.times.tolist(), first.values.tolist(), first.arrivals.tolist()) == (
        {'team:x', 'host:a', 'env:prod'},
        [60, 120],
        [1, 3],
        [70, 180],
    )
    assert (second.tags, second.values.tolist()) == ({'team:x', 'host:b'}, [2])


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('', 'line 1: found the columns []', id='empty'),
        pytest.param('time,value\n1,x\n', "line 2, value: found 'x', expected a number", id='value'),
        pytest.param('time,value\n1,2\nsoon,2\n', "line 3, time: found 'soon'", id='time'),
        pytest.param('time,value\n1,2,3\n', 'line 2: found 3 cells, expected 2', id='cells'),
        pytest.param('time,value\n1,2\n1,3\n', 'times must rise: 1 follows 1', id='twice'),
        pytest.param('time,value\n1,inf\n', 'not finite', id='infinite'),
        pytest.param(
            'time,value\n1800000000000000,5\n',
            'found the time 1800000000000000, expected seconds or milliseconds',
            id='microseconds',
        ),
    ],
)
def test_csv_faults(text, message):
    with pytest.raises(UnusableInputError) as error:
        read_csv(text, 'm')
    assert message in str(error.value)
