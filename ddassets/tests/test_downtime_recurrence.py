"""Recurrences, compared with a slow expansion that does not use dateutil: it checks every day and hour."""

import calendar
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from counting import steps
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scale import runs

from ddassets.engine.downtime import parse
from ddassets.engine.recurrence import Recurrence
from ddassets.language.recurrence import parse_duration, parse_rule

EXAMPLES = runs(240)
EPOCH = datetime(1970, 1, 1)
WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC', 'America/Santiago']


# The oracle


def day_of_period(frequency, day, week_start):
    """The first day of the period that `day` belongs to, and the number of the period."""
    match frequency:
        case 'YEARLY':
            return date(day.year, 1, 1), day.year
        case 'MONTHLY':
            return day.replace(day=1), day.year * 12 + day.month
        case 'WEEKLY':
            first = day - timedelta(days=(day.weekday() - week_start) % 7)
            return first, (first.toordinal() - week_start) // 7
        case _:
            return day, day.toordinal()


def days_of_period(frequency, first):
    if frequency == 'YEARLY':
        return [first + timedelta(days=n) for n in range(366 if calendar.isleap(first.year) else 365)]
    if frequency == 'MONTHLY':
        return [first + timedelta(days=n) for n in range(calendar.monthrange(first.year, first.month)[1])]
    return [first + timedelta(days=n) for n in range(7 if frequency == 'WEEKLY' else 1)]


def ordinal_in(day, span):
    same = [other for other in span if other.weekday() == day.weekday()]
    return same.index(day) + 1, same.index(day) - len(same)


def as_the_start(frequency, start, by_month):
    """Without a BYDAY, BYMONTHDAY or BYMONTH, the start's weekday, day of the month and month apply."""
    if frequency == 'WEEKLY':
        return [(0, start.weekday())], by_month, ()
    if frequency == 'MONTHLY':
        return (), by_month, [start.day]
    return ((), by_month or [start.month], [start.day]) if frequency == 'YEARLY' else ((), by_month, ())


def day_matches(rule, start, day, span):
    """RFC 5545, section 3.3.10: each BY part accepts or rejects the day."""
    frequency = rule.frequency
    by_day, by_month, by_month_day = rule.by_day, rule.by_month, rule.by_month_day
    if not by_day and not by_month_day:
        by_day, by_month, by_month_day = as_the_start(frequency, start, by_month)
    if by_month and day.month not in by_month:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if by_month_day and day.day not in by_month_day and day.day - length - 1 not in by_month_day:
        return False
    if frequency == 'YEARLY' and by_month:
        span = [other for other in span if other.month == day.month]
    return not by_day or any(
        day.weekday() == weekday and (not ordinal or ordinal in ordinal_in(day, span)) for ordinal, weekday in by_day
    )


def moments_of(rule, start, day, span, hour=None):
    hours = rule.by_hour or [start.hour]
    if hour is not None:
        hours = [hour] if not rule.by_hour or hour in rule.by_hour else []
    for at in sorted(hours):
        for minute in sorted(rule.by_minute or [start.minute]):
            yield datetime(day.year, day.month, day.day, at, minute, start.second)


def chosen(moments, positions):
    moments = sorted(moments)
    if not positions:
        return moments
    picked = {position - 1 if position > 0 else len(moments) + position for position in positions}
    return [moment for index, moment in enumerate(moments) if index in picked]


def local_starts(rule, start, last):
    """All hits from `start` to the day `last`, by looking at every period in between."""
    first, number = day_of_period(rule.frequency, start.date(), rule.week_start)
    hourly = rule.frequency == 'HOURLY'
    day = first
    while day <= last:
        span = days_of_period(rule.frequency, day)
        _, current = day_of_period(rule.frequency, day, rule.week_start)
        for hour in range(24) if hourly else [None]:
            gone = (
                (datetime(day.year, day.month, day.day, hour) - start.replace(minute=0, second=0)) if hourly else None
            )
            steps = gone // timedelta(hours=1) if hourly else current - number
            if steps % rule.interval:
                continue
            found = [
                moment
                for other in span
                if day_matches(rule, start, other, span)
                for moment in moments_of(rule, start, other, span, hour)
            ]
            for moment in chosen(found, rule.by_set_position):
                if moment >= start and (rule.until is None or moment <= rule.until):
                    yield moment
        day = span[-1] + timedelta(days=1)


def instants_of(local, zone):
    """Return the instants at which a clock in `zone` shows `local`: none, one or two. Tries the offsets of the
    neighbouring days.
    """
    seconds = int((local - EPOCH).total_seconds())
    offsets = {datetime.fromtimestamp(seconds + hours * 3600, zone).utcoffset() for hours in range(-28, 29, 4)}
    found = {seconds - int(offset.total_seconds()) for offset in offsets}
    return sorted(instant for instant in found if datetime.fromtimestamp(instant, zone).replace(tzinfo=None) == local)


def starts(rule, start, zone, after, before):
    """The instants from `after` to `before`; where they are counted, the count begins with the first of all."""
    first, last = (EPOCH + timedelta(seconds=bound) for bound in (after, before))
    hits = local_starts(rule, start, last.date() + timedelta(days=2))
    near = (local for local in hits if rule.count or local > first - timedelta(days=2))
    instants = (found[0] for local in near if (found := instants_of(local, zone)))
    return [instant for instant in itertools.islice(instants, rule.count) if after <= instant <= before]


# Random rules


@st.composite
def rules(draw):
    frequency = draw(st.sampled_from(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']))
    parts = [f'FREQ={frequency}']

    def maybe(name, values, most, chance=0.4):
        if draw(st.floats(0, 1)) < chance:
            picked = draw(st.lists(values, min_size=1, max_size=most, unique=True))
            parts.append(f'{name}={",".join(map(str, picked))}')
            return True
        return False

    if draw(st.booleans()):
        parts.append(f'INTERVAL={draw(st.integers(1, 30 if frequency == "HOURLY" else 4))}')
    weekday = st.sampled_from(WEEKDAYS)
    if frequency in ('MONTHLY', 'YEARLY'):
        ordinal = st.sampled_from(['', '1', '2', '4', '5', '-1', '-2'])
        weekday = st.tuples(ordinal, weekday).map(''.join)
    some = maybe('BYDAY', weekday, 4, 0.5)
    if frequency != 'WEEKLY':
        some |= maybe('BYMONTHDAY', st.integers(-31, 31).filter(bool), 12, 0.25)
    some |= maybe('BYMONTH', st.integers(1, 12), 6, 0.2)
    some |= maybe('BYHOUR', st.integers(0, 23), 3, 0.25)
    some |= maybe('BYMINUTE', st.sampled_from([0, 15, 30, 59]), 2, 0.2)
    if some:
        maybe('BYSETPOS', st.sampled_from([1, 2, 3, -1, -2]), 2, 0.2)
    if draw(st.integers(0, 3)) == 0:
        parts.append(f'WKST={draw(st.sampled_from(WEEKDAYS))}')
    end = draw(st.sampled_from(['', '', 'COUNT', 'UNTIL']))
    if end == 'COUNT':
        parts.append(f'COUNT={draw(st.integers(1, 12))}')
    if end == 'UNTIL':
        parts.append(f'UNTIL={draw(moments).strftime("%Y%m%dT%H%M%S")}')
    return ';'.join(parts)


# Around the clock changes of several years.
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
starting = st.one_of(
    moments,
    st.sampled_from([datetime(2027, 3, 28, 2, 30), datetime(2026, 10, 24, 2, 30), datetime(2027, 3, 1, 2, 30)]),
)


@pytest.mark.rule('5.4', '5.5', '5.6', '5.8', '5.12')
@settings(max_examples=EXAMPLES)
@given(rules(), starting, st.sampled_from(ZONES), st.integers(0, 700), st.integers(1, 200))
@example('FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1', datetime(2027, 1, 6, 9), 'UTC', 0, 30)
@example('FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU', datetime(2027, 1, 6, 9), 'UTC', 100, 60)
@example('FREQ=MONTHLY;BYDAY=TU,1MO;BYSETPOS=1', datetime(2027, 1, 1), 'UTC', 0, 90)
@example('FREQ=MONTHLY;BYDAY=TU,1MO', datetime(2027, 3, 1), 'UTC', 0, 90)
@example('FREQ=DAILY;BYMONTHDAY=-31', datetime(2027, 2, 1), 'UTC', 0, 90)
@example('FREQ=DAILY;COUNT=12', datetime(2027, 3, 25, 2, 30), 'Europe/Berlin', 0, 30)
def test_starts_are_those_of_the_slow_expansion(text, start, name, skipped, days):
    rule, faults = parse_rule(text)
    assert not faults
    zone = ZoneInfo(name)
    recurrence = Recurrence(start, 3600, rule)
    after = int((start - EPOCH).total_seconds()) + skipped * 86400
    before = after + days * 86400
    expected = starts(rule, start, zone, after, before)
    if not recurrence.ever():
        assert expected == []
        return
    assert [occurrence.start for occurrence in recurrence.occurrences(zone, after, before)] == expected


durations = st.one_of(st.integers(1, 90).map('{}m'.format), st.integers(1, 60).map('{}h'.format), st.just('1d'))


@pytest.mark.rule('5.7', '5.11')
@settings(max_examples=EXAMPLES // 4)
@given(
    st.lists(st.tuples(rules(), starting, durations), min_size=1, max_size=5),
    st.sampled_from(ZONES),
    st.integers(0, 300),
)
def test_each_minute_is_muted_as_in_the_slow_expansion(recurrences, name, skipped):
    zone = ZoneInfo(name)
    body = {
        'monitor_identifier': {'monitor_tags': ['*']},
        'scope': '*',
        'schedule': {
            'timezone': name,
            'recurrences': [
                {'start': start.isoformat(), 'duration': duration, 'rrule': text}
                for text, start, duration in recurrences
            ],
        },
    }
    items = [(parse_rule(text)[0], start, parse_duration(duration)) for text, start, duration in recurrences]
    if not all(Recurrence(start, length, rule).ever() for rule, start, length in items):
        return
    first = int((min(start for _, start, _ in recurrences) - EPOCH).total_seconds()) + skipped * 86400
    first -= first % 60
    last = first + 3 * 86400
    near = [
        (begin, begin + length)
        for rule, start, length in items
        for begin in starts(rule, start, zone, first - length, last)
    ]
    found = parse(body, 'random').intervals(first, last)
    for minute in range(first, last, 60):
        assert any(a <= minute < b for a, b in near) == any(a <= minute < b for a, b in found)
    assert all(left.end <= right.start for left, right in zip(found, found[1:], strict=False))


@pytest.mark.rule('5.8')
@pytest.mark.parametrize(
    'text',
    [
        'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
        'FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=30',
        'FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30',
        'FREQ=HOURLY;BYSETPOS=3;BYMINUTE=1',
        'FREQ=HOURLY;INTERVAL=24;BYHOUR=3',
        'FREQ=HOURLY;INTERVAL=168;BYDAY=SU',
        'FREQ=DAILY;INTERVAL=7;BYDAY=SU',
        'FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=15',
        'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
        'FREQ=YEARLY;BYDAY=MO;BYSETPOS=366',
        'FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3',
        'FREQ=DAILY;UNTIL=20270101T000000',
    ],
)
def test_a_rule_without_occurrences_is_found_quickly(text):
    rule, faults = parse_rule(text)
    assert not faults
    recurrence = Recurrence(datetime(2027, 1, 9), 60, rule)
    assert steps(lambda: recurrence.ever()) < 20_000_000
    assert not recurrence.ever()


def test_a_year_of_daily_occurrences_takes_a_few_steps_each():
    body = {
        'monitor_identifier': {'monitor_tags': ['*']},
        'scope': '*',
        'schedule': {
            'timezone': 'Europe/Berlin',
            'recurrences': [{'start': '2001-01-01T19:00', 'duration': '14h', 'rrule': 'FREQ=DAILY'}],
        },
    }
    downtime = parse(body, 'nights')
    start = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    assert len(downtime.intervals(start, start + 365 * 86400)) == 366
    # Not from 2001 on: about a dozen steps for each day that is asked for.
    assert steps(lambda: downtime.intervals(start, start + 365 * 86400)) < 30 * 366
