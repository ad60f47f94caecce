"""The table of a service level objective. Section numbers refer to the semantics."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ddassets.assets.option import Anything, Choice, ListOf, Number, Part, Report, Text, Whole, option
from ddassets.assets.source import Place
from ddassets.language.slo import TIMEFRAMES

INVALID = 'slo/invalid'
TYPES = ('metric', 'monitor', 'time_slice')
COMPARATORS = ('>', '>=', '<', '<=')
#: Seconds of a time slice.
INTERVALS = (60, 300)
DEFAULT_INTERVAL = 300
MAX_GROUPS = 100
_NOTHING: frozenset[str] = frozenset()
_TIMEFRAME = Choice((*TIMEFRAMES, 'custom'))


@dataclass(frozen=True)
class MonitorReference:
    """The id of a monitor; before it has one, its name, its file, or a reference of Terraform or kennel."""

    expected: str = 'the id of a monitor, or its name'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if isinstance(found, str) and found.strip() and not found.strip().isdigit():
            return found.strip()
        if isinstance(found, int | float | str) and not isinstance(found, bool) and found != '':
            return Whole(0).read(found, place, report, code)
        return report.wrong('file/shape', place, self.expected, found)


@dataclass(frozen=True)
class SloThreshold:
    """The target of one timeframe, in per cent."""

    ignored: ClassVar = _NOTHING
    timeframe: str = option(_TIMEFRAME, absent='', required=True, code=INVALID)
    target: float | None = option(Number(), required=True, code=INVALID)
    warning: float | None = option(Number(), code=INVALID)
    # In answers: the numbers with their decimals.
    target_display: str | None = option(Text('a number as a text'))
    warning_display: str | None = option(Text('a number as a text'))


@dataclass(frozen=True)
class SloQuery:
    """The good and the total events of a metric SLO: the older form of `sli_specification.count`."""

    ignored: ClassVar = _NOTHING
    numerator: str = option(Text('a metric query', min_length=1), absent='', required=True, code=INVALID)
    denominator: str = option(Text('a metric query', min_length=1), absent='', required=True, code=INVALID)


@dataclass(frozen=True)
class SloFormula:
    ignored: ClassVar = _NOTHING
    formula: str = option(Text('a formula', min_length=1), absent='', required=True, code=INVALID)


@dataclass(frozen=True)
class SloMetricQuery:
    """A metric query with the name by which formulas use it."""

    ignored: ClassVar = _NOTHING
    name: str = option(Text('a name', min_length=1), absent='', required=True, code=INVALID)
    query: str = option(Text('a metric query', min_length=1), absent='', required=True, code=INVALID)
    data_source: str = option(
        Choice(('metrics',), 'a source of data', grows=True), absent='metrics', required=True, code=INVALID
    )
    aggregator: str | None = option(Text('an aggregator'), code=INVALID)
    semantic_mode: str | None = option(Text('a mode'), code=INVALID)
    cross_org_uuids: Any = option(Anything((list,), 'a list'))


_FORMULA = Part(SloFormula)
_QUERIES = ListOf(Part(SloMetricQuery), 'queries', 1)


@dataclass(frozen=True)
class TimeSliceQuery:
    ignored: ClassVar = _NOTHING
    formulas: tuple[SloFormula, ...] = option(
        ListOf(_FORMULA, 'formulas', 1, 1), absent=(), required=True, code=INVALID
    )
    queries: tuple[SloMetricQuery, ...] = option(_QUERIES, absent=(), required=True, code=INVALID)


@dataclass(frozen=True)
class TimeSlice:
    """A slice of time is good if the value of the query meets the comparison (rule 18.13)."""

    ignored: ClassVar = _NOTHING
    query: TimeSliceQuery = option(Part(TimeSliceQuery), absent=TimeSliceQuery(), required=True)
    comparator: str = option(Choice(COMPARATORS), absent='', required=True, code=INVALID)
    threshold: float | None = option(Number(), required=True, code=INVALID)
    query_interval_seconds: int = option(Whole(unit='seconds'), absent=DEFAULT_INTERVAL, code=INVALID)


@dataclass(frozen=True)
class CountSpecification:
    """Good events, and either bad or total events (rule 18.10)."""

    ignored: ClassVar = _NOTHING
    good_events_formula: SloFormula | None = option(_FORMULA, required=True)
    bad_events_formula: SloFormula | None = option(_FORMULA)
    total_events_formula: SloFormula | None = option(_FORMULA)
    queries: tuple[SloMetricQuery, ...] = option(_QUERIES, absent=(), required=True, code=INVALID)


@dataclass(frozen=True)
class SliSpecification:
    ignored: ClassVar = _NOTHING
    time_slice: TimeSlice | None = option(Part(TimeSlice))
    count: CountSpecification | None = option(Part(CountSpecification))


@dataclass(frozen=True)
class SloFields:
    """The top level of an SLO's body."""

    ignored: ClassVar = frozenset(
        {
            *('created_at', 'creator', 'modified_at', 'monitor_tags', 'configured_alert_ids', 'type_id', 'deleted_at'),
            *('overall_status', 'restricted_roles', 'is_deleted', 'status'),
        }
    )
    type: str = option(Choice(TYPES), absent='', required=True, code=INVALID)
    name: str = option(Text('a name', min_length=1), absent='', required=True, code=INVALID)
    thresholds: tuple[SloThreshold, ...] = option(
        ListOf(Part(SloThreshold), 'thresholds', 1, len(TIMEFRAMES)), absent=(), required=True, code=INVALID
    )
    description: str = option(Text(), absent='')
    tags: tuple[str, ...] = option(ListOf(Text('a tag'), 'tags'), absent=())
    # The primary timeframe repeats one of the thresholds. It plays no part in alerts (rule 18.2).
    timeframe: str | None = option(_TIMEFRAME, code=INVALID)
    target_threshold: float | None = option(Number(), code=INVALID)
    warning_threshold: float | None = option(Number(), code=INVALID)
    query: SloQuery | None = option(Part(SloQuery))
    sli_specification: SliSpecification | None = option(Part(SliSpecification))
    monitor_ids: tuple[int | str, ...] = option(ListOf(MonitorReference(), 'ids of monitors'), absent=(), code=INVALID)
    groups: tuple[str, ...] = option(
        ListOf(Text('a group such as env:prod'), 'groups', 0, MAX_GROUPS), absent=(), code=INVALID
    )
    # In answers. Alerts name an SLO by it.
    id: str = option(Text('an id'), absent='')
