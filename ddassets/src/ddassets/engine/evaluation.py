"""Expressions over series: from the points of a group's sources to one value per evaluation (rules 2.3 to 2.17)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.clock import Clock
from ddassets.engine.column import Floats, Indices
from ddassets.engine.computation import compute
from ddassets.engine.plan import Difference, Node, Plan, ZeroFilled, counts, leaves, zero_fills
from ddassets.engine.points import Points, Sources, Unit

type Flags = NDArray[np.bool_]

# How many parts of a window may be empty for it to count as full (rule 2.8).
MOST_EMPTY = 3


@dataclass
class _WindowSight:
    """Operands that are aggregated over the window already; `there`: any of them has a value."""

    operands: Mapping[Node, Floats]
    there: Flags
    pointwise = False

    def given(self, node: Node) -> Floats | None:
        values = self.operands.get(node)
        if values is None or not counts(node):
            return values
        return np.where(np.isnan(values) & self.there, 0.0, values)

    def zero_filled(self, node: ZeroFilled, values: Floats) -> Floats:
        return np.where(np.isnan(values) & self.there, 0.0, values)

    def difference(self, node: Difference, values: Floats) -> Floats:
        raise AssertionError('refused by the plan')


class Evaluation:
    """One group's value at each tick: `values`, NaN where the evaluation returned nothing."""

    def __init__(self, plan: Plan, sources: Sources, clock: Clock) -> None:
        self._plan = plan
        self._sources = sources
        self._clock = clock
        self._units = {operand: Unit.of(operand, sources, clock) for operand in plan.operands}
        # The points of each operand, with the ticks that see them so.
        self.parts: dict[Node, list[tuple[Indices, Points]]] = {
            operand: list(self._points(operand, unit)) for operand, unit in self._units.items()
        }
        aggregated = {operand: self._aggregate(operand) for operand in plan.operands}
        if plan.operands == (plan.expression,):
            self.values = aggregated[plan.expression]
        else:
            there = np.logical_or.reduce([~np.isnan(values) for values in aggregated.values()])
            values = np.broadcast_to(compute(plan.expression, _WindowSight(aggregated, there)), there.shape)
            self.values = np.where(there, values, np.nan)

    def _points(self, operand: Node, unit: Unit) -> Iterator[tuple[Indices, Points]]:
        """An empty window stays empty under default_zero, so what it fills differs from tick to tick (rule 2.17)."""
        every = np.arange(self._clock.ticks.size)
        zeros = tuple(dict.fromkeys(zero_fills(operand)))
        if not zeros:
            yield every, Points(operand, unit, self._sources, self._clock)
            return
        something = np.zeros(every.size, dtype=np.int64)
        for bit, zero in enumerate(zeros):
            inner = Points(zero.operand, unit, self._sources, self._clock)
            something |= (inner.count(inner.lower, inner.upper) > 0).astype(np.int64) << bit
        for code in np.unique(something):
            filled = frozenset(zero for bit, zero in enumerate(zeros) if code >> bit & 1)
            rows = np.flatnonzero(something == code)
            yield rows, Points(operand, unit, self._sources, self._clock.at(rows), filled)

    def _aggregate(self, operand: Node) -> Floats:
        values = np.full(self._clock.ticks.size, np.nan)
        for rows, points in self.parts[operand]:
            values[rows] = points.aggregate(self._plan.aggregator)
        return values

    def has_points(self, rows: Indices) -> Flags:
        """Whether the windows of some ticks hold anything at all, be it without a value (n/0, rule 2.13)."""
        found = np.zeros(rows.size, dtype=np.bool_)
        for operand, unit in self._units.items():
            for leaf in dict.fromkeys(leaves(operand)):
                points = Points(leaf, unit, self._sources, self._clock.at(rows))
                found |= points.count(points.lower, points.upper) > 0
        return found

    def last_point(self, rows: Indices) -> Floats:
        """When the last point with a value was, for some ticks: of the newest operand, NaN where there is none."""
        newest = np.full(self._clock.ticks.size, -np.inf)
        wanted = np.zeros(newest.size, dtype=np.bool_)
        wanted[rows] = True
        for parts in self.parts.values():
            for members, points in parts:
                chosen = np.flatnonzero(wanted[members])
                last = points.last(chosen)
                newest[members[chosen]] = np.fmax(newest[members[chosen]], last)
        result = newest[rows]
        return np.where(np.isinf(result), np.nan, result)

    def full(self, part: int) -> Flags:
        """Whether each window is full: of its parts of `part` seconds the first has a point, 3 may be empty (2.8)."""
        number = -(-self._clock.window // part)
        empty = np.zeros(self._clock.ticks.size, dtype=np.int64)
        first = np.zeros(empty.size, dtype=np.bool_)
        for index in range(number):
            count = np.zeros(empty.size, dtype=np.int64)
            for parts in self.parts.values():
                for rows, points in parts:
                    start = points.clock.starts + index * part
                    end = np.minimum(start + part, points.clock.ends)
                    last = index == number - 1
                    upper = points.number_to(end) if last else points.number_from(end)
                    count[rows] += points.count(points.number_from(start), upper)
            if index == 0:
                first = count > 0
            empty += count == 0
        return first & (empty <= MOST_EMPTY)

    def seen(self, row: int) -> Iterator[tuple[Node, Floats, Floats]]:
        """What each operand's window holds at one tick: times in seconds and values, NaN where one is missing."""
        for operand, parts in self.parts.items():
            for rows, points in parts:
                at = np.flatnonzero(rows == row)
                if at.size:
                    yield operand, *points.seen_at(int(at[0]))
