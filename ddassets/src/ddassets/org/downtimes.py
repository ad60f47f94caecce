"""Downtimes. Datadog refuses a start in the past, but a file keeps its start.

So the remaining schedule is sent: from the next occurrence on, with the rest of COUNT. Two schedules are equal if their
remaining schedules are equal.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Any
from zoneinfo import ZoneInfo

from ddassets import assets as bundle
from ddassets import duration
from ddassets.assets.downtime import DowntimeFields
from ddassets.assets.option import ListOf, options_of
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.downtime.intervals import Once, Recurring
from ddassets.engine.downtime.parsing import parse
from ddassets.engine.recurrence import Recurrence
from ddassets.language.recurrence import RuleFault, parse_duration
from ddassets.org.changes import Changes, addressed, narrowed_scope
from ddassets.org.kind import Body, Kind, drop_defaults, instant, load_model, normalised
from ddassets.org.marker import Marker, in_text, text_with_marker, text_without_marker
from ddassets.org.schema import Fault, faults

WRITABLE = tuple(options_of(DowntimeFields))
# Datadog keeps them as sets.
_SETS = tuple(key for key, row in options_of(DowntimeFields).items() if isinstance(row.value, ListOf))
# The values of absent keys. An update does not reset an absent key, so it sends these values.
DEFAULTS: Mapping[str, Any] = {
    **{key: row.absent for key, row in options_of(DowntimeFields).items() if isinstance(row.absent, str | bool)},
    **{key: sorted(options_of(DowntimeFields)[key].absent) for key in _SETS},
    'schedule': {},
}
LIVE = ('active', 'scheduled')
# Maximum of seconds between the creation of a downtime without a start, and the start that the server stores.
CREATION_DELAY = 60
# Seconds in which the next occurrence must be.
_HORIZON = 12 * 366 * 86400


class Downtimes(Kind):
    asset = bundle.Downtime
    name = 'downtime'
    plural = 'downtimes'
    path = '/api/v2/downtime'
    method = 'PATCH'
    # No page of a single downtime is documented.
    page = '/monitors/downtimes?downtimeId={id}'
    # Rule 5.10.
    refuses_duplicates = True
    # The maximum size of a page is not documented.
    full_pages = False
    permissions = ('monitors_downtime', 'monitors_downtime')

    def body(self, asset: bundle.Asset) -> Body:
        body = asset.cleaned()
        schedule = body.get('schedule')
        if isinstance(schedule, Mapping) and isinstance(schedule.get('timezone'), str):
            # Rule 5.4: both time zones must be equal, and a missing one is UTC.
            body.setdefault('display_timezone', schedule['timezone'])
        return body

    def title(self, body: Body) -> str:
        """Return the first line of the message without the handles before it; without a message, the scope."""
        words = text_without_marker(str(body.get('message') or '')).strip().partition('\n')[0].split()
        return ' '.join(dropwhile(lambda word: word.startswith('@'), words)) or str(body.get('scope') or '')

    def faults(self, body: Body) -> Iterator[Fault]:
        for fault in faults(self.request(body), load_model('v2', 'DowntimeCreateRequest')):
            yield Fault(fault.path[2:], fault.message)

    def request(self, body: Body, id: str = '') -> Body:
        return {'data': {**({'id': id} if id else {}), 'type': 'downtime', 'attributes': body}}

    def from_answer(self, answer: Any) -> tuple[str, Body]:
        return str(answer['data']['id']), dict(answer['data']['attributes'])

    def entry_body(self, entry: Body) -> Any:
        return entry.get('attributes')

    def changed(self, asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
        assert isinstance(asset, bundle.Downtime)
        body['message'] = addressed(asset, ('message',), body.get('message') or '', changes)
        if changes.tags:
            body['scope'] = narrowed_scope(asset, changes.tags)
        if changes.timezone:
            # The API refuses different time zones (rule 5.4).
            body['display_timezone'] = changes.timezone
            if (body.get('schedule') or {}).get('recurrences'):
                body['schedule'] = {**body['schedule'], 'timezone': changes.timezone}
        return body

    def marker(self, body: Body) -> Marker | None:
        return in_text(body.get('message'))

    def is_live(self, body: Body) -> bool:
        # Canceled downtimes stay in listings for two days.
        return body.get('status') in LIVE

    def canonical(self, body: Body) -> dict[str, Any]:
        kept = {key: normalised(body[key]) for key in WRITABLE if body.get(key) is not None}
        kept['message'] = text_without_marker(str(kept.get('message', ''))).strip()
        kept['scope'] = str(kept.get('scope', '')).strip()
        identifier = kept.get('monitor_identifier', {})
        if 'monitor_tags' in identifier:
            kept['monitor_identifier'] = {'monitor_tags': sorted({tag.lower() for tag in identifier['monitor_tags']})}
        for key in _SETS:
            kept[key] = sorted(kept.get(key, DEFAULTS[key]))
        kept['schedule'] = _schedule(kept.get('schedule', {}), body.get('created'))
        default_zone = kept['schedule'].get('timezone', 'UTC')
        return drop_defaults(kept, {**DEFAULTS, 'display_timezone': default_zone})

    def remaining(self, canonical: dict[str, Any], now: float) -> dict[str, Any] | None:
        schedule = canonical.get('schedule')
        remaining = _remaining(schedule, now) if schedule else {}
        return None if remaining is None else drop_defaults({**canonical, 'schedule': remaining}, DEFAULTS)

    def mark(self, body: Body, marker: Marker) -> Body:
        return {**body, 'message': text_with_marker(text_without_marker(str(body.get('message') or '')), marker)}

    def for_creation(self, body: Body, now: float) -> Body:
        remaining = _remaining(body['schedule'], now) if body.get('schedule') else None
        return {**body, 'schedule': remaining} if remaining else {k: v for k, v in body.items() if k != 'schedule'}

    def changes(self, body: Body, stored: Body, now: float) -> Body:
        """Return only the keys that differ: an unchanged schedule would be refused, since its start is in the past."""
        new = self.remaining(self.canonical(body), now) or {}
        old = self.remaining(self.canonical(stored), now) or {}
        zone = (body.get('schedule') or {}).get('timezone', 'UTC')
        changed: dict[str, Any] = {
            key: body.get(key, {**DEFAULTS, 'display_timezone': zone}.get(key))
            for key in WRITABLE
            if new.get(key) != old.get(key)
        }
        if 'schedule' in changed:
            schedule = new.get('schedule', {})
            if 'recurrences' not in schedule:
                changed['schedule'] = {'end': schedule.get('end')}
                if stored.get('status') != 'active':
                    changed['schedule']['start'] = schedule.get('start')
            else:
                changed['schedule'] = schedule
        # The message contains the marker.
        return {**changed, 'message': body.get('message', '')}

    def merged(self, stored: Body, changes: Body) -> Body:
        schedule = changes.get('schedule')
        if schedule is not None and 'recurrences' not in schedule:
            before = stored.get('schedule') or {}
            changes = {**changes, 'schedule': {key: before.get(key) for key in ('start', 'end')} | schedule}
        return {**stored, **changes}

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether more than the end of an active downtime changes: its start is fixed."""
        if stored.get('status') != 'active':
            return False
        new = (self.remaining(self.canonical(desired), now) or {}).get('schedule', {})
        old = (self.remaining(self.canonical(stored), now) or {}).get('schedule', {})
        return bool({**new, 'end': None} != {**old, 'end': None})

    def conflicts(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether both have the same monitors, scope and times (rule 5.10)."""
        return bool(self._coverage(desired, now) == self._coverage(stored, now))

    def _coverage(self, body: Body, now: float) -> Any:
        remaining = self.remaining(self.canonical(body), now)
        return remaining and [remaining.get(key) for key in ('monitor_identifier', 'scope', 'schedule')]

    def notes(self, body: Body, now: float) -> Iterator[str]:
        """Yield a note about an occurrence that has started already, and so is not muted."""
        try:
            downtime = parse(body, '')
        except UnusableInputError:
            return
        if any(True for _ in downtime.intervals(now, now + 1)) and isinstance(downtime.schedule, Recurring):
            end = max(interval.end for interval in downtime.intervals(now, now + 1))
            until = datetime.fromtimestamp(end, downtime.zone)
            yield (
                f'the current occurrence, until {until:%Y-%m-%d %H:%M}, is not muted: '
                'Datadog accepts no start in the past'
            )


def _schedule(schedule: Mapping[str, Any], created: str | None) -> dict[str, Any]:
    if 'recurrences' not in schedule:
        return _once(schedule, created)
    return {
        'timezone': schedule.get('timezone', 'UTC'),
        'recurrences': [
            {
                **({'start': start.strftime('%Y-%m-%dT%H:%M:%S')} if (start := _local(one.get('start'))) else {}),
                'duration': _length(one.get('duration')),
                'rrule': one.get('rrule'),
            }
            for one in schedule['recurrences']
        ],
    }


def _once(schedule: Mapping[str, Any], created: str | None) -> dict[str, Any]:
    found = {}
    for key in ('start', 'end'):
        if schedule.get(key):
            try:
                found[key] = datetime.fromtimestamp(instant(schedule[key]), UTC).strftime('%Y-%m-%dT%H:%M:%SZ')
            except ValueError:
                found[key] = schedule[key]
    # For a downtime without a start, the server stores the instant of its creation.
    if created and 'start' in found and instant(found['start']) <= instant(created) + CREATION_DELAY:
        del found['start']
    return found


def _local(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _length(text: Any) -> Any:
    """Return a duration in its largest unit: 24h is 1d."""
    try:
        seconds = parse_duration(text)
    except (TypeError, RuleFault):
        return text
    count, unit = duration.in_one_unit(seconds, ('w', 'd', 'h', 'm'))
    return f'{count}{unit}'


def _remaining(schedule: Mapping[str, Any], now: float) -> dict[str, Any] | None:
    """Return the part of a schedule from `now` on; None if it has ended."""
    try:
        parsed = parse({'monitor_identifier': {'monitor_tags': ['*']}, 'scope': '*', 'schedule': schedule}, '').schedule
    except UnusableInputError:
        # Not created by ddassets, and not in a form that it evaluates.
        return dict(schedule)
    if isinstance(parsed, Once):
        if parsed.end is not None and parsed.end <= now:
            return None
        return {k: v for k, v in _once(schedule, None).items() if k == 'end' or instant(v) > now}
    recurrences = [
        _remaining_recurrence(recurrence, source, parsed.zone, now)
        for recurrence, source in zip(parsed.recurrences, schedule['recurrences'], strict=True)
    ]
    remaining = [recurrence for recurrence in recurrences if recurrence]
    return {'timezone': parsed.zone.key, 'recurrences': remaining} if remaining else None


def _remaining_recurrence(
    recurrence: Recurrence, source: Mapping[str, Any], zone: ZoneInfo, now: float
) -> dict[str, Any] | None:
    sent = {'start': recurrence.start, 'duration': _length(source['duration']), 'rrule': source['rrule']}
    if recurrence.start is None:
        # It starts at its creation.
        return {key: value for key, value in sent.items() if key != 'start'}
    if recurrence.start.replace(tzinfo=zone).timestamp() <= now:
        following = next(recurrence.occurrences(zone, int(now) + 1, int(now) + _HORIZON), None)
        if following is None:
            return None
        sent['start'] = datetime.fromtimestamp(following.start, zone).replace(tzinfo=None)
        if recurrence.rule.count is not None:
            begin = int((recurrence.start - timedelta(days=2)).replace(tzinfo=UTC).timestamp())
            gone = sum(1 for _ in recurrence.occurrences(zone, begin, following.start - 1))
            sent['rrule'] = re.sub(
                r'(?i)\bCOUNT=\d+', f'COUNT={recurrence.rule.count - gone}', str(source['rrule']), count=1
            )
    return {**sent, 'start': sent['start'].strftime('%Y-%m-%dT%H:%M:%S')}
