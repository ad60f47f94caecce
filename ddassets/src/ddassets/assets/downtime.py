"""A downtime of the v2 API: the table of its keys, and its decoding. Rules 5.1 to 5.5, 5.14 and 5.18."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from ddassets.assets.decoded_asset import RequestedAsset
from ddassets.assets.local_time import LOCAL_TIME, ZONE, parse_moment, read_local_time, read_zone
from ddassets.assets.option import (
    Choice,
    Exclusion,
    Flag,
    ListOf,
    Parsed,
    Part,
    Report,
    Text,
    Whole,
    option,
    shown,
)
from ddassets.assets.source import Place, Source, dotted
from ddassets.diagnostic import Severity
from ddassets.language.downtime_scope import Scope, ScopeFault, parse_scope
from ddassets.language.recurrence import Rule, RuleFault, parse_duration, parse_rule

END_STATES = ('alert', 'no data', 'warn')
END_TYPES = ('canceled', 'expired')
MAX_RECURRENCES = 5
MAX_TAGS = 32
MAX_TAG_LENGTH = 256
_INVALID = 'downtime/invalid'
_NOTHING: frozenset[str] = frozenset()


def _instant(text: str) -> tuple[datetime | None, Sequence[Exception]]:
    moment = parse_moment(text)
    # Only UTC has the offset zero.
    if moment is None or moment.utcoffset() != timedelta(0):
        return None, [RuleFault(f'expected {_INSTANT}, found {shown(text)}', '5.3')]
    return moment, ()


def _duration(text: str) -> tuple[int | None, Sequence[Exception]]:
    try:
        return parse_duration(text), ()
    except RuleFault as fault:
        return None, [fault]


def _scope(text: str) -> tuple[Scope | None, Sequence[Exception]]:
    try:
        return parse_scope(text), ()
    except ScopeFault as fault:
        return None, [fault]


_INSTANT = 'a time of offset zero such as 2027-01-03T19:00:00+00:00'


@dataclass(frozen=True)
class MonitorIdentifier:
    """The monitors that a downtime covers: one by its id, or those with all of the tags (rule 5.2)."""

    ignored: ClassVar = _NOTHING
    monitor_id: int | None = option(
        Whole(1),
        code=_INVALID,
        excludes=(
            Exclusion(
                other='monitor_tags', message='excludes monitor_tags', code=_INVALID, hint='remove one of the two'
            ),
        ),
    )
    monitor_tags: tuple[str, ...] = option(
        ListOf(Text('a tag', max_length=MAX_TAG_LENGTH, min_length=1), 'tags', 1, MAX_TAGS), absent=(), code=_INVALID
    )


@dataclass(frozen=True)
class DowntimeRecurrence:
    """A recurrence. `start` is local wall time, None for the time of creation; `duration` is in seconds."""

    ignored: ClassVar = _NOTHING
    start: datetime | None = option(Parsed(read_local_time, LOCAL_TIME), code=_INVALID)
    duration: int | None = option(Parsed(_duration, 'a duration such as 14h'), required=True, code=_INVALID)
    rrule: Rule | None = option(
        Parsed(parse_rule, 'a rule such as FREQ=DAILY;INTERVAL=1', {'5.9': 'downtime/ordinal'}),
        required=True,
        code=_INVALID,
    )


_ONE_TIME = 'is for a one-time schedule, timezone and recurrences are for a recurring schedule'


@dataclass(frozen=True)
class DowntimeSchedule:
    """Either `start` and `end` (rule 5.3), or `timezone` and `recurrences` (rule 5.4)."""

    ignored: ClassVar = frozenset({'current_downtime'})
    start: datetime | None = option(
        Parsed(_instant, _INSTANT),
        code=_INVALID,
        excludes=(Exclusion(other='recurrences', message=_ONE_TIME, code=_INVALID),),
    )
    end: datetime | None = option(
        Parsed(_instant, _INSTANT),
        code=_INVALID,
        excludes=(Exclusion(other='recurrences', message=_ONE_TIME, code=_INVALID),),
    )
    timezone: ZoneInfo | None = option(Parsed(read_zone, ZONE), code=_INVALID)
    recurrences: tuple[DowntimeRecurrence, ...] = option(
        ListOf(Part(DowntimeRecurrence), 'recurrences', 1, MAX_RECURRENCES), absent=(), code='downtime/recurrences'
    )


@dataclass(frozen=True)
class DowntimeFields:
    """The attributes of a downtime. The defaults are the API's (rule 5.18)."""

    ignored: ClassVar = frozenset({'canceled', 'created', 'modified', 'run_as', 'status'})
    monitor_identifier: MonitorIdentifier | None = option(Part(MonitorIdentifier), required=True)
    scope: Scope | None = option(Parsed(_scope, 'a scope such as `*` or `env:prod`'), required=True, code=_INVALID)
    schedule: DowntimeSchedule = option(Part(DowntimeSchedule), absent=DowntimeSchedule())
    display_timezone: ZoneInfo | None = option(Parsed(read_zone, ZONE), code=_INVALID)
    message: str = option(Text(), absent='')
    mute_first_recovery_notification: bool = option(Flag(), absent=False)
    notify_end_states: tuple[str, ...] = option(ListOf(Choice(END_STATES), 'states'), absent=END_STATES)
    notify_end_types: tuple[str, ...] = option(ListOf(Choice(END_TYPES), 'kinds of an end'), absent=('expired',))


@dataclass(frozen=True)
class Downtime(RequestedAsset[DowntimeFields]):
    """A v2 downtime; `body` is its attributes, `outer` the request around them."""

    table = DowntimeFields
    api_type = 'downtime'
    invalid = _INVALID
    needed = ('monitor_identifier', 'scope', 'schedule')

    def _check(self, fields: DowntimeFields, report: Report) -> None:
        _check(fields, report)

    @property
    def label(self) -> str:
        return self.path.stem

    @property
    def message(self) -> str:
        return self.fields.message

    @property
    def scope(self) -> str:
        """The text of the scope; empty if it cannot be read."""
        return self.fields.scope.text if self.fields.scope else ''


def read_downtime(source: Source, body: Mapping[str, Any], place: Place = ()) -> Downtime:
    """Return a downtime: of a request, of an element of an answer, or its attributes alone. Faults do not raise."""
    return Downtime.read(source, body, place)


def _check(fields: DowntimeFields, report: Report) -> None:
    identifier, schedule = fields.monitor_identifier, fields.schedule
    raw = report.asset.body.get('monitor_identifier')
    if identifier and isinstance(raw, Mapping) and not raw.keys() & {'monitor_id', 'monitor_tags'}:
        message = 'monitor_identifier: expected either monitor_id or monitor_tags'
        report.add(_INVALID, ('monitor_identifier',), message)
    if schedule.start and schedule.end and schedule.end <= schedule.start:
        text = report.asset.body['schedule']['end']
        report.add(_INVALID, ('schedule', 'end'), f'schedule.end: expected a time after the start, found {text!r}')
    if schedule.timezone and not schedule.recurrences and 'recurrences' not in report.asset.body['schedule']:
        report.add('file/missing-key', ('schedule', 'recurrences'), 'schedule.recurrences is missing beside timezone')
    for index, recurrence in enumerate(schedule.recurrences):
        if recurrence.rrule and recurrence.rrule.daily_ordinals:
            place: Place = ('schedule', 'recurrences', index, 'rrule')
            ordinal = recurrence.rrule.daily_ordinals[0]
            message = f'{dotted(place)}: {ordinal} with FREQ=DAILY may be read as every such weekday'
            report.add('downtime/ordinal', place, message, Severity.WARNING, 'write FREQ=MONTHLY')
    if fields.scope and fields.scope.lowercase:
        message = 'scope: `and` and `or` in lower case may not be operators'
        report.add('downtime/scope-operators', ('scope',), message, Severity.WARNING, 'write AND and OR')
    zone = schedule.timezone or ZoneInfo('UTC')
    judged = schedule.recurrences and not report.asset.is_withheld(('schedule', 'timezone'))
    if judged and fields.display_timezone and fields.display_timezone.key != zone.key:
        message = f'expected the schedule.timezone {zone.key!r}, found {fields.display_timezone.key!r}'
        report.add('downtime/timezone', ('display_timezone',), f'display_timezone: {message}')
