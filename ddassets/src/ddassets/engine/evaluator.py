"""Evaluate a monitor from series: the timeline of each group, with window, value and state. Pure; time is an argument.

>>> from ddassets.engine.examples import monitor, series
>>> timeline = evaluate(monitor(), series('1 1 9 9 1'), start=1_800_000_000, end=1_800_000_300)
>>> [(str(one.target), one.value) for one in timeline.groups[()].transitions]
[('Alert', 9.0), ('OK', 1.0)]
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats, Indices
from ddassets.engine.context import HISTORY, EvaluationContext
from ddassets.engine.evaluation import Evaluation
from ddassets.engine.explanation import Explanation, evaluation_row, number_or_nothing, reasons
from ddassets.engine.independent import run_independently
from ddassets.engine.monitor import Monitor, evaluation_ticks
from ddassets.engine.plan import Leaf, Node, Plan, Reduced, loses_values, reach, with_groups
from ddassets.engine.planner import STUBBED, make_plan, stub_windows
from ddassets.engine.ranking import kept
from ddassets.engine.raw_values import SKETCH_ERROR, within_error
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State
from ddassets.engine.state_machine import Evaluations, Rules, known_since, run
from ddassets.engine.timeline import DAY, Codes, Group, GroupTimeline, MonitorTimeline, cadence, evaluation_instants
from ddassets.engine.warnings import warnings
from ddassets.language.query.scope import predicate
from ddassets.language.query.syntax import render
from ddassets.language.query.tree import And, Call, Scope, TagFilter, TagIn, Variable, metrics, walk
from ddassets.language.query.vocabulary import is_percentile
from ddassets.nearest import did_you_mean, listed

# Rule 2.8: the parts of a window that is to be full, by the window's unit, in seconds.
_PARTS = {'m': 60, 'h': 600, 'd': 3600, 'w': 3600, 'mo': 14400}


def evaluate(
    monitor: Monitor,
    store: SeriesSet,
    start: int,
    end: int,
    tick_second: int = 0,
    choices: Mapping[str, str] | None = None,
) -> MonitorTimeline:
    """Evaluate a monitor over [start, end), in seconds since the epoch.

    `tick_second` is the second of the minute at which evaluations happen (rule 2.2); `choices` switches assumptions by
    id. Series may begin before `start`: a group is then no news, but the states of that time are not carried over. A
    series under the name `anomalies`, `outliers` or `forecast`, with the group's tags, stands in for that function.

    Raises Unsupported for what is outside the subset, UnusableInputError for a choice or a time that is not allowed.
    """
    evaluator = Evaluator(monitor, store, start, end, tick_second, Assumptions(choices))
    groups = {group: evaluator.timeline(group) for group in evaluator.groups}
    return MonitorTimeline(
        monitor.name, start, end, groups, frozenset(evaluator.assumptions.relied_on), evaluator.warnings
    )


class Evaluator:
    """Evaluates one monitor group by group, to bound memory.

    `assumptions` records those that the groups evaluated so far relied on. `warnings` are sentences.
    """

    # Whether an approximation computes what is compared with the thresholds.
    _computed = False
    # Whether a group's next state follows from what it remembers and the result of its window.
    _continues = True

    def __init__(
        self,
        monitor: Monitor,
        store: SeriesSet,
        start: int,
        end: int,
        tick_second: int = 0,
        assumptions: Assumptions | None = None,
    ) -> None:
        if not 0 <= tick_second < 60:
            raise UnusableInputError(f'tick second: found {tick_second}, expected 0 to 59')
        if end <= start:
            raise UnusableInputError(f'found the end {end}, expected one after the start {start}')
        self.assumptions = Assumptions() if assumptions is None else assumptions
        self.plan = bound(self._make_plan(monitor, store), store)
        self._monitor = monitor
        self._metrics = store.metrics
        self.start = start
        self.end = end
        self._tick_second = tick_second
        self._ticks = evaluation_ticks(monitor, start, end, tick_second, self._cadence_window(), self.assumptions)
        self._sources = group_series(self.plan, store)
        self._fixed = frozenset(tag for leaf in self.plan.leaves for tag in _fixed_tags(leaf.metric.scope))
        self.warnings = tuple(warnings(monitor, self.plan, store, self._sources, self._ticks, self._computed))

    def _make_plan(self, monitor: Monitor, store: SeriesSet) -> Plan:
        expression = monitor.query.expression
        stubbed = isinstance(expression, Call) and expression.name in STUBBED and expression.name in store.metrics
        stub = stub_windows(monitor.query, monitor.stub_windows) if stubbed else None
        return make_plan(monitor.query, self.assumptions, stub)

    @property
    def monitor(self) -> Monitor:
        return self._monitor

    @property
    def ticks(self) -> Indices:
        """The instants of evaluation, in seconds since the epoch."""
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        """The keys that the query groups by; none for a simple alert."""
        return self.plan.by

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group that the series have, in order; a simple alert has one without tags."""
        return tuple(self._sources)

    def _cadence_window(self) -> int:
        """Return the window that decides how often the monitor is evaluated (rules 2.1 and 16.8)."""
        window = self.plan.window
        if self._monitor.cumulative is None or self._monitor.scheduled or cadence(window) == cadence(60):
            return window
        return 60 if self.assumptions.cumulative_cadence == 'every minute' else window

    @cached_property
    def _kept(self) -> dict[Group, Flags]:
        """Return at which evaluations top() keeps each group (rule 20.16)."""
        assert self.plan.ranking is not None
        scores = [self._evaluation(group, self.plan.window).scores(self.plan.ranking) for group in self._sources]
        if len(scores) > self.plan.ranking.number:
            self.assumptions.rely_on(Assumptions.ranking)
        return dict(zip(self._sources, kept(self.plan.ranking, scores), strict=True)) if scores else {}

    def series(self, group: Group) -> Iterator[Series]:
        """Every series from which the group is evaluated."""
        for each in self._sources[group].values():
            yield from each

    @property
    def absence(self) -> str:
        """A clause that says why there is no group."""
        known = self._metrics
        asked = sorted({metric.name for metric in metrics(self._monitor.query.expression)})
        absent = [name for name in asked if name not in known]
        if not absent:
            return f'no series of {listed(asked)} matches the scope of its query: {render(self._monitor.query)}'
        close = did_you_mean(absent[0], known)
        return f'its query asks for {listed(absent)}; the scenario has series of {listed(known)}{close}'

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        """The variables of a message that only this monitor type has: none."""
        return {}

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        return self._timeline(group, self._evaluation(group, self.plan.window))

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the state of a group at an instant, by its last evaluation until then.

        Raises UnusableInputError before the first evaluation, and for an unknown group.
        """
        row = evaluation_row(self._ticks, self.groups, group, instant)
        evaluation = self._evaluation(group, self.plan.window)
        timeline = self._timeline(group, evaluation)
        tick = int(self._ticks[row])
        whole = render(self._monitor.query.expression)
        value = float(evaluation.values[row])
        return Explanation(
            tick=tick,
            state=State(timeline.states[row]),
            value=value,
            window=evaluation.window(row),
            points=tuple(
                (_operand_name(operand, whole), float(time), float(value))
                for operand, times, values in evaluation.seen(row)
                for time, value in zip(times, values, strict=True)
            ),
            reasons=(
                *self._formula(evaluation, row, whole),
                *self._merged(evaluation, row),
                *self._reasons(timeline, row, value),
            ),
        )

    def _formula(self, evaluation: Evaluation, row: int, whole: str) -> Iterator[str]:
        """Say what each variable of a formula is, and what the formula makes of them (rule 17.6)."""
        if self._monitor.query.aggregator != 'formula':
            return
        queries = {one.name: one for one in walk(self._monitor.query) if isinstance(one, Variable)}
        for name, values in evaluation.variables.items():
            # Counts in arithmetic have several operands for one variable (rule 2.11).
            one = queries.get(name)
            of = f': {one.method} of {render(one.expression)}' if one else ''
            yield f'{name} is {number_or_nothing(values[row])}{of}'
        if not evaluation.variables:
            method = self._monitor.query.rollup or 'avg'
            yield from (f'{name} is {render(one.expression)} at each point' for name, one in queries.items())
            yield f'the {method} of {whole} is {number_or_nothing(evaluation.values[row])}'
        else:
            yield f'{whole} is {number_or_nothing(evaluation.values[row])}'

    def _merged(self, evaluation: Evaluation, row: int) -> Iterator[str]:
        number = evaluation.merged(row)
        if number:
            plural = '' if number == 1 else 's'
            yield f'{self.plan.leaves[0].space} of {number:,} value{plural} in the window (rule 17.18)'

    def _reasons(self, timeline: GroupTimeline, row: int, value: float) -> Iterator[str]:
        yield from reasons(self._monitor, timeline, row, value)
        if timeline.uncertain is not None and timeline.uncertain[row]:
            yield (
                f"decided within the sketch's error: Datadog's percentile may differ by {SKETCH_ERROR:.2%} of the "
                'threshold (rule 17.20)'
            )

    @property
    def resumable(self) -> bool:
        """Whether groups can continue from what they remember (`resuming`)."""
        return self._continues and not self._monitor.scheduled

    @property
    def rules(self) -> Rules:
        """What decides the states of the groups."""
        return Rules(
            monitor=self._monitor,
            window=self.plan.window,
            assumptions=self.assumptions,
            fills=bool(self.plan.fills),
            share=self.plan.stub == 'anomalies',
        )

    def tags(self, group: Group) -> frozenset[str]:
        """The tags that a downtime's scope is matched with: the group's and those that the filter fixes (rule 5.15)."""
        return frozenset(group) | self._fixed

    def results(self, group: Group) -> Evaluations:
        """Return the results of a group's windows, from which the state machine computes its states."""
        return self._evaluations(group, self._evaluation(group, self.plan.window))

    def ticks_before(self, instant: int) -> Indices:
        """The instants of evaluation before the start: from `instant` on, at least two."""
        window = self._cadence_window()
        earliest = min(instant, self.start - 2 * cadence(window))
        return evaluation_instants(earliest, self.start, self._tick_second, window)

    @property
    def reach(self) -> int:
        """Seconds before an evaluation whose samples matter, beside the last sample of each source before that."""
        return self._monitor.evaluation_delay + reach(self.plan)

    def _timeline(self, group: Group, evaluation: Evaluation) -> GroupTimeline:
        evaluations = self._evaluations(group, evaluation)
        if self._monitor.scheduled:
            columns = run_independently(self.rules, evaluations, not group, self._all_seen(group))
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
            silent_no_data=self._monitor.silent_no_data,
            uncertain=self._uncertain(columns.values, columns.states) if self._monitor.has_percentile else None,
        )

    def _uncertain(self, values: Floats, states: Codes) -> Flags:
        """Return which evaluations are decided within the sketch's error (rule 17.20).

        A recovery threshold decides only a group that has to recover.
        """
        limits, before = self._monitor.thresholds, np.concatenate([[State.ABSENT], states[:-1]])
        found = within_error(values, limits.critical)
        if limits.warning is not None:
            found |= within_error(values, limits.warning)
        if limits.critical_recovery is not None:
            found |= within_error(values, limits.critical_recovery) & (before == State.ALERT)
        if limits.warning_recovery is not None:
            found |= within_error(values, limits.warning_recovery) & np.isin(before, [State.ALERT, State.WARN])
        return found

    def _evaluation(self, group: Group, window: int) -> Evaluation:
        delay = self._monitor.evaluation_delay
        # The first evaluation of a schedule may be days after the start.
        first = self.start if self._monitor.scheduled or not self._ticks.size else int(self._ticks[0])
        oldest = first - delay - window - HISTORY
        begins = (float(series.times[0]) for series in self.series(group))
        known = int(min(begins, default=self.start))
        known = min(known, self.start)
        context = EvaluationContext(self._ticks, window, delay, self.assumptions, oldest, known, self._extents)
        return Evaluation(self.plan, self._sources[group], context)

    @cached_property
    def _extents(self) -> Indices | None:
        """Return how long each cumulative window is (rules 16.1 and 16.7)."""
        if self._monitor.cumulative is None:
            return None
        ends = self._ticks - self._monitor.evaluation_delay
        return ends - self._monitor.cumulative.starts(ends, self.assumptions)

    def _evaluations(self, group: Group, evaluation: Evaluation) -> Evaluations:
        """Return the result of each evaluation: a value, nothing, or cancelled."""
        values = evaluation.values
        valued = ~np.isnan(values)
        blank = None
        if self.plan.fills:
            # A fill gives values to windows without any data.
            blank = ~evaluation.has_points(np.arange(values.size))
            if not any(self._sources[group].values()):
                # Rule 20.7: the one group of a query without any series is not waiting for data.
                blank = np.zeros_like(blank)
        empty = ~valued
        if self._monitor.require_full_window and self._monitor.cumulative is not None:
            self.assumptions.rely_on(Assumptions.cumulative_full_window)
        elif self._monitor.require_full_window:
            short = valued & ~evaluation.full(_part(self.plan, self._monitor))
            valued = valued & ~short
            if short.any() and self.assumptions.short_window == 'no data':
                empty = empty | short
        if loses_values(self.plan.expression):
            rows = np.flatnonzero(np.isnan(values))
            if rows.size and (rows := rows[evaluation.has_points(rows)]).size:
                empty[rows] = self.assumptions.points_without_value == 'no data'
        fallen = np.False_ if self.plan.ranking is None else ~self._kept[group]
        values = np.where(fallen, np.nan, values)
        valued, empty = valued & ~fallen, empty | fallen
        recovery = values
        if self.plan.recovery_window is not None:
            recovery = self._evaluation(group, self.plan.recovery_window).values
            recovery = np.where(np.isnan(recovery), values, recovery)
        zero = empty & self._missing_is_zero(group, empty)
        last = np.full(values.size, np.nan)
        rows = np.flatnonzero(empty & ~zero)
        if self._monitor.notify_no_data and rows.size:
            last[rows] = evaluation.last_point(rows)
            last = np.minimum(last, self._until(fallen))
        return Evaluations(
            ticks=self._ticks,
            values=np.where(zero, 0.0, values),
            recovery=np.where(zero, 0.0, recovery),
            valued=valued,
            empty=empty,
            zero=zero,
            blank=empty if blank is None else blank,
            last=last,
        )

    def _until(self, fallen: Flags | np.bool) -> Floats | float:
        """Return since when a group that top() no longer keeps has no data: the end of the last window that kept it."""
        if not fallen.any():
            return np.inf
        last = np.maximum.accumulate(np.where(fallen, -1, np.arange(self._ticks.size)))
        return np.where(last >= 0, self._ticks[last] - self._monitor.evaluation_delay, np.nan)

    def _missing_is_zero(self, group: Group, empty: Flags) -> bool:
        """Whether a window that returned nothing is evaluated as 0 (rules 3.15 and 3.16)."""
        if any(fill.name == 'default_zero' for fill in self.plan.fills):
            return True
        if self._monitor.on_missing_data != 'default' or not empty.any():
            return False
        sources = self._sources[group]
        summed = self.assumptions.count_query == 'sum or count'
        return all(
            leaf.counting == 'as_count'
            or (summed and leaf.space in ('sum', 'count'))
            or (bool(sources[leaf]) and all(series.kind == 'count' for series in sources[leaf]))
            # One of the queries that a count of groups is made of, of a group that another one has.
            or (leaf.group is not None and not sources[leaf])
            for leaf in self.plan.leaves
        )

    def reporting_since(self, group: Group, found: int) -> float:
        """Return since when a group has reported that an evaluation sees for the first time, at `found`.

        Points before the first evaluation count, unless a day without data follows (rule 2.21).
        """
        seen = self._all_seen(group)
        return known_since(np.append(seen[seen <= self._ticks[0]], found))

    def _all_seen(self, group: Group) -> Floats:
        """Return from when each point of a group can be in an evaluated window, in order."""
        return np.sort(np.concatenate([np.empty(0), *(self._seen(series) for series in self.series(group))]))

    def _seen(self, series: Series) -> Floats:
        """Return from when each point of a series can be in an evaluated window."""
        seen = series.times + self._monitor.evaluation_delay
        return seen if series.arrivals is None else np.maximum(seen, series.arrivals)


def _operand_name(operand: Node, whole: str) -> str:
    """Return the name of an operand in an explanation; `whole` is the text of the expression."""
    match operand:
        case Leaf(metric=metric):
            return render(metric)
        case Reduced(name=name):
            return name
    return whole


def _part(plan: Plan, monitor: Monitor) -> int:
    """Return the length of the parts of a full window, in seconds (rule 2.8); for a stub, from their number."""
    if not plan.stub:
        return _PARTS[monitor.query.window.unit]
    return _PARTS['m' if plan.window < 3600 else 'h' if plan.window < DAY else 'd']


def bound(plan: Plan, store: SeriesSet) -> Plan:
    """Return the plan with one query for each group that a count of groups counts (rule 20.2)."""

    def groups(queries: tuple[Leaf, ...]) -> list[frozenset[str]]:
        found = {group for leaf in queries for group, _ in _series_of(leaf, plan.stub, store)}
        return [frozenset(group) for group in sorted(found)]

    return replace(plan, expression=with_groups(plan.expression, groups))


def _series_of(leaf: Leaf, stub: str | None, store: SeriesSet) -> Iterator[tuple[Group, Series]]:
    """Return the series of a query that have all its keys (rule 1.7), with their groups."""
    covers = predicate(leaf.metric.scope)
    for series in store.of(stub or leaf.metric.name):
        group = series.group(leaf.by)
        if group is not None and len(series) and covers(series.tags) and leaf.group in (None, frozenset(group)):
            yield group, series


def group_series(plan: Plan, store: SeriesSet) -> dict[Group, dict[Leaf, list[Series]]]:
    """Return the series of each query by group, without those that lack a key (rule 1.7)."""
    found: dict[Group, dict[Leaf, list[Series]]] = {} if plan.by else {(): {}}
    # Rule 17.9: a query without groups is used for each group of the others.
    shared: dict[Leaf, list[Series]] = {}
    for leaf in plan.leaves:
        for _, series in _series_of(leaf, plan.stub, store):
            if plan.by and not leaf.by:
                shared.setdefault(leaf, []).append(_read_by(leaf, series))
                continue
            group = series.group(plan.by)
            assert group is not None
            found.setdefault(group, {}).setdefault(leaf, []).append(_read_by(leaf, series))
    if not found and any(fill.name == 'default' for fill in plan.fills):
        # Rule 20.7: a grouped query without any series has one group.
        found[()] = {}
    return {
        group: {leaf: shared.get(leaf) or found[group].get(leaf, []) for leaf in plan.leaves} for group in sorted(found)
    }


def _read_by(leaf: Leaf, series: Series) -> Series:
    """The series as a query reads it: of a distribution the number of its values for `count:` (rule 20.22)."""
    column = leaf.metric.span.start + 1
    if series.kind != 'distribution':
        if leaf.space == 'count':
            reason = (
                f'as a space aggregator counts the values of a distribution (rule 20.22); {series} is a {series.kind}'
            )
            raise Unsupported('count', column, reason)
        if is_percentile(leaf.space):
            reason = f'needs the raw values of a distribution (rule 17.19); {series} is a {series.kind}'
            raise Unsupported(leaf.space, column, reason)
        return series
    if leaf.space == 'count':
        return series.counted()
    if leaf.counting is not None or leaf.weighted:
        name = leaf.counting or 'weighted'
        reason = f'of {leaf.space}: of a distribution is not evaluated, only as_count() and as_rate() of count: (20.22)'
        raise Unsupported(f'.{name}', column, reason)
    if leaf.method not in (None, leaf.space) and not is_percentile(leaf.space):
        # Of a percentile the method has no effect.
        reason = f'with {leaf.method} of {leaf.space}: of a distribution has no meaning; use .rollup(seconds)'
        raise Unsupported('.rollup', column, reason)
    return series


def _fixed_tags(scope: Scope | None) -> Iterator[str]:
    """Return the tags that the scope requires, so that every covered series has them (rule 5.15)."""
    match scope:
        case TagFilter(key=key, value=value) if '*' not in value:
            yield f'{key}:{value}' if key is not None else value
        case TagIn(key=key, values=(value,)) if '*' not in value:
            yield f'{key}:{value}'
        case And(scopes=scopes):
            for inner in scopes:
                yield from _fixed_tags(inner)
