"""A second computation of the bounds of forecast(…, 'linear', …) by Theil-Sen, from section 19 of the semantics."""

from collections.abc import Mapping
from itertools import combinations
from statistics import median


def edge(points: Mapping[int, float], now: int, horizon: int, deviations: float, upper: bool) -> float:
    """Return the extreme edge of the bounds from now to the end of the horizon (rules 19.16 and 19.17)."""
    pairs = combinations(points.items(), 2)
    slope = median((later - value) / (after - at) for (at, value), (after, later) in pairs)
    intercept = median(value - slope * (at - now) for at, value in points.items())
    residuals = [value - intercept - slope * (at - now) for at, value in points.items()]
    middle = median(residuals)
    half = deviations * 1.4826 * median(abs(one - middle) for one in residuals)
    reached = intercept, intercept + slope * horizon
    return max(reached) + half if upper else min(reached) - half
