"""Points outside of an approximated band of anomalies(…, 'basic', …) (rules 19.11 to 19.14).

The share of such points over the alert window, thresholds and recovery are those of a stub, and exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ddassets.engine.approximation.arguments import arguments
from ddassets.engine.approximation.parameters import ParameterSet, parameter_sets
from ddassets.engine.approximation.rolling import MIN_POINTS, Statistics, rolling
from ddassets.engine.approximation.sampling import Grid
from ddassets.engine.column import Flags, Floats
from ddassets.engine.series import Series
from ddassets.engine.timeline import Group
from ddassets.language.query import tree

ANOMALIES = 'anomalies'
_SEASONAL = 'is refused: it is seasonal, and its parameters are not published; give a band or a stub series'
_REFUSED = {'agile': _SEASONAL, 'robust': _SEASONAL, 'adaptive': _SEASONAL}
# The factor that makes a median absolute deviation a standard deviation.
_NORMAL = 1.4826
# The length of the band's history in alert windows, the default first (rule 19.12).
_HISTORIES = ('5x', '2.5x', '10x')


@dataclass(frozen=True)
class AnomalyCall:
    """`anomalies(operand, 'basic', deviations, direction=…, alert_window=…, interval=…)`; lengths in seconds."""

    operand: tree.Expression
    deviations: float
    direction: str
    alert_window: int
    interval: int | None

    @property
    def sets(self) -> tuple[ParameterSet, ...]:
        return parameter_sets(history=_HISTORIES, width=('MAD', 'quantiles'), lag=('0', 'alert_window'))

    @property
    def longest(self) -> int:
        """How far back a band looks, in seconds."""
        return 11 * self.alert_window


def anomaly_call(call: tree.Call, alert_window: int) -> AnomalyCall:
    """Read a call. Raises Unsupported for the seasonal algorithms and for wrong arguments."""
    given = arguments(call)
    given.word(0, ('basic',), _REFUSED)
    deviations = given.number(1, 'the deviations')
    direction = given.text('direction') or 'both'
    return AnomalyCall(given.operand, deviations, direction, alert_window, given.whole('interval'))


@dataclass(frozen=True, eq=False)
class Band:
    """The points of a group and their band under one set of parameters, NaN without a band."""

    times: Floats
    values: Floats
    lower: Floats
    upper: Floats

    def outside(self, direction: str) -> Flags:
        """Return which points are outside the band."""
        below = self.values < self.lower if direction != 'above' else np.zeros(self.values.size, dtype=np.bool_)
        return below | (self.values > self.upper) if direction != 'below' else below


@dataclass
class Anomalies:
    """The bands of all groups."""

    call: AnomalyCall
    grid: Grid
    _known: dict[tuple[int, int], Statistics] = field(default_factory=dict)

    def band(self, parameters: ParameterSet, row: int) -> Band:
        """Return the band of a group, number `row` of the grid."""
        there = ~np.isnan(self.grid.values[row])
        times, values = self.grid.times[there], self.grid.values[row][there]
        points = self.call.alert_window / self.grid.bucket
        width = max(round(float(parameters['history'].removesuffix('x')) * points), MIN_POINTS)
        if (row, width) not in self._known:
            self._known[row, width] = rolling(values, width)
        found = self._known[row, width]
        lag = 0 if parameters['lag'] == '0' else max(round(points), 1)
        if parameters['width'] == 'MAD':
            half = self.call.deviations * _NORMAL * found.deviation
        else:
            half = self.call.deviations / 2 * found.spread
        return Band(times, values, _later(found.median - half, lag), _later(found.median + half, lag))

    def stubs(self, parameters: ParameterSet) -> Iterator[Series]:
        """Yield a series for each group with a band: 1 for each point outside it, else 0."""
        for row, group in enumerate(self.grid.groups):
            band = self.band(parameters, row)
            known = ~np.isnan(band.lower)
            if known.any():
                outside = band.outside(self.call.direction)[known].astype(np.float64)
                yield Series(ANOMALIES, frozenset(group), band.times[known], outside, 'gauge', self.grid.bucket)

    def explain(self, parameters: ParameterSet, group: Group, start: int, end: int) -> Iterator[str]:
        """Yield a sentence about the newest point of a group in (start, end] and its band."""
        if group not in self.grid.groups:
            return
        band = self.band(parameters, self.grid.groups.index(group))
        index = int(np.searchsorted(band.times, end, side='right')) - 1
        if index < 0 or band.times[index] <= start or np.isnan(band.lower[index]):
            yield f'no band ({parameters}): fewer than {MIN_POINTS} points before it'
            return
        where = 'outside' if band.outside(self.call.direction)[index] else 'inside'
        yield (
            f'the newest point {band.values[index]:.6g} is {where} the band {band.lower[index]:.6g} to '
            f'{band.upper[index]:.6g} ({parameters}; points of {self.grid.bucket} s)'
        )


def _later(values: Floats, lag: int) -> Floats:
    """Return the values `lag` points later."""
    return values if not lag else np.concatenate([np.full(min(lag, values.size), np.nan), values[:-lag]])
