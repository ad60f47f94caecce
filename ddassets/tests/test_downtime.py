import copy
import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddassets.assets.source import dotted
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.downtime import Calendar, Interval, clock_differences, merge, odd_openings, openings, parse

BERLIN = 'Europe/Berlin'
NEW_YORK = 'America/New_York'


def body(*recurrences, timezone=BERLIN, **attributes):
    """A downtime of (start, duration, rrule) recurrences for every monitor."""
    schedule = {
        'timezone': timezone,
        'recurrences': [{'start': start, 'duration': length, 'rrule': rrule} for start, length, rrule in recurrences],
    }
    return {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': '*', 'schedule': schedule, **attributes}


def once(start=None, end=None):
    return body(schedule={'start': start, 'end': end})


def instant(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def utc(downtime, start, end, **options):
    return [
        tuple(datetime.fromtimestamp(bound, UTC).strftime('%m-%dT%H:%M') for bound in interval)
        for interval in downtime.intervals(instant(start), instant(end), **options)
    ]


def local(downtime, start, end, zone):
    return [
        datetime.fromtimestamp(interval.start, ZoneInfo(zone)).strftime('%m-%dT%H:%M')
        for interval in downtime.intervals(instant(start), instant(end))
    ]


EVENINGS = ('2027-01-04T19:00:00', '14h', 'FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR')
SUNDAY_TOO = ('2027-01-03T19:00:00', '14h', 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SU,MO,TU,WE,TH,FR')
WEEKENDS = ('2027-01-09T00:00:00', '1d', 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU')


@pytest.mark.rule('5.6', '5.11', 'V10')
def test_a_recurrence_is_expanded_in_local_time():
    downtime = parse(body(('2023-07-10T18:00', '12h', 'FREQ=DAILY')), 'nights')
    assert utc(downtime, '2023-07-09', '2023-07-12')[0] == ('07-10T16:00', '07-11T04:00')
    (first, *_) = downtime.intervals(instant('2023-07-09'), instant('2023-07-12'))
    assert first == Interval(instant('2023-07-10T16:00'), instant('2023-07-11T04:00'))


@pytest.mark.rule('5.6', '5.7', 'V11')
def test_overlapping_windows_are_merged_and_touching_ones_not():
    nights = ('2023-07-09T18:00', '12h', 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SU,MO,TU,WE,TH,FR')
    weekend = ('2023-07-08T00:00', '24h', 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU')
    found = utc(parse(body(nights, weekend), 'nights and weekend'), '2023-07-09', '2023-07-10T12:00')
    assert found == [('07-08T22:00', '07-10T04:00')]
    downtime = parse(body(weekend), 'weekend')
    assert utc(downtime, '2023-07-07', '2023-07-11') == [('07-07T22:00', '07-08T22:00'), ('07-08T22:00', '07-09T22:00')]
    assert 'A90' in downtime.assumptions(instant('2023-07-07'), instant('2023-07-11'))
    assert 'A90' not in parse(body(nights), 'nights').assumptions(instant('2023-07-07'), instant('2023-07-11'))


@pytest.mark.rule('5.6', 'A86', 'V55')
def test_byday_counts_in_local_time_or_in_utc():
    weekend = ('2023-09-16T00:00', '24h', 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU')
    downtime = parse(body(weekend, timezone='Europe/Berlin'), 'weekend')
    span = '2023-09-14', '2023-09-20'
    assert utc(downtime, *span) == [('09-15T22:00', '09-16T22:00'), ('09-16T22:00', '09-17T22:00')]
    assert utc(downtime, *span, calendar=Calendar(days='UTC')) == [
        ('09-16T22:00', '09-17T22:00'),
        ('09-17T22:00', '09-18T22:00'),
    ]
    assert 'A86' in downtime.assumptions(*map(instant, span))
    noon = parse(body(('2023-09-16T12:00', '1h', 'FREQ=WEEKLY;BYDAY=SA,SU'), timezone='Europe/Berlin'), 'noon')
    assert utc(noon, *span, calendar=Calendar(days='UTC')) == utc(noon, *span)
    assert 'A86' not in noon.assumptions(*map(instant, span))


@pytest.mark.rule('5.6', 'A86')
@pytest.mark.parametrize(
    'zone, rule, expected',
    [
        pytest.param(NEW_YORK, 'FREQ=DAILY;BYDAY=SA', ['01-08T20:00', '01-15T20:00'], id='a day earlier here'),
        pytest.param('Asia/Tokyo', 'FREQ=WEEKLY;BYDAY=SA', ['01-09T20:00', '01-16T20:00'], id='the same day'),
        pytest.param(NEW_YORK, 'FREQ=DAILY;BYDAY=SA;COUNT=1', ['01-08T20:00'], id='counted in UTC'),
    ],
)
def test_byday_in_utc(zone, rule, expected):
    downtime = parse(body(('2027-01-04T20:00', '1h', rule), timezone=zone), 'evening')
    found = downtime.intervals(instant('2027-01-04'), instant('2027-01-20'), calendar=Calendar(days='UTC'))
    starts = [datetime.fromtimestamp(interval.start, ZoneInfo(zone)).strftime('%m-%dT%H:%M') for interval in found]
    assert starts == expected


@pytest.mark.rule('5.9')
def test_a_numbered_weekday_with_daily_is_that_of_the_month():
    rule = 'FREQ=DAILY;INTERVAL=1;BYDAY=2TU,-1FR'
    downtime = parse(body(('2027-01-01T08:00', '2h', rule), timezone='UTC'), 'patch')
    start, end = '2027-01-01', '2027-02-01'
    assert [first for first, _ in utc(downtime, start, end)] == ['01-12T08:00', '01-29T08:00']
    assert downtime.daily_ordinals == ('2TU', '-1FR')
    more = downtime.ordinal_differences(instant(start), instant(end))
    assert [datetime.fromtimestamp(interval.start, UTC).day for interval in more] == [1, 5, 8, 15, 19, 22, 26]
    monthly = parse(body(('2027-01-01T08:00', '2h', 'FREQ=MONTHLY;BYDAY=2TU'), timezone='UTC'), 'patch')
    assert (monthly.daily_ordinals, monthly.ordinal_differences(instant(start), instant(end))) == ((), [])


@pytest.mark.rule('5.4', 'V54')
@pytest.mark.parametrize('start', [{'start': None}, {}], ids=['null', 'left out'])
def test_a_recurrence_without_start_begins_when_it_is_created(start):
    attributes = body(timezone='Europe/Berlin')
    attributes['schedule']['recurrences'] = [{**start, 'duration': '1d', 'rrule': 'FREQ=DAILY;INTERVAL=11'}]
    downtime = parse(attributes, 'now')
    found = downtime.intervals(instant('2027-01-04T18:37:31'), instant('2027-01-20'))
    assert [interval.start for interval in found] == [instant('2027-01-04T18:37:31'), instant('2027-01-15T18:37:31')]
    assert list(downtime.starts()) == list(downtime.late_dates()) == []


@pytest.mark.rule('5.4', '5.13')
def test_a_year_far_in_the_future_is_accepted():
    downtime = parse(body(('3022-07-15T01:02:03', '30m', 'FREQ=WEEKLY;INTERVAL=2'), timezone='UTC'), 'far')
    assert downtime.intervals(instant('2027-01-01'), instant('2028-01-01')) == []
    (first, _) = downtime.intervals(instant('3022-07-15'), instant('3022-08-01'))
    assert first.start == instant('3022-07-15T01:02:03')
    assert list(downtime.late_dates()) == [('recurrences', 0, 'start')]


@pytest.mark.rule('5.12', 'V12')
def test_a_local_time_that_does_not_exist_is_skipped_and_not_counted():
    downtime = parse(body(('2026-03-07T02:30', '1h', 'FREQ=DAILY;COUNT=3'), timezone=NEW_YORK), 'count')
    assert local(downtime, '2026-03-01', '2026-04-01', NEW_YORK) == ['03-07T02:30', '03-09T02:30', '03-10T02:30']


@pytest.mark.rule('5.6', 'V13')
@pytest.mark.parametrize(
    'until, last',
    [
        pytest.param('20260813T090000', '08-13T09:00', id='V13 local, the hour itself included'),
        pytest.param('20260813T085959', '08-12T09:00', id='5.6 local, a second before'),
        pytest.param('20260813T130000Z', '08-13T09:00', id='5.6 with Z in UTC'),
        pytest.param('20260813T125959Z', '08-12T09:00', id='5.6 with Z in UTC, a second before'),
        pytest.param('20260813', '08-12T09:00', id='5.6 a date is its first instant'),
    ],
)
def test_until(until, last):
    downtime = parse(body(('2026-08-10T09:00', '1h', f'FREQ=DAILY;UNTIL={until}'), timezone=NEW_YORK), 'until')
    assert local(downtime, '2026-08-01', '2026-09-01', NEW_YORK)[-1] == last


@pytest.mark.rule('5.8')
def test_a_start_that_the_rule_does_not_match_is_no_occurrence():
    downtime = parse(body(('2027-01-06T09:00', '1h', 'FREQ=WEEKLY;BYDAY=FR'), timezone='UTC'), 'fridays')
    assert utc(downtime, '2027-01-01', '2027-01-14') == [('01-08T09:00', '01-08T10:00')]


@pytest.mark.rule('5.12', 'A13')
@pytest.mark.parametrize(
    'day, elapsed, wall, differences',
    [
        pytest.param(
            '2026-03-29',
            ('03-28T23:00', '03-29T23:00'),
            ('03-28T23:00', '03-29T22:00'),
            [('03-29T22:00', 'elapsed')],
            id='forward: elapsed ends an hour late on Monday',
        ),
        pytest.param(
            '2026-10-25',
            ('10-24T22:00', '10-25T22:00'),
            ('10-24T22:00', '10-25T23:00'),
            [('10-25T22:00', 'wall')],
            id='back: elapsed leaves the last hour of Sunday open',
        ),
        pytest.param('2026-06-07', ('06-06T22:00', '06-07T22:00'), ('06-06T22:00', '06-07T22:00'), [], id='no change'),
    ],
)
def test_a_duration_is_elapsed_time_and_the_difference_is_reported(day, elapsed, wall, differences):
    downtime = parse(body(('2026-01-04T00:00', '24h', 'FREQ=WEEKLY;BYDAY=SU')), 'sundays')
    start, end = f'{day}T12:00', f'{day}T23:59'
    assert utc(downtime, start, end) == [elapsed]
    assert utc(downtime, start, end, clock='wall') == [wall]
    found = clock_differences([downtime], instant(start), instant(end))
    told = [(datetime.fromtimestamp(interval.start, UTC).strftime('%m-%dT%H:%M'), clock) for interval, clock in found]
    assert told == differences
    assert ('A13' in downtime.assumptions(instant(start), instant(end))) == bool(differences)


@pytest.mark.rule('5.12', '5.23')
def test_another_downtime_covers_the_hour_of_the_clock_change():
    year = instant('2027-01-10'), instant('2028-01-10')
    weekends = parse(body(WEEKENDS), 'weekends')
    assert len(clock_differences([weekends], *year)) == 2
    assert clock_differences([weekends, parse(body(SUNDAY_TOO), 'weeknights')], *year) == []
    assert len(clock_differences([weekends, parse(body(EVENINGS), 'weeknights')], *year)) == 2


@pytest.mark.rule('5.12', 'A34')
def test_an_ambiguous_local_time_is_the_earlier_instant_and_marked():
    downtime = parse(body(('2026-10-25T02:30', '1h', 'FREQ=DAILY;COUNT=2')), 'fall')
    first, second = downtime.occurrences(instant('2026-10-24'), instant('2026-10-28'))
    assert (first.start, first.ambiguous) == (instant('2026-10-25T00:30'), True)
    assert (second.start, second.ambiguous) == (instant('2026-10-26T01:30'), False)
    assert 'A34' in downtime.assumptions(instant('2026-10-25T01:00'), instant('2026-10-25T02:00'))
    assert 'A34' not in downtime.assumptions(instant('2026-10-25T01:30'), instant('2026-10-28'))


@pytest.mark.rule('5.23')
def test_monday_morning_is_unmuted_when_read_literally():
    week = date(2027, 1, 18)
    literal = openings([parse(body(EVENINGS, WEEKENDS), 'both')], week)
    assert [str(opening) for opening in literal][:2] == [
        'Monday 00:00 to Monday 19:00',
        'Tuesday 09:00 to Tuesday 19:00',
    ]
    assert [str(opening) for opening in odd_openings(literal)] == ['Monday 00:00 to Monday 09:00']
    apart = openings([parse(body(EVENINGS), 'weeknights'), parse(body(WEEKENDS), 'weekends')], week)
    assert apart == literal
    closed = openings([parse(body(SUNDAY_TOO), 'weeknights'), parse(body(WEEKENDS), 'weekends')], week)
    assert [opening.start % 1440 for opening in closed] == [540] * 5
    assert odd_openings(closed) == []


@pytest.mark.parametrize(
    'recurrences, expected',
    [
        pytest.param([('2027-01-04T00:00', '1d', 'FREQ=WEEKLY;BYDAY=SA,SU')], [], id='weekends alone'),
        pytest.param([('2027-01-04T00:00', '1d', 'FREQ=DAILY')], [], id='never open'),
        pytest.param(
            [('2027-01-04T00:00', '8h', 'FREQ=DAILY'), ('2027-01-04T12:00', '1h', 'FREQ=WEEKLY;BYDAY=WE')],
            [],
            id='a day with less is not odd',
        ),
    ],
)
def test_no_odd_opening(recurrences, expected):
    assert odd_openings(openings([parse(body(*recurrences), 'some')], date(2027, 1, 18))) == expected


@pytest.mark.rule('5.3')
@pytest.mark.parametrize(
    'schedule, expected',
    [
        pytest.param(None, Interval(-float('inf'), float('inf')), id='no schedule: now and for ever'),
        pytest.param({}, Interval(-float('inf'), float('inf')), id='empty schedule: the same'),
        pytest.param(
            {'start': '2027-01-04T19:00:00Z', 'end': None},
            Interval(instant('2027-01-04T19:00'), float('inf')),
            id='null end: for ever',
        ),
        pytest.param(
            {'start': '2027-01-04T19:00:00+00:00', 'end': '2027-01-04T20:00Z'},
            Interval(instant('2027-01-04T19:00'), instant('2027-01-04T20:00')),
            id='both',
        ),
    ],
)
def test_one_time(schedule, expected):
    downtime = parse(body(schedule=schedule), 'once')
    assert downtime.intervals(instant('2027-01-01'), instant('2027-02-01')) == [expected]
    assert downtime.assumptions(instant('2027-01-01'), instant('2027-02-01')) == ()


@pytest.mark.rule('5.11')
@pytest.mark.parametrize(
    'start, end, overlaps',
    [
        pytest.param('18:00', '19:00', False, id='ends where it begins'),
        pytest.param('18:00', '19:01', True, id='reaches into it'),
        pytest.param('19:59', '20:01', True, id='begins within it'),
        pytest.param('20:00', '21:00', False, id='begins where it ends'),
    ],
)
def test_the_end_is_not_included(start, end, overlaps):
    day = '2027-01-04T'
    for kind in (once(f'{day}19:00Z', f'{day}20:00Z'), body((f'{day}19:00', '1h', 'FREQ=DAILY'), timezone='UTC')):
        assert bool(parse(kind, 'hour').intervals(instant(day + start), instant(day + end))) == overlaps


@pytest.mark.rule('5.7')
def test_bounds_at_the_end_of_the_period_are_exact():
    downtime = parse(body(('2027-01-04T19:00', '25h', 'FREQ=DAILY'), timezone='UTC'), 'always')
    (interval,) = downtime.intervals(instant('2027-01-05'), instant('2027-01-06T19:00'))
    assert interval.end > instant('2027-01-06T19:00')


@pytest.mark.rule('5.7')
@pytest.mark.parametrize(
    'intervals, expected',
    [
        pytest.param([(0, 1), (1, 2)], [(0, 1), (1, 2)], id='touching'),
        pytest.param([(0, 2), (1, 3), (3, 4)], [(0, 3), (3, 4)], id='overlapping, then touching'),
        pytest.param([(0, 5), (1, 2)], [(0, 5)], id='within'),
        pytest.param([(3, 4), (0, 1)], [(0, 1), (3, 4)], id='apart, out of order'),
        pytest.param([], [], id='none'),
        pytest.param([(1, 1), (3, 4)], [(3, 4)], id='an empty one'),
    ],
)
def test_merge(intervals, expected):
    assert merge(Interval(*interval) for interval in intervals) == expected


@pytest.mark.rule('5.20', 'A14')
@pytest.mark.parametrize(
    'types, end, expected',
    [
        pytest.param(None, '2027-01-06', ('A14',), id='expired alone: which end it is decides'),
        pytest.param(['canceled'], '2027-01-06', ('A14',), id='canceled alone'),
        pytest.param(['canceled', 'expired'], '2027-01-06', (), id='both: no matter'),
        pytest.param([], '2027-01-06', (), id='none: no matter'),
        pytest.param(None, '2027-01-04T20:00', (), id='no end within the question'),
    ],
)
def test_which_end_a_recurrence_has_is_assumed(types, end, expected):
    downtime = parse(body(EVENINGS, timezone='UTC', notify_end_types=types), 'weeknights')
    assert downtime.assumptions(instant('2027-01-04'), instant(end)) == expected


@pytest.mark.rule('5.17', '5.18', '5.22')
def test_defaults():
    downtime = parse(body(EVENINGS), 'weeknights')
    assert set(downtime.fields.notify_end_states) == {'alert', 'warn', 'no data'}
    assert downtime.fields.notify_end_types == ('expired',)
    assert not downtime.fields.mute_first_recovery_notification
    assert downtime.fields.message == ''
    assert downtime.notifies_at_end('alert')
    assert not downtime.notifies_at_end('alert', 'canceled')
    assert not downtime.notifies_at_end('ok')


@pytest.mark.rule('5.2')
@pytest.mark.parametrize(
    'identifier, monitor_id, tags, expected',
    [
        pytest.param({'monitor_tags': ['a:1', 'b']}, None, ['b', 'a:1', 'c'], True, id='all tags match'),
        pytest.param({'monitor_tags': ['a:1', 'b']}, None, ['a:1'], False, id='one is missing'),
        pytest.param({'monitor_tags': ['*']}, None, [], True, id='every monitor'),
        pytest.param({'monitor_id': 7}, 7, [], True, id='its number'),
        pytest.param({'monitor_id': 7}, None, ['*'], False, id='a monitor without number'),
    ],
)
def test_monitors(identifier, monitor_id, tags, expected):
    downtime = parse(body(EVENINGS, monitor_identifier=identifier), 'some')
    assert downtime.matches_monitor(monitor_id, tags) == expected


@pytest.mark.rule('5.10', '5.13')
def test_starts_late_dates_and_duplicates_are_reported():
    downtime = parse(body(EVENINGS, ('2038-01-04T19:00', '1h', 'FREQ=DAILY;UNTIL=20390101T000000')), 'late')
    assert list(downtime.starts())[0] == (('recurrences', 0, 'start'), instant('2027-01-04T18:00'))
    assert list(downtime.late_dates()) == [('recurrences', 1, 'start'), ('recurrences', 1, 'rrule')]
    assert list(parse(once('2037-12-31T00:00Z', '2038-01-01T00:00Z'), 'late').late_dates()) == [('end',)]
    assert downtime.same_as(parse(body(EVENINGS, ('2038-01-04T19:00', '1h', 'FREQ=DAILY;UNTIL=20390101T000000')), 'x'))
    assert not downtime.same_as(parse(body(EVENINGS), 'late'))


ATTRIBUTES = body(EVENINGS)


@pytest.mark.rule('5.1')
def test_whole_bodies_and_attributes_are_read_alike():
    whole = {'data': {'type': 'downtime', 'attributes': ATTRIBUTES}}
    assert parse(whole, 'same') == parse(json.loads(json.dumps(ATTRIBUTES)), 'same')
    # An element of the list that the API returns.
    assert parse({'id': 'x', **whole['data']}, 'same') == parse(whole, 'same')


def recurrence(**changes):
    return body(
        schedule={
            'timezone': BERLIN,
            'recurrences': [{**dict(zip(('start', 'duration', 'rrule'), EVENINGS, strict=True)), **changes}],
        }
    )


HERE = ('schedule', 'recurrences', 0)
FAULTS = [
    pytest.param('5.1', [], (), 'an object', id='5.1 no object'),
    pytest.param(
        '5.1', {'data': {'type': 'monitor', 'attributes': ATTRIBUTES}}, ('data', 'type'), "'downtime'", id='5.1 type'
    ),
    pytest.param('5.1', {'data': {'type': 'downtime'}}, ('data', 'attributes'), 'an object', id='5.1 no attributes'),
    pytest.param('5.1', {'data': [ATTRIBUTES]}, ('data',), 'an object, found a list of 1', id='5.1 a list'),
    pytest.param('5.1', body(EVENINGS, scop='*'), ('scop',), 'did you mean scope?', id='5.1 unknown key'),
    pytest.param('5.1', {'monitor_identifier': {'monitor_id': 1}}, ('scope',), 'scope is missing', id='5.1 no scope'),
    pytest.param('5.1', {'scope': '*'}, ('monitor_identifier',), 'monitor_identifier is missing', id='5.1 no monitor'),
    pytest.param('5.2', body(EVENINGS, monitor_identifier={}), ('monitor_identifier',), 'either', id='5.2 neither'),
    pytest.param(
        '5.2',
        body(EVENINGS, monitor_identifier={'monitor_id': True}),
        ('monitor_identifier', 'monitor_id'),
        'number',
        id='5.2 id',
    ),
    pytest.param(
        '5.2',
        body(EVENINGS, monitor_identifier={'monitor_tags': ['a'] * 33}),
        ('monitor_identifier', 'monitor_tags'),
        '1 to 32',
        id='5.2 33 tags',
    ),
    pytest.param(
        '5.2',
        body(EVENINGS, monitor_identifier={'monitor_tags': ['a' * 257]}),
        ('monitor_identifier', 'monitor_tags', 0),
        '256',
        id='5.2 long tag',
    ),
    pytest.param('5.3', once('2027-01-04T19:00'), ('schedule', 'start'), 'offset zero', id='5.3 no offset'),
    pytest.param('5.3', once('2027-01-04T19:00+01:00'), ('schedule', 'start'), 'offset zero', id='5.3 another offset'),
    pytest.param(
        '5.3', once('2027-01-04T19:00Z', '2027-01-04T19:00Z'), ('schedule', 'end'), 'after the start', id='5.3 empty'
    ),
    pytest.param('5.4', body(*[EVENINGS] * 6), HERE[:2], 'found a list of 6', id='5.4 six recurrences'),
    pytest.param('5.4', body(), HERE[:2], 'found a list of 0', id='5.4 no recurrence'),
    pytest.param(
        '5.4', body(EVENINGS, timezone='Europe/Berln'), ('schedule', 'timezone'), 'Europe/Berlin?', id='5.4 zone'
    ),
    pytest.param('5.4', body(EVENINGS, timezone='../etc'), ('schedule', 'timezone'), 'a time zone', id='5.4 no zone'),
    pytest.param(
        '5.4',
        body(EVENINGS, display_timezone='UTC'),
        ('display_timezone',),
        "'Europe/Berlin', found 'UTC'",
        id='5.4 zones differ',
    ),
    pytest.param('5.4', recurrence(start='2027-01-04T19:00:00Z'), (*HERE, 'start'), 'without offset', id='5.4 offset'),
    pytest.param('5.4', recurrence(start='2027-02-30T19:00'), (*HERE, 'start'), 'local time', id='5.4 no such day'),
    pytest.param('5.4', recurrence(duration='1h30m'), (*HERE, 'duration'), 'm, h, d or w', id='5.4 two units'),
    pytest.param('5.4', recurrence(duration='0h'), (*HERE, 'duration'), 'above 0', id='5.4 no time at all'),
    pytest.param('5.4', recurrence(duration=14), (*HERE, 'duration'), 'such as 14h', id='5.4 a bare number'),
    pytest.param('5.4', recurrence(duration='999999w'), (*HERE, 'duration'), '3650d', id='5.4 longer than any'),
    pytest.param(
        '5.4', recurrence(durations='x'), (*HERE, 'durations'), 'did you mean duration?', id='5.4 unknown key'
    ),
    pytest.param(
        '5.5', recurrence(rrule='FREQ=DAILY;DTSTART=20270101T000000'), (*HERE, 'rrule'), '`start`', id='5.5 DTSTART'
    ),
    pytest.param('5.5', recurrence(rrule='FREQ=DAILY;EXDATE=20270101'), (*HERE, 'rrule'), 'EXDATE', id='5.5 EXDATE'),
    pytest.param('5.5', recurrence(rrule='FREQ=MINUTELY'), (*HERE, 'rrule'), 'HOURLY', id='5.5 too often'),
    pytest.param('5.5', recurrence(rrule='BYDAY=MO'), (*HERE, 'rrule'), 'FREQ is missing', id='5.5 no FREQ'),
    pytest.param(
        '5.5', recurrence(rrule='FREQ=DAILY;BYDAYS=MO'), (*HERE, 'rrule'), 'did you mean BYDAY?', id='5.5 part'
    ),
    pytest.param('5.5', recurrence(rrule='FREQ=DAILY;FREQ=DAILY'), (*HERE, 'rrule'), 'duplicated', id='5.5 part twice'),
    pytest.param('5.5', recurrence(rrule='FREQ=DAILY;INTERVAL=0'), (*HERE, 'rrule'), 'from 1 to', id='5.5 INTERVAL'),
    pytest.param('5.5', recurrence(rrule='FREQ=DAILY;BYHOUR=24'), (*HERE, 'rrule'), 'from 0 to 23', id='5.5 BYHOUR'),
    pytest.param(
        '5.5', recurrence(rrule='FREQ=DAILY;COUNT=1;UNTIL=20280101'), (*HERE, 'rrule'), 'exclude', id='5.5 two ends'
    ),
    pytest.param(
        '5.5', recurrence(rrule='FREQ=WEEKLY;BYMONTHDAY=1'), (*HERE, 'rrule'), 'WEEKLY', id='5.5 day of the month'
    ),
    pytest.param(
        '5.5', recurrence(rrule='FREQ=DAILY;BYSETPOS=1'), (*HERE, 'rrule'), 'BY…', id='5.5 nothing to choose from'
    ),
    pytest.param('5.5', recurrence(rrule='FREQ=DAILY;BYDAY=XX'), (*HERE, 'rrule'), 'weekday', id='5.5 weekday'),
    pytest.param('5.5', recurrence(rrule='FREQ=DAILY;'), (*HERE, 'rrule'), 'NAME=VALUE', id='5.5 empty part'),
    pytest.param(
        '5.6', recurrence(rrule='FREQ=DAILY;UNTIL=tomorrow'), (*HERE, 'rrule'), '20270131T090000', id='5.6 UNTIL'
    ),
    pytest.param(
        '5.8',
        recurrence(rrule='FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'),
        (*HERE, 'rrule'),
        'has no occurrence',
        id='5.8 never',
    ),
    pytest.param('5.9', recurrence(rrule='FREQ=WEEKLY;BYDAY=2TU'), (*HERE, 'rrule'), '2TU', id='5.9 ordinal'),
    pytest.param('5.9', recurrence(rrule='FREQ=DAILY;BYDAY=6TU'), (*HERE, 'rrule'), 'at most five', id='5.9 sixth'),
    pytest.param('5.14', body(EVENINGS, scope='prod'), ('scope',), 'must have a key', id='5.14 no key'),
    pytest.param('5.14', body(EVENINGS, scope=''), ('scope',), 'a scope', id='5.14 empty'),
    pytest.param(
        '5.17',
        body(EVENINGS, mute_first_recovery_notification=1),
        ('mute_first_recovery_notification',),
        'true or false',
        id='5.17 no boolean',
    ),
    pytest.param(
        '5.18',
        body(EVENINGS, notify_end_states=['alerts']),
        ('notify_end_states', 0),
        'did you mean alert?',
        id='5.18 state',
    ),
    pytest.param(
        '5.18', body(EVENINGS, notify_end_types='expired'), ('notify_end_types',), 'a list', id='5.18 no list'
    ),
    pytest.param('5.22', body(EVENINGS, message=3), ('message',), 'a text', id='5.22 message'),
]


@pytest.mark.rule('5.1', '5.2', '5.3', '5.4', '5.5', '5.6', '5.8', '5.9', '5.14', '5.17', '5.18', '5.22')
@pytest.mark.parametrize('rule, refused, path, words', FAULTS)
def test_refuses(rule, refused, path, words):
    with pytest.raises(UnusableInputError) as caught:
        parse(refused, 'downtimes/some.json')
    assert str(caught.value).startswith('downtimes/some.json: ')
    if path == ():
        assert words in str(caught.value)
        return
    (fault,) = caught.value.diagnostics
    assert fault.key == dotted(path)
    assert words in fault.message


def test_every_fault_is_reported():
    attributes = body(('x', '2y', 'FREQ=WEEKLY;BYDAY=2TU;FOO=1'), timezone='Mars', scope='a', message=1)
    with pytest.raises(UnusableInputError) as caught:
        parse({'data': {'type': 'downtime', 'attributes': attributes}}, 'some')
    assert sorted({fault.key for fault in caught.value.diagnostics}) == [
        'message',
        'schedule.recurrences[0].duration',
        'schedule.recurrences[0].rrule',
        'schedule.recurrences[0].start',
        'schedule.timezone',
        'scope',
    ]
    assert len(caught.value.diagnostics) == 7
    assert 'schedule.recurrences[0].duration' in caught.value.details


# Scopes


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
RULES = st.lists(
    st.sampled_from(
        ['FREQ=', 'DAILY', 'YEARLY', 'BYDAY=', '2TU', 'MO', ';', ',', 'COUNT=', '9', '-', 'UNTIL=', '20270101', 'Z']
    )
    | st.text(max_size=3),
    max_size=8,
).map(''.join)
PATHS = [
    ('monitor_identifier',),
    ('monitor_identifier', 'monitor_tags'),
    ('scope',),
    ('display_timezone',),
    ('message',),
    ('notify_end_states',),
    ('notify_end_types',),
    ('mute_first_recovery_notification',),
    ('schedule',),
    ('schedule', 'timezone'),
    ('schedule', 'recurrences'),
    ('schedule', 'recurrences', 0),
    ('schedule', 'recurrences', 0, 'start'),
    ('schedule', 'recurrences', 0, 'duration'),
    ('schedule', 'recurrences', 0, 'rrule'),
    ('schedule', 'start'),
]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON | RULES), max_size=3), st.booleans())
def test_any_body_is_a_downtime_or_its_faults(changes, whole):
    attributes = copy.deepcopy(body(EVENINGS))
    for path, value in changes:
        place = attributes
        try:
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
        except (TypeError, LookupError):
            continue
    sent = {'data': {'type': 'downtime', 'attributes': attributes}} if whole else attributes
    try:
        downtime = parse(sent, 'random')
    except UnusableInputError as error:
        assert str(error).startswith('random: ')
    else:
        downtime.intervals(instant('2027-01-01'), instant('2027-03-01'))
        downtime.assumptions(instant('2027-01-01'), instant('2027-03-01'))
        list(downtime.late_dates())
        list(downtime.starts())
