"""Aggregate many ranges of raw values of a distribution at once: exactly, in time linear in the number of values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ddassets.engine.column import Column, Floats, Indices, Ranges

#: Rule 17.20: how far a percentile of a stored sketch may be from the value, as a part of it.
SKETCH_ERROR = 0.0079
type Reading = Literal['lower', 'interpolated', 'share above', 'share below']
_PARTS = 1 << 26


def within_error(values: Floats, limit: float) -> np.typing.NDArray[np.bool_]:
    """Return which values a sketch does not tell from a threshold (rule 17.20)."""
    return np.asarray(np.abs(values - limit) <= SKETCH_ERROR * abs(limit))


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a percentile, as a fraction of whole numbers: a float would miss ranks such as 0.29 * 100.

    >>> Share.parse('p99.9')
    Share(part=999, whole=1000)
    """

    part: int
    whole: int

    @classmethod
    def parse(cls, aggregator: str) -> 'Share | None':
        """Return the share of `p95`; None for another word and for more than 100 %."""
        match = re.fullmatch(r'p(\d{1,3})(?:\.(\d{1,3}))?', aggregator, re.ASCII)
        if match is None:
            return None
        decimals = match[2] or ''
        part, whole = int(match[1] + decimals), 100 * 10 ** len(decimals)
        return cls(part, whole) if part <= whole else None

    def rank(self, count: Indices, reading: Reading) -> tuple[Indices, Floats]:
        """Return the rank of the percentile among `count` values, from 0, and how far it is on the way to the next.

        `share above` and `share below`: the value that at least this share of the values reaches (A63).
        """
        if reading in ('lower', 'interpolated'):
            rank, rest = self._of(count - 1)
            return rank, rest / self.whole if reading == 'interpolated' else np.zeros(count.shape)
        whole, rest = self._of(count)
        reached = np.maximum(whole + (rest > 0), 1)
        return (count - reached if reading == 'share above' else reached - 1), np.zeros(count.shape)

    def _of(self, count: Indices) -> tuple[Indices, Indices]:
        """Return the whole part of the share of a number, and the rest in parts of `whole`."""
        times, left = np.divmod(count, self.whole)
        found, rest = np.divmod(left * self.part, self.whole)
        return times * self.part + found, rest


class RawValues:
    """The raw values of a distribution, and how often each occurred (`numbers`).

    Each method takes one or more `Ranges` of equal length; the n-th ranges of all together give the n-th result, NaN
    without a value.
    """

    def __init__(self, values: Floats, numbers: Floats | None = None) -> None:
        self.values = values
        self._numbers = None if numbers is None or (numbers == 1).all() else numbers.astype(np.int64)

    def count(self, *ranges: Ranges) -> Indices:
        """Return how many values each range has."""
        if self._numbers is None:
            return np.sum([end - start for start, end in ranges], axis=0)
        return np.sum([self._counts[end] - self._counts[start] for start, end in ranges], axis=0)

    def aggregate(self, method: str, *ranges: Ranges) -> Floats:
        """Return the `sum`, `avg`, `min`, `max` or `count` of each range."""
        if method == 'count' or (self._numbers is None or method in ('min', 'max')):
            count = self.count(*ranges)
            return np.where(count > 0, count, np.nan) if method == 'count' else self._column.aggregate(method, *ranges)
        return self._weighted.aggregate(method, *((start * 4, end * 4) for start, end in ranges))

    def percentile(self, share: Share, reading: Reading, *ranges: Ranges) -> Floats:
        """Return the percentile of each range (rules 17.18 and 17.20)."""
        count = self.count(*ranges)
        rank, way = share.rank(np.maximum(count, 1), reading)
        found = self._of_rank(np.where(count > 0, rank, 0), ranges)
        if way.any():
            following = self._of_rank(np.minimum(rank + (way > 0), np.maximum(count - 1, 0)), ranges)
            found = found + (following - found) * way
        return np.where(count > 0, found, np.nan)

    def _of_rank(self, rank: Indices, ranges: Sequence[Ranges]) -> Floats:
        """Return the value of each rank among the sorted values of its ranges.

        The order of the values is read bit by bit: values whose bit is 0 are moved before the others, and a range
        becomes the range of those that share the bits so far (a wavelet matrix).
        """
        start = np.stack([first for first, _ in ranges])
        end = np.stack([last for _, last in ranges])
        distinct, codes = self._codes
        numbers, rank, code = self._numbers, rank.copy(), np.zeros(rank.size, dtype=np.int64)
        if not distinct.size:
            return np.full(rank.size, np.nan)
        for bit in range(max(distinct.size - 1, 1).bit_length() - 1, -1, -1):
            one = (codes >> bit & 1).astype(np.bool_)
            zeros = _sums(~one)
            weights = zeros if numbers is None else _sums(np.where(one, 0, numbers))
            below = (weights[end] - weights[start]).sum(axis=0)
            up = rank >= below
            rank -= np.where(up, below, 0)
            code |= up.astype(np.int64) << bit
            # Values whose bit is 1 follow those whose bit is 0.
            start, end = (np.where(up, int(zeros[-1]) + place - zeros[place], zeros[place]) for place in (start, end))
            order = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
            codes = codes[order]
            numbers = None if numbers is None else numbers[order]
        return distinct[np.minimum(code, distinct.size - 1)]

    @cached_property
    def _codes(self) -> tuple[Floats, np.typing.NDArray[np.int32]]:
        distinct, codes = np.unique(self.values, return_inverse=True)
        return distinct, codes.astype(np.int32)

    @cached_property
    def _counts(self) -> Indices:
        assert self._numbers is not None
        return _sums(self._numbers)

    @cached_property
    def _column(self) -> Column:
        return Column(self.values)

    @cached_property
    def _weighted(self) -> '_Products':
        assert self._numbers is not None
        return _Products(self.values, self._numbers, self._counts)


class _Products(Column):
    """Values that occurred several times. Each product has four parts that are exact as floats."""

    def __init__(self, values: Floats, numbers: Indices, counts: Indices) -> None:
        high = (values.view(np.int64) & np.int64(-1 << 27)).view(np.float64)
        thousands, units = np.divmod(numbers, _PARTS)
        parts = [part * number for part in (high, values - high) for number in (thousands * float(_PARTS), units * 1.0)]
        super().__init__(np.stack(parts, axis=1).reshape(-1))
        self._totals = counts

    def count(self, *ranges: Ranges) -> Indices:
        return np.asarray(np.sum([self._totals[end // 4] - self._totals[start // 4] for start, end in ranges], axis=0))


def _sums(values: np.typing.NDArray[np.generic]) -> Indices:
    sums = np.zeros(values.size + 1, dtype=np.int64)
    np.cumsum(values, out=sums[1:])
    return sums
