"""Dynamic thresholds: another formula over the same variables is what a group is compared with (rules 17.14 to 17.16).

The difference of value and threshold is compared with 0, so that the state machine has constant limits.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ddassets import duration
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats, Indices, ranks
from ddassets.engine.evaluation import Evaluation
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.explanation import evaluation_row, number_or_nothing, reasons
from ddassets.engine.monitor import Monitor, Thresholds
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state_machine import Evaluations
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.query.printing import render
from ddassets.language.query.tree import MonitorQuery

#: The names of the series of a scenario that give thresholds, by the option that they replace.
GIVEN: Mapping[str, str] = {
    'critical_query': 'threshold_values',
    'critical_recovery_query': 'recovery_threshold_values',
}
_DAY = 86400


class DynamicEvaluator(Evaluator):
    """Evaluates a formula, and its thresholds at the same instants."""

    # The thresholds of a group change with time, and it remembers none.
    _continues = False

    def __init__(
        self,
        monitor: Monitor,
        store: SeriesSet,
        start: int,
        end: int,
        tick_second: int = 0,
        assumptions: Assumptions | None = None,
    ) -> None:
        super().__init__(monitor, store, start, end, tick_second, assumptions)
        self._public = monitor
        self._limits: dict[str, Limit] = {}
        for key, query in (
            ('critical_query', monitor.critical_query),
            ('critical_recovery_query', monitor.recovery_query),
        ):
            if query is not None:
                given = [*store.of(GIVEN[key])]
                self._limits[key] = Given(given) if given else Computed(key, query, self, store)
        recovery = 0.0 if monitor.recovery_query is not None else None
        self._monitor = replace(monitor, thresholds=Thresholds(0.0, None, recovery))

    @property
    def monitor(self) -> Monitor:
        return self._public

    def limit(self, key: str, group: Group) -> Floats:
        """Return a threshold of a group at each evaluation, NaN where it has none."""
        return self._limits[key].values(group, self._ticks)

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        """The threshold that a message is about (rule 17.15)."""
        row = evaluation_row(self._ticks, self.groups, group, instant)
        names = {'critical_query': 'threshold', 'critical_recovery_query': 'alert_recovery_threshold'}
        found = {names[key]: float(self.limit(key, group)[row]) for key in self._limits}
        return {name: None if math.isnan(value) else value for name, value in found.items()}

    def _evaluations(self, group: Group, evaluation: Evaluation) -> Evaluations:
        found = super()._evaluations(group, evaluation)
        limit = self.limit('critical_query', group)
        recovery = self.limit('critical_recovery_query', group) if 'critical_recovery_query' in self._limits else limit
        missing = np.isnan(limit) & (found.valued | found.zero)
        if missing.any():
            self.assumptions.rely_on(Assumptions.no_threshold)
        empty = found.empty & ~np.isnan(limit)
        if self.assumptions.peek(Assumptions.no_threshold) == 'no data':
            empty = found.empty | missing
        with np.errstate(invalid='ignore'):
            return replace(
                found,
                values=found.values - limit,
                recovery=found.recovery - np.where(np.isnan(recovery), limit, recovery),
                valued=found.valued & ~missing,
                zero=found.zero & ~missing,
                empty=empty,
            )

    def _timeline(self, group: Group, evaluation: Evaluation) -> GroupTimeline:
        found = super()._timeline(group, evaluation)
        # What is shown is the value itself.
        compared = np.where(np.isnan(evaluation.values), 0.0, evaluation.values)
        values = np.where(np.isnan(found.values), np.nan, compared)
        changes = found.transitions
        rows = np.searchsorted(found.ticks, changes.instants)
        told = np.where(np.isnan(changes.values), np.nan, compared[rows])
        return replace(found, values=values, transitions=replace(changes, values=told), uncertain=None)

    def _reasons(self, timeline: GroupTimeline, row: int, value: float) -> Iterator[str]:
        limits = {key: float(self.limit(key, timeline.group)[row]) for key in self._limits}
        for key, limit in limits.items():
            yield f'{key} is {number_or_nothing(limit)}: {self._limits[key]}'
        critical = limits['critical_query']
        if math.isnan(critical):
            yield 'the group has no threshold here: it is not evaluated (A62)'
            return
        recovery = limits.get('critical_recovery_query')
        compared = replace(self._monitor, thresholds=Thresholds(critical, None, recovery))
        yield from reasons(compared, timeline, row, value)


class Limit:
    """A threshold of each group."""

    def values(self, group: Group, ticks: Indices) -> Floats:
        """Return the threshold of a group at each evaluation, NaN where it has none."""
        raise NotImplementedError


class Given(Limit):
    """Thresholds that a scenario gives. Each holds until the next one."""

    def __init__(self, series: list[Series]) -> None:
        self._series = series

    def values(self, group: Group, ticks: Indices) -> Floats:
        """Of the series whose tags the group has, the one with the most tags."""
        fitting = sorted((one for one in self._series if one.tags <= frozenset(group)), key=lambda one: len(one.tags))
        if not fitting:
            return np.full(ticks.size, np.nan)
        series = fitting[-1]
        index = ranks(series.times, ticks, 'right') - 1
        return np.where(index >= 0, series.values[np.maximum(index, 0)], np.nan)

    def __str__(self) -> str:
        return 'given in the scenario'


class Computed(Limit):
    """Thresholds that a query computes at the instants of the monitor's evaluations."""

    def __init__(self, key: str, query: MonitorQuery, main: Evaluator, store: SeriesSet) -> None:
        self._query = query
        own = replace(main.monitor, query=query, critical_query=None, recovery_query=None)
        self._evaluator = Evaluator(own, store, main.start, main.end, 0, main.assumptions)
        self._evaluator._ticks = main.ticks
        self._require_history(key, store)

    def _require_history(self, key: str, store: SeriesSet) -> None:
        """Refuse a window that begins before the data (rule 17.16)."""
        evaluator = self._evaluator
        if not evaluator.ticks.size:
            return
        needed = int(evaluator.ticks[0]) - evaluator.monitor.evaluation_delay - evaluator.plan.window
        for leaf in evaluator.plan.leaves:
            every = [one for group in evaluator.groups for one in evaluator._sources[group][leaf] if len(one)]
            first = min((float(one.times[0]) for one in every), default=float(evaluator.ticks[0]))
            lacking = first - needed - max((one.interval for one in every), default=0) - (leaf.bucket or 0)
            if lacking > 0:
                days = math.ceil(lacking / _DAY * 10) / 10
                length = duration.write(evaluator.plan.window)
                raise UnusableInputError(
                    f'options.thresholds.{key}: reads the last {length}, and the data of {leaf.metric.name} begin '
                    f'{days:g} days too late: give earlier points (`from`), or the threshold itself under `series`: '
                    f'`{GIVEN[key]}: 100` (rule 17.16)'
                )

    def values(self, group: Group, ticks: Indices) -> Floats:
        known = self._evaluator.groups
        found = group if group in known else () if () in known else None
        if found is None:
            return np.full(ticks.size, np.nan)
        return self._evaluator._evaluation(found, self._evaluator.plan.window).values

    def __str__(self) -> str:
        window = self._query.window
        return f'{self._query.rollup or "formula"} of {render(self._query.expression)} over {window.count}{window.unit}'
