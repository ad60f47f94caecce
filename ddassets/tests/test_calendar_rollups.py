"""Rollups by days, weeks and months of a time zone (rule 20.19)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from citing import rule
from small import body

from ddassets.engine import monitor as monitors
from ddassets.engine.buckets import CalendarBuckets
from ddassets.engine.evaluator import evaluate
from ddassets.engine.series import Series, SeriesSet


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def value_at(query: str, tick: str, first: str, kind='count', choices=None, sources=('',)) -> float | None:
    """The value at a tick; each source has had a sample of 1 each hour from `first` on."""
    at, begin = instant(tick), instant(first)
    times = np.arange(begin, at + 1, 3600.0)
    store = SeriesSet(
        Series('m', frozenset(filter(None, [tags])), times, np.ones(times.size), kind, 3600) for tags in sources
    )
    timeline = evaluate(monitors.read(body(f'{query} > 1000000')), store, at, at + 60, 0, choices)
    (value,) = timeline.groups[()].values
    return None if np.isnan(value) else round(float(value), 6)


@pytest.mark.parametrize(
    'rollup, kind, tick, expected',
    [
        # The window of a day has the bucket of the last midnight, which is partial.
        pytest.param('sum, daily', 'count', '2027-03-10T06:00Z', 7, marks=rule('7.2', '7.3', '20.19'), id='day'),
        pytest.param('sum, daily, 12am', 'count', '2027-03-10T06:00Z', 7, marks=rule('20.19'), id='12am'),
        pytest.param('sum, daily, 5am', 'count', '2027-03-10T06:00Z', 2, marks=rule('20.19'), id='5am'),
        pytest.param('sum, daily, 5pm', 'count', '2027-03-10T06:00Z', 14, marks=rule('20.19'), id='5pm'),
        pytest.param(
            "sum, daily, 'America/New_York'", 'count', '2027-03-10T06:00Z', 2, marks=rule('20.19'), id='zone alone'
        ),
        pytest.param(
            "sum, daily, 5am, 'Asia/Tokyo'", 'count', '2027-03-10T06:00Z', 11, marks=rule('20.19'), id='hour and zone'
        ),
        pytest.param('max, daily', 'gauge', '2027-03-10T06:00Z', 1, marks=rule('20.19'), id='max'),
        pytest.param('count, daily', 'gauge', '2027-03-10T06:00Z', 7, marks=rule('20.19'), id='count'),
        pytest.param('avg, daily', 'gauge', '2027-03-10T06:00Z', 1, marks=rule('20.19'), id='avg'),
        # 28 March 2027 has 23 hours in Berlin, 31 October 25.
        pytest.param(
            "sum, daily, 'Europe/Berlin'", 'count', '2027-03-28T22:00Z', 24, marks=rule('20.19'), id='23 h and one more'
        ),
        pytest.param(
            "sum, daily, 'Europe/Berlin'", 'count', '2027-10-31T21:50Z', 24, marks=rule('20.19'), id='the 25 h day'
        ),
    ],
)
def test_the_bucket_in_a_day(rollup, kind, tick, expected):
    assert value_at(f'sum(last_1d):sum:m{{*}}.rollup({rollup})', tick, '2027-01-01T00:00Z', kind) == expected


@pytest.mark.parametrize(
    'query, tick, expected',
    [
        # A Sunday: 14 March 2027; a Monday: 15 March.
        pytest.param('sum(last_1w):sum:m{*}.rollup(sum, weekly)', '2027-03-16T05:00Z', 54, id='from Sunday'),
        pytest.param('sum(last_1w):sum:m{*}.rollup(sum, weekly, monday)', '2027-03-16T05:00Z', 30, id='from Monday'),
        pytest.param(
            "sum(last_1w):sum:m{*}.rollup(sum, weekly, monday, 'America/New_York')",
            '2027-03-16T05:00Z',
            26,
            id='from Monday in New York',
        ),
        pytest.param('min(last_1w):sum:m{*}.rollup(sum, daily)', '2027-03-16T05:00Z', 6, id='the newest is partial'),
        pytest.param('max(last_1w):sum:m{*}.rollup(sum, daily)', '2027-03-16T05:00Z', 24, id='seven days'),
        pytest.param('sum(last_1w):sum:m{*}.rollup(sum, daily)', '2027-03-16T00:00Z', 169, id='both ends'),
        pytest.param(
            "min(last_4d):sum:m{*}.rollup(sum, daily, 'Europe/Berlin')", '2027-03-29T21:00Z', 23, id='a short day'
        ),
        pytest.param(
            "max(last_4d):sum:m{*}.rollup(sum, daily, 'Europe/Berlin')", '2027-11-01T22:00Z', 25, id='a long day'
        ),
        pytest.param('sum(last_1d):sum:m{*}.rollup(sum, monthly)', '2027-03-01T06:00Z', 7, id='a month'),
        pytest.param('sum(last_1mo):sum:m{*}.rollup(sum, monthly)', '2027-03-20T00:00Z', 457, id='since the first'),
        pytest.param('sum(last_1d):sum:m{*}.rollup(sum, monthly)', '2027-03-03T06:00Z', None, id='no month begins'),
        # By the length of the bucket, in seconds.
        pytest.param(
            "min(last_4d):throughput(sum:m{*}.rollup(sum, daily, 'Europe/Berlin')) * 3600",
            '2027-03-29T21:00Z',
            1,
            id='throughput of 23 h',
            marks=rule('20.11'),
        ),
        pytest.param(
            "max(last_4d):sum:m{*}.as_rate().rollup(sum, daily, 'Europe/Berlin') * 3600",
            '2027-11-01T22:00Z',
            1,
            id='as_rate of 25 h',
            marks=rule('2.14'),
        ),
        # Shifts
        pytest.param(
            "sum(last_1d):calendar_shift(sum:m{*}.rollup(sum, daily, 'Europe/Berlin'), '-1d', 'Europe/Berlin')",
            '2027-03-29T21:00Z',
            23,
            id='the day before, which was short',
            marks=rule('20.18'),
        ),
        pytest.param(
            "sum(last_1d):day_before(sum:m{*}.rollup(sum, daily, 'Europe/Berlin'))",
            '2027-03-29T21:00Z',
            24,
            id='24 h before the short day is the evening of the day before it',
            marks=rule('20.18', 'A20'),
        ),
        pytest.param(
            'sum(last_1d):timeshift(sum:m{*}.rollup(sum, daily), -86400)',
            '2027-03-16T05:00Z',
            24,
            id='a whole day before',
        ),
        pytest.param(
            'sum(last_1d):sum:m{*}.as_count().rollup(sum, daily) / 2', '2027-03-16T05:00Z', 3, id='in windows'
        ),
        pytest.param(
            'sum(last_1d):moving_rollup(sum:m{*}.rollup(sum, daily), 172800, "sum")',
            '2027-03-16T05:00Z',
            30,
            id='two days',
            marks=rule('20.12'),
        ),
    ],
)
@pytest.mark.rule('20.19')
def test_buckets(query, tick, expected):
    assert value_at(query, tick, '2027-01-01T00:00Z') == expected


@pytest.mark.rule('A20')
@pytest.mark.parametrize('choice, expected', [('bucket of the shifted start', 24), ('nearest bucket', 23)])
def test_an_uneven_shift_can_be_of_the_nearest_day(choice, expected):
    query = "sum(last_1d):day_before(sum:m{*}.rollup(sum, daily, 'Europe/Berlin'))"
    found = value_at(query, '2027-03-29T21:00Z', '2027-01-01T00:00Z', choices={'A20': choice})
    assert found == expected


@pytest.mark.rule('20.19')
@pytest.mark.parametrize('zone', ['UTC', 'Europe/Berlin', 'America/Havana', 'Asia/Kathmandu', 'Australia/Lord_Howe'])
@pytest.mark.parametrize(
    'unit, hour, weekday',
    [('daily', 0, 6), ('daily', 2, 6), ('weekly', 0, 6), ('weekly', 0, 2), ('monthly', 0, 6)],
)
def test_every_instant_is_in_the_unit_of_its_wall_time(zone, unit, hour, weekday):
    """Held to the wall time of each half hour of two years."""
    buckets = CalendarBuckets(unit, zone, hour, weekday)
    instants = np.arange(instant('2026-01-01T00:00Z'), instant('2028-01-01T00:00Z'), 1800)
    numbers = buckets.number(instants)
    assert (buckets.start(numbers) <= instants).all() and (instants < buckets.start(numbers + 1)).all()
    assert (buckets.length(numbers) <= buckets.longest).all()
    following = buckets.number_from(instants)
    assert (buckets.start(following) >= instants).all() and (buckets.start(following - 1) < instants).all()

    for seconds in (1800, 86400, 10 * 86400, 40 * 86400):
        back = numbers - buckets.number(buckets.start(numbers) - seconds)
        assert buckets.least(seconds) <= back.min() and back.max() <= buckets.greatest(seconds)

    def unit_of(at: int):
        day = (datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None) - timedelta(hours=hour)).date()
        if unit == 'weekly':
            return day - timedelta(days=(day.weekday() - weekday) % 7)
        return day if unit == 'daily' else (day.year, day.month)

    walls = [unit_of(int(at)) for at in instants]
    changes = [before != after for before, after in zip(walls, walls[1:], strict=False)]
    assert (np.diff(numbers) == changes).all()


@pytest.mark.rule('20.19')
@pytest.mark.parametrize(
    'sample, length, expected', [('2027-03-28T00:30:00+01:00', 23, 1 / 23), ('2027-10-31T00:30:00+02:00', 25, 1 / 25)]
)
def test_weighted_by_the_length_of_the_day(sample, length, expected):
    at = instant(sample)
    series = Series('m', frozenset(), np.array([at]), np.array([1.0]), 'gauge', 3600)
    query = "sum(last_2d):sum:m{*}.rollup(avg, daily, 'Europe/Berlin').weighted() > 1000"
    tick = (at + 86400) // 3600 * 3600
    timeline = evaluate(monitors.read(body(query)), SeriesSet([series]), tick, tick + 60)
    assert timeline.groups[()].values[0] == pytest.approx(expected)
