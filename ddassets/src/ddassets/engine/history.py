"""Functions that depend on many points: the points that each evaluation sees, and the function's values."""

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Column, Floats, Indices
from ddassets.engine.computation import ValueSource, compute
from ddassets.engine.context import EvaluationContext
from ddassets.engine.plan import Moving, Node, Smoothed, depth, walk
from ddassets.engine.smoothing import cumulative, ewma, median, moving, trend_line

OVER_WINDOW = ('trend_line', 'cumsum', 'integral')


def over_window(node: Node, assumptions: Assumptions) -> bool:
    """Whether a function in the node depends on the beginning of the window."""
    return any(_over_window(part, assumptions) for part in walk(node) if isinstance(part, Smoothed | Moving))


def _over_window(node: Smoothed | Moving, assumptions: Assumptions) -> bool:
    if isinstance(node, Smoothed) and node.name in OVER_WINDOW:
        return True
    return depth(node.operand) > 0 or assumptions.peek(Assumptions.earlier_history) == 'window only'


class Points(Protocol):
    """The points of an expression, by number; `first` is the number of the first point.

    `lower` and `upper` are the bounds of the window of each evaluation, `floor` is the first point that a difference
    may use, and `settled` the first whose value at the evaluation differs from its final value.
    """

    first: int
    lower: Indices
    upper: Indices
    floor: Indices
    settled: Indices
    context: EvaluationContext
    history: 'dict[Smoothed | Moving, History]'

    def instants(self, numbers: Indices) -> Floats:
        """Return the times of points, in seconds."""
        ...

    def number_of(self, instants: Floats) -> Indices:
        """Return the number of the first point at or after each instant."""
        ...

    def has_instant(self, numbers: Indices, instants: Floats) -> NDArray[np.bool_]:
        """Whether the point of each number is at the given instant."""
        ...


class Seen(ValueSource, Protocol):
    """Points by number, as the evaluation in `rows` sees each, or with their final values if `rows` is None."""

    numbers: Indices
    rows: Indices | None
    floored: bool

    def at(self, numbers: Indices, rows: Indices) -> Self:
        """Return other points, as other evaluations see them."""
        ...


class History:
    """The final values of a function's operand and of the function, by point number."""

    def __init__(self, points: Points, operand: Floats) -> None:
        self.operand = Column(operand)
        self.result = operand
        self._points = points

    def look_back(self, node: Smoothed | Moving, numbers: Indices) -> Indices:
        """Return the number of the first point on which the function's value at each number depends."""
        points = self._points
        if isinstance(node, Moving):
            return points.number_of(points.instants(numbers) - node.seconds)
        if node.name == 'ewma':
            return numbers
        # The n-th value before the number.
        index = np.clip(numbers - points.first, 0, self.operand.values.size)
        for _ in range(node.span - 1):
            index = np.maximum(self.operand.last((np.zeros_like(index), index)), 0)
        return np.minimum(index + points.first, numbers)


def values(node: Smoothed | Moving, points: Points, seen: Seen) -> Floats:
    """Return the function's values at the numbers of `seen`, as the evaluations in its rows see them."""
    if seen.rows is None:
        # Numbers are consecutive here, from the first on: one run.
        operand = np.broadcast_to(compute(node.operand, seen), seen.numbers.shape)
        history = points.history[node] = History(points, operand)
        starts = np.zeros(operand.size, dtype=np.int64)
        history.result = _function(node, points, seen.numbers, operand, starts, np.full(operand.size, np.nan))
        return history.result
    history = points.history[node]
    rows, run = np.unique(seen.rows, return_inverse=True)
    if isinstance(node, Smoothed) and node.name in OVER_WINDOW:
        first, end = points.lower[rows], points.upper[rows]
    else:
        first = np.full(rows.size, np.iinfo(np.int64).max)
        np.minimum.at(first, run, seen.numbers)
        end = np.full(rows.size, points.first)
        np.maximum.at(end, run, seen.numbers + 1)
        earliest = np.minimum(first, points.settled[rows])
        limited = seen.floored and over_window(node, points.context.assumptions)
        first = _limit(node, points, rows) if limited else history.look_back(node, earliest)
        first = np.maximum(first, points.first)
    length = np.maximum(end - first, 0)
    offset = np.cumsum(length) - length
    starts = np.repeat(offset, length)
    numbers = np.arange(starts.size) - starts + np.repeat(first, length)
    operand = np.broadcast_to(compute(node.operand, seen.at(numbers, np.repeat(rows, length))), numbers.shape)
    seeds = np.repeat(_seeds(node, points, history, first, seen.floored), length)
    result = _function(node, points, numbers, operand, starts, seeds)
    index = seen.numbers - first[run]
    inside = (index >= 0) & (index < length[run])
    found = np.full(seen.numbers.size, np.nan)
    found[inside] = result[(offset[run] + index)[inside]]
    return found


def _limit(node: Smoothed | Moving, points: Points, rows: Indices) -> Indices:
    """Return the number of the first point that each evaluation may use (A79, A19)."""
    only = points.context.assumptions.peek(Assumptions.earlier_history) == 'window only'
    # What a function over the window makes of points before it is not defined.
    within = any(isinstance(part, Smoothed) and part.name in OVER_WINDOW for part in walk(node.operand))
    return (points.lower if only or within else points.floor)[rows]


def _seeds(node: Smoothed | Moving, points: Points, history: History, first: Indices, floored: bool) -> Floats:
    """Return the average before the first point of each run, if the run continues settled points."""
    nothing = np.full(first.size, np.nan)
    limited = floored and over_window(node, points.context.assumptions)
    if not isinstance(node, Smoothed) or node.name != 'ewma' or limited or not history.result.size:
        return nothing
    index = np.clip(first - points.first, 0, history.result.size)
    last = history.operand.last((np.zeros_like(index), index))
    return np.where(last >= 0, history.result[np.maximum(last, 0)], nothing)


def _function(
    node: Smoothed | Moving, points: Points, numbers: Indices, values: Floats, starts: Indices, seeds: Floats
) -> Floats:
    if isinstance(node, Moving):
        return _moving(node, points, numbers, values, starts)
    match node.name:
        case 'median':
            return median(values, starts, node.span)
        case 'ewma':
            other = node.span > 1 and points.context.assumptions.ewma_weight == '2/(n+2)'
            return ewma(values, starts, seeds, 2 / (node.span + 2 if other else node.span + 1))
        case 'trend_line':
            return trend_line(points.instants(numbers), values, starts) if values.size else values
    return cumulative(points.instants(numbers), values, starts, node.name == 'integral')


def _moving(node: Moving, points: Points, numbers: Indices, values: Floats, starts: Indices) -> Floats:
    oldest = points.instants(numbers) - node.seconds
    first = points.number_of(oldest)
    at_end = points.has_instant(first, oldest)
    if at_end.any() and points.context.assumptions.moving_ends == '(t-X,t]':
        first = first + at_end
    index = np.arange(values.size)
    return moving(values, np.maximum(index - (numbers - first), starts), node.method)
