"""Window, value, state: a monitor over series becomes the timeline of each group. Pure; time comes as an argument."""

from collections.abc import Iterator, Mapping

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.clock import HISTORY, Clock
from ddassets.engine.column import Floats, Indices
from ddassets.engine.evaluation import Evaluation
from ddassets.engine.explanation import Explanation, reasons
from ddassets.engine.monitor import Monitor
from ddassets.engine.plan import MONTH, STUBBED, Leaf, Plan, has_arithmetic, make_plan, zero_fills
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State
from ddassets.engine.state_machine import Answers, StateMachine, transitions
from ddassets.engine.timeline import Group, GroupTimeline, MonitorTimeline
from ddassets.language.query.scope import predicate
from ddassets.language.query.syntax import render
from ddassets.language.query.tree import And, Call, Scope, TagFilter, TagIn

DAY = 86400
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
    """The same group by group, for more groups than shall be held at once.

    `assumptions` records those that the groups evaluated so far relied on. `warnings` are sentences.
    """

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
        expression = monitor.query.expression
        stubbed = isinstance(expression, Call) and expression.name in STUBBED and expression.name in store.metrics
        windows = monitor.stub_windows or (monitor.query.window.seconds, monitor.query.window.seconds)
        self.plan = make_plan(monitor.query, windows if stubbed else None)
        self.assumptions = Assumptions() if assumptions is None else assumptions
        if monitor.query.comparator in ('==', '!='):
            self.assumptions.rely_on(Assumptions.equality)
        self.warnings = tuple(_warnings(self.plan, store))
        self._monitor = monitor
        self.start = start
        self.end = end
        self._ticks = _ticks(start, end, tick_second, self.plan.window)
        self._sources = group_series(self.plan, store)
        self._fixed = frozenset(tag for leaf in self.plan.leaves for tag in _fixed_tags(leaf.metric.scope))

    @property
    def ticks(self) -> Indices:
        """The instants of evaluation, in seconds since the epoch."""
        return self._ticks

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group that the series have, in order; a simple alert has one without tags."""
        return tuple(self._sources)

    def series(self, group: Group) -> Iterator[Series]:
        """Every series that the group is evaluated from."""
        for each in self._sources[group].values():
            yield from each

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        return self._timeline(group, self._evaluation(group, self.plan.window))

    def explain(self, group: Group, instant: int) -> Explanation:
        """Say why a group is in the state that it is in at an instant: what its last evaluation until then saw.

        Raises UnusableInputError where there was none yet, or no such group.
        """
        row = int(np.searchsorted(self._ticks, instant, side='right')) - 1
        if row < 0 or group not in self._sources:
            known = ', '.join(','.join(one) or '*' for one in self.groups)
            raise UnusableInputError(f'no evaluation of {",".join(group) or "*"} at {instant}; groups: {known}')
        evaluation = self._evaluation(group, self.plan.window)
        timeline = self._timeline(group, evaluation)
        tick = int(self._ticks[row])
        to = tick - self._monitor.evaluation_delay
        names = {leaf: render(leaf.metric) for leaf in self.plan.leaves}
        whole = render(self._monitor.query.expression)
        return Explanation(
            tick=tick,
            state=State(timeline.states[row]),
            value=float(evaluation.values[row]),
            window=(to - self.plan.window, to),
            points=tuple(
                (names[operand] if isinstance(operand, Leaf) else whole, float(time), float(value))
                for operand, times, values in evaluation.seen(row)
                for time, value in zip(times, values, strict=True)
            ),
            reasons=tuple(reasons(self._monitor, timeline, row, float(evaluation.values[row]))),
        )

    def _timeline(self, group: Group, evaluation: Evaluation) -> GroupTimeline:
        answers = self._answers(group, evaluation)
        machine = StateMachine(self._monitor, self.plan.window, self.assumptions)
        states = np.full(self._ticks.size, State.NO_DATA if not group else State.ABSENT, dtype=np.int8)
        causes = np.zeros(self._ticks.size, dtype=np.int8)
        born = []
        for birth, end in self._lives(group, answers, evaluation):
            states[birth:end], causes[birth:end] = machine.run(answers.part(birth, end))
            states[end:] = State.ABSENT
            born.append(birth)
        compared = (answers.valued | answers.zero) & (states != State.ABSENT)
        values = np.where(compared, answers.values, np.nan)
        if not group:
            values[: born[0] if born else None] = np.nan
        changes = transitions(self._ticks, states, values, causes, born, machine)
        if len(changes):
            self.assumptions.rely_on(Assumptions.window_ends)
        return GroupTimeline(
            group=group,
            tags=frozenset(group) | self._fixed,
            ticks=self._ticks,
            values=values,
            states=states,
            transitions=changes,
            end=self.end,
            silent_no_data=self._monitor.silent_no_data,
        )

    def _evaluation(self, group: Group, window: int) -> Evaluation:
        delay = self._monitor.evaluation_delay
        oldest = int(self._ticks[0] if self._ticks.size else 0) - delay - window - HISTORY
        clock = Clock(self._ticks, window, delay, self.assumptions, oldest)
        return Evaluation(self.plan, self._sources[group], clock)

    def _answers(self, group: Group, evaluation: Evaluation) -> Answers:
        """What each evaluation returned: a value, nothing, or no answer at all."""
        values = evaluation.values
        valued = ~np.isnan(values)
        empty = ~valued
        if self._monitor.require_full_window:
            part = _part(self.plan, self._monitor)
            short = valued & ~evaluation.full(part)
            if short.any():
                valued = valued & ~short
                empty = empty | short if self.assumptions.short_window == 'no data' else empty
        if has_arithmetic(self.plan.expression, differences=True):
            rows = np.flatnonzero(np.isnan(values))
            rows = rows[evaluation.has_points(rows)]
            if rows.size:
                empty[rows] = self.assumptions.points_without_value == 'no data'
        recovery = values
        if self.plan.recovery_window is not None:
            recovery = self._evaluation(group, self.plan.recovery_window).values
            recovery = np.where(np.isnan(recovery), values, recovery)
        last = np.full(values.size, np.nan)
        rows = np.flatnonzero(empty)
        if self._monitor.notify_no_data and rows.size:
            last[rows] = evaluation.last_point(rows)
        zero = empty & self._counts(group)
        return Answers(
            self._ticks, np.where(zero, 0.0, values), np.where(zero, 0.0, recovery), valued, empty, zero, last
        )

    def _counts(self, group: Group) -> bool:
        """Whether on_missing_data default takes nothing for 0 (rules 3.15 and 3.16)."""
        if self._monitor.on_missing_data != 'default' or any(zero_fills(self.plan.expression)):
            return False
        sources = self._sources[group]
        return all(
            leaf.counting == 'as_count'
            or (self.assumptions.peek(Assumptions.count_query) == 'sum or count' and leaf.space == 'sum')
            or (bool(sources[leaf]) and all(series.kind == 'count' for series in sources[leaf]))
            for leaf in self.plan.leaves
        )

    def _lives(self, group: Group, answers: Answers, evaluation: Evaluation) -> Iterator[tuple[int, int]]:
        """From when to when, by index, the group is there: born with a value, dropped after a day without (3.20)."""
        ticks, size = self._ticks, self._ticks.size
        there = ~answers.empty
        if not group:
            birth = int(np.argmax(answers.valued)) if answers.valued.any() else size
            if self._monitor.on_missing_data in ('default', 'show_and_notify_no_data', 'resolve') and birth > 0:
                self.assumptions.rely_on(Assumptions.never_reported)
            if birth < size:
                yield birth, size
            return
        gone = answers.empty & (ticks - ticks[answers.first_empty] >= DAY) if size else answers.empty
        position = 0
        while position < size and there[position:].any():
            seen = position + int(np.argmax(there[position:]))
            end = seen + int(np.argmax(gone[seen:])) if gone[seen:].any() else size
            since = int(ticks[seen]) if position else self._reporting_since(group, int(ticks[seen]))
            ready = answers.valued[seen:end] & (ticks[seen:end] >= since + self._monitor.new_group_delay)
            if ready.any():
                yield seen + int(np.argmax(ready)), end
            position = end

    def _reporting_since(self, group: Group, found: int) -> float:
        """Since when a group is known that an evaluation finds for the first time, at `found`.

        What was there before the first evaluation counts, if no day of silence lies between (rule 2.21).
        """
        each = [series for sources in self._sources[group].values() for series in sources]
        seen = np.concatenate([self._seen(series) for series in each])
        times = np.append(np.sort(seen[seen <= self._ticks[0]]), found)
        silences = np.flatnonzero(np.diff(times) >= DAY)
        return float(times[silences[-1] + 1 if silences.size else 0])

    def _seen(self, series: Series) -> Floats:
        """From when each point of a series can lie in a window that is evaluated."""
        seen = series.times + self._monitor.evaluation_delay
        return seen if series.arrivals is None else np.maximum(seen, series.arrivals)


def _ticks(start: int, end: int, second: int, window: int) -> Indices:
    """The instants of evaluation (rule 2.1)."""
    every = 60 if window < DAY else 600 if window < 2 * DAY else 1800
    return np.arange(start + (second - start) % every, end, every, dtype=np.int64)


def _part(plan: Plan, monitor: Monitor) -> int:
    """How long the parts of a window that is to be full are, in seconds (rule 2.8); of a stub's by their number."""
    if not plan.stub:
        return _PARTS[monitor.query.window.unit]
    return _PARTS['m' if plan.window < 3600 else 'h' if plan.window < DAY else 'd']


def _warnings(plan: Plan, store: SeriesSet) -> Iterator[str]:
    if plan.stub:
        yield f'{plan.stub}() is not computed: a series of the scenario stands in for it'
    if plan.window > MONTH:
        yield f'the window of {plan.window} s is longer than a month (rule 1.3)'
    for name in sorted({leaf.metric.name for leaf in plan.leaves} - store.metrics):
        yield f'there is no series of the metric {name}'


def group_series(plan: Plan, store: SeriesSet) -> dict[Group, dict[Leaf, list[Series]]]:
    """The series of each query by group; one that lacks a key belongs to none (rule 1.7)."""
    found: dict[Group, dict[Leaf, list[Series]]] = {} if plan.by else {(): {}}
    for leaf in plan.leaves:
        metric = plan.stub or leaf.metric.name
        covers = predicate(leaf.metric.scope)
        for series in store.of(metric):
            group = _group(series, plan.by)
            if group is not None and len(series) and covers(series.tags):
                found.setdefault(group, {}).setdefault(leaf, []).append(series)
    return {group: {leaf: found[group].get(leaf, []) for leaf in plan.leaves} for group in sorted(found)}


def _group(series: Series, keys: tuple[str, ...]) -> Group | None:
    """Several values of one key are joined in their order (rule 4.8)."""
    group = []
    for key in keys:
        values = sorted(tag.partition(':')[2] for tag in series.tags if tag.startswith(f'{key}:'))
        if not values:
            return None
        group.append(f'{key}:{",".join(values)}')
    return tuple(group)


def _fixed_tags(scope: Scope | None) -> Iterator[str]:
    """The tags that every covered series has because the scope says so (rule 5.15)."""
    match scope:
        case TagFilter(key=key, value=value) if '*' not in value:
            yield f'{key}:{value}' if key is not None else value
        case TagIn(key=key, values=(value,)) if '*' not in value:
            yield f'{key}:{value}'
        case And(scopes=scopes):
            for inner in scopes:
                yield from _fixed_tags(inner)
