"""The raw values of a distribution, whose sources are merged before anything is computed (rules 17.18 to 17.22)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ddassets.diagnostic import Unsupported
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.buckets import Buckets
from ddassets.engine.column import Flags, Floats, Indices, Ranges, ranks
from ddassets.engine.context import EvaluationContext
from ddassets.engine.plan import Leaf
from ddassets.engine.raw_values import RawValues, Reading, Share
from ddassets.engine.samples import FAR, Samples, begin_of, filling
from ddassets.engine.series import Series


def per_instant(series: Series, leaf: Leaf, assumptions: Assumptions) -> Series:
    """Return the aggregate of a distribution at each of its instants, as a gauge: the points of a single source."""
    times, first = np.unique(series.times, return_index=True)
    ranges = (first.astype(np.int64), np.append(first[1:], series.times.size).astype(np.int64)[: first.size])
    values = _aggregate(RawValues(series.values, series.numbers), leaf.space, assumptions, [ranges])
    arrivals = None if series.arrivals is None else series.arrivals[first]
    return replace(series, times=times, values=values, kind='gauge', arrivals=arrivals, numbers=None)


def _aggregate(raw: RawValues, space: str, assumptions: Assumptions, ranges: Sequence[Ranges]) -> Floats:
    share = Share.parse(space)
    if share is None:
        return raw.aggregate(space, *ranges)
    reading: Reading = 'lower'
    if (raw.count(*ranges) > 1).any() and assumptions.percentile == 'interpolated':
        reading = 'interpolated'
    return raw.percentile(share, reading, *ranges)


@dataclass(frozen=True)
class _Stream:
    """The values of one source, or of several in order of time."""

    times: Floats
    values: Floats
    numbers: Floats
    arrivals: Floats

    @classmethod
    def of(cls, series: Series, begin: float) -> '_Stream':
        index = int(np.searchsorted(series.times, begin))
        numbers = np.ones(series.times.size) if series.numbers is None else series.numbers
        arrivals = series.times if series.arrivals is None else series.arrivals
        return cls(series.times[index:], series.values[index:], numbers[index:], arrivals[index:])

    @classmethod
    def merged(cls, streams: Sequence['_Stream']) -> '_Stream':
        order = np.argsort(np.concatenate([one.times for one in streams]), kind='stable')
        columns = ([getattr(one, name) for one in streams] for name in ('times', 'values', 'numbers', 'arrivals'))
        return cls(*(np.concatenate(parts)[order] for parts in columns))


class Streams:
    """The values of several sources in one column. Sources whose values arrive at their own time are one stream.

    `seen` has a row for each evaluation and a column for each stream: how many of its values have arrived.
    """

    def __init__(self, series: Sequence[Series], leaf: Leaf, context: EvaluationContext, cut: Buckets | None) -> None:
        begin = begin_of(leaf, context, cut)
        punctual = [_Stream.of(one, begin) for one in series if one.arrivals is None]
        streams = [_Stream.of(one, begin) for one in series if one.arrivals is not None]
        streams += [_Stream.merged(punctual)] if punctual else []
        self.times = [one.times for one in streams]
        values, numbers = (np.concatenate([np.empty(0), *parts]) for parts in _columns(streams))
        self._raw = RawValues(values, numbers)
        self._space = leaf.space
        self._assumptions = context.assumptions
        self._offsets = np.cumsum([0, *(times.size for times in self.times)])[: len(streams)]
        self.sizes = np.array([times.size for times in self.times], dtype=np.int64)
        self.seen = _table([ranks(one.arrivals, context.ticks, 'right') for one in streams], context.ticks.size)

    def number(self, instants: Indices, included: bool) -> Indices:
        """Return how many values of each stream lie before each instant, or until it."""
        side: Literal['left', 'right'] = 'right' if included else 'left'
        return _table([ranks(times, instants, side) for times in self.times], instants.size)

    def _places(self, start: Indices, end: Indices) -> list[Ranges]:
        return [(start[:, index] + offset, end[:, index] + offset) for index, offset in enumerate(self._offsets)]

    def aggregate(self, start: Indices, end: Indices) -> Floats:
        """Return the aggregate of the query over ranges of each stream."""
        if not self.times:
            return np.full(len(start), np.nan)
        return _aggregate(self._raw, self._space, self._assumptions, self._places(start, end))

    def percentile(self, share: Share, reading: Reading, start: Indices, end: Indices) -> Floats:
        """Return the percentile over ranges of each stream."""
        if not self.times:
            return np.full(len(start), np.nan)
        places = self._places(start, end)
        return self._raw.percentile(share, reading, *places)

    def count(self, start: Indices, end: Indices) -> Indices:
        """Return how many values ranges of each stream have."""
        return self._raw.count(*self._places(start, end)) if self.times else np.zeros(len(start), dtype=np.int64)

    def listed(self, start: Indices, end: Indices) -> tuple[Floats, Floats]:
        """Return the times and values of one range of each stream, in order of time."""
        pairs = list(zip(self.times, start.tolist(), end.tolist(), self._offsets.tolist(), strict=True))
        times = np.concatenate([np.empty(0), *(times[first:last] for times, first, last, _ in pairs)])
        values = [self._raw.values[first + offset : last + offset] for _, first, last, offset in pairs]
        order = np.argsort(times, kind='stable')
        return times[order], np.concatenate([np.empty(0), *values])[order]


def _columns(streams: Sequence[_Stream]) -> Iterator[list[Floats]]:
    yield [one.values for one in streams]
    yield [one.numbers for one in streams]


def _table(columns: Sequence[Indices], rows: int) -> Indices:
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0), dtype=np.int64)


class MergedSamples(Samples):
    """The sources of a distribution query, cut into buckets: a single source that is made of all (rule 17.21).

    Ranges and `seen` have a column for each stream.
    """

    def __init__(self, series: Sequence[Series], leaf: Leaf, context: EvaluationContext, cut: Buckets) -> None:
        self._streams = Streams(series, leaf, context, cut)
        self._each = [cut.number(times) for times in self._streams.times]
        self.buckets = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *self._each]))
        self._cut = cut
        self._assumptions = context.assumptions
        self._fill = filling(leaf, series[0], False, context)
        self.seen = self._streams.seen

    def ranges(self, buckets: Indices, seen: Indices | None) -> Ranges:
        start, end = (
            _table([ranks(each, buckets, side) for each in self._each], buckets.size) for side in ('left', 'right')
        )
        return (start, end) if seen is None else (np.minimum(start, seen), np.minimum(end, seen))

    def occupied(self, ranges: Ranges) -> Flags:
        return np.asarray((ranges[1] > ranges[0]).any(axis=1))

    def _begun(self, ranges: Ranges) -> Flags:
        return np.asarray((ranges[0] > 0).any(axis=1))

    def _before(self, start: Indices) -> Indices:
        places = [
            np.where(start[:, index] > 0, each[start[:, index] - 1], -FAR)
            for index, each in enumerate(self._each)
            if each.size
        ]
        return np.asarray(np.max(places, axis=0))

    def _behind(self, start: Indices, seen: Indices | None) -> Indices:
        limit = np.broadcast_to(self._streams.sizes if seen is None else seen, start.shape)
        places = [
            np.where(start[:, index] < limit[:, index], each[np.minimum(start[:, index], each.size - 1)], FAR)
            for index, each in enumerate(self._each)
            if each.size
        ]
        return np.asarray(np.min(places, axis=0))

    def _aggregate(self, buckets: Indices, ranges: Ranges) -> Floats:
        return self._streams.aggregate(*ranges)


class PercentileWindows:
    """A percentile of all raw values of each window: time and space are merged at once (rule 17.18).

    Like `Points`, but there is one value for each window. Numbers have a column for each stream.
    """

    def __init__(self, leaf: Leaf, series: Sequence[Series], context: EvaluationContext, comparator: str) -> None:
        self.context = context
        self._leaf = leaf
        self._comparator = comparator
        self._streams = Streams(series, leaf, context, None)
        self.upper = np.minimum(self.number_to(context.ends), self._streams.seen)
        self.lower = np.minimum(self.number_from(context.starts), self.upper)
        self._rely_on_bounds()

    def number_from(self, instants: Indices) -> Indices:
        """Return the number of the first value of a window that begins at each instant."""
        return self._streams.number(instants, not self.context.includes_start(Assumptions.window_ends))

    def number_to(self, instants: Indices) -> Indices:
        """Return the number after the last value of a window that ends at each instant."""
        return self._streams.number(instants, self.context.assumptions.peek(Assumptions.window_ends).endswith(']'))

    def _rely_on_bounds(self) -> None:
        """The choice of A1 matters if a value is exactly on a bound."""
        edges = self.context.edges
        if any((self._streams.number(edge, True) > self._streams.number(edge, False)).any() for edge in edges):
            self.context.assumptions.rely_on(Assumptions.window_ends)

    def aggregate(self) -> Floats:
        """One value per evaluation, over its whole window."""
        assumptions = self.context.assumptions
        share = Share.parse(self._leaf.space)
        assert share is not None, 'the planner refuses others'
        reading: Reading = 'lower'
        if (self._streams.count(self.lower, self.upper) > 1).any():
            match assumptions.percentile:
                case 'interpolated':
                    reading = 'interpolated'
                case 'share of points':
                    reading = self._crossing()
        return self._streams.percentile(share, reading, self.lower, self.upper)

    def _crossing(self) -> Reading:
        """The value that the given share of all values reaches, as the query compares it (A63)."""
        if self._comparator in ('==', '!='):
            column = self._leaf.metric.span.start + 1
            raise Unsupported(self._leaf.space, column, f'with {self._comparator} has no share of points (A63)')
        return 'share above' if self._comparator.startswith('>') else 'share below'

    def has_points(self, rows: Indices) -> Flags:
        """Return whether the windows of some ticks hold a value."""
        return np.asarray((self.upper[rows] > self.lower[rows]).any(axis=1))

    def count(self, lower: Indices, upper: Indices) -> Indices:
        """Return how many values lie between two numbers, for each evaluation."""
        lower, upper = (np.clip(number, self.lower, self.upper) for number in (lower, upper))
        return self._streams.count(lower, np.maximum(upper, lower))

    def reported(self) -> 'PercentileWindows':
        """Return what says when data stopped (A6)."""
        return self

    def last(self, rows: Indices) -> Floats:
        """Return the time of the last value until the end of the windows of some evaluations, NaN without one."""
        found = np.full(rows.size, -np.inf)
        for index, times in enumerate(self._streams.times):
            end = self.upper[rows, index]
            found = np.where(end > 0, np.fmax(found, times.take(end - 1, mode='clip')), found) if times.size else found
        return np.where(np.isinf(found), np.nan, found)

    def number(self, row: int) -> int:
        """Return how many raw values the window of one evaluation has: a bin of a sketch stands for several."""
        return int(self._streams.count(self.lower[[row]], self.upper[[row]])[0])

    def seen_at(self, row: int) -> tuple[Floats, Floats]:
        """Return the times and raw values of the window of one evaluation."""
        return self._streams.listed(self.lower[row], self.upper[row])
