"""A composite member with given states instead of evaluated ones: a monitor of any type (rule 13.3)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Indices
from ddassets.engine.explanation import Explanation
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline, evaluation_instants
from ddassets.engine.transitions import transitions

#: What the metric of a series of states begins with: no metric has a colon.
PREFIX = 'monitor:'


@dataclass(frozen=True)
class GivenMonitor(AnyMonitor):
    """A monitor of which only the states are known. It counts as one that notifies about missing data."""

    notify_no_data: bool = True
    given: tuple[State, ...] = ()

    @property
    def states(self) -> tuple[State, ...]:
        return self.given


class GivenStates:
    """Keeps each group in its last given state. See `protocol.Evaluator`."""

    def __init__(
        self, name: str, series: tuple[Series, ...], start: int, end: int, tick_second: int, assumptions: Assumptions
    ) -> None:
        codes = sorted({int(code) for one in series for code in one.values})
        self.monitor = GivenMonitor(name, given=tuple(map(State, codes)))
        self.start = start
        self.end = end
        self.assumptions = assumptions
        self.warnings: tuple[str, ...] = ()
        self._ticks = evaluation_instants(start, end, tick_second)
        self._series: Mapping[Group, Series] = {tuple(sorted(one.tags)): one for one in series}

    @property
    def ticks(self) -> Indices:
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tag.partition(':')[0] for group in self._series for tag in group))

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(sorted(self._series))

    @property
    def absence(self) -> str:
        return f'no states of {self.monitor.name} are given'

    def series(self, group: Group) -> Iterator[Series]:
        yield self._series[group]

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        return {}

    def timeline(self, group: Group) -> GroupTimeline:
        series = self._series[group]
        row = np.searchsorted(series.times, self._ticks, side='right') - 1
        fresh = State.ABSENT if group else State.NO_DATA
        known = series.values.astype(np.int8)[np.maximum(row, 0)] if len(series) else np.zeros(0, dtype=np.int8)
        states = np.where(row >= 0, known, fresh).astype(np.int8) if len(series) else np.full(row.size, fresh, np.int8)
        values = np.full(states.size, np.nan)
        causes = np.zeros(states.size, dtype=np.int8)
        changes = transitions(self.monitor, self.assumptions, self._ticks, states, values, causes, [], fresh)
        return GroupTimeline(group, frozenset(group), self._ticks, values, states, changes, self.end)

    def explain(self, group: Group, instant: int) -> Explanation:
        raise UnusableInputError(f'the states of {self.monitor.name} are given')
