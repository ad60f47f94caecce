"""Downtimes of the v2 API: when they are active, and which are refused."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from ddassets.sandbox import validation
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.stored import Stored, author_of, text_of

UNITS = {'m': timedelta(minutes=1), 'h': timedelta(hours=1), 'd': timedelta(days=1), 'w': timedelta(weeks=1)}
RETAINED = timedelta(days=2)


def create_downtime(organisation: Stored, request: Request) -> Answer:
    attributes = validation.attributes_of(request.body)
    validation.check('downtime', attributes, lambda: _check(attributes, request.now))
    wanted = [attributes['monitor_identifier'], attributes['scope'], attributes.get('schedule')]
    for other in organisation.downtimes.values():
        if other['attributes']['status'] in ('active', 'scheduled') and other['asked'] == wanted:
            # Rule 5.10.
            raise Refusal(400, f'(not recorded) a downtime like this one exists: {other["id"]}')
    schedule, zone = _schedule(attributes, request.now)
    downtime: dict[str, Any] = {
        'type': 'downtime',
        'id': str(uuid.UUID(int=organisation.next_number() << 64 | 0x8C18DA7AD0900002)),
        'asked': wanted,
        'attributes': {
            'message': None,
            'mute_first_recovery_notification': False,
            'notify_end_states': ['alert', 'no data', 'warn'],
            'notify_end_types': ['expired'],
            'canceled': None,
            **attributes,
            'display_timezone': zone,
            'schedule': schedule,
            'created': text_of(request.now),
            'modified': text_of(request.now),
        },
    }
    downtime['attributes']['status'] = _status(downtime, request.now)
    organisation.downtimes[downtime['id']] = downtime
    return Answer(200, _with_author(downtime))


def _check(attributes: Json, now: datetime) -> None:
    _check_scope(attributes['scope'])
    _schedule(attributes, now)


def _schedule(attributes: Json, now: datetime) -> tuple[Json, str]:
    asked = attributes.get('schedule') or {}
    if 'recurrences' not in asked:
        start = asked.get('start') or text_of(now)
        if datetime.fromisoformat(start) < now - timedelta(minutes=1):
            raise Refusal(400, '(not recorded) the start of a downtime must not be in the past')
        return {'start': start, 'end': asked.get('end')}, attributes.get('display_timezone') or 'UTC'
    zone = asked.get('timezone', 'UTC')
    display = attributes.get('display_timezone') or zone
    if display != zone:
        # Rule 5.4.
        raise Refusal(400, '(not recorded) timezone and display_timezone must be equal')
    recurrences = []
    for recurrence in asked['recurrences']:
        if re.search(r'DTSTART|DTEND|DURATION', recurrence['rrule']):
            # Rule 5.5.
            raise Refusal(400, '(not recorded) DTSTART, DTEND and DURATION are not allowed in a recurrence rule')
        start = recurrence.get('start') or now.astimezone(ZoneInfo(zone)).strftime('%Y-%m-%dT%H:%M:%S')
        if datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)) < now - timedelta(minutes=1):
            raise Refusal(400, '(not recorded) the start of a downtime must not be in the past')
        recurrences.append({**recurrence, 'start': start})
    return _at(now, {'timezone': zone, 'recurrences': recurrences}), display


def _at(now: datetime, schedule: Json) -> Json:
    """Return a recurring schedule with the active or next window. Touching windows are not merged (rule 5.7)."""
    zone = ZoneInfo(schedule['timezone'])
    windows = [window for r in schedule['recurrences'] if (window := _next_window(r, zone, now))]
    lasting = {key: schedule[key] for key in ('timezone', 'recurrences')}
    if not windows:
        return lasting
    start, end = min(windows)
    return lasting | {'current_downtime': {'start': text_of(start), 'end': text_of(end)}}


def _next_window(recurrence: Json, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime] | None:
    length = int(recurrence['duration'][:-1]) * UNITS[recurrence['duration'][-1]]
    first = datetime.fromisoformat(recurrence['start'])
    try:
        rule = rrulestr(recurrence['rrule'], dtstart=first)
    except ValueError as error:
        raise Refusal(400, f'(not recorded) the recurrence rule is invalid: {error}') from error
    after = now.astimezone(zone).replace(tzinfo=None) - length
    start = rule.after(after)
    if start is None:
        return None
    start = start.replace(tzinfo=zone).astimezone(UTC)
    return start, start + length


def _status(downtime: Json, now: datetime) -> str:
    attributes = downtime['attributes']
    if attributes['canceled']:
        return 'canceled'
    schedule = attributes['schedule']
    window = schedule.get('current_downtime') if 'recurrences' in schedule else schedule
    if window is None or (window['end'] and datetime.fromisoformat(window['end']) <= now):
        return 'ended'
    return 'scheduled' if datetime.fromisoformat(window['start']) > now else 'active'


def _check_scope(scope: str) -> None:
    words = re.sub(r'\([^)]*\)|"[^"]*"', 'x', scope).split()
    if any(':' not in word and word not in ('*', 'AND', 'OR', 'NOT') for word in words):
        raise Refusal(400, 'All values must have a key')


def _plain(downtime: Json) -> Json:
    return {key: value for key, value in downtime.items() if key != 'asked'}


def _with_author(downtime: Json) -> Json:
    data, included = author_of(downtime['attributes']['created'])
    relationships = {'created_by': {'data': data}, 'monitor': {'data': None}}
    return {'data': _plain(downtime) | {'relationships': relationships}, 'included': [included]}


def _downtime(organisation: Stored, request: Request, missing: str = 'Downtime not found') -> Json:
    try:
        uuid.UUID(request.id)
    except ValueError:
        raise Refusal(400, 'Invalid URL param: downtime_id must be an uuid') from None
    _forget(organisation, request.now)
    if request.id not in organisation.downtimes:
        raise Refusal(404, missing)
    return organisation.downtimes[request.id]


def _forget(organisation: Stored, now: datetime) -> None:
    """Update the downtimes to the present. A cancelled downtime is listed for about two more days."""
    for id, downtime in list(organisation.downtimes.items()):
        canceled = downtime['attributes']['canceled']
        if canceled and now - datetime.fromisoformat(canceled) > RETAINED:
            del organisation.downtimes[id]
            continue
        attributes = downtime['attributes']
        if 'recurrences' in attributes['schedule']:
            attributes['schedule'] = _at(now, attributes['schedule'])
        attributes['status'] = _status(downtime, now)


def get_downtime(organisation: Stored, request: Request) -> Answer:
    return Answer(200, {'data': _plain(_downtime(organisation, request))})


def update_downtime(organisation: Stored, request: Request) -> Answer:
    downtime = _downtime(organisation, request)
    changes = validation.attributes_of(request.body)
    merged = {**downtime['attributes'], **changes}
    validation.check('downtime', merged, lambda: _check_scope(merged['scope']))
    if 'schedule' in changes:
        before, after = downtime['attributes']['schedule'], changes['schedule']
        if 'recurrences' in after:
            merged['schedule'], merged['display_timezone'] = _schedule(merged, request.now)
        else:
            moved = after.get('start', before.get('start')) != before.get('start')
            if moved and downtime['attributes']['status'] == 'active':
                raise Refusal(400, '(not recorded) the start of an active downtime cannot be changed')
            merged['schedule'] = {'start': before.get('start'), 'end': before.get('end')} | after
            if merged['schedule']['start'] is None:
                merged['schedule']['start'] = text_of(request.now)
    asked = [merged['monitor_identifier'], merged['scope'], changes.get('schedule', downtime['asked'][2])]
    updated = {**downtime, 'asked': asked, 'attributes': {**merged, 'modified': text_of(request.now)}}
    updated['attributes']['status'] = _status(updated, request.now)
    organisation.downtimes[downtime['id']] = updated
    return Answer(200, _with_author(updated))


def cancel_downtime(organisation: Stored, request: Request) -> Answer:
    """Cancel a downtime; a second cancellation succeeds too."""
    downtime = _downtime(organisation, request, f'Downtime {request.id} not found')
    if not downtime['attributes']['canceled']:
        instant = text_of(request.now)
        changes = {'canceled': instant, 'modified': instant, 'status': 'canceled'}
        organisation.downtimes[request.id] = {**downtime, 'attributes': {**downtime['attributes'], **changes}}
    return Answer(204)


def list_downtimes(organisation: Stored, request: Request) -> Answer:
    """Return a page of 30 unless `page[limit]` has another number, with cancelled ones unless `current_only`."""
    _forget(organisation, request.now)
    found = [
        _plain(downtime)
        for downtime in organisation.downtimes.values()
        if request.one('current_only') != 'true' or downtime['attributes']['status'] == 'active'
    ]
    start, count = request.number('page[offset]', 0), request.number('page[limit]', 30)
    return Answer(
        200,
        {'data': found[start : start + count], 'meta': {'page': {'total_filtered_count': len(found)}}},
    )
