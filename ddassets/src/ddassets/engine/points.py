"""The points of an expression: its samples, where one source is read as it is, or buckets aligned to Unix time.

What a bucket holds depends on when one looks: the newest is partial, and a gap is interpolated once the sample behind
it is there. So points are computed once as they will be in the end, and once more for each evaluation that sees some of
them otherwise: those make up the tail of its window, a bucket or two for most queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.clock import Clock
from ddassets.engine.column import Column, Floats, Indices, Ranges, ranks
from ddassets.engine.computation import compute, differences
from ddassets.engine.plan import Difference, Leaf, Node, ZeroFilled, leaves, looks_back, zero_fills
from ddassets.engine.samples import FAR, Samples, filling, recent, scaled
from ddassets.engine.series import Series

type Sources = Mapping[Leaf, Sequence[Series]]

_NONE = -FAR


@dataclass(frozen=True)
class Unit:
    """What all points of one operand have in common.

    `step` is the size of a bucket in seconds, None where the samples of the one source are read as they are (A2);
    `rolled`: by a rollup.
    """

    step: int | None
    rolled: bool

    @classmethod
    def of(cls, operand: Node, sources: Sources, clock: Clock) -> 'Unit':
        each = tuple(dict.fromkeys(leaves(operand)))
        for leaf in each:
            if leaf.bucket:
                return cls(leaf.bucket, True)
        size = clock.assumptions.peek(Assumptions.bucket)
        if size != 'native':
            return cls(table_bucket(clock.window) if size == 'table' else int(size), False)
        used = [series for leaf in each for series in sources.get(leaf, ())]
        leaf = each[0]
        plain = leaf.fill is None and leaf.method is None and leaf.shift == 0 and not any(zero_fills(operand))
        if len(each) == 1 and len(used) == 1 and plain:
            return cls(None, False)
        return cls(min((series.interval for series in used), default=60), False)


# Rule 2.5: the length of a bucket by the length of the window, both in seconds.
_TABLE = ((60, 1), (300, 2), (900, 5), (1800, 10), (3600, 20), (14400, 60), (86400, 300), (172800, 600), (604800, 3600))


def table_bucket(window: int) -> int:
    """Return the bucket that the documented table has for a window, or for the next longer one that it lists."""
    return next((bucket for longest, bucket in _TABLE if window <= longest), 14400)


class Points:
    """The points of an expression, as each evaluation sees them: `aggregate` over ranges of their numbers.

    A point's number is its index, or its bucket's, which is the bucket's start in steps since the epoch.
    """

    def __init__(
        self, node: Node, unit: Unit, sources: Sources, clock: Clock, filled: frozenset[ZeroFilled] = frozenset()
    ) -> None:
        self.node = node
        self.clock = clock
        self.filled = filled
        self._sources = {leaf: sources.get(leaf, ()) for leaf in leaves(node)}
        self.step = unit.step
        self._rolled = unit.rolled
        # What the differences of the tail look back to: the final values of their operands.
        self.memory: dict[Difference, Column] = {}
        if not self._rolled:
            self.clock.assumptions.rely_on(Assumptions.bucket)
        if self.step is None:
            self._read_samples()
        else:
            self._read_buckets(self.step)

    def _read_samples(self) -> None:
        (leaf, (series,)) = next(iter(self._sources.items()))
        self._times, values, arrivals = recent(series, leaf, self.clock)
        sight = _SampleSight(self._times, leaf, scaled(values, series, leaf)[0])
        self.first = 0
        self.column = Column(np.broadcast_to(compute(self.node, sight), self._times.shape))
        self.lower = self.number_from(self.clock.starts)
        self.upper = self.number_to(self.clock.ends)
        if self._times.size:
            # A1 matters where a sample lies exactly on a bound.
            for number, edges in ((self.lower, self.clock.starts), (self.upper, self.clock.ends)):
                for nearest in (number - 1, number):
                    if (self._times.take(nearest, mode='clip') == edges).any():
                        self.clock.assumptions.rely_on(Assumptions.window_ends)
        if series.arrivals is not None:
            seen = ranks(arrivals, self.clock.ticks, 'right')
            # Both: what lies before the window and has not arrived is not the last point either (rule 3.12).
            self.upper = np.minimum(self.upper, seen)
            self.lower = np.minimum(self.lower, self.upper)

    def _read_buckets(self, step: int) -> None:
        self.lower = self.number_from(self.clock.starts)
        self.upper = np.maximum(self.number_to(self.clock.ends), self.lower)
        if not self._rolled and not all((edges % step).all() for edges in (self.clock.starts, self.clock.ends)):
            self.clock.assumptions.rely_on(Assumptions.window_ends)
        self.samples: dict[Leaf, list[Samples]] = {}
        # One more, for what a difference at the first compares with may be a 0 filled in.
        self.first = int(self.lower.min(initial=FAR)) - 1
        tail = strict = np.full(self.lower.size, FAR)
        for leaf, sources in self._sources.items():
            shift = self.shift(leaf)
            several = len(sources) > 1 or leaf.interpolated
            self.samples[leaf] = []
            for series in sources:
                fill = filling(leaf, series, several, self.clock)
                samples = Samples(series, leaf, self.clock, step, fill)
                if len(samples):
                    self.samples[leaf].append(samples)
                    self.first = min(self.first, int(samples.buckets[0]) + shift)
                    # What a difference looks back to matters too, however long ago.
                    matters = np.full_like(self.lower, _NONE) if looks_back(self.node) else self.lower - shift
                    ours, strictly = samples.unsettled(matters)
                    tail, strict = np.minimum(tail, ours + shift), np.minimum(strict, strictly + shift)
        size = max(int(self.upper.max(initial=self.first)) - self.first, 0)
        final = compute(self.node, _BucketSight(self, self.first + np.arange(size), None))
        self._tail = np.clip(tail, self.lower, self.upper)
        length = self.upper - self._tail
        self._offset = size + np.cumsum(length) - length
        rows = np.repeat(np.arange(length.size), length)
        self.settled = strict
        values = np.broadcast_to(final, size)
        if rows.size:
            numbers = np.arange(rows.size) + size - self._offset[rows] + self._tail[rows]
            late = compute(self.node, _BucketSight(self, numbers, rows))
            values = np.concatenate([values, np.broadcast_to(late, rows.size)])
        self.column = Column(values)

    def shift(self, leaf: Leaf) -> int:
        """How many buckets back a leaf is read: to the one that holds the shifted start."""
        assert self.step is not None
        if leaf.shift % self.step:
            self.clock.assumptions.rely_on(Assumptions.uneven_shift)
        return -(-leaf.shift // self.step)

    def number_from(self, instants: Indices) -> Indices:
        """The number of the first point that a window beginning at each instant has."""
        included = self._rolled or self.clock.assumptions.peek(Assumptions.window_ends).startswith('[')
        if self.step is None:
            return ranks(self._times, instants, 'left' if included else 'right')
        return -(-instants // self.step) if included else instants // self.step + 1

    def number_to(self, instants: Indices) -> Indices:
        """The number after that of the last point that a window ending at each instant has."""
        included = self._rolled or self.clock.assumptions.peek(Assumptions.window_ends).endswith(']')
        if self.step is None:
            return ranks(self._times, instants, 'right' if included else 'left')
        return instants // self.step + 1 if included else -(-instants // self.step)

    def instants(self, numbers: Indices) -> Floats:
        """The times of points, in seconds: of a bucket its start."""
        return self._times[numbers] if self.step is None else numbers.astype(np.float64) * self.step

    def ranges(self, lower: Indices, upper: Indices, rows: Indices | slice = slice(None)) -> list[Ranges]:
        """Where in the column the points from `lower` to before `upper` lie, as the evaluations `rows` see them."""
        if self.step is None:
            return [(lower, upper)]
        tail, offset = self._tail[rows], self._offset[rows]
        settled = (np.minimum(lower, tail) - self.first, np.minimum(upper, tail) - self.first)
        if self.column.values.size == int(self._offset[0] if self._offset.size else 0):
            return [settled]
        return [settled, (offset + np.maximum(lower, tail) - tail, offset + np.maximum(upper, tail) - tail)]

    def aggregate(self, method: str) -> Floats:
        """One value per evaluation, over its whole window."""
        return self.column.aggregate(method, *self.ranges(self.lower, self.upper))

    def count(self, lower: Indices, upper: Indices) -> Indices:
        """How many points each evaluation has between two numbers."""
        lower, upper = np.clip(lower, self.lower, self.upper), np.clip(upper, self.lower, self.upper)
        return self.column.count(*self.ranges(lower, np.maximum(upper, lower)))

    def last(self, rows: Indices) -> Floats:
        """The time of the last point with a value up to the end of some evaluations' windows, NaN where none is."""
        lower, upper = self.lower[rows], self.upper[rows]
        number = np.full(rows.size, _NONE)
        bases = [self.first] if self.step is None else [self.first, self._tail[rows] - self._offset[rows]]
        for area, base in zip(self.ranges(lower, upper, rows), bases, strict=False):
            index = self.column.last(area)
            number = np.where(index >= 0, index + base, number)
        earlier = np.flatnonzero(number == _NONE)
        number[earlier] = self.last_before(self.node, self.column, lower[earlier], rows[earlier])[0]
        there = number != _NONE
        result = np.full(rows.size, np.nan)
        result[there] = self.instants(number[there])
        return result

    def last_before(self, node: Node, final: Column, numbers: Indices, rows: Indices) -> tuple[Indices, Floats]:
        """The number of the last point before each number where `node` has a value, as the evaluations `rows` see it,
        and the value. `final` holds the values as they will be in the end, from `first` on.
        """
        found, values = np.full(numbers.size, _NONE), np.full(numbers.size, np.nan)
        end = numbers - self.first
        pending = np.arange(numbers.size)
        while pending.size:
            index = final.last((np.zeros(pending.size, dtype=np.int64), np.maximum(end[pending], 0)))
            pending, index = pending[index >= 0], index[index >= 0]
            value = final.values[index]
            if self.step is not None:
                late = index + self.first >= self.settled[rows[pending]]
                sight = _BucketSight(self, (index + self.first)[late], rows[pending][late])
                value[late] = compute(node, sight)
            found[pending], values[pending] = index + self.first, value
            end[pending] = index
            pending = pending[np.isnan(value)]
            found[pending] = _NONE
        return found, values

    def seen_at(self, row: int) -> tuple[Floats, Floats]:
        """Times and values of the points in the window of one evaluation, NaN for those without a value."""
        rows = np.array([row])
        lower, upper = self.lower[rows], self.upper[rows]
        values = [self.column.values[int(start[0]) : int(end[0])] for start, end in self.ranges(lower, upper, rows)]
        return self.instants(np.arange(lower[0], upper[0])), np.concatenate(values)


@dataclass
class _SampleSight:
    """The samples of one source as they are."""

    times: Floats
    leaf: Leaf
    values: Floats
    pointwise = True

    def given(self, node: Node) -> Floats | None:
        return self.values if node == self.leaf else None

    def zero_filled(self, node: ZeroFilled, values: Floats) -> Floats:
        raise AssertionError('default_zero needs buckets')

    def difference(self, node: Difference, values: Floats) -> Floats:
        before = Column(values).last((np.zeros(values.size, dtype=np.int64), np.arange(values.size)))
        there = before >= 0
        return differences(
            node.name,
            values,
            np.where(there, values[before], np.nan),
            np.where(there, self.times - self.times[before], np.nan),
        )


@dataclass
class _BucketSight:
    """Buckets by number, each as the evaluation in `rows` sees it, or as it will be where `rows` is None."""

    points: Points
    numbers: Indices
    rows: Indices | None
    pointwise = True

    def given(self, node: Node) -> Floats | None:
        return self._leaf(node) if isinstance(node, Leaf) else None

    def _leaf(self, leaf: Leaf) -> Floats:
        """Aggregate over the sources that have a value (rule 2.4)."""
        buckets = self.numbers - self.points.shift(leaf)
        total = np.zeros(buckets.size)
        count = np.zeros(buckets.size, dtype=np.int64)
        for samples in self.points.samples[leaf]:
            values = samples.values(buckets, None if self.rows is None else samples.seen[self.rows])
            there = ~np.isnan(values)
            if leaf.space in ('min', 'max'):
                better = np.fmin if leaf.space == 'min' else np.fmax
                total = np.where(there, np.where(count > 0, better(total, values), values), total)
            else:
                total = np.where(there, total + values, total)
            count += there
        if leaf.space == 'avg':
            total = total / np.maximum(count, 1)
        return np.where(count > 0, total, np.nan)

    def zero_filled(self, node: ZeroFilled, values: Floats) -> Floats:
        return np.where(np.isnan(values), 0.0, values) if node in self.points.filled else values

    def difference(self, node: Difference, values: Floats) -> Floats:
        assert self.points.step is not None
        if self.rows is None:
            self.points.memory[node] = column = Column(values)
            index = column.last((np.zeros(values.size, dtype=np.int64), np.arange(values.size)))
            before = np.where(index >= 0, values[index], np.nan)
            number = index + self.points.first
        else:
            number, before = self.points.last_before(node.operand, self.points.memory[node], self.numbers, self.rows)
        return differences(node.name, values, before, (self.numbers - number) * float(self.points.step))
