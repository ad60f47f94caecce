"""What a dashboard's graph draws: the points of an expression over a stretch of time. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.clock import HISTORY, Clock
from ddassets.engine.evaluator import group_series
from ddassets.engine.plan import graph_plan, zero_fills
from ddassets.engine.points import Points, Unit
from ddassets.engine.series import SeriesSet
from ddassets.language.query import tree


class Line(NamedTuple):
    """One group's values at the starts of their buckets, in seconds since the epoch, rising; NaN: no value."""

    name: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def held(self) -> 'Line':
        """The points that have a value."""
        there = np.isfinite(self.values)
        return Line(self.name, self.times[there], self.values[there])


def draw(
    expression: tree.Expression, store: SeriesSet, start: int, end: int, choices: Mapping[str, str] | None = None
) -> list[Line]:
    """Evaluate an expression over [start, end), in seconds since the epoch: one line for each group that has a point.

    Arithmetic is per point here, on counts too. Raises Unsupported for what is outside the evaluator's subset.
    """
    plan = graph_plan(expression)
    # One look at everything, from its last second on; a graph has the points on both of its edges (A1).
    assumptions = Assumptions(choices).switched(Assumptions.window_ends.id, '[from,to]')
    clock = Clock(np.array([end - 1]), end - 1 - start, 0, assumptions, start - HISTORY)
    lines = []
    for group, sources in group_series(plan, store).items():
        unit = Unit.of(plan.expression, sources, clock)
        points = Points(plan.expression, unit, sources, clock)
        times, values = points.seen_at(0)
        zeros = frozenset(zero_fills(plan.expression))
        if not np.isfinite(values).any():
            continue
        if zeros:
            times, values = Points(plan.expression, unit, sources, clock, zeros).seen_at(0)
        lines.append(Line(','.join(group) or '*', times, values))
    return lines
