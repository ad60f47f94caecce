"""The part of a downtime's schedule that is sent, and when two schedules are equal."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from ddassets import assets as bundle
from ddassets.assets.source import Unplaced
from ddassets.org.kinds import DOWNTIMES

BERLIN = ZoneInfo('Europe/Berlin')


def weekly(start, rrule='FREQ=WEEKLY;BYDAY=MO', duration='2h', zone='Europe/Berlin'):
    return body(
        schedule={'timezone': zone, 'recurrences': [{'start': start, 'duration': duration, 'rrule': rrule}]},
        display_timezone=zone,
    )


def body(**attributes):
    return {'monitor_identifier': {'monitor_tags': ['a:b']}, 'scope': '*', **attributes}


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def first(sent):
    return sent['schedule']['recurrences'][0]


@pytest.mark.rule('5.4')
def test_the_time_zone_of_a_schedule_is_sent_twice():
    attributes = weekly('2027-01-04T19:00:00')
    del attributes['display_timezone']
    asset = bundle.read_downtime(Unplaced(Path('night.json')), attributes)
    assert DOWNTIMES.body(asset)['display_timezone'] == 'Europe/Berlin'
    single = bundle.read_downtime(Unplaced(Path('night.json')), body(schedule={'end': None}))
    assert 'display_timezone' not in DOWNTIMES.body(single)


@pytest.mark.rule('5.8', '5.10')
@pytest.mark.parametrize(
    'start, rrule, now, sent_start, sent_rule',
    [
        pytest.param(
            '2027-01-04T19:00:00', 'FREQ=WEEKLY;BYDAY=MO', '2027-01-01T00:00', '2027-01-04T19:00:00', None, id='to-come'
        ),
        pytest.param(
            '2027-01-04T19:00', 'FREQ=WEEKLY;BYDAY=MO', '2027-01-04T19:00', '2027-01-11T19:00:00', None, id='just-begun'
        ),
        pytest.param(
            '2027-01-04T19:00:00', 'FREQ=DAILY', '2027-03-01T20:00', '2027-03-02T19:00:00', None, id='tomorrow'
        ),
        pytest.param(
            '2027-01-04T19:00:00',
            'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO',
            '2027-01-12T00:00',
            '2027-01-18T19:00:00',
            None,
            id='every-other-week-keeps-its-phase',
        ),
        pytest.param(
            '2027-01-04T19:00:00',
            'FREQ=DAILY;COUNT=10',
            '2027-01-07T00:00',
            '2027-01-07T19:00:00',
            'COUNT=7',
            id='count',
        ),
        pytest.param(
            '2027-01-04T19:00:00',
            'freq=daily;count=10',
            '2027-01-07T00:00',
            '2027-01-07T19:00:00',
            'COUNT=7',
            id='count-in-small-letters',
        ),
        pytest.param(
            '2027-03-27T02:30:00',
            'FREQ=DAILY;COUNT=5',
            '2027-03-27T12:00',
            # The clock skips 02:30 on the 28th, and what does not exist does not count (rule 5.12).
            '2027-03-29T02:30:00',
            'COUNT=4',
            id='count-over-the-change-of-the-clock',
        ),
        pytest.param(
            '2026-01-31T08:00:00', 'FREQ=MONTHLY', '2026-04-15T00:00', '2026-05-31T08:00:00', None, id='monthly-31st'
        ),
    ],
)
def test_a_past_start_moves_to_the_next_occurrence(start, rrule, now, sent_start, sent_rule):
    sent = first(DOWNTIMES.for_creation(weekly(start, rrule), at(now)))
    assert sent['start'] == sent_start
    assert sent['rrule'] == rrule if sent_rule is None else sent_rule in sent['rrule']


@pytest.mark.parametrize(
    'attributes, now, over',
    [
        pytest.param(weekly('2027-01-04T19:00:00', 'FREQ=DAILY;COUNT=2'), '2027-01-06T00:00', True, id='counted-out'),
        pytest.param(weekly('2027-01-04T19:00:00', 'FREQ=DAILY;COUNT=3'), '2027-01-06T00:00', False, id='one-is-left'),
        pytest.param(
            weekly('2027-01-04T19:00:00', 'FREQ=DAILY;UNTIL=20270110T000000'), '2027-01-10T00:00', True, id='until'
        ),
        pytest.param(body(schedule={'start': None, 'end': '2027-01-04T00:00:00Z'}), '2027-01-04T01:00', True, id='end'),
        pytest.param(
            body(schedule={'start': '2027-01-01T00:00:00Z', 'end': None}), '2027-02-01T00:00', False, id='for-ever'
        ),
        pytest.param(body(), '2027-02-01T00:00', False, id='no-schedule'),
    ],
)
def test_a_schedule_without_remaining_occurrences_has_ended(attributes, now, over):
    assert (DOWNTIMES.remaining(DOWNTIMES.canonical(attributes), at(now)) is None) == over


def test_a_past_start_of_a_one_time_downtime_is_omitted():
    sent = DOWNTIMES.for_creation(
        body(schedule={'start': '2027-01-01T00:00:00Z', 'end': '2027-03-01T00:00:00Z'}), at('2027-02-01T00:00')
    )
    assert sent['schedule'] == {'end': '2027-03-01T00:00:00Z'}


@pytest.mark.parametrize(
    'one, other, same',
    [
        pytest.param(weekly('2027-01-04T19:00'), weekly('2027-01-04T19:00:00'), True, id='without-seconds'),
        pytest.param(
            weekly('2027-01-04T19:00:00', duration='24h'), weekly('2027-01-04T19:00:00', duration='1d'), True, id='1d'
        ),
        pytest.param(
            body(notify_end_states=['warn', 'alert', 'no data'], notify_end_types=['expired']),
            body(),
            True,
            id='defaults',
        ),
        pytest.param(body(schedule={'start': None, 'end': None}), body(), True, id='at-once-for-ever'),
        pytest.param(body(display_timezone='UTC', message=''), body(), True, id='utc'),
        pytest.param(body(scope=' env:a '), body(scope='env:a'), True, id='scope-trimmed'),
        pytest.param(weekly('2027-01-04T19:00:00'), weekly('2027-01-04T20:00:00'), False, id='hour'),
        pytest.param(weekly('2027-02-01T19:00:00'), weekly('2027-03-01T19:00:00'), False, id='first-day-to-come'),
        pytest.param(body(mute_first_recovery_notification=True), body(), False, id='mute'),
        pytest.param(body(message='a'), body(message='b'), False, id='message'),
        pytest.param(
            body(schedule={'end': '2027-03-01T00:00:00Z'}),
            body(schedule={'end': '2027-03-02T00:00:00Z'}),
            False,
            id='end',
        ),
    ],
)
def test_what_the_canonical_form_contains(one, other, same):
    now = at('2027-01-02T00:00')
    assert (
        DOWNTIMES.remaining(DOWNTIMES.canonical(one), now) == DOWNTIMES.remaining(DOWNTIMES.canonical(other), now)
    ) == same


RULES = st.sampled_from(
    (
        *(
            'FREQ=DAILY',
            'FREQ=DAILY;INTERVAL=3',
            'FREQ=DAILY;COUNT=9',
            'FREQ=WEEKLY',
            'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR',
        ),
        *('FREQ=MONTHLY;BYDAY=2TU', 'FREQ=MONTHLY;BYMONTHDAY=-1', 'FREQ=YEARLY', 'FREQ=WEEKLY;BYDAY=SA,SU;COUNT=7'),
        'FREQ=DAILY;UNTIL=20270301T000000',
    )
)
# In UTC: dateutil, which is the judge here, knows of no change of the clock.
STARTS = st.datetimes(datetime(2027, 1, 1), datetime(2027, 1, 31)).map(lambda moment: moment.replace(microsecond=0))
LATER = st.integers(0, 400 * 86400)


def occurrences(attributes, after):
    """Return the next starts after an instant, by dateutil alone."""
    recurrence = first(attributes)
    rule = rrulestr(recurrence['rrule'], dtstart=datetime.fromisoformat(recurrence['start']))
    moment = datetime.fromtimestamp(after, UTC).replace(tzinfo=None)
    return rule.xafter(moment, count=12)


@given(STARTS, RULES, LATER, LATER)
def test_the_sent_schedule_has_the_occurrences_of_the_file(start, rrule, applied, looked):
    attributes = weekly(start.isoformat(), rrule, zone='UTC')
    begin = int(start.replace(tzinfo=UTC).timestamp())
    now, later = begin - 86400 + applied, begin - 86400 + applied + looked
    canonical = DOWNTIMES.canonical(attributes)
    assume(DOWNTIMES.remaining(canonical, now))
    sent = DOWNTIMES.for_creation(attributes, now)
    assert at(first(sent)['start'], UTC) > now
    assert list(occurrences(sent, now)) == list(occurrences(attributes, now))
    # And it stays the same schedule for whoever compares the two, at whatever time.
    assert DOWNTIMES.remaining(DOWNTIMES.canonical(sent), later) == DOWNTIMES.remaining(canonical, later)


@given(STARTS, RULES, LATER)
def test_sending_the_remaining_schedule_again_changes_nothing(start, rrule, applied):
    attributes = weekly(start.isoformat(), rrule, zone='UTC')
    now = int(start.replace(tzinfo=UTC).timestamp()) + applied
    assume(DOWNTIMES.remaining(DOWNTIMES.canonical(attributes), now))
    once = DOWNTIMES.for_creation(attributes, now)
    assert DOWNTIMES.canonical(DOWNTIMES.for_creation(once, now)) == DOWNTIMES.canonical(once)


# Changing what is there


def stored(attributes, now, status='scheduled'):
    sent = DOWNTIMES.for_creation(attributes, now)
    created = datetime.fromtimestamp(now, UTC).isoformat()
    return {'display_timezone': 'UTC', **sent, 'status': status, 'created': created}


def test_a_new_message_does_not_send_the_schedule():
    old = stored(weekly('2027-01-04T19:00:00'), at('2027-01-05T00:00'))
    changes = DOWNTIMES.changes({**weekly('2027-01-04T19:00:00'), 'message': 'new'}, old, at('2027-03-01T00:00'))
    assert changes == {'message': 'new'}


def test_removed_keys_are_reset():
    old = stored(body(message='m', mute_first_recovery_notification=True, notify_end_types=['canceled']), 0)
    changes = DOWNTIMES.changes(body(), old, 0)
    assert changes == {
        'message': '',
        'mute_first_recovery_notification': False,
        'notify_end_types': ['expired'],
    }


def test_the_end_of_an_active_downtime_changes_without_its_start():
    now = at('2027-01-02T00:00')
    old = stored(body(schedule={'end': '2027-03-01T00:00:00Z'}), now, 'active')
    old['schedule'] = {'start': '2027-01-01T23:00:00+00:00', **old['schedule']}
    wanted = body(schedule={'end': '2027-04-01T00:00:00Z'})
    assert not DOWNTIMES.replaces(wanted, old, now + 3600)
    changes = DOWNTIMES.changes(wanted, old, now + 3600)
    assert changes == {'message': '', 'schedule': {'end': '2027-04-01T00:00:00Z'}}
    merged = DOWNTIMES.merged(old, changes)
    assert merged['schedule'] == {'start': '2027-01-01T23:00:00+00:00', 'end': '2027-04-01T00:00:00Z'}


def test_an_active_downtime_with_other_times_is_replaced():
    now = at('2027-01-04T20:00')
    old = stored(weekly('2027-01-04T19:00:00'), now - 7200, 'active')
    assert DOWNTIMES.replaces(weekly('2027-01-04T21:00:00'), old, now)
    assert not DOWNTIMES.replaces(weekly('2027-01-04T19:00:00'), old, now)
    # One that has not begun is changed in its place.
    assert not DOWNTIMES.replaces(weekly('2027-01-04T21:00:00'), {**old, 'status': 'scheduled'}, now)


@pytest.mark.parametrize('seconds, same', [(0, True), (30, True), (90, False)])
def test_an_immediate_start_is_the_instant_of_creation(seconds, same):
    """Without a start, the server returns the instant of the request."""
    created = datetime(2027, 1, 2, tzinfo=UTC)
    start = (created + timedelta(seconds=seconds)).isoformat()
    old = {**body(schedule={'start': start, 'end': None}), 'created': created.isoformat(), 'status': 'active'}
    assert (DOWNTIMES.canonical(old) == DOWNTIMES.canonical(body())) == same


def test_the_current_occurrence_is_reported():
    notes = list(DOWNTIMES.notes(weekly('2027-01-04T19:00:00'), at('2027-01-11T20:00')))
    assert len(notes) == 1 and re.search('until 2027-01-11 21:00, is not muted', notes[0])
    assert list(DOWNTIMES.notes(weekly('2027-01-04T19:00:00'), at('2027-01-11T22:00'))) == []
