"""Lines through points, robust against outlying points: Theil-Sen and Huber (rule 19.17). Pure NumPy."""

from typing import NamedTuple

import numpy as np

from ddassets.engine.column import Floats

#: More points are thinned out evenly: the slopes of all pairs grow with the square.
MAX_POINTS = 400
# Huber's threshold, in standard deviations; scikit-learn has the same.
_EPSILON = 1.35
_MAX_STEPS = 100
_NORMAL = 1.4826


class Line(NamedTuple):
    """A line: its value at time 0 and its slope."""

    intercept: float
    slope: float

    def at(self, times: Floats) -> Floats:
        return self.intercept + self.slope * times


def thinned(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return at most MAX_POINTS of the points, evenly chosen, the newest among them."""
    if times.size <= MAX_POINTS:
        return times, values
    chosen = np.linspace(0, times.size - 1, MAX_POINTS).round().astype(np.int64)
    return times[chosen], values[chosen]


def theil_sen(times: Floats, values: Floats) -> Line:
    """Return the line with the median slope of all pairs of points, and the median rest."""
    left, right = np.triu_indices(times.size, 1)
    slope = float(np.median((values[right] - values[left]) / (times[right] - times[left])))
    return Line(float(np.median(values - slope * times)), slope)


def huber(times: Floats, values: Floats) -> Line:
    """Return the line of Huber's regression, with the scale that is estimated together with it.

    It is computed by weighted least squares, whose weights and scale follow the residuals.
    """
    centre, length = float(times.mean()), float(np.ptp(times)) or 1.0
    scaled = (times - centre) / length
    design = np.stack([np.ones_like(scaled), scaled], axis=1)
    weights = np.ones_like(values)
    # The size of the values, below which residuals are rounding errors.
    least = 1e-12 * float(np.abs(values).max(initial=1.0))
    found = np.zeros(2)
    for _ in range(_MAX_STEPS):
        root = np.sqrt(weights)
        before, found = found, np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
        residuals = np.abs(values - design @ found)
        scale = _scale(residuals)
        if scale <= least or np.abs(found - before).max() <= 1e-12 * np.abs(found).max():
            break
        weights = np.where(residuals <= _EPSILON * scale, 1.0, _EPSILON * scale / np.maximum(residuals, least))
    slope = float(found[1]) / length
    return Line(float(found[0]) - slope * centre, slope)


def _scale(residuals: Floats) -> float:
    """Return the scale that minimises Huber's loss for these residuals.

    Its square is the sum of squares of the residuals within the threshold, divided by the number of all minus
    _EPSILON squared for each residual beyond.
    """
    ordered = np.sort(residuals)
    within = np.cumsum(np.square(ordered))
    number = np.arange(1, ordered.size + 1)
    rest = ordered.size - (ordered.size - number) * _EPSILON**2
    with np.errstate(invalid='ignore', divide='ignore'):
        scales = np.sqrt(within / rest)
        following = np.append(ordered[1:], np.inf)
        fits = (rest > 0) & (ordered <= _EPSILON * scales) & (following > _EPSILON * scales)
    rows = np.flatnonzero(fits)
    return float(scales[rows[0]]) if rows.size else _NORMAL * float(np.median(residuals))


def sigma(line: Line, times: Floats, values: Floats) -> float:
    """Return the standard deviation of the points around a line, estimated from the median of the residuals."""
    residuals = values - line.at(times)
    return _NORMAL * float(np.median(np.abs(residuals - np.median(residuals))))
