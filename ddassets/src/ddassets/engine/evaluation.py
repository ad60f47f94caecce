"""Compute one value per evaluation from the points of a group's sources (rules 2.3 to 2.17)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ddassets.engine.column import Column, Flags, Floats, Indices
from ddassets.engine.computation import compute, differences
from ddassets.engine.context import EvaluationContext
from ddassets.engine.merged import PercentileWindows
from ddassets.engine.plan import (
    Difference,
    Earlier,
    Filled,
    Leaf,
    Moving,
    Node,
    Plan,
    Ranking,
    Reduced,
    Smoothed,
    children,
    counts,
    leaves,
    rebuilt,
)
from ddassets.engine.planner import AGGREGATORS, operands
from ddassets.engine.points import Points, Sources, Unit
from ddassets.engine.ranking import score

# How many parts of a window may be empty for it to count as full (rule 2.8).
MAX_EMPTY_PARTS = 3


@dataclass(frozen=True, slots=True)
class Operand:
    """A part of the expression that is aggregated over windows, which end `earlier` seconds before the evaluated
    window.
    """

    node: Node
    earlier: int = 0


class Evaluation:
    """The value of one group at each tick: `values`, NaN if the evaluation returned nothing."""

    def __init__(self, plan: Plan, sources: Sources, context: EvaluationContext) -> None:
        self._plan = plan
        self._sources = sources
        self._context = context
        self.variables: Mapping[str, Floats] = {}
        self.parts: dict[Operand, Points | PercentileWindows] = {}
        if plan.aggregator == 'percentile':
            self._merge(plan.expression)
            return
        if not plan.by_window:
            points = self._points(plan.expression, context)
            self.parts = {Operand(plan.expression): points}
            self.values = _aggregated(points, plan.aggregator)
            return
        parts: dict[Operand, Points] = {}
        for operand in _operands(plan.expression, plan.window):
            if operand not in parts:
                parts[operand] = self._operand_points(operand, context)
        self.parts.update(parts)
        aggregated = {
            operand: _aggregated(points, operand.node.method if isinstance(operand.node, Reduced) else plan.aggregator)
            for operand, points in parts.items()
        }
        # What each variable of a formula is at each tick.
        self.variables = {
            operand.node.name: values
            for operand, values in aggregated.items()
            if isinstance(operand.node, Reduced) and not operand.earlier
        }
        there = np.logical_or.reduce([~np.isnan(values) for values in aggregated.values()])
        # A missing count is 0 if another operand has a value (rule 2.13).
        given = {
            operand: np.where(np.isnan(values) & there, 0.0, values) if counts(operand.node) else values
            for operand, values in aggregated.items()
        }
        values = np.broadcast_to(compute(plan.expression, _WindowValues(given, context, self._blank)), there.shape)
        self.values = np.where(there | bool(plan.fills), values, np.nan)

    def _merge(self, leaf: Node) -> None:
        """Compute the percentile of all raw values of each window (rule 17.18)."""
        assert isinstance(leaf, Leaf), 'the planner refuses others'
        windows = PercentileWindows(leaf, self._sources.get(leaf, ()), self._context, self._plan.comparator)
        self.parts[Operand(leaf)] = windows
        self.values = windows.aggregate()

    def _points(self, node: Node, context: EvaluationContext) -> Points:
        return Points(node, Unit.of(node, self._sources, context), self._sources, context)

    def _operand_points(self, operand: Operand, context: EvaluationContext) -> Points:
        """Return the points of an operand. A timeshift moves the window, because it applies to whole windows (rule
        2.11).
        """
        node = operand.node.operand if isinstance(operand.node, Reduced) else operand.node
        context = context.earlier(operand.earlier)
        if len({*leaves(node)}) > 1:
            return self._points(node, context)
        leaf = next(leaves(node))
        unshifted = _unshifted(node)
        plain = next(leaves(unshifted))
        sources = {plain: self._sources.get(leaf, ())}
        context = context.earlier(leaf.shift)
        if leaf.calendar is not None:
            context = context.earlier(leaf.calendar.seconds(context.ends))
        return Points(unshifted, Unit.of(unshifted, sources, context), sources, context)

    def _blank(self, node: Filled, back: int) -> Flags:
        """Where no window of a default()'s query, `back` seconds before the evaluated one, has a point (A76)."""
        rows = np.arange(self._context.ticks.size)
        found = np.zeros(rows.size, dtype=np.bool_)
        for operand in operands(node.operand):
            found |= self.parts[Operand(operand, back)].has_points(rows)
        return ~found

    def scores(self, ranking: Ranking) -> Floats:
        """Return the score of the group at each tick, NaN if its window has no point (rules 20.16 and 20.17)."""
        points = next(iter(self.parts.values()))
        if self._plan.by_window or isinstance(points, PercentileWindows):
            # There is one point, as long as the window.
            index = np.arange(self.values.size, dtype=np.int64)
            times = self._context.starts.astype(np.float64)
            return score(ranking.rank, times, self.values, (index, index + 1), self._context.lengths)
        return score(ranking.rank, *points.windows())

    def has_points(self, rows: Indices) -> Flags:
        """Return whether the windows of some ticks have any points, even without a value (n/0, rule 2.13)."""
        found = np.zeros(rows.size, dtype=np.bool_)
        for points in self.parts.values():
            found |= points.has_points(rows)
        return found

    def last_point(self, rows: Indices) -> Floats:
        """Return the instant of the last value at some ticks: the newest of all operands, NaN without one."""
        newest = np.full(rows.size, -np.inf)
        for points in self.parts.values():
            later = np.broadcast_to(points.context.delay - self._context.delay, points.context.ticks.shape)[rows]
            newest = np.fmax(newest, points.reported().last(rows) + later)
        return np.where(np.isinf(newest), np.nan, newest)

    def full(self, part: int) -> Flags:
        """Return whether each window is full: the first of its parts of `part` seconds has a point, and at most 3 are
        empty (2.8).
        """
        number = -(-self._context.window // part)
        empty = np.zeros(self._context.ticks.size, dtype=np.int64)
        first = np.zeros(empty.size, dtype=np.bool_)
        for index in range(number):
            count = np.zeros(empty.size, dtype=np.int64)
            for points in self.parts.values():
                start = points.context.starts + index * part
                end = np.minimum(start + part, points.context.ends)
                last = index == number - 1
                upper = points.number_to(end) if last else points.number_from(end)
                count += points.count(points.number_from(start), upper)
            if index == 0:
                first = count > 0
            empty += count == 0
        return first & (empty <= MAX_EMPTY_PARTS)

    def window(self, row: int) -> tuple[int, int]:
        """Return the window of one tick: from and to, in seconds."""
        return int(self._context.starts[row]), int(self._context.ends[row])

    def merged(self, row: int) -> int | None:
        """Return how many raw values a percentile merges at one tick; None for another aggregator."""
        points = next(iter(self.parts.values()), None)
        return points.number(row) if isinstance(points, PercentileWindows) else None

    def seen(self, row: int) -> Iterator[tuple[Node, Floats, Floats]]:
        """Return the points of each operand's window at one tick: times in seconds and values, NaN for a missing
        one.
        """
        for operand, points in self.parts.items():
            yield operand.node, *points.seen_at(row)


def _aggregated(points: Points, method: str) -> Floats:
    """Return the aggregate of each window; of a formula also the last value, the area or the norm (rule 17.2)."""
    return points.aggregate(method) if method in AGGREGATORS else score(method, *points.windows())


def _unshifted(node: Node) -> Node:
    """Return an operand of one leaf without the shift of that leaf."""
    if isinstance(node, Leaf):
        return replace(node, shift=0, calendar=None)
    return rebuilt(node, _unshifted)


def _operands(node: Node, window: int, earlier: int = 0) -> Iterator[Operand]:
    """Yield every operand of an expression over windows of `window` seconds, with the windows that need it."""
    match node:
        case Earlier(operand=operand, seconds=seconds):
            yield from _operands(operand, window, earlier + seconds)
        case Difference(operand=operand):
            yield from _operands(operand, window, earlier)
            yield from _operands(operand, window, earlier + window)
        case Moving(operand=operand, seconds=seconds):
            for back in _windows(seconds, window):
                yield from _operands(operand, window, earlier + back)
        case _ if next(operands(node), None) is node:
            yield Operand(node, earlier)
        case _:
            for child in children(node):
                yield from _operands(child, window, earlier)


def _windows(seconds: int, window: int) -> range:
    """Return how many seconds before the evaluated window each window of the last `seconds` ends (rule 20.12)."""
    return range(0, seconds, window)


@dataclass
class _WindowValues:
    """Operands that are already aggregated over windows (rule 2.11)."""

    operands: dict[Operand, Floats]
    context: EvaluationContext
    blank: Callable[[Filled, int], Flags]
    back: int = 0
    pointwise = False

    @property
    def bucket(self) -> int:
        return self.context.window

    def _back(self, seconds: int) -> '_WindowValues':
        return replace(self, back=self.back + seconds)

    def given(self, node: Node) -> Floats | None:
        return self.operands.get(Operand(node, self.back))

    def present(self, leaf: Leaf) -> Flags:
        raise AssertionError('every leaf is in an operand')

    def filled(self, node: Filled, values: Floats) -> Floats:
        gaps = np.isnan(values) & (self.context.ends - self.back > self.context.known)
        if node.name == 'default' and gaps.any():
            blank = gaps & self.blank(node, self.back)
            if blank.any() and self.context.assumptions.empty_default == 'nothing':
                gaps &= ~blank
        return np.where(gaps, node.value, values)

    def difference(self, node: Difference, values: Floats) -> Floats:
        window = self.context.window
        before = compute(node.operand, self._back(window))
        seconds = np.float64(window)
        return differences(node.name, values, before, seconds, self.context.assumptions)  # type: ignore[arg-type]

    def earlier(self, node: Earlier | Moving | Smoothed) -> Floats:
        assert not isinstance(node, Smoothed), 'an operand holds it'
        if isinstance(node, Earlier):
            return compute(node.operand, self._back(node.seconds))
        each = [compute(node.operand, self._back(back)) for back in _windows(node.seconds, self.context.window)]
        table = np.stack(np.broadcast_arrays(*each), axis=1)
        # One range for each row.
        start = np.arange(table.shape[0], dtype=np.int64) * table.shape[1]
        return Column(table.reshape(-1)).aggregate(node.method, (start, start + table.shape[1]))
