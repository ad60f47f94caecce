"""The points of an expression over a period, as a dashboard's graph shows them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ddassets.diagnostic import Span
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.context import HISTORY, EvaluationContext
from ddassets.engine.evaluation import Evaluation
from ddassets.engine.evaluator import bound, group_series
from ddassets.engine.plan import Plan
from ddassets.engine.planner import graph_plan
from ddassets.engine.series import SeriesSet
from ddassets.engine.timeline import Group
from ddassets.language.query import tree

# Rule 1.10's modifiers that make a count of what would be averaged.
_COUNTS = ('as_count',)
_NOWHERE = Span(0, 0)


class Line(NamedTuple):
    """One group's values at the starts of their buckets, in seconds since the epoch, rising; NaN: no value."""

    name: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def held(self) -> 'Line':
        """The points with a value."""
        there = np.isfinite(self.values)
        return Line(self.name, self.times[there], self.values[there])


def draw(
    expression: tree.Expression, store: SeriesSet, start: int, end: int, choices: Mapping[str, str] | None = None
) -> list[Line]:
    """Evaluate an expression over [start, end), in seconds since the epoch: one line for each group with a point.

    Arithmetic is per point, for counts too. Raises Unsupported for what is outside the evaluator's subset.
    """
    assumptions = graph_assumptions(choices)
    return [
        Line(','.join(group) or '*', times, values)
        for group, times, values in points(graph_plan(expression, assumptions), store, start, end, assumptions)
    ]


def graph_assumptions(choices: Mapping[str, str] | None = None) -> Assumptions:
    """Return the assumptions of a graph: it has the points on both of its edges (A1 and A89)."""
    bounds = {Assumptions.window_ends.id: '[from,to]', Assumptions.count_window_ends.id: 'as A1'}
    return Assumptions({**(choices or {}), **bounds})


def points(
    plan: Plan, store: SeriesSet, start: int, end: int, assumptions: Assumptions
) -> Iterator[tuple[Group, NDArray[np.float64], NDArray[np.float64]]]:
    """Return times and values over [start, end) of each group with a value."""
    plan = bound(plan, store)
    # One evaluation of the whole stretch, at its last second.
    context = EvaluationContext(np.array([end - 1]), end - 1 - start, 0, assumptions, start - HISTORY, start)
    for group, sources in group_series(plan, store).items():
        evaluation = Evaluation(plan, sources, context)
        if evaluation.has_points(np.array([0])).any():
            ((_, times, values),) = evaluation.seen(0)
            if np.isfinite(values).any():
                yield group, times, values


def own_bucket(metric: tree.Metric) -> list[int]:
    """Return the length of the buckets of a query's own rollup, in seconds; none without one."""
    numbers = [
        argument.value
        for modifier in metric.modifiers
        if modifier.name == 'rollup'
        for argument in modifier.arguments
        if isinstance(argument, tree.Number)
    ]
    return [int(number) for number in numbers[:1]]


def rolled_up(expression: tree.Expression, bucket: int) -> tree.Expression:
    """Give each query without a rollup the one that a graph would: sums of counts, averages of the rest (rule 7.4)."""

    def change(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Metric) or own_bucket(node):
            return node
        own = next((m for m in node.modifiers if m.name == 'rollup' and m.arguments), None)
        word = 'sum' if any(modifier.name in _COUNTS for modifier in node.modifiers) else 'avg'
        method = own.arguments[0] if own else tree.Word(span=_NOWHERE, value=word)
        rollup = tree.Modifier(
            span=_NOWHERE, name='rollup', arguments=(method, tree.Number(span=_NOWHERE, value=float(bucket)))
        )
        return replace(node, modifiers=(*(m for m in node.modifiers if m is not own), rollup))

    return tree.rewrite(expression, change)
