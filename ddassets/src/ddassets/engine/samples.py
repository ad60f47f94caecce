"""The samples of one source, cut into buckets, as each evaluation sees them (rules 2.14, 2.16 and 7.1)."""

import numpy as np

from ddassets.engine.clock import Clock
from ddassets.engine.column import Column, Floats, Indices, ranks
from ddassets.engine.plan import INTERPOLATION_LIMIT, Fill, Leaf
from ddassets.engine.series import Series

# Stands for a bucket that never comes.
FAR = np.iinfo(np.int64).max // 4


class Samples:
    """One source, cut into buckets of `step` seconds that are aligned to Unix time (rule 7.1).

    A bucket's value depends on how many of the source's samples are there: `seen`, a count for each bucket asked for.
    """

    def __init__(self, series: Series, leaf: Leaf, clock: Clock, step: int, fill: Fill | None) -> None:
        times, values, arrivals = recent(series, leaf, clock)
        self.buckets = np.floor(times / step).astype(np.int64)
        self._step = step
        self._fill = fill
        values, self._method = scaled(values, series, leaf)
        if leaf.counting == 'as_rate' and series.kind == 'count' and self._method == 'sum':
            # What was counted in the bucket, by the bucket's length (rule 2.14).
            values = values * (series.interval / step)
        self._column = Column(values)
        self.seen = ranks(arrivals, clock.ticks, 'right')

    def __len__(self) -> int:
        return int(self.buckets.size)

    def values(self, buckets: Indices, seen: Indices | None) -> Floats:
        """The buckets' values, interpolated; `seen` None stands for all samples there are."""
        start, end = ranks(self.buckets, buckets, 'left'), ranks(self.buckets, buckets, 'right')
        if seen is not None:
            start, end = np.minimum(start, seen), np.minimum(end, seen)
        values = self._column.aggregate(self._method, (start, end))
        if self._fill is None or self._fill.method == 'null':
            return values
        gaps = np.flatnonzero((end == start) & (start > 0))
        if gaps.size:
            values[gaps] = self._filled(buckets[gaps], start[gaps], None if seen is None else seen[gaps], self._fill)
        return values

    def _filled(self, buckets: Indices, index: Indices, seen: Indices | None, fill: Fill) -> Floats:
        """The values of empty buckets; `index` is that of the first sample behind each."""
        before = self.buckets[index - 1]
        near = (buckets - before) * self._step <= fill.limit
        if fill.method == 'zero':
            return np.where(near, 0.0, np.nan)
        value = self._column.aggregate(self._method, (np.searchsorted(self.buckets, before, side='left'), index))
        if fill.method == 'last':
            return np.where(near, value, np.nan)
        limit = len(self) if seen is None else seen
        there = index < limit
        behind = self.buckets[np.minimum(index, len(self) - 1)]
        end = np.minimum(np.searchsorted(self.buckets, behind, side='right'), limit)
        next_value = self._column.aggregate(self._method, (np.minimum(index, end), end))
        share = (buckets - before) / np.where(there, behind - before, 1)
        return np.where(near & there, value + (next_value - value) * share, np.nan)

    def unsettled(self, first: Indices) -> tuple[Indices, Indices]:
        """From which bucket on each evaluation sees other values than there will be in the end.

        Twice: counting from the bucket `first`, the first that matters to it, and strictly.
        """
        if not len(self):
            return np.full(self.seen.size, FAR), np.full(self.seen.size, FAR)
        waits = self.seen < len(self)
        next_bucket = self.buckets[np.minimum(self.seen, len(self) - 1)]
        from_here = strictly = next_bucket
        if self._fill is not None and self._fill.method == 'linear':
            # The gap before the next sample is not interpolated yet, or not to the value that it will be.
            index = np.searchsorted(self.buckets, next_bucket, side='left') - 1
            strictly = np.where(index >= 0, self.buckets[index] + 1, next_bucket)
            reach = strictly - 1 + self._fill.limit // self._step
            from_here = np.where(reach >= first, strictly, next_bucket)
        return np.where(waits, from_here, FAR), np.where(waits, strictly, FAR)


def recent(series: Series, leaf: Leaf, clock: Clock) -> tuple[Floats, Floats, Floats]:
    """Times, values and arrivals of the samples that can matter."""
    index = int(np.searchsorted(series.times, clock.oldest - leaf.shift))
    times = series.times[index:]
    return times, series.values[index:], times if series.arrivals is None else series.arrivals[index:]


def scaled(values: Floats, series: Series, leaf: Leaf) -> tuple[Floats, str]:
    """The samples under as_count or as_rate (rule 2.14), and how a bucket of them is aggregated (rule 7.4)."""
    if leaf.counting is None or series.kind == 'gauge':
        return values, leaf.method or 'avg'
    if leaf.counting == 'as_count':
        return values * series.interval if series.kind == 'rate' else values, leaf.method or 'sum'
    if series.kind == 'count':
        return values / series.interval, leaf.method or 'sum'
    return values, leaf.method or 'avg'


def filling(leaf: Leaf, series: Series, several: bool, clock: Clock) -> Fill | None:
    """How the gaps of a source are filled (rules 2.14 and 2.16)."""
    if leaf.fill is not None:
        return leaf.fill
    if not several or (leaf.counting is not None and series.kind != 'gauge'):
        return None
    if series.kind != 'gauge':
        if clock.assumptions.count_interpolation == 'null':
            return None
    return Fill('linear', INTERPOLATION_LIMIT)
