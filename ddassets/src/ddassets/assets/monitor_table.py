"""The table of a monitor: its keys and options.

Section numbers refer to the semantics. `terraform` is what Terraform sends for an attribute that is not set; the API's
own default is the default of the field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from types import MappingProxyType
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from ddassets import duration
from ddassets.assets import monitor_type as types
from ddassets.assets.local_time import LOCAL_TIME, ZONE, read_local_time, read_zone
from ddassets.assets.option import (
    Anything,
    Choice,
    Exclusion,
    Flag,
    ListOf,
    Number,
    Option,
    Parsed,
    Part,
    Table,
    Text,
    Whole,
    option,
    options_of,
    shown,
)
from ddassets.assets.source import Place
from ddassets.assets.variable_table import Variable, VariableValue
from ddassets.diagnostic import Severity
from ddassets.language.recurrence import Rule, parse_schedule

STATUSES = ('alert', 'warn', 'no data')
ON_MISSING_DATA = ('show_no_data', 'show_and_notify_no_data', 'resolve', 'default')
PRESETS = (
    *('show_all', 'hide_query', 'hide_handles', 'hide_query_and_handles'),
    *('show_only_snapshot', 'hide_handles_and_footer', 'hide_all'),
)
_NOTHING: frozenset[str] = frozenset()


_SCHEDULE = 'monitor/custom-schedule'
_WINDOW = 'a window such as last_15m'


def window_seconds(text: str) -> int | None:
    """Return the seconds of `last_15m`; None for another text."""
    match = re.fullmatch(r'last_(\d{1,5})([mhdw])', text)
    return int(match[1]) * duration.UNITS[match[2]] if match else None


def _window(text: str) -> tuple[int | None, Sequence[Exception]]:
    seconds = window_seconds(text)
    return seconds, () if seconds else [ValueError(f'expected {_WINDOW}, found {shown(text)}')]


@dataclass(frozen=True)
class Thresholds:
    """`options.thresholds`. For a service check the numbers are counts of runs."""

    # A remnant of the UI's editor in exports.
    ignored: ClassVar = frozenset({'comparison', 'period', 'timeAggregator'})
    critical: float | None = option(Number())
    warning: float | None = option(Number())
    critical_recovery: float | None = option(Number())
    warning_recovery: float | None = option(Number())
    ok: float | None = option(Number(), types=types.CHECK)
    unknown: float | None = option(Number(), types=types.CHECK)
    critical_query: str | None = option(Text('the text of a query'))
    critical_recovery_query: str | None = option(Text('the text of a query'))


@dataclass(frozen=True)
class ThresholdWindows:
    """`options.threshold_windows` of anomaly monitors, in seconds (rule 6.3)."""

    ignored: ClassVar = _NOTHING
    trigger_window: int | None = option(Parsed(_window, _WINDOW))
    recovery_window: int | None = option(Parsed(_window, _WINDOW))


def _time_of_day(text: str) -> tuple[time | None, Sequence[Exception]]:
    match = re.fullmatch(r'(\d{1,2}):(\d\d)', text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None, [ValueError(f'expected {_TIME_OF_DAY}, found {shown(text)}')]
    return time(int(match[1]), int(match[2])), ()


_TIME_OF_DAY = 'a time from 00:00 to 23:59 such as 04:00'


@dataclass(frozen=True)
class EvaluationWindow:
    """When a cumulative window begins, in `timezone` or UTC (rules 16.2 to 16.4)."""

    ignored: ClassVar = _NOTHING
    day_starts: time | None = option(Parsed(_time_of_day, _TIME_OF_DAY))
    month_starts: int | None = option(Whole(1, 31))
    hour_starts: int | None = option(Whole(0, 59, 'minutes'))
    timezone: ZoneInfo | None = option(Parsed(read_zone, ZONE))


@dataclass(frozen=True)
class ScheduleRecurrence:
    """A recurrence of a custom schedule. `start` is local time; None: the creation of the monitor (rule 16.13)."""

    ignored: ClassVar = _NOTHING
    rrule: Rule | None = option(
        Parsed(parse_schedule, 'a rule such as FREQ=DAILY;INTERVAL=1'), required=True, code=_SCHEDULE
    )
    start: datetime | None = option(Parsed(read_local_time, LOCAL_TIME), code=_SCHEDULE)
    timezone: ZoneInfo | None = option(Parsed(read_zone, ZONE), code=_SCHEDULE)


@dataclass(frozen=True)
class CustomSchedule:
    """When a monitor with a custom schedule is evaluated."""

    ignored: ClassVar = _NOTHING
    recurrences: tuple[ScheduleRecurrence, ...] = option(
        ListOf(Part(ScheduleRecurrence), 'recurrences', 1, 1), absent=(), required=True, code=_SCHEDULE
    )


@dataclass(frozen=True)
class SchedulingOptions:
    ignored: ClassVar = _NOTHING
    evaluation_window: EvaluationWindow | None = option(Part(EvaluationWindow))
    custom_schedule: CustomSchedule | None = option(Part(CustomSchedule))


@dataclass(frozen=True)
class MonitorOptions:
    """`options`. Lengths of time are in the API's unit: seconds, minutes or hours."""

    ignored: ClassVar = frozenset(
        {'avalanche_window', 'groupby', 'is_data_sparse', 'locked', 'queryConfig', 'restriction_query'}
    )
    thresholds: Thresholds = option(Part(Thresholds), absent=Thresholds())
    threshold_windows: ThresholdWindows = option(Part(ThresholdWindows), absent=ThresholdWindows(), types=types.METRIC)
    notify_no_data: bool = option(Flag(), absent=False)
    no_data_timeframe: int | None = option(Whole(0, unit='minutes'))
    on_missing_data: str | None = option(
        Choice(ON_MISSING_DATA),
        types=types.ALL - types.WITHOUT_ON_MISSING_DATA,
        excludes=(
            Exclusion(
                other='notify_no_data',
                values=(True,),
                message='excludes notify_no_data, which is used if both are stored',
                code='monitor/no-data-conflict',
                severity=Severity.WARNING,
                hint='on_missing_data replaces notify_no_data and no_data_timeframe: delete these',
            ),
        ),
    )
    require_full_window: bool = option(
        Flag(),
        absent=False,
        excludes=(
            Exclusion(
                other='scheduling_options.custom_schedule',
                message='a custom schedule requires require_full_window false',
                code='monitor/custom-schedule',
            ),
        ),
    )
    evaluation_delay: int = option(Whole(0, 86400, 'seconds'), absent=0)
    new_group_delay: int | None = option(Whole(0, unit='seconds'))
    new_host_delay: int | None = option(
        Whole(0, unit='seconds'),
        excludes=(
            Exclusion(
                other='new_group_delay',
                message='new_group_delay is used instead of new_host_delay',
                code='monitor/new-group-delay',
                severity=Severity.NOTE,
            ),
        ),
    )
    timeout_h: float = option(
        Number(0, 24, 'hours'),
        absent=0,
        code='monitor/timeout',
        excludes=(
            Exclusion(
                other='on_missing_data',
                values=('resolve',),
                message='must be 0 with on_missing_data resolve',
                code='monitor/no-data-conflict',
            ),
        ),
    )
    renotify_interval: int = option(Whole(0, unit='minutes'), absent=0)
    renotify_statuses: tuple[str, ...] = option(ListOf(Choice(STATUSES), 'statuses'), absent=())
    renotify_occurrences: int | None = option(Whole(0))
    escalation_message: str = option(Text(), absent='')
    notify_by: tuple[str, ...] = option(ListOf(Text('a tag key'), 'tag keys'), absent=())
    include_tags: bool = option(Flag(), absent=True)
    notify_audit: bool = option(Flag(), absent=False)
    notification_preset_name: str = option(Choice(PRESETS), absent='show_all')
    group_retention_duration: str | None = option(Text('a duration such as 2h'), types=types.RETENTION)
    scheduling_options: SchedulingOptions = option(Part(SchedulingOptions), absent=SchedulingOptions())
    variables: tuple[Variable, ...] = option(ListOf(VariableValue(), 'queries'), absent=())
    silenced: Mapping[str, Any] = option(Anything((Mapping,)), absent=MappingProxyType({}))
    groupby_simple_monitor: bool = option(Flag(), absent=False, types=types.LOGS)
    enable_logs_sample: bool = option(Flag(), absent=False, types=types.LOGS)
    enable_samples: bool = option(Flag(), absent=False, types=types.CI)
    aggregation: Any = option(Anything((Mapping,)))
    min_failure_duration: int | None = option(Whole(0, 7200, 'seconds'), types=types.SYNTHETICS)
    min_location_failed: int | None = option(Whole(0), types=types.SYNTHETICS)
    synthetics_check_id: str | None = option(Text(), types=types.SYNTHETICS)
    device_ids: tuple[str, ...] = option(ListOf(Text(), 'devices'), absent=(), types=types.SYNTHETICS)


@dataclass(frozen=True)
class MonitorFields:
    """The top level of a monitor's body."""

    ignored: ClassVar = frozenset(
        {
            *('org_id', 'created', 'created_at', 'modified', 'modified_at', 'deleted', 'creator', 'multi', 'state'),
            *('overall_state', 'overall_state_modified', 'matching_downtimes', 'restriction_policy', 'restricted'),
            # The older form of a monitor in an integration.
            *('run_as', 'url', 'recommended_monitor_metadata'),
        }
    )
    type: str = option(Choice(tuple(sorted(types.ALL)), 'the type of a monitor', grows=True), absent='', required=True)
    query: str = option(Text('the text of a query', min_length=1), absent='', required=True)
    name: str = option(Text(), absent='')
    message: str = option(Text(), absent='')
    tags: tuple[str, ...] = option(ListOf(Text('a tag'), 'tags'), absent=())
    options: MonitorOptions = option(Part(MonitorOptions), absent=MonitorOptions())
    priority: int | None = option(Whole(1, 5))
    restricted_roles: tuple[str, ...] = option(ListOf(Text('the id of a role'), 'roles'), absent=())
    draft_status: str = option(Choice(('draft', 'published')), absent='published')
    assets: tuple[Any, ...] = option(ListOf(Anything((Mapping,)), 'objects'), absent=())
    id: int | None = option(Whole(0))
    # Organisations of a query; a preview feature.
    cross_org_uuids: Any = option(Anything((list,), 'a list'))


def options_with_types(options: MonitorOptions) -> Iterator[tuple[Place, Any, Option]]:
    """Yield the place, the value and the row of each option that only some monitor types have."""
    parts: tuple[tuple[Place, type[Table], Any], ...] = (
        (('options',), MonitorOptions, options),
        (('options', 'thresholds'), Thresholds, options.thresholds),
    )
    for place, table, part in parts:
        for key, row in options_of(table).items():
            if row.types:
                yield (*place, key), getattr(part, key), row
