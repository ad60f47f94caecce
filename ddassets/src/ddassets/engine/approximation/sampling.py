"""The points of all groups of a query on one grid, for functions that compare groups or look at many points."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats, Indices
from ddassets.engine.context import HISTORY, EvaluationContext
from ddassets.engine.evaluation import Evaluation
from ddassets.engine.evaluator import bound, group_series
from ddassets.engine.plan import Leaf, Node, Plan, leaves, rebuilt
from ddassets.engine.planner import graph_plan
from ddassets.engine.points import table_bucket
from ddassets.engine.series import SeriesSet
from ddassets.engine.timeline import Group
from ddassets.language.query import tree


@dataclass(frozen=True, eq=False)
class Grid:
    """The values of each group (rows) in buckets (columns), NaN without a value.

    `times` are the starts of the buckets, `bucket` their length, in seconds. `rolled`: by a rollup of the query.
    """

    groups: tuple[Group, ...]
    times: Floats
    values: Floats
    bucket: int
    rolled: bool

    def windows(self, starts: Indices, ends: Indices, assumptions: Assumptions) -> tuple[Indices, Indices]:
        """Return the first column of each window and the one after its last (A1; a rollup's both count)."""
        choice = '[from,to]' if self.rolled else assumptions.window_ends
        lower = np.searchsorted(self.times, starts, 'left' if choice.startswith('[') else 'right')
        upper = np.searchsorted(self.times, ends, 'right' if choice.endswith(']') else 'left')
        return lower.astype(np.int64), np.maximum(upper, lower).astype(np.int64)


def sample(
    expression: tree.Expression,
    store: SeriesSet,
    start: int,
    end: int,
    assumptions: Assumptions,
    window: int,
    bucket: int | None = None,
    interpolated: bool = False,
) -> Grid:
    """Evaluate an expression over [start, end), in seconds, at the starts of buckets.

    A query without rollup has buckets of `bucket` seconds; None: as A2 says, of the longest interval of its series, for
    a `window` in seconds. `interpolated`: gaps are filled by rule 2.16. Raises Unsupported.
    """
    own = Assumptions({**assumptions.choices, Assumptions.window_ends.id: '[from,to]', 'A89': 'as A1'})
    plan = bound(graph_plan(expression, own), store)
    length = next((leaf.bucket for leaf in plan.leaves if leaf.bucket), None)
    size = length or bucket or _bucket(plan, store, assumptions, window)
    plan = replace(plan, expression=_bucketed(plan.expression, size, interpolated))
    found: dict[Group, tuple[Floats, Floats]] = {}
    context = EvaluationContext(np.array([end - 1]), end - 1 - start, 0, own, start - HISTORY, start)
    for group, sources in group_series(plan, store).items():
        evaluation = Evaluation(plan, sources, context)
        ((_, times, values),) = evaluation.seen(0)
        if np.isfinite(values).any():
            found[group] = times, values
    return _grid(found, size, rolled=length is not None)


def _grid(found: Mapping[Group, tuple[Floats, Floats]], bucket: int, rolled: bool) -> Grid:
    times = np.unique(np.concatenate([np.empty(0), *(times for times, _ in found.values())]))
    values = np.full((len(found), times.size), np.nan)
    for row, (own, column) in enumerate(found.values()):
        values[row, np.searchsorted(times, own)] = column
    return Grid(tuple(found), times, values, bucket, rolled)


def _bucket(plan: Plan, store: SeriesSet, assumptions: Assumptions, window: int) -> int:
    """Return the length of a bucket without a rollup (A2)."""
    choice = assumptions.bucket
    if choice != 'native':
        return table_bucket(window) if choice == 'table' else int(choice)
    sources = group_series(plan, store)
    return max((one.interval for each in sources.values() for some in each.values() for one in some), default=60)


def _bucketed(node: Node, bucket: int, interpolated: bool) -> Node:
    if isinstance(node, Leaf):
        return replace(node, bucket=node.bucket or bucket, extended=interpolated or node.extended)
    return rebuilt(node, lambda child: _bucketed(child, bucket, interpolated))


def has_late_points(expression: tree.Expression, store: SeriesSet, assumptions: Assumptions) -> bool:
    """Whether points of the expression's series arrive after their time."""
    names = {leaf.metric.name for leaf in leaves(graph_plan(expression, assumptions.fresh()).expression)}
    return any(one.arrivals is not None for name in names for one in store.of(name))
