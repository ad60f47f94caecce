"""Aggregate many ranges of one column of values at once, exactly and in time linear in the length of the column."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Indices = NDArray[np.int64]
# Half-open ranges, one per result: the first index of each and the one after the last.
type Ranges = tuple[Indices, Indices]


class Column:
    """A column of values, NaN for a missing value. Aggregates ignore missing values.

    Each aggregate takes one or more `Ranges` of equal length; the n-th ranges of all together give the n-th result, NaN
    without a value. Sums and means are exact and rounded once (from twice the precision of a float), so the mean of
    equal values is that value, regardless of its position in the column.
    """

    def __init__(self, values: Floats) -> None:
        self.values = values
        missing = np.isnan(values)
        self._missing = missing if missing.any() else None

    def count(self, *ranges: Ranges) -> Indices:
        """Return the number of values in each range."""
        if self._missing is None:
            return _total([end - start for start, end in ranges])
        return _total([self._counts[end] - self._counts[start] for start, end in ranges])

    def aggregate(self, method: str, *ranges: Ranges) -> Floats:
        """Return the `sum`, `avg`, `min`, `max` or `count` of each range."""
        if method == 'count':
            count = self.count(*ranges)
            return np.where(count > 0, count.astype(np.float64), np.nan)
        if len(ranges) == 1 and self.values.size:
            start, end = ranges[0]
            if int((end - start).max(initial=0)) <= 1:
                return np.where(end > start, self.values[np.minimum(start, self.values.size - 1)], np.nan)
        return _AGGREGATES[method](self, ranges)

    def last(self, ranges: Ranges) -> Indices:
        """Return the index of the last value in each range, -1 if there is none."""
        start, end = ranges
        found = self._last[end]
        return np.where(found >= start, found, -1)

    def next(self, indices: Indices) -> Indices:
        """Return the index of the first value at or after each index, the length of the column if there is none."""
        return self._next[indices]

    @cached_property
    def _next(self) -> Indices:
        size = self.values.size
        there = np.where(np.isnan(self.values), size, np.arange(size))
        return np.append(np.minimum.accumulate(there[::-1])[::-1], size).astype(np.int64)

    @cached_property
    def _counts(self) -> Indices:
        return _prefix_sums(~np.isnan(self.values))

    @cached_property
    def _last(self) -> Indices:
        """For each index, the last one before it that has a value, or -1."""
        found = np.full(self.values.size + 1, -1, dtype=np.int64)
        there = np.arange(self.values.size)
        found[1:] = np.maximum.accumulate(there if self._missing is None else np.where(self._missing, -1, there))
        return found

    def _sum(self, ranges: Sequence[Ranges]) -> Floats:
        count = self.count(*ranges)
        return np.where(count > 0, self._exact_sum(ranges)[0], np.nan)

    def _mean(self, ranges: Sequence[Ranges]) -> Floats:
        count = self.count(*ranges)
        total, rest = self._exact_sum(ranges)
        number = np.maximum(count, 1).astype(np.float64)
        mean = total / number
        # Divide the remainder once more. The high half of the mean times a count has no more than 53 bits.
        high = (mean.view(np.int64) & _HIGH_HALF).view(np.float64)
        mean += (((total - high * number) - (mean - high) * number) + rest) / number
        return np.where(count > 0, mean, np.nan)

    def _exact_sum(self, ranges: Sequence[Ranges]) -> tuple[Floats, Floats]:
        """Return the sums rounded to the nearest number, and the remainder of the rounding.

        The values are split into limbs: integers of so few bits that the sum over a range is exact as a float. Prefix
        sums of integers may wrap around, because their differences remain exact.
        """
        values = self.values if self._missing is None else np.where(self._missing, 0.0, self.values)
        longest = int(_total([end - start for start, end in ranges]).max(initial=1))
        bits = 52 - max(longest, 1).bit_length()
        exponent = math.frexp(float(np.abs(values).max(initial=0.0)))[1]
        total: Floats | None = None
        rest = np.zeros(len(ranges[0][0]))
        while True:
            exponent -= bits
            limb = np.ldexp(values, -exponent)
            np.rint(limb, out=limb)
            prefix = _prefix_sums(limb)
            part = np.ldexp(_total([prefix[end] - prefix[start] for start, end in ranges]).astype(np.float64), exponent)
            if total is None:
                total = part
            else:
                # The error of an addition is a float itself.
                larger = total + part
                added = larger - total
                rest += (total - (larger - added)) + (part - added)
                total = larger
            np.ldexp(limb, exponent, out=limb)
            values = np.subtract(values, limb, out=limb)
            if not values.any():
                larger = total + rest
                return larger, rest - (larger - total)

    def _extreme(self, smaller: Callable[..., Floats], worst: float, ranges: Sequence[Ranges]) -> Floats:
        """Return the minimum or maximum of each range, covered by its two largest blocks whose length is a power of
        two.
        """
        result = np.full(len(ranges[0][0]), worst)
        blocks = self.values if self._missing is None else np.where(self._missing, worst, self.values)
        longest = max(int((end - start).max(initial=0)) for start, end in ranges)
        width = 1
        while width <= longest:
            for start, end in ranges:
                length = end - start
                rows = np.flatnonzero((length >= width) & (length < 2 * width))
                best = smaller(blocks[start[rows]], blocks[end[rows] - width])
                result[rows] = smaller(result[rows], best)
            blocks = smaller(blocks[:-width], blocks[width:])
            width *= 2
        return np.where(result == worst, np.nan, result)


_HIGH_HALF = np.int64(-1 << 27)
_AGGREGATES: dict[str, Callable[[Column, Sequence[Ranges]], Floats]] = {
    'sum': Column._sum,
    'avg': Column._mean,
    'min': lambda column, ranges: column._extreme(np.minimum, np.inf, ranges),
    'max': lambda column, ranges: column._extreme(np.maximum, -np.inf, ranges),
}


def ranks(values: Floats | Indices, bounds: Indices, side: Literal['left', 'right']) -> Indices:
    """Return, for each bound, how many of the rising values are below it (`left`) or at most equal to it (`right`).

    Equidistant bounds, such as evaluations and buckets, need no binary search: the first bound that counts a value is
    computed.
    """
    every = int(bounds[1] - bounds[0]) if bounds.size > 1 else 0
    if every < 1 or not values.size or not (bounds[1:] - bounds[:-1] == every).all():
        return np.searchsorted(values, bounds, side=side)
    # Bounds are whole: a value counts for the same ones as the next whole number.
    whole = np.ceil(values) if side == 'right' else np.floor(values) + 1
    number = np.clip(whole, bounds[0], bounds[-1] + 1, out=whole).astype(np.int64)
    number += every - 1 - int(bounds[0])
    number //= every
    counts = np.bincount(number, minlength=bounds.size + 1)[:-1]
    return np.cumsum(counts, out=counts)


def _prefix_sums(values: NDArray[np.generic]) -> Indices:
    sums = np.zeros(values.size + 1, dtype=np.int64)
    np.cumsum(values.astype(np.int64, copy=False), out=sums[1:])
    return sums


def _total(parts: Sequence[Indices]) -> Indices:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
