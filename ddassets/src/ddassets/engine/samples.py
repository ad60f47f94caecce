"""The samples of a source in buckets, as each evaluation sees them (rules 2.14, 2.16 and 7.1)."""

import numpy as np

from ddassets.engine.buckets import Buckets, CalendarBuckets
from ddassets.engine.column import Column, Flags, Floats, Indices, Ranges, ranks
from ddassets.engine.context import EvaluationContext
from ddassets.engine.plan import Fill, Leaf
from ddassets.engine.series import Series

# Stands for a bucket that never comes.
FAR = np.iinfo(np.int64).max // 4


class Samples:
    """One source, cut into buckets (rules 7.1 and 20.19).

    A bucket's value depends on how many of the source's samples are there: `seen`, a count for each evaluation.
    """

    def __init__(self, series: Series, leaf: Leaf, context: EvaluationContext, cut: Buckets, several: bool) -> None:
        times, raw, arrivals = recent(series, leaf, context, cut)
        self.buckets = cut.number(times)
        self._cut = cut
        self._assumptions = context.assumptions
        self._fill = filling(leaf, series, several, context)
        values, self._method = scaled(raw, series, leaf)
        # A bucket's aggregate is divided by its length in so many seconds. Afterwards, so that counts that cancel out
        # are exactly 0.
        self._per: int | None = None
        if leaf.counting == 'as_rate' and series.kind == 'count' and self._method == 'sum':
            # The count of the bucket, by the bucket's length (rule 2.14).
            values, self._per = raw, 1
        if leaf.weighted and series.kind == 'gauge':
            # Rule 20.23: the mean, times the share of the bucket in which the source reported.
            self._method, self._per = 'sum', series.interval
        self._column = Column(values)
        self.seen = ranks(arrivals, context.ticks, 'right')

    def __len__(self) -> int:
        return int(self.buckets.size)

    @property
    def filled(self) -> bool:
        """Whether gaps have values."""
        return self._fill is not None and self._fill.method != 'null'

    def ranges(self, buckets: Indices, seen: Indices | None) -> Ranges:
        """Return the samples of each bucket as ranges; `seen` None stands for all samples."""
        start, end = ranks(self.buckets, buckets, 'left'), ranks(self.buckets, buckets, 'right')
        return (start, end) if seen is None else (np.minimum(start, seen), np.minimum(end, seen))

    def values(self, buckets: Indices, ranges: Ranges, seen: Indices | None, interpolated: Flags | None) -> Floats:
        """Return the values of the buckets; of empty buckets where `interpolated`, of all if it is None. `ranges` are
        those of the buckets, for the same `seen`.
        """
        values = self._aggregate(buckets, ranges)
        if not self.filled:
            return values
        assert self._fill is not None
        empty = ~self.occupied(ranges) & self._begun(ranges)
        gaps = np.flatnonzero(empty if interpolated is None else empty & interpolated)
        if gaps.size:
            start = ranges[0][gaps]
            values[gaps] = self._filled(buckets[gaps], start, None if seen is None else seen[gaps], self._fill)
        return values

    def occupied(self, ranges: Ranges) -> Flags:
        """Return which buckets have a sample."""
        return ranges[1] > ranges[0]

    def _begun(self, ranges: Ranges) -> Flags:
        """Return which buckets have a sample before them."""
        return ranges[0] > 0

    def _before(self, start: Indices) -> Indices:
        """Return the bucket of the last sample before index `start`."""
        return self.buckets[start - 1]

    def _behind(self, start: Indices, seen: Indices | None) -> Indices:
        """Return the bucket of the sample at index `start`, FAR if it is not there yet."""
        limit = len(self) if seen is None else seen
        return np.where(start < limit, self.buckets[np.minimum(start, len(self) - 1)], FAR)

    def _aggregate(self, buckets: Indices, ranges: Ranges) -> Floats:
        values = self._column.aggregate(self._method, ranges)
        return values if self._per is None else values / (self._cut.length(buckets) / self._per)

    def _at(self, buckets: Indices, seen: Indices | None) -> Floats:
        return self._aggregate(buckets, self.ranges(buckets, seen))

    def _filled(self, buckets: Indices, start: Indices, seen: Indices | None, fill: Fill) -> Floats:
        """Return the values of empty buckets; `start` is the index of the next sample."""
        before = self._before(start)
        begin = self._cut.start(before)
        distance = self._cut.start(buckets) - begin
        near = distance <= fill.limit
        if fill.method == 'zero':
            return np.where(near, 0.0, np.nan)
        value = self._at(before, seen)
        if fill.method == 'last':
            return np.where(near, value, np.nan)
        # Linear: towards the next sample once it is there; the last value is held until then (rule 2.16).
        if (distance == fill.limit).any() and self._assumptions.end_of_hold == 'excluded':
            near = distance < fill.limit
        behind = self._behind(start, seen)
        ended = behind < FAR
        behind = np.where(ended, behind, before)
        next_value = self._at(behind, seen)
        gap = np.where(ended, self._cut.start(behind) - begin, 1)
        long = ended & (gap > fill.limit)
        if (near & long).any() and self._assumptions.long_gap == 'nothing':
            near = near & ~long
        return np.where(near, np.where(ended, value + (next_value - value) * (distance / gap), value), np.nan)

    def unsettled(self, first: Indices) -> tuple[Indices, Indices]:
        """From which bucket on each evaluation sees other values than there will be in the end.

        Twice: counting from the bucket `first`, the first that matters to it, and strictly.
        """
        if not len(self):
            return np.full(len(self.seen), FAR), np.full(len(self.seen), FAR)
        next_bucket = self._awaited()
        waits = next_bucket < FAR
        from_here = strictly = next_bucket
        if self._fill is not None and self._fill.method == 'linear':
            # The gap before the next sample does not have its final values yet.
            index = np.searchsorted(self.buckets, next_bucket, side='left') - 1
            strictly = np.where(index >= 0, self.buckets[index] + 1, next_bucket)
            reach = self._cut.number(self._cut.start(strictly - 1) + self._fill.limit)
            from_here = np.where(reach >= first, strictly, next_bucket)
        return np.where(waits, from_here, FAR), np.where(waits, strictly, FAR)

    def _awaited(self) -> Indices:
        """Return the bucket of the first sample that each evaluation does not see, FAR if there is none."""
        return self._behind(self.seen, None)


def recent(
    series: Series, leaf: Leaf, context: EvaluationContext, cut: Buckets | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return the times, values and arrivals of the samples that can matter."""
    index = int(np.searchsorted(series.times, begin_of(leaf, context, cut)))
    times = series.times[index:]
    return times, series.values[index:], times if series.arrivals is None else series.arrivals[index:]


def begin_of(leaf: Leaf, context: EvaluationContext, cut: Buckets | None = None) -> int:
    """Return the instant before which no sample matters."""
    greatest = leaf.calendar.greatest if leaf.calendar else 0
    # What differences and the like look back to is a whole bucket.
    greatest += 2 * cut.longest if isinstance(cut, CalendarBuckets) else 0
    return context.oldest - leaf.shift - greatest


def scaled(values: Floats, series: Series, leaf: Leaf) -> tuple[Floats, str]:
    """Return the samples under as_count or as_rate (rule 2.14), and the aggregation of a bucket (rule 7.4)."""
    if leaf.space == 'count' and leaf.counting is None:
        return values, 'sum'
    if leaf.counting is None or series.kind == 'gauge':
        return values, leaf.method or 'avg'
    if leaf.counting == 'as_count':
        return values * series.interval if series.kind == 'rate' else values, leaf.method or 'sum'
    if series.kind == 'count':
        return values / series.interval, leaf.method or 'sum'
    return values, leaf.method or 'avg'


def filling(leaf: Leaf, series: Series, several: bool, context: EvaluationContext) -> Fill | None:
    """Return how the gaps of a source are filled (rules 2.14 and 2.16)."""
    if leaf.fill is not None:
        return leaf.fill
    if leaf.weighted or not (several or leaf.extended) or (leaf.counting is not None and series.kind != 'gauge'):
        return None
    if series.kind != 'gauge' and context.assumptions.count_interpolation == 'null':
        return None
    return Fill('linear')
