"""Bounds of anomalies() in a scenario, and the share of points outside them (rules 6.2 and 6.6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ddassets.engine.column import Floats
from ddassets.engine.context import HISTORY
from ddassets.engine.graph import Line, draw
from ddassets.engine.series import Series, SeriesSet
from ddassets.language.query import tree

ANOMALIES = 'anomalies'


@dataclass(frozen=True, eq=False)
class Bands:
    """Lower and upper bounds as series of their metrics. A metric may have only one of them."""

    lower: SeriesSet = field(default_factory=lambda: SeriesSet([]))
    upper: SeriesSet = field(default_factory=lambda: SeriesSet([]))

    def edges(
        self, expression: tree.Expression, start: int, end: int, choices: Mapping[str, str] | None = None
    ) -> tuple[list[Line], list[Line]]:
        """Return the lower and the upper edge of an expression over [start, end), one line per group with an edge."""
        read = {metric.name for metric in tree.metrics(expression)}
        lower, upper = (
            draw(expression, side, start, end, choices) if read <= side.metrics else []
            for side in (self.lower, self.upper)
        )
        return lower, upper


def anomaly_stub(
    query: tree.MonitorQuery, bands: Bands, store: SeriesSet, start: int, end: int, choices: Mapping[str, str] | None
) -> Iterator[Series]:
    """Yield a stub for anomalies() in a query: for each group with a band, 1 for each point outside it, else 0.

    Yields nothing for a query without anomalies(), or of metrics without a band. Raises Unsupported for its operand.
    """
    call = query.expression
    if not isinstance(call, tree.Call) or call.name != ANOMALIES or not call.arguments:
        return
    inner, direction = call.arguments[0], _direction(call)
    if isinstance(inner, tree.Text | tree.Word | tree.Tags | tree.Named):
        return
    lower, upper = bands.edges(inner, start - HISTORY, end, choices)
    low, high = ({line.name: line.held() for line in lines} for lines in (lower, upper))
    for line in draw(inner, store, start - HISTORY, end, choices) if low or high else ():
        held = line.held()
        if line.name not in low.keys() | high.keys():
            continue
        below = _beyond(held, low.get(line.name), np.less) if direction != 'above' else np.zeros(held.times.size)
        above = _beyond(held, high.get(line.name), np.greater) if direction != 'below' else np.zeros(held.times.size)
        tags = frozenset() if line.name == '*' else frozenset(line.name.split(','))
        step = int(np.median(np.diff(held.times))) if held.times.size > 1 else 60
        yield Series(ANOMALIES, tags, held.times, np.maximum(below, above), 'gauge', max(step, 1))


def _direction(call: tree.Call) -> str:
    for argument in call.arguments:
        if isinstance(argument, tree.Named) and argument.name == 'direction' and isinstance(argument.value, tree.Text):
            return argument.value.value
    return 'both'


def _beyond(line: Line, edge: Line | None, beyond: np.ufunc) -> Floats:
    """Return 1 for each point outside the edge, else 0. An edge lasts from each of its points to the next."""
    if edge is None or not edge.times.size:
        return np.zeros(line.times.size)
    index = np.searchsorted(edge.times, line.times, side='right') - 1
    return np.where((index >= 0) & beyond(line.values, edge.values[index]), 1.0, 0.0)
