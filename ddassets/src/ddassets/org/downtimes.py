"""Downtimes. Their start is the trouble: one that is past is refused, and the file keeps it for ever.

A schedule is therefore sent as what is left of it: from its next occurrence on, with what remains of its COUNT. Two
schedules are the same where the same is left of them.
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
from ddassets.engine.downtime.recurrence import Recurrence
from ddassets.language.recurrence import RuleFault, parse_duration
from ddassets.org.kind import Body, Kind, drop_defaults, instant, load_model, tidy
from ddassets.org.marker import Marker, in_text, with_sentence, without_sentence
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
# Seconds between the sending of a downtime that starts at once, and its creation.
AT_ONCE = 60
_YEARS = 12 * 366 * 86400


class Downtimes(Kind):
    name = 'downtime'
    plural = 'downtimes'
    path = '/api/v2/downtime'
    method = 'PATCH'
    # No page of a single downtime is documented.
    page = '/monitors/downtimes?downtimeId={id}'
    # Rule 5.10.
    excludes_equals = True
    # The maximum size of a page is not documented.
    full_pages = False

    def body(self, asset: bundle.Asset) -> Body:
        body = asset.cleaned()
        schedule = body.get('schedule')
        if isinstance(schedule, Mapping) and isinstance(schedule.get('timezone'), str):
            # Rule 5.4: the two have to be the same, and the one that is left out is UTC.
            body.setdefault('display_timezone', schedule['timezone'])
        return body

    def title(self, body: Body) -> str:
        words = without_sentence(str(body.get('message') or '')).strip().partition('\n')[0].split()
        # Who is told says little of what it is.
        return ' '.join(dropwhile(lambda word: word.startswith('@'), words)) or str(body.get('scope') or '')

    def faults(self, body: Body) -> Iterator[Fault]:
        for fault in faults(self.request(body), load_model('v2', 'DowntimeCreateRequest')):
            yield Fault(fault.path[2:], fault.message)

    def request(self, body: Body, id: str = '') -> Body:
        return {'data': {**({'id': id} if id else {}), 'type': 'downtime', 'attributes': body}}

    def answered(self, answer: Any) -> tuple[str, Body]:
        return str(answer['data']['id']), dict(answer['data']['attributes'])

    def listed(self, entry: Body) -> Any:
        return entry.get('attributes')

    def marker(self, body: Body) -> Marker | None:
        return in_text(body.get('message'))

    def is_live(self, body: Body) -> bool:
        # Canceled downtimes are listed for two more days.
        return body.get('status') in LIVE

    def canonical(self, body: Body) -> dict[str, Any]:
        kept = {key: tidy(body[key]) for key in WRITABLE if body.get(key) is not None}
        kept['message'] = without_sentence(str(kept.get('message', ''))).strip()
        kept['scope'] = str(kept.get('scope', '')).strip()
        identifier = kept.get('monitor_identifier', {})
        if 'monitor_tags' in identifier:
            kept['monitor_identifier'] = {'monitor_tags': sorted({tag.lower() for tag in identifier['monitor_tags']})}
        for key in _SETS:
            kept[key] = sorted(kept.get(key, DEFAULTS[key]))
        kept['schedule'] = _schedule(kept.get('schedule', {}), body.get('created'))
        default_zone = kept['schedule'].get('timezone', 'UTC')
        return drop_defaults(kept, {**DEFAULTS, 'display_timezone': default_zone})

    def present(self, canonical: dict[str, Any], now: float) -> dict[str, Any] | None:
        schedule = canonical.get('schedule')
        left = _left(schedule, now) if schedule else {}
        return None if left is None else drop_defaults({**canonical, 'schedule': left}, DEFAULTS)

    def mark(self, body: Body, marker: Marker) -> Body:
        return {**body, 'message': with_sentence(without_sentence(str(body.get('message') or '')), marker)}

    def outgoing(self, body: Body, now: float) -> Body:
        left = _left(body['schedule'], now) if body.get('schedule') else None
        return {**body, 'schedule': left} if left else {k: v for k, v in body.items() if k != 'schedule'}

    def changes(self, body: Body, stored: Body, now: float) -> Body:
        """Only what differs: a schedule that is said again would be judged again, its start being past by now."""
        new = self.present(self.canonical(body), now) or {}
        old = self.present(self.canonical(stored), now) or {}
        zone = (body.get('schedule') or {}).get('timezone', 'UTC')
        said: dict[str, Any] = {
            key: body.get(key, {**DEFAULTS, 'display_timezone': zone}.get(key))
            for key in WRITABLE
            if new.get(key) != old.get(key)
        }
        if 'schedule' in said:
            left = new.get('schedule', {})
            if 'recurrences' not in left:
                said['schedule'] = {'end': left.get('end')}
                if stored.get('status') != 'active':
                    said['schedule']['start'] = left.get('start')
            else:
                said['schedule'] = left
        # It carries the marker.
        return {**said, 'message': body.get('message', '')}

    def merged(self, stored: Body, changes: Body) -> Body:
        schedule = changes.get('schedule')
        if schedule is not None and 'recurrences' not in schedule:
            before = stored.get('schedule') or {}
            changes = {**changes, 'schedule': {key: before.get(key) for key in ('start', 'end')} | schedule}
        return {**stored, **changes}

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        """The start of an active downtime stays as it is."""
        if stored.get('status') != 'active':
            return False
        new = (self.present(self.canonical(desired), now) or {}).get('schedule', {})
        old = (self.present(self.canonical(stored), now) or {}).get('schedule', {})
        return bool({**new, 'end': None} != {**old, 'end': None})

    def stands_in_the_way(self, desired: Body, stored: Body, now: float) -> bool:
        """Rule 5.10: a second one for the same monitors, scope and times is refused."""
        return bool(self.silenced(desired, now) == self.silenced(stored, now))

    def silenced(self, body: Body, now: float) -> Any:
        left = self.present(self.canonical(body), now)
        return left and [left.get(key) for key in ('monitor_identifier', 'scope', 'schedule')]

    def notes(self, body: Body, now: float) -> Iterator[str]:
        """What of the file is not done, because it lies in the past."""
        try:
            downtime = parse(body, '')
        except UnusableInputError:
            return
        if any(True for _ in downtime.intervals(now, now + 1)) and isinstance(downtime.schedule, Recurring):
            end = max(interval.end for interval in downtime.intervals(now, now + 1))
            until = datetime.fromtimestamp(end, downtime.zone)
            yield (
                f'the occurrence under way until {until:%Y-%m-%d %H:%M} is not silenced: '
                'Datadog takes no start in the past'
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
    # The server answers the instant of creation where none was given.
    if created and 'start' in found and instant(found['start']) <= instant(created) + AT_ONCE:
        del found['start']
    return found


def _local(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _length(text: Any) -> Any:
    """`24h` is `1d`."""
    try:
        seconds = parse_duration(text)
    except (TypeError, RuleFault):
        return text
    count, unit = duration.in_one_unit(seconds, ('w', 'd', 'h', 'm'))
    return f'{count}{unit}'


def _left(schedule: Mapping[str, Any], now: float) -> dict[str, Any] | None:
    """What is left of a schedule; None where nothing is."""
    try:
        parsed = parse({'monitor_identifier': {'monitor_tags': ['*']}, 'scope': '*', 'schedule': schedule}, '').schedule
    except UnusableInputError:
        # Made elsewhere, by rules that we do not know.
        return dict(schedule)
    if isinstance(parsed, Once):
        if parsed.end is not None and parsed.end <= now:
            return None
        return {k: v for k, v in _once(schedule, None).items() if k == 'end' or instant(v) > now}
    recurrences = [
        _recurrence_left(recurrence, source, parsed.zone, now)
        for recurrence, source in zip(parsed.recurrences, schedule['recurrences'], strict=True)
    ]
    left = [recurrence for recurrence in recurrences if recurrence]
    return {'timezone': parsed.zone.key, 'recurrences': left} if left else None


def _recurrence_left(
    recurrence: Recurrence, source: Mapping[str, Any], zone: ZoneInfo, now: float
) -> dict[str, Any] | None:
    sent = {'start': recurrence.start, 'duration': _length(source['duration']), 'rrule': source['rrule']}
    if recurrence.start is None:
        # It starts when Datadog creates it.
        return {key: value for key, value in sent.items() if key != 'start'}
    if recurrence.start.replace(tzinfo=zone).timestamp() <= now:
        following = next(recurrence.occurrences(zone, int(now) + 1, int(now) + _YEARS), None)
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
