"""The body of a downtime as the v2 API takes it, read with every fault. Rules 5.1 to 5.5."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.downtime.intervals import Downtime, Once, Path, Recurring
from ddassets.engine.downtime.recurrence import YEARS, Recurrence, RuleFault, parse_duration, parse_rule
from ddassets.language.downtime_scope import Scope, ScopeFault, parse_scope
from ddassets.nearest import did_you_mean

END_STATES = ('alert', 'no data', 'warn')
END_TYPES = ('canceled', 'expired')
MOST_RECURRENCES = 5
MOST_TAGS = 32
LONGEST_TAG = 256

_KEYS = (
    'monitor_identifier',
    'scope',
    'schedule',
    'display_timezone',
    'message',
    'mute_first_recovery_notification',
    'notify_end_states',
    'notify_end_types',
)
# What the API adds to a body that it sends back.
_ANSWERED = ('canceled', 'created', 'modified', 'status')


class Fault(NamedTuple):
    """One thing that the API would refuse, or that cannot be rehearsed. `path` leads to it from the top of the body."""

    path: Path
    message: str
    rule: str

    def __str__(self) -> str:
        return f'{dotted(self.path)}: {self.message}' if self.path else self.message


class DowntimeError(UnusableInputError):
    """A body that is no downtime, with every fault of it."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        more = f' (and {len(faults) - 1} more)' if len(faults) > 1 else ''
        super().__init__(f'{name}: {faults[0]}{more}', '\n'.join(map(str, faults[1:])))
        self.faults = tuple(faults)


def dotted(path: Path) -> str:
    """Write a path as `data.attributes.schedule.recurrences[0].rrule`."""
    return ''.join(f'[{part}]' if isinstance(part, int) else f'.{part}' for part in path).removeprefix('.')


def parse(body: object, name: str) -> Downtime:
    """Read a v2 body, whole (`{"data": …}`) or its attributes alone.

    Raises DowntimeError with every fault.
    """
    reader = _Reader()
    downtime = reader.body(body, name)
    if downtime is None or reader.faults:
        raise DowntimeError(name, reader.faults)
    return downtime


class _Reader:
    """Walks the body and notes every fault on the way; a part with a fault is None."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: Path, message: str, rule: str = '5.1') -> None:
        self.faults.append(Fault(path, message, rule))

    def body(self, body: object, name: str) -> Downtime | None:
        path: Path = ()
        if isinstance(body, Mapping) and 'data' in body:
            data = self.mapping(body['data'], ('data',), '5.1')
            if data is None:
                return None
            if data.get('type') != 'downtime':
                self.fault(('data', 'type'), f"expected 'downtime', found {_shown(data.get('type'))}")
            path, body = ('data', 'attributes'), data.get('attributes')
        attributes = self.mapping(body, path, '5.1')
        if attributes is None:
            return None
        self.keys(attributes, path, (*_KEYS, *_ANSWERED), '5.1')
        identifier = self.required(attributes, 'monitor_identifier', path)
        monitor_id, monitor_tags = self.monitors(identifier, (*path, 'monitor_identifier'))
        schedule, zone = self.schedule(attributes.get('schedule'), (*path, 'schedule'))
        shown = attributes.get('display_timezone')
        if shown is not None:
            display = self.zone(shown, (*path, 'display_timezone'))
            if display and isinstance(schedule, Recurring) and display.key != schedule.zone.key:
                self.fault(
                    (*path, 'display_timezone'),
                    f'expected the schedule.timezone {schedule.zone.key!r}, found {display.key!r}',
                    '5.4',
                )
            zone = zone or display
        message = attributes.get('message')
        if not isinstance(message, str | None):
            self.fault((*path, 'message'), f'expected a text, found {_shown(message)}', '5.22')
        mute = attributes.get('mute_first_recovery_notification', False)
        if not isinstance(mute, bool):
            self.fault(
                (*path, 'mute_first_recovery_notification'), f'expected true or false, found {_shown(mute)}', '5.17'
            )
        scope = self.scope(self.required(attributes, 'scope', path), (*path, 'scope'))
        states = self.choices(attributes, 'notify_end_states', END_STATES, END_STATES, path)
        types = self.choices(attributes, 'notify_end_types', END_TYPES, ('expired',), path)
        if self.faults or scope is None or schedule is None:
            return None
        return Downtime(
            name=name,
            monitor_id=monitor_id,
            monitor_tags=monitor_tags,
            scope=scope,
            schedule=schedule,
            zone=zone or ZoneInfo('UTC'),
            message=str(message or ''),
            mute_first_recovery=mute is True,
            notify_end_states=states,
            notify_end_types=types,
        )

    def monitors(self, value: object, path: Path) -> tuple[int | None, tuple[str, ...]]:
        nothing: tuple[None, tuple[str, ...]] = (None, ())
        identifier = self.mapping(value, path, '5.2') if value is not None else None
        if identifier is None:
            return nothing
        self.keys(identifier, path, ('monitor_id', 'monitor_tags'), '5.2')
        if ('monitor_id' in identifier) == ('monitor_tags' in identifier):
            self.fault(path, 'expected either monitor_id or monitor_tags', '5.2')
            return nothing
        if 'monitor_id' in identifier:
            number = identifier['monitor_id']
            if isinstance(number, int) and not isinstance(number, bool) and number > 0:
                return number, ()
            self.fault((*path, 'monitor_id'), f'expected the number of a monitor, found {_shown(number)}', '5.2')
            return nothing
        tags, path = identifier['monitor_tags'], (*path, 'monitor_tags')
        if not isinstance(tags, list) or not 1 <= len(tags) <= MOST_TAGS:
            self.fault(path, f'expected a list of 1 to {MOST_TAGS} tags, found {_shown(tags)}', '5.2')
            return nothing
        for index, tag in enumerate(tags):
            if not isinstance(tag, str) or not 1 <= len(tag) <= LONGEST_TAG:
                self.fault(
                    (*path, index), f'expected a tag of at most {LONGEST_TAG} characters, found {_shown(tag)}', '5.2'
                )
        return None, tuple(map(str, tags))

    def scope(self, value: object, path: Path) -> Scope | None:
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.fault(path, f'expected a scope such as `*` or `env:prod`, found {_shown(value)}', '5.14')
            return None
        try:
            return parse_scope(value)
        except ScopeFault as fault:
            self.fault(path, str(fault), fault.rule)
            return None

    def schedule(self, value: object, path: Path) -> tuple[Once | Recurring | None, ZoneInfo | None]:
        if value is None:
            return Once(), None
        schedule = self.mapping(value, path, '5.3')
        if schedule is None:
            return None, None
        if 'recurrences' not in schedule and 'timezone' not in schedule:
            self.keys(schedule, path, ('start', 'end'), '5.3')
            return self.once(schedule, path), None
        self.keys(schedule, path, ('timezone', 'recurrences', 'current_downtime'), '5.4')
        zone = self.zone(schedule.get('timezone', 'UTC'), (*path, 'timezone'))
        path = (*path, 'recurrences')
        items = schedule.get('recurrences')
        if not isinstance(items, list) or not 1 <= len(items) <= MOST_RECURRENCES:
            found = f'a list of {len(items)}' if isinstance(items, list) else _shown(items)
            self.fault(path, f'expected a list of 1 to {MOST_RECURRENCES} recurrences, found {found}', '5.4')
            items = items if isinstance(items, list) else []
        recurrences = [self.recurrence(item, (*path, index)) for index, item in enumerate(items)]
        if zone is None or self.faults:
            return None, zone
        return Recurring(zone, tuple(recurrence for recurrence in recurrences if recurrence)), zone

    def once(self, schedule: Mapping[str, object], path: Path) -> Once:
        bounds = {}
        for key in ('start', 'end'):
            text = schedule.get(key)
            if text is None:
                continue
            moment = _moment(text)
            # Datetimes with an offset compare equal to zero in UTC alone.
            if moment is None or moment.utcoffset() != timedelta(0):
                self.fault(
                    (*path, key),
                    f'expected a time of offset zero such as 2027-01-03T19:00:00+00:00, found {_shown(text)}',
                    '5.3',
                )
            else:
                bounds[key] = int(moment.timestamp())
        if len(bounds) == 2 and bounds['end'] <= bounds['start']:
            self.fault((*path, 'end'), f'expected a time after the start, found {_shown(schedule["end"])}', '5.3')
        return Once(bounds.get('start'), bounds.get('end'))

    def recurrence(self, value: object, path: Path) -> Recurrence | None:
        item = self.mapping(value, path, '5.4')
        if item is None:
            return None
        self.keys(item, path, ('start', 'duration', 'rrule'), '5.4')
        found = len(self.faults)
        text = self.required(item, 'start', path, '5.4')
        start = _moment(text)
        if text is not None and (start is None or start.tzinfo is not None):
            self.fault(
                (*path, 'start'),
                f'expected a local time without offset such as 2027-01-03T19:00:00, found {_shown(text)}',
                '5.4',
            )
        duration = self.text(item, 'duration', path)
        seconds = 0
        if duration is not None:
            try:
                seconds = parse_duration(duration)
            except RuleFault as refused:
                self.fault((*path, 'duration'), str(refused), refused.rule)
        rrule = self.text(item, 'rrule', path)
        rule, faults = parse_rule(rrule) if rrule is not None else (None, [])
        for fault in faults:
            self.fault((*path, 'rrule'), str(fault), fault.rule)
        if start is None or rule is None or len(self.faults) > found:
            return None
        recurrence = Recurrence(start, seconds, rule)
        if not recurrence.ever():
            self.fault((*path, 'rrule'), f'{rrule!r} from {start.isoformat()} on never happens', '5.8')
            return None
        return recurrence

    def zone(self, value: object, path: Path) -> ZoneInfo | None:
        # The Debian names `localtime`, `posixrules` and `Factory` say nothing of where.
        if isinstance(value, str) and value not in ('localtime', 'posixrules', 'Factory'):
            try:
                return ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                pass
        close = did_you_mean(value, available_timezones()) if isinstance(value, str) else ''
        self.fault(path, f'expected a time zone such as Europe/Berlin, found {_shown(value)}{close}', '5.4')
        return None

    def choices(
        self, attributes: Mapping[str, object], key: str, allowed: Sequence[str], default: Sequence[str], path: Path
    ) -> frozenset[str]:
        values = attributes.get(key)
        if values is None:
            return frozenset(default)
        if not isinstance(values, list):
            self.fault((*path, key), f'expected a list of {", ".join(allowed)}, found {_shown(values)}', '5.18')
            return frozenset()
        for index, value in enumerate(values):
            if value not in allowed:
                close = did_you_mean(value, allowed) if isinstance(value, str) else ''
                self.fault((*path, key, index), f'expected {", ".join(allowed)}, found {_shown(value)}{close}', '5.18')
        return frozenset(value for value in values if isinstance(value, str))

    def mapping(self, value: object, path: Path, rule: str) -> Mapping[str, object] | None:
        if isinstance(value, Mapping):
            return value
        self.fault(path, f'expected an object with keys, found {_shown(value)}', rule)
        return None

    def keys(self, value: Mapping[str, object], path: Path, known: Sequence[str], rule: str) -> None:
        for key in value:
            if key not in known:
                allowed = [name for name in known if name not in _ANSWERED]
                self.fault(
                    path, f'unknown key {str(key)!r}{did_you_mean(str(key), known)}; known: {", ".join(allowed)}', rule
                )

    def required(self, value: Mapping[str, object], key: str, path: Path, rule: str = '5.1') -> object:
        if value.get(key) is None:
            self.fault(path, f'{key} is missing', rule)
        return value.get(key)

    def text(self, value: Mapping[str, object], key: str, path: Path) -> str | None:
        found = self.required(value, key, path, '5.4')
        if found is None or isinstance(found, str):
            return found
        self.fault((*path, key), f'expected a text, found {_shown(found)}', '5.4')
        return None


def _moment(value: object) -> datetime | None:
    """Read ISO 8601 to the minute or the second, with or without offset, in the years that are supported."""
    if isinstance(value, str) and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?', value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.year in YEARS:
            return moment.replace(microsecond=0)
    return None


def _shown(value: object) -> str:
    if value is None:
        return 'nothing'
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '…'
