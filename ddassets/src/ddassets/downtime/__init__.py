"""Downtimes: when, and for which groups of which monitors, notifications are silenced. Section 5 of the semantics.

`parse` reads the body that the v2 API takes; `Downtime.intervals` says when it is active. Instants are Unix seconds.
Nothing here reads a clock.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from ddassets.downtime.recurrence import (
    YEARS,
    Occurrence,
    Recurrence,
    Rule,
    RuleFault,
    nearest,
    parse_duration,
    parse_rule,
)
from ddassets.downtime.scope import Scope, ScopeFault, parse_scope
from ddassets.errors import UnusableInputError

__all__ = [
    'Downtime',
    'DowntimeError',
    'Fault',
    'Interval',
    'Occurrence',
    'Once',
    'Recurrence',
    'Recurring',
    'Rule',
    'Scope',
    'clock_differences',
    'merge',
    'odd_openings',
    'openings',
    'parse',
]

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

type Path = tuple[str | int, ...]
type Clock = Literal['elapsed', 'wall']


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


class Interval(NamedTuple):
    """Half open, `start` included and `end` not (rule 5.11). Unix seconds; infinite where there is no bound."""

    start: float
    end: float


@dataclass(frozen=True)
class Once:
    """From `start` to `end`. No start: active already; no end: for ever. Rule 5.3."""

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Recurring:
    """One to five recurrences in one time zone. Rule 5.4."""

    zone: ZoneInfo
    recurrences: tuple[Recurrence, ...]


@dataclass(frozen=True)
class Downtime:
    """One downtime. `name` is what reports call it: the API knows none. `zone` is the one in which it is shown.

    Exactly one of `monitor_id` and `monitor_tags` is set (rule 5.2).
    """

    name: str
    monitor_id: int | None
    monitor_tags: tuple[str, ...]
    scope: Scope
    schedule: Once | Recurring
    zone: ZoneInfo
    message: str
    mute_first_recovery: bool
    notify_end_states: frozenset[str]
    notify_end_types: frozenset[str]

    def intervals(self, start: float, end: float, clock: Clock = 'elapsed') -> list[Interval]:
        """Return when it is active, in order, merged (rule 5.7): the intervals that overlap [start, end).

        Bounds inside [start, end] are exact. An interval that crosses a bound of the question may reach further than
        told, for what lies beyond is not expanded. `clock` says what a duration measures (A13).
        """
        if isinstance(self.schedule, Once):
            first, last = self.schedule.start, self.schedule.end
            whole = [Interval(-math.inf if first is None else first, math.inf if last is None else last)]
        else:
            whole = merge(
                Interval(occurrence.start, occurrence.elapsed_end if clock == 'elapsed' else occurrence.wall_end)
                for occurrence in self.occurrences(start, end)
            )
        return [interval for interval in whole if interval.start < end and interval.end > start]

    def occurrences(self, start: float, end: float) -> Iterator[Occurrence]:
        """Yield each occurrence of each recurrence that may touch [start, end], not in order."""
        if isinstance(self.schedule, Recurring):
            for recurrence in self.schedule.recurrences:
                # A day more: the clock may lengthen an occurrence.
                after = int(max(start, 0)) - recurrence.duration - 86400
                yield from recurrence.occurrences(self.schedule.zone, after, math.ceil(min(end, 1e10)))

    def matches_group(self, tags: Iterable[str]) -> bool:
        """Say whether the scope covers a group with these `key:value` tags, those of the monitor's filter included."""
        return self.scope.matches(tags)

    def matches_monitor(self, monitor_id: int | None, tags: Iterable[str]) -> bool:
        """Say whether the downtime is for this monitor. Rule 5.2: all of the tags must match; `*` is every monitor."""
        if self.monitor_id is not None:
            return monitor_id == self.monitor_id
        return '*' in self.monitor_tags or set(self.monitor_tags) <= set(tags)

    def notifies_at_end(self, state: str, cause: str = 'expired') -> bool:
        """Say whether its end sends a notification for a group in this state: `alert`, `warn`, `no data`. Rule 5.18."""
        return state in self.notify_end_states and cause in self.notify_end_types

    def assumptions(self, start: float, end: float) -> tuple[str, ...]:
        """Return the ids of the pinned defaults that `intervals(start, end)` and the ends in it rely upon."""
        if isinstance(self.schedule, Once):
            return ()
        relied = ['A13'] if clock_differences([self], start, end) else []
        # Who wants to hear of both ends or of none gets the same either way.
        if len(self.notify_end_types) == 1 and self.notify_end_states:
            relied += ['A14'] if any(start < interval.end <= end for interval in self.intervals(start, end)) else []
        return tuple(relied)

    def starts(self) -> Iterator[tuple[Path, int]]:
        """Yield the path, within `schedule`, and the instant of each start. Rule 5.10: the API refuses a past one."""
        if isinstance(self.schedule, Recurring):
            for index, recurrence in enumerate(self.schedule.recurrences):
                local = recurrence.start.replace(tzinfo=self.schedule.zone)
                yield ('recurrences', index, 'start'), int(local.timestamp())
        elif self.schedule.start is not None:
            yield ('start',), self.schedule.start

    def late_dates(self) -> Iterator[Path]:
        """Yield the path, within `schedule`, of each date from 2038 on. Rule 5.13: the API's clock may be off there."""
        if isinstance(self.schedule, Recurring):
            for index, recurrence in enumerate(self.schedule.recurrences):
                if recurrence.start.year >= 2038:
                    yield ('recurrences', index, 'start')
                if recurrence.rule.until and recurrence.rule.until.year >= 2038:
                    yield ('recurrences', index, 'rrule')
        else:
            for key, instant in (('start', self.schedule.start), ('end', self.schedule.end)):
                if instant is not None and datetime.fromtimestamp(instant, UTC).year >= 2038:
                    yield (key,)

    def same_as(self, other: 'Downtime') -> bool:
        """Say whether the API would refuse one beside the other as a duplicate. Rule 5.10."""
        return (
            (self.monitor_id, frozenset(self.monitor_tags)) == (other.monitor_id, frozenset(other.monitor_tags))
            and self.scope == other.scope
            and self.schedule == other.schedule
        )


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return disjoint intervals in order; those that overlap or touch become one. Rule 5.7."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        elif interval.start < interval.end:
            merged.append(interval)
    return merged


def clock_differences(downtimes: Iterable[Downtime], start: float, end: float) -> list[tuple[Interval, Clock]]:
    """Return when it matters whether a duration is elapsed or wall time (rule 5.12, A13), and which of them mutes then.

    Several downtimes for the same monitors are taken together: one may be active where another's end moves.
    """
    together = list(downtimes)
    elapsed, wall = (
        merge(interval for downtime in together for interval in downtime.intervals(start, end, clock))
        for clock in _CLOCKS
    )
    return sorted(
        [(interval, 'elapsed') for interval in _without(elapsed, wall, start, end)]
        + [(interval, 'wall') for interval in _without(wall, elapsed, start, end)]
    )


_CLOCKS: tuple[Clock, Clock] = ('elapsed', 'wall')


def _without(these: Iterable[Interval], those: Sequence[Interval], start: float, end: float) -> Iterator[Interval]:
    """Yield what these cover and those do not, inside [start, end)."""
    for these_start, these_end in these:
        at, stop = max(these_start, start), min(these_end, end)
        for those_start, those_end in those:
            if those_end > at and those_start < stop:
                if those_start > at:
                    yield Interval(at, those_start)
                at = max(at, those_end)
        if at < stop:
            yield Interval(at, stop)


class Opening(NamedTuple):
    """A span of a week in which nothing is muted: minutes since Monday 00:00 local, `end` not included."""

    start: int
    end: int

    def __str__(self) -> str:
        return f'{_clock(self.start)} to {_clock(self.end, closing=True)}'


DAY = 24 * 60


def openings(downtimes: Sequence[Downtime], week: date) -> list[Opening]:
    """Return what the downtimes leave unmuted in the week that begins on the Monday `week`, in their first zone.

    Each opening lies within one day. A week in which the clocks change is told by elapsed time.
    """
    zone = downtimes[0].zone
    monday = datetime(week.year, week.month, week.day)
    found = []
    for day in range(7):
        start, end = (
            int((monday + timedelta(days=number)).replace(tzinfo=zone).timestamp()) for number in (day, day + 1)
        )
        muted = merge(interval for downtime in downtimes for interval in downtime.intervals(start, end))
        for opening in _without([Interval(start, end)], muted, start, end):
            found.append(Opening(*(day * DAY + int(bound - start) // 60 for bound in opening)))
    return found


def odd_openings(found: Sequence[Opening]) -> list[Opening]:
    """Return the parts of a week's openings that lie outside the hours which most of its open days have in common.

    Weekday evenings and whole weekends, muted from Monday to Sunday as they read, leave Monday 00:00 to 09:00 open.
    """
    days: dict[int, list[Interval]] = {}
    for start, end in found:
        days.setdefault(start // DAY, []).append(Interval(start % DAY, start % DAY + end - start))
    usual = max(days.values(), key=list(days.values()).count, default=[])
    if list(days.values()).count(usual) * 2 <= len(days):
        return []
    return [
        Opening(day * DAY + int(start), day * DAY + int(end))
        for day, hours in sorted(days.items())
        for start, end in _without(hours, usual, 0, DAY)
    ]


def _clock(minutes: int, closing: bool = False) -> str:
    day, minute = divmod(minutes, DAY)
    if closing and not minute:
        day, minute = day - 1, DAY
    names = ('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday')
    return f'{names[day % 7]} {minute // 60:02}:{minute % 60:02}'


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
        close = nearest(value, available_timezones()) if isinstance(value, str) else ''
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
                close = nearest(value, allowed) if isinstance(value, str) else ''
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
                    path, f'unknown key {str(key)!r}{nearest(str(key), known)}; known: {", ".join(allowed)}', rule
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
