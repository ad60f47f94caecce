"""Median, median absolute deviation and a range of quantiles of the points before each point. Pure.

A sorted list of the window is kept from point to point, so the work per point hardly depends on the window's length.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ddassets.engine.column import Floats

#: With fewer points before it, a point has no band.
MIN_POINTS = 5
# The quantiles between which about 68 % of a normal distribution lie.
_LOW, _HIGH = 0.16, 0.84


@dataclass(frozen=True, eq=False)
class Statistics:
    """A value for each point, of the up to `width` points before it; NaN with fewer than MIN_POINTS.

    `deviation` is the median absolute deviation, `spread` the distance of the 84th from the 16th percentile.
    """

    median: Floats
    deviation: Floats
    spread: Floats


def rolling(values: Floats, width: int) -> Statistics:
    """Return the statistics of the points before each point.

    >>> rolling(np.array([1.0, 2, 3, 4, 9, 0]), 5).median.tolist()
    [nan, nan, nan, nan, nan, 3.0]
    """
    found = np.full((3, values.size), np.nan)
    points: list[float] = values.tolist()
    window: list[float] = []
    block = 0
    for index, value in enumerate(points):
        size = len(window)
        if size >= MIN_POINTS:
            median = _quantile(window, 0.5)
            block, deviation = _deviation(window, median, block)
            found[:, index] = median, deviation, _quantile(window, _HIGH) - _quantile(window, _LOW)
        insort(window, value)
        if size == width:
            del window[bisect_left(window, points[index - width])]
    return Statistics(*found)


def _quantile(window: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, interpolated between two of them."""
    place = share * (len(window) - 1)
    index = int(place)
    rest = place - index
    low = window[index]
    return low + (window[index + 1] - low) * rest if rest else low


def _deviation(window: Sequence[float], median: float, block: int) -> tuple[int, float]:
    """Return the median distance of sorted values from their median.

    The nearest half of the values is a block of neighbours. It moves little from window to window, so the search begins
    at the last `block`, the index of its first value, which is returned too.
    """
    size = len(window)
    half = (size + 1) // 2
    block = min(block, size - half)
    while block + half < size and window[block + half] - median < median - window[block]:
        block += 1
    while block and median - window[block - 1] < window[block + half - 1] - median:
        block -= 1
    farthest = max(median - window[block], window[block + half - 1] - median)
    if size % 2:
        return block, farthest
    below = median - window[block - 1] if block else np.inf
    above = window[block + half] - median if block + half < size else np.inf
    return block, (farthest + float(min(below, above))) / 2
