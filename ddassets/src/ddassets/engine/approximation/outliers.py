"""Outliers of a monitor at each evaluation, under each set of plausible constants (rules 19.1 to 19.10)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ddassets.diagnostic import Unsupported
from ddassets.engine.approximation.arguments import Arguments, arguments
from ddassets.engine.approximation.clusters import Clusters, Deviations, dbscan, deciding_factor, mad, outside_largest
from ddassets.engine.approximation.parameters import ParameterSet, parameter_sets
from ddassets.engine.approximation.sampling import Grid
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats, Indices
from ddassets.engine.timeline import Group
from ddassets.language.query import tree

#: Rule 19.2: with fewer members there is no outlier.
MIN_MEMBERS = 3
_SCALED = 'is refused: how its threshold grows with the metric is not published (A71); give a stub series'
# The constants of rules 19.5 and 19.7, the default first, and the documented examples of a percentage.
_CONSTANTS = {'dbscan': ('1', '1.4826'), 'mad': ('1.4826', '1')}
_PERCENTAGES = ('20', '10', '30')


@dataclass(frozen=True)
class OutlierCall:
    """`outliers(operand, algorithm, tolerance[, percentage])`."""

    operand: tree.Expression
    algorithm: str
    tolerance: float
    percentage: float | None

    @property
    def sets(self) -> tuple[ParameterSet, ...]:
        """Every plausible set of constants; the percentage of MAD is one if the query has none."""
        if self.algorithm == 'mad' and self.percentage is None:
            return parameter_sets(constant=_CONSTANTS['mad'], percentage=_PERCENTAGES)
        return parameter_sets(constant=_CONSTANTS[self.algorithm])

    def share(self, parameters: ParameterSet) -> float:
        """Return the share of points above which a member is an outlier, 0 to 1."""
        return (float(parameters['percentage']) if self.percentage is None else self.percentage) / 100


def outlier_call(call: tree.Call) -> OutlierCall:
    """Read a call. Raises Unsupported for the scaled algorithms and for wrong arguments."""
    given: Arguments = arguments(call)
    algorithm = given.word(0, tuple(_CONSTANTS), {'scaleddbscan': _SCALED, 'scaledmad': _SCALED})
    tolerance = given.number(1, 'the tolerance')
    percentage = given.number(2, 'the percentage') if len(given.positional) > 2 else None
    if not any(metric.by for metric in tree.metrics(given.operand)):
        raise Unsupported('outliers()', given.column, 'compares groups, but the query has none: add `by {…}`')
    return OutlierCall(given.operand, algorithm, tolerance, percentage if algorithm == 'mad' else None)


class Outliers:
    """The outliers at each evaluation: `windows` are the first column of the grid and the one after the last."""

    def __init__(
        self, call: OutlierCall, grid: Grid, windows: tuple[Indices, Indices], assumptions: Assumptions
    ) -> None:
        self.call = call
        self.grid = grid
        self._lower, self._upper = windows
        assumptions.rely_on(Assumptions.outlier_constants, Assumptions.outlier_gaps, Assumptions.bucket)

    def verdicts(self, parameters: ParameterSet, group: Group) -> Floats:
        """Return 1 at each evaluation at which the group is an outlier, 0 if it is not, NaN without a point."""
        row = self._rows.get(group)
        if row is None:
            return np.full(self._lower.size, np.nan)
        found: Floats = self._verdicts[self.call.sets.index(parameters)][row]
        return found

    @cached_property
    def _rows(self) -> dict[Group, int]:
        return {group: row for row, group in enumerate(self.grid.groups)}

    @cached_property
    def _verdicts(self) -> Sequence[Floats]:
        sets, ticks = self.call.sets, self._lower.size
        found = [np.full((len(self.grid.groups), ticks), np.nan) for _ in sets]
        previous: tuple[int, int] | None = None
        for tick, (lower, upper) in enumerate(zip(self._lower.tolist(), self._upper.tolist(), strict=True)):
            if previous == (lower, upper):
                for table in found:
                    table[:, tick] = table[:, tick - 1]
                continue
            previous = lower, upper
            members, points = self._members(lower, upper)
            if not points.size:
                continue
            for table, parameters in zip(found, sets, strict=True):
                if members.size < MIN_MEMBERS:
                    table[members, tick] = 0
                    self.too_few += parameters is sets[0]
                    continue
                result = self._result(points, parameters)
                table[members, tick] = result.outliers
                if parameters is sets[0]:
                    self._count(result)
        return found

    # How many evaluations had fewer than three members, several largest clusters, or a deviation of 0.
    too_few = tied = flat = 0

    def _count(self, result: Clusters | Deviations) -> None:
        if isinstance(result, Clusters):
            self.tied += result.tied
        else:
            self.flat += result.scale == 0

    def _members(self, lower: int, upper: int) -> tuple[Indices, Floats]:
        """Return the rows of the members with a point in a window, and their values where all of them have one
        (rule 19.9).
        """
        window = self.grid.values[:, lower:upper]
        there = ~np.isnan(window)
        if there.all():
            return np.arange(window.shape[0]), window
        members = np.flatnonzero(there.any(axis=1))
        return members, window[members][:, there[members].all(axis=0)]

    def _result(self, points: Floats, parameters: ParameterSet) -> Clusters | Deviations:
        constant = float(parameters['constant'])
        if self.call.algorithm == 'mad':
            return mad(points, self.call.tolerance, constant, self.call.share(parameters))
        return dbscan(points, self.call.tolerance, constant)

    @property
    def warnings(self) -> Iterator[str]:
        """Sentences about evaluations without a verdict of the algorithm."""
        _ = self._verdicts
        total = self._lower.size
        if self.too_few:
            yield (
                f'at {self.too_few} of {total} evaluations there are fewer than {MIN_MEMBERS} members, so no outlier '
                f'(rule 19.2)'
            )
        if self.tied:
            yield f'at {self.tied} of {total} evaluations several clusters are the largest, so no outlier (A70)'
        if self.flat:
            yield (
                f'at {self.flat} of {total} evaluations the median deviation is 0, so every point off the median is '
                f'out (rule 19.7)'
            )

    def explain(self, parameters: ParameterSet, group: Group, tick: int) -> Iterator[str]:
        """Yield sentences about the verdict on a group at evaluation number `tick` (rule 19.10)."""
        members, points = self._members(int(self._lower[tick]), int(self._upper[tick]))
        if self._rows.get(group, -1) not in members.tolist():
            return
        row = members.tolist().index(self._rows[group])
        if members.size < MIN_MEMBERS:
            yield f'{members.size} members, fewer than {MIN_MEMBERS}: no outlier'
            return
        result = self._result(points, parameters)
        names = [','.join(self.grid.groups[member]) for member in members.tolist()]
        size = f'{points.shape[1]} points of {self.grid.bucket} s'
        if isinstance(result, Clusters):
            each = ', '.join(f'{name} {value:.4g}' for name, value in zip(names, result.distances, strict=True))
            yield f'distances from the median series ({size}): {each}'
            yield (
                f'epsilon {result.epsilon:.4g} = tolerance {self.call.tolerance:g} x threshold {result.threshold:.4g} '
                f'({parameters})'
            )
        else:
            each = ', '.join(f'{name} {value:.0%}' for name, value in zip(names, result.shares, strict=True))
            yield f'points beyond {result.limit:.4g} from the median of all points ({size}): {each}'
            yield (
                f'limit {result.limit:.4g} = tolerance {self.call.tolerance:g} x deviation {result.scale:.4g} '
                f'({parameters}); an outlier has more than {self.call.share(parameters):.0%}'
            )
        factor = self._factor(result, points, parameters, row)
        yield (
            'no other tolerance would change this verdict'
            if factor is None
            else f'the verdict changes at {factor:.4g} x the tolerance ({factor * self.call.tolerance:.4g})'
        )

    def _factor(
        self, result: Clusters | Deviations, points: Floats, parameters: ParameterSet, row: int
    ) -> float | None:
        """Return the smallest change of the tolerance, as a factor, that changes the verdict on a member."""
        if isinstance(result, Clusters):
            if not result.epsilon:
                return None
            breaks = result.between.reshape(-1) / result.epsilon
            return deciding_factor(
                lambda factor: bool(outside_largest(result.between, result.epsilon * factor)[0][row]), breaks
            )
        if not result.limit:
            return None
        deviations = np.abs(points - np.median(points))[row]
        share = self.call.share(parameters)
        return deciding_factor(
            lambda factor: bool((deviations > result.limit * factor).mean() > share), deviations / result.limit
        )
