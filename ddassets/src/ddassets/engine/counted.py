"""Monitors of logs, events and spans: evaluate the events that a search finds (section 15)."""

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ddassets import duration
from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.refusal import refuse
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats, Indices, ranks
from ddassets.engine.events import EventColumn, Events
from ddassets.engine.explanation import Explanation, evaluation_row, reasons
from ddassets.engine.independent import run_independently
from ddassets.engine.monitor import ThresholdMonitor, Thresholds, common_options, evaluation_ticks, scheduled_options
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.state_machine import Evaluations, Rules, known_since, run
from ddassets.engine.timeline import DAY, Group, GroupTimeline, cadence, evaluation_instants
from ddassets.language.counted import PRODUCTS, CountedQuery, parse_counted
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.tree import Comparator

# Rule 15.6: how many groups are kept, by the number of keys.
LIMITS = {1: 1000, 2: 30, 3: 10, 4: 5}
# Rule 15.10.
_RETENTION = DAY


@dataclass(frozen=True)
class EventMonitor(ThresholdMonitor, ABC):
    """A monitor of events. `retention` is in seconds (rule 15.10). `folded`: all groups share one alert, in the state
    of the worst group (rule 15.18).
    """

    _: KW_ONLY
    folded: bool = False

    @property
    def below(self) -> bool:
        """Whether the monitor alerts on few events (rule 15.8)."""
        return self.comparator in ('<', '<=')

    def varies(self, name: str) -> bool:
        """Whether a variable may differ between two notifications of a group, as variables of events do."""
        return super().varies(name) or name.partition('.')[0] in PRODUCTS.values()


@dataclass(frozen=True)
class CountedMonitor(EventMonitor):
    """A monitor of the events that a search finds."""

    query: CountedQuery

    @property
    def comparator(self) -> Comparator:
        return self.query.comparator


def of(asset: MonitorAsset) -> CountedMonitor:
    """Return what the engine needs of a monitor of counted events.

    Raises UnusableInputError with every error of the asset, and Unsupported for what is outside the subset.
    """
    name = asset.name or 'monitor'
    if asset.errors:
        refuse(asset.errors)
    try:
        query = parse_counted(asset.query)
    except QuerySyntaxError as error:
        raise Unsupported('query', error.column, error.message, name) from None
    return CountedMonitor(query=query, **event_options(asset, query.threshold, grouped=bool(query.by)))


def event_options(asset: MonitorAsset, critical: float, grouped: bool) -> dict[str, Any]:
    """Return the fields of `EventMonitor`. Raises Unsupported for options that are outside the subset."""
    options = asset.options
    if options.scheduling_options.evaluation_window:
        name = asset.name or 'monitor'
        raise Unsupported('options.scheduling_options.evaluation_window', None, 'is outside the subset', name)
    retention = duration.parse(options.group_retention_duration or '')
    return {
        'thresholds': Thresholds(
            critical=critical,
            warning=options.thresholds.warning,
            critical_recovery=options.thresholds.critical_recovery,
            warning_recovery=options.thresholds.warning_recovery,
        ),
        'evaluation_delay': options.evaluation_delay,
        # The default of 60 s is documented for metrics only.
        'new_group_delay': options.new_group_delay or 0,
        'retention': retention or _RETENTION,
        'folded': bool(options.groupby_simple_monitor and grouped),
        **common_options(asset),
        'on_missing_data': None if options.notify_no_data else options.on_missing_data or 'default',
        **scheduled_options(asset),
    }


class CountedEvaluator:
    """Evaluates a monitor of counted events group by group.

    `assumptions` records those that the groups evaluated so far relied on. `warnings` are sentences; none if it is
    `quiet`, as a part of a formula.
    """

    def __init__(
        self,
        monitor: CountedMonitor,
        events: Sequence[Events],
        start: int,
        end: int,
        tick_second: int = 0,
        assumptions: Assumptions | None = None,
        quiet: bool = False,
    ) -> None:
        if end <= start:
            raise UnusableInputError(f'found the end {end}, expected one after the start {start}')
        self.assumptions = Assumptions() if assumptions is None else assumptions
        self.monitor = monitor
        self._query = query = monitor.query
        self.start = start
        self.end = end
        self._tick_second = tick_second
        self._ticks = evaluation_ticks(monitor, start, end, tick_second, query.window, self.assumptions)
        self._events = [one for one in events if one.product == query.product and one.monitor in (None, monitor.name)]
        self._sources = self._grouped()
        self._columns = {group: EventColumn(each, query.measure) for group, each in self._sources.items()}
        self.warnings = () if quiet else tuple(self._warnings())

    def _grouped(self) -> dict[Group, list[Events]]:
        found: dict[Group, list[Events]] = {} if self._query.by else {(): self._events}
        for one in self._events if self._query.by else ():
            if not (one.series.values > 0).any():
                continue
            values = [one.value(key) for key in self._query.by]
            if all(value is not None for value in values):
                group = tuple(f'{key}:{value}' for key, value in zip(self._query.by, values, strict=True))
                found.setdefault(group, []).append(one)
        return dict(sorted(found.items()))

    def _warnings(self) -> Iterator[str]:
        if self.monitor.schedule is not None:
            yield from self.monitor.schedule.warnings(self._ticks)
        if self._events or self._query.search not in ('', '*'):
            yield (
                f'the search {self._query.search!r} is not run: the events of {self._query.product} in the scenario '
                'stand for what it finds (rule 15.17)'
            )
        limit = LIMITS.get(len(self._query.by), 1)
        values = {group[:1] for group in self._sources}
        if self._query.by and (len(values) > limit or len(self._sources) > 1000):
            self.assumptions.rely_on(Assumptions.top_groups)
            yield (
                f'{len(self._sources)} groups: Datadog keeps the top {limit} values of each key and 1000 groups in '
                'all (rule 15.6, A48); all are evaluated here'
            )

    @property
    def ticks(self) -> Indices:
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        return () if self.monitor.folded else self._query.by

    @property
    def groups(self) -> tuple[Group, ...]:
        return ((),) if self.monitor.folded else tuple(self._sources)

    @property
    def absence(self) -> str:
        """A clause that says why there is no group."""
        keys = ', '.join(self._query.by)
        if self._events:
            return f'no event of {self._query.product} in the scenario has a value of {keys}'
        return f'the scenario has no events of {self._query.product}: `events: {self._query.product}` under `series`'

    def series(self, group: Group) -> Iterator[Series]:
        for one in self._events if self.monitor.folded else self._sources[group]:
            yield one.series

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        """The variables of the newest event in the window (rule 15.12, A51); empty without an event."""
        first = PRODUCTS[self._query.product]
        members = [self._columns[group]] if group in self._columns else [*self._columns.values()]
        names = (name for one in self._events for name in one.variables(first))
        found: dict[str, float | str | None] = dict.fromkeys(names, '')
        newest: tuple[float, Events] | None = None
        for column in members:
            start, end = self.ranges(column, np.array([instant]))
            event = column.newest(int(start[0]), int(end[0]))
            if event is not None and (newest is None or column.times[end[0] - 1] > newest[0]):
                newest = float(column.times[end[0] - 1]), event
        if newest is not None:
            self.assumptions.rely_on(Assumptions.event_shown)
            found |= newest[1].variables(first)
        return found

    @property
    def resumable(self) -> bool:
        """Whether groups can continue from what they remember (`resuming`)."""
        return not self.monitor.scheduled

    @property
    def rules(self) -> Rules:
        """What decides the states of the groups."""
        return Rules(self.monitor, self._query.window, self.assumptions)

    def tags(self, group: Group) -> frozenset[str]:
        """The tags that a downtime's scope is matched with."""
        return frozenset(group)

    def results(self, group: Group) -> Evaluations:
        """Return the results of a group's windows, from which the state machine computes its states."""
        return self._folded() if self.monitor.folded else self._evaluations(group)

    def ticks_before(self, instant: int) -> Indices:
        """The instants of evaluation before the start: from `instant` on, at least two."""
        earliest = min(instant, self.start - 2 * cadence(self._query.window))
        return evaluation_instants(earliest, self.start, self._tick_second, self._query.window)

    @property
    def reach(self) -> int:
        """Seconds before an evaluation whose events matter, beside the last event of each source before that."""
        return self.monitor.evaluation_delay + self._query.window

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        evaluations = self.results(group)
        if self.monitor.scheduled:
            columns = run_independently(self.rules, evaluations, not group, self._seen(group))
        else:
            columns = run(self.rules, evaluations, not group, lambda found: self.reporting_since(group, found))
        return GroupTimeline(
            group=group,
            tags=self.tags(group),
            ticks=self._ticks,
            values=columns.values,
            states=columns.states,
            transitions=columns.transitions,
            end=self.end,
            silent_no_data=self.monitor.silent_no_data,
        )

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the state of a group at an instant. Raises UnusableInputError before the first evaluation."""
        row = evaluation_row(self._ticks, self.groups, group, instant)
        timeline = self.timeline(group)
        tick, value = int(self._ticks[row]), float(timeline.values[row])
        to = tick - self.monitor.evaluation_delay
        return Explanation(
            tick=tick,
            state=State(timeline.states[row]),
            value=value,
            window=(to - self._query.window, to),
            points=self.points(group, row),
            reasons=tuple(reasons(self.monitor, timeline, row, value)),
        )

    def points(self, group: Group, row: int) -> tuple[tuple[str, float, float], ...]:
        """Return the product, the instant and the number of the events in the window of one evaluation."""
        columns = [self._columns[group]] if group in self._columns else [*self._columns.values()]
        points = []
        for column in columns:
            start, end = self.ranges(column, self._ticks[row : row + 1])
            points += [
                (self._query.product, float(column.times[index]), float(column.count(*_single(index))[0]))
                for index in range(int(start[0]), int(end[0]))
            ]
        return tuple(sorted(points, key=lambda point: point[1]))

    def events_of(self, group: Group) -> Sequence[Events]:
        """Return the events of a group."""
        return self._sources[group]

    def times(self, group: Group) -> Floats:
        """Return the instants of a group's events; none for an unknown group."""
        return self._columns[group].times if group in self._columns else np.empty(0)

    def ranges(self, column: EventColumn, ticks: Indices) -> tuple[Indices, Indices]:
        """Return the range of events in each window (rule 15.5, A47)."""
        ends = ticks - self.monitor.evaluation_delay
        starts = ends - self._query.window
        choice = self.assumptions.peek(Assumptions.event_window)
        if choice == 'as A1':
            choice = self.assumptions.peek(Assumptions.window_ends)
        if np.isin(column.times, starts).any() or np.isin(column.times, ends).any():
            self.assumptions.rely_on(Assumptions.event_window)
        return (
            ranks(column.times, starts, 'left' if choice.startswith('[') else 'right'),
            ranks(column.times, ends, 'right' if choice.endswith(']') else 'left'),
        )

    def values(self, group: Group) -> tuple[Floats, Flags]:
        """Return the rollup of each window, and which windows are empty."""
        column = self._columns[group]
        start, end = self.ranges(column, self._ticks)
        return column.reduce(self._query.method, start, end), column.count(start, end) == 0

    def _evaluations(self, group: Group) -> Evaluations:
        values, silent = self.values(group)
        cancelled = np.zeros_like(silent)
        if group and self.monitor.below and silent.any():
            # Rule 15.8: a silent group is not evaluated while another has events.
            self.assumptions.rely_on(Assumptions.silent_group)
            if self.assumptions.peek(Assumptions.silent_group) != '0 is compared':
                cancelled = silent & ~self._all_silent
        return self._columns_of(values, silent, cancelled, blank=silent if group else np.zeros_like(silent))

    @cached_property
    def _all_silent(self) -> Flags:
        """Return the windows without events of any group."""
        counts = (column.count(*self.ranges(column, self._ticks)) for column in self._columns.values())
        silent: Flags = np.logical_and.reduce([count == 0 for count in counts])
        return silent

    def _folded(self) -> Evaluations:
        """Return the worst state of all groups at each evaluation (rule 15.18, I6)."""
        each = [self.values(group) for group in self._sources]
        silent = np.logical_and.reduce([np.ones(self._ticks.size, dtype=np.bool_), *(silent for _, silent in each)])
        worst = np.fmin if self.monitor.below else np.fmax
        values = np.full(self._ticks.size, np.nan)
        for found, nothing in each:
            values = worst(values, np.where(nothing, np.nan, found))
        return self._columns_of(np.where(silent, 0.0, values), silent, np.zeros_like(silent), np.zeros_like(silent))

    def _columns_of(self, values: Floats, silent: Flags, cancelled: Flags, blank: Flags) -> Evaluations:
        empty = (silent | np.isnan(values)) & ~cancelled
        zero = np.zeros_like(silent)
        if self.monitor.on_missing_data == 'default':
            zero = empty & self._counts(empty)
        valued = ~np.isnan(values) & ~silent
        if not self.by and zero.any():
            # A count is 0 even if no group has reported (rule 15.7).
            valued, empty = valued | zero, empty & ~zero
        return Evaluations(
            ticks=self._ticks,
            values=np.where(zero, 0.0, values),
            recovery=np.where(zero, 0.0, values),
            valued=valued,
            empty=empty,
            zero=zero & empty,
            blank=blank,
            last=np.full(values.size, np.nan),
        )

    def _counts(self, empty: Flags) -> bool:
        """Whether a window without events counts as 0 (rule 15.7, A49)."""
        if self._query.method == 'cardinality' and empty.any():
            return self.assumptions.cardinality_counts == 'yes'
        return self._query.counts

    def _seen(self, group: Group) -> Floats:
        """Return from when each event of a group can be in an evaluated window."""
        return self.times(group) + self.monitor.evaluation_delay

    def reporting_since(self, group: Group, found: int) -> float:
        """Return since when a group exists that an evaluation sees for the first time, at `found`."""
        seen = self._seen(group)
        return known_since(np.append(seen[seen <= self._ticks[0]], found))


def _single(index: int) -> tuple[Indices, Indices]:
    return np.array([index]), np.array([index + 1])
