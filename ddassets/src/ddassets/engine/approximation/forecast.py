"""The bounds of forecast(…, 'linear', …) with model='simple' at each evaluation (rules 19.15 to 19.19)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ddassets import duration
from ddassets.diagnostic import Unsupported
from ddassets.engine.approximation.arguments import Arguments, arguments
from ddassets.engine.approximation.lines import Line, huber, sigma, theil_sen, thinned
from ddassets.engine.approximation.parameters import ParameterSet, parameter_sets
from ddassets.engine.approximation.sampling import Grid
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats, Indices
from ddassets.engine.timeline import Group
from ddassets.language.query import tree
from ddassets.language.query.vocabulary import NOT_IN_FORECAST

FORECAST = 'forecast'
#: With fewer points in the history there is no forecast.
MIN_POINTS = 5
_ESTIMATORS = {'Theil-Sen': theil_sen, 'Huber': huber}
_GIVE = 'give a stub series'


@dataclass(frozen=True)
class ForecastCall:
    """`forecast(operand, 'linear', deviations, history=…, model='simple')` over a horizon, in seconds.

    `upper`: the upper edge of the bounds is compared, by max(…) >=; otherwise the lower one, by min(…) <=.
    """

    operand: tree.Expression
    deviations: float
    history: int
    interval: int | None
    horizon: int
    upper: bool

    @property
    def sets(self) -> tuple[ParameterSet, ...]:
        return parameter_sets(estimator=tuple(_ESTIMATORS), sigma=('x1', 'x0.5', 'x2'))


def forecast_call(call: tree.Call, query: tree.MonitorQuery) -> ForecastCall:
    """Read a call and the query around it. Raises Unsupported for what is not approximated."""
    given = arguments(call)
    seasonal = f'is refused: the seasonal algorithm is not published (rule 19.18); {_GIVE}'
    given.word(0, ('linear',), {'seasonal': seasonal, 'toto': f'is refused: it is not published; {_GIVE}'})
    deviations = given.number(1, 'the deviations')
    for node in tree.walk(given.operand):
        if isinstance(node, tree.Call) and node.name in NOT_IN_FORECAST:
            raise Unsupported(f'{node.name}()', node.span.start + 1, 'cannot be inside forecast() (rule 19.19)')
    model = given.text('model') or 'default'
    if model != 'simple':
        raise Unsupported(
            f"forecast model '{model}'",
            _column(given, 'model'),
            f"is refused: how it chooses its history is not published; only model='simple' is approximated, {_GIVE}",
        )
    history = duration.parse(given.text('history') or '')
    if not history:
        raise Unsupported(
            'forecast history', _column(given, 'history'), f"is required, such as history='1w' (rule 19.17), or {_GIVE}"
        )
    if query.window.kind != 'next':
        raise Unsupported('forecast()', given.column, 'is approximated only over a window such as next_1w')
    sides = {('max', '>'): True, ('max', '>='): True, ('min', '<'): False, ('min', '<='): False}
    if (query.aggregator, query.comparator) not in sides:
        reason = 'around forecast() is not approximated: only max(…) with >= and min(…) with <= are documented'
        raise Unsupported(f'{query.aggregator} {query.comparator}', query.span.start + 1, reason)
    interval = duration.parse(given.text('interval') or '') or given.whole('interval')
    horizon = query.window.seconds
    upper = sides[query.aggregator, query.comparator]
    return ForecastCall(given.operand, deviations, history, interval, horizon, upper)


def _column(given: Arguments, name: str) -> int:
    return given.named[name].span.start + 1 if name in given.named else given.column


@dataclass(frozen=True, slots=True)
class Fit:
    """A line through the points of a history, and the deviation of the points from it."""

    line: Line
    sigma: float
    points: int


@dataclass
class Forecasts:
    """The forecast of each group at each evaluation; `windows` are the histories in columns of the grid."""

    call: ForecastCall
    grid: Grid
    windows: tuple[Indices, Indices]
    ends: Indices
    assumptions: Assumptions
    _fits: dict[tuple[str, Group], Sequence[Fit | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.assumptions.rely_on(Assumptions.forecast_line)

    def values(self, parameters: ParameterSet, group: Group) -> Floats:
        """Return the extreme edge of the bounds within the horizon at each evaluation; NaN with too few points."""
        found = np.full(self.ends.size, np.nan)
        for tick, fit in enumerate(self._each(parameters['estimator'], group)):
            if fit is not None:
                found[tick] = self._edge(fit, parameters, float(self.ends[tick]))
        return found

    def _edge(self, fit: Fit, parameters: ParameterSet, now: float) -> float:
        start = float(self.grid.times[0])
        reached = fit.line.at(np.array([now - start, now - start + self.call.horizon]))
        half = self.call.deviations * float(parameters['sigma'].removeprefix('x')) * fit.sigma
        return float(reached.max() + half if self.call.upper else reached.min() - half)

    def _each(self, estimator: str, group: Group) -> Sequence[Fit | None]:
        key = estimator, group
        if key not in self._fits:
            self._fits[key] = [*self._fitted(estimator, group)]
        return self._fits[key]

    def _fitted(self, estimator: str, group: Group) -> Iterator[Fit | None]:
        if group not in self.grid.groups:
            yield from [None] * self.ends.size
            return
        row = self.grid.groups.index(group)
        last: tuple[tuple[int, int], Fit | None] | None = None
        for lower, upper in zip(*(column.tolist() for column in self.windows), strict=True):
            if last is None or last[0] != (lower, upper):
                last = (lower, upper), self._fit(estimator, row, lower, upper)
            yield last[1]

    def _fit(self, estimator: str, row: int, lower: int, upper: int) -> Fit | None:
        values = self.grid.values[row, lower:upper]
        there = ~np.isnan(values)
        number = int(there.sum())
        if number < MIN_POINTS:
            return None
        # From the first point of the grid on: seconds since the epoch would cost precision.
        times, points = thinned(self.grid.times[lower:upper][there] - self.grid.times[0], values[there])
        line = _ESTIMATORS[estimator](times, points)
        return Fit(line, sigma(line, times, points), number)

    def explain(self, parameters: ParameterSet, group: Group, tick: int) -> Iterator[str]:
        """Yield sentences about the forecast of a group at evaluation number `tick`."""
        fit = self._each(parameters['estimator'], group)[tick]
        if fit is None:
            yield f'fewer than {MIN_POINTS} points in the history: no forecast'
            return
        edge = 'upper' if self.call.upper else 'lower'
        yield (
            f'the {edge} edge reaches {self._edge(fit, parameters, float(self.ends[tick])):.6g} within '
            f'{duration.write(self.call.horizon)} ({parameters}): slope {fit.line.slope * 86400:.4g} per day, sigma '
            f'{fit.sigma:.4g}, from {fit.points} points of {self.grid.bucket} s'
        )
