"""The points of an expression: the samples of one source as they are, or buckets.

The content of a bucket depends on the instant of the evaluation: the newest is partial, a gap gets other values once
the next sample is there, and a difference at the beginning of a window may not look further back. So points are
computed once as they are in the end, and once more for each evaluation that sees some of them differently: the head and
the tail of its window, a bucket or two for most queries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ddassets.engine import history
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.buckets import Buckets, EvenBuckets
from ddassets.engine.column import Column, Flags, Floats, Indices, Ranges, ranks
from ddassets.engine.computation import compute, differences
from ddassets.engine.context import EvaluationContext
from ddassets.engine.history import OVER_WINDOW, History, over_window
from ddassets.engine.merged import MergedSamples, per_instant
from ddassets.engine.plan import (
    INTERPOLATION_LIMIT,
    Difference,
    Earlier,
    Filled,
    Leaf,
    Moving,
    Node,
    Reported,
    Smoothed,
    Source,
    depth,
    leaves,
    looks_back,
    loses_values,
    rebuilt,
    walk,
)
from ddassets.engine.samples import FAR, Samples, recent, scaled
from ddassets.engine.series import Series

type Sources = Mapping[Leaf, Sequence[Series]]

_NONE = -FAR
# Rule 2.5: the length of a bucket by the length of the window, both in seconds.
_TABLE = ((60, 1), (300, 2), (900, 5), (1800, 10), (3600, 20), (14400, 60), (86400, 300), (172800, 600), (604800, 3600))


def table_bucket(window: int) -> int:
    """Return the documented length of a bucket for a window, or for the next longer documented window.

    >>> table_bucket(300), table_bucket(600)
    (2, 5)
    """
    return next((bucket for longest, bucket in _TABLE if window <= longest), 14400)


@dataclass(frozen=True)
class Unit:
    """The common properties of all points of an operand.

    `buckets` is None if the samples of the single source are the points (A2); `rolled`: by a rollup.
    """

    buckets: Buckets | None
    rolled: bool

    @classmethod
    def of(cls, operand: Node, sources: Sources, context: EvaluationContext) -> 'Unit':
        # A difference of a query reads the same points as the query.
        every = {replace(leaf, differences=()): leaf for leaf in leaves(operand)}.values()
        for leaf in every:
            if leaf.bucket:
                return cls(leaf.aligned or EvenBuckets(leaf.bucket), True)
        size = context.assumptions.bucket
        if size != 'native':
            return cls(EvenBuckets(table_bucket(context.window) if size == 'table' else int(size)), False)
        used = [series for leaf in every for series in sources.get(leaf, ())]
        leaf = next(iter(every))
        filled = any(isinstance(node, Filled) for node in walk(operand))
        shifted = leaf.shift != 0 or leaf.calendar is not None
        plain = leaf.fill is None and leaf.method is None and not shifted and not leaf.extended and not filled
        if len(every) == 1 and len(used) == 1 and plain:
            return cls(None, False)
        return cls(EvenBuckets(min((series.interval for series in used), default=60)), False)


class Points:
    """The points of an expression as each evaluation sees them: `aggregate` over ranges of their numbers.

    A point's number is its index, or its bucket's.
    """

    def __init__(self, node: Node, unit: Unit, sources: Sources, context: EvaluationContext) -> None:
        self.node = node
        self.context = context
        self._sources = {leaf: sources.get(leaf, ()) for leaf in leaves(node)}
        self._unit = unit
        # In which windows a query has points, once that was asked of all of them.
        self._with_points: dict[Leaf, Flags] = {}
        self.buckets = unit.buckets
        self._rolled = unit.rolled
        # The final values of the operands of differences, in the numbers of the points or, below a leaf, of its own.
        self.memory: dict[Difference, Column] = {}
        # The same for functions that look at many points.
        self.history: dict[Smoothed | Moving, History] = {}
        if self.buckets is None:
            self._read_samples()
        else:
            self._read_buckets(self.buckets)

    def _read_samples(self) -> None:
        (leaf, (series,)) = next(iter(self._sources.items()))
        if series.kind == 'distribution':
            series = per_instant(series, leaf, self.context.assumptions)
        self._interval = series.interval
        self.times, values, arrivals = recent(series, leaf, self.context)
        self.sample_values = scaled(values, series, leaf)[0]
        self.lower = self.number_from(self.context.starts)
        self.upper = self.number_to(self.context.ends)
        if self.times.size:
            # The choice matters if a sample is exactly on a bound.
            for number, edges in zip((self.upper, self.lower), self.context.edges, strict=False):
                for nearest in (number - 1, number):
                    if (self.times.take(nearest, mode='clip') == edges).any():
                        self._rely_on_bounds()
        if series.arrivals is not None:
            seen = ranks(arrivals, self.context.ticks, 'right')
            # Both, because a point before the window that has not arrived is not the last point either (rule 3.12).
            self.upper = np.minimum(self.upper, seen)
            self.lower = np.minimum(self.lower, self.upper)
        self.first = 0
        self.settled = np.full(self.lower.size, FAR)
        self._assemble(self.times.size, self.upper)

    def _read_buckets(self, buckets: Buckets) -> None:
        self.lower = self.number_from(self.context.starts)
        self.upper = np.maximum(self.number_to(self.context.ends), self.lower)
        if not self._rolled and not all(
            (buckets.start(buckets.number(edge)) != edge).all() for edge in self.context.edges
        ):
            self._rely_on_bounds()
        self.samples: dict[Leaf, list[Samples]] = {}
        # One more, for a difference at the first point may compare it with a 0 filled in.
        self.first = int(self.lower.min(initial=FAR)) - 1
        tail = strict = np.full(self.lower.size, FAR)
        # What a difference looks back to matters too.
        matters = self._floor() if depth(self.node) else self.lower
        if looks_back(self.node):
            matters = np.full_like(self.lower, _NONE)
        for leaf, sources in self._sources.items():
            least, greatest = self.shift_bounds(leaf)
            self.samples[leaf] = []
            for samples in _cut(sources, leaf, self.context, buckets):
                if len(samples):
                    self.samples[leaf].append(samples)
                    self.first = min(self.first, int(samples.buckets[0]) + least)
                    ours, strictly = samples.unsettled(matters - greatest)
                    tail, strict = np.minimum(tail, ours + least), np.minimum(strict, strictly + least)
        if looks_back(self.node) and any(isinstance(node, Filled) for node in walk(self.node)):
            # What fills gaps does so since the series are known.
            self.first = min(self.first, int(buckets.number(np.array(self.context.known))))
        self.settled = strict
        self._assemble(max(int(self.upper.max(initial=self.first)) - self.first, 0), tail)

    def _assemble(self, size: int, tail: Indices) -> None:
        """Build the column: the final values of all points, then the different first and last points of each
        evaluation.
        """
        self._size = size
        self.blank = {node: self._blank(node) for node in walk(self.node) if isinstance(node, Filled)}
        final = compute(self.node, PointValues(self, self.first + np.arange(size), None))
        self._tail = np.clip(tail, self.lower, self.upper)
        self._head = np.minimum(self._heads(), self._tail)
        for blank in self.blank.values():
            self._head = np.where(blank, self._tail, self._head)
        length = (self._head - self.lower) + (self.upper - self._tail)
        self._offset = size + np.cumsum(length) - length
        rows = np.repeat(np.arange(length.size), length)
        values = np.broadcast_to(final, size)
        if rows.size:
            numbers = np.arange(rows.size) + size - self._offset[rows] + self.lower[rows]
            numbers += np.where(numbers >= self._head[rows], (self._tail - self._head)[rows], 0)
            late = compute(self.node, PointValues(self, numbers, rows))
            values = np.concatenate([values, np.broadcast_to(late, rows.size)])
        self.column = Column(values)

    def _blank(self, node: Filled) -> Flags:
        """Which windows a default() leaves empty, for there is no point of its query in them (A76)."""
        empty = np.zeros(self.lower.size, dtype=np.bool_)
        if node.name != 'default':
            return empty
        assert self.buckets is not None
        blank = ~self.has_points(np.arange(self.lower.size), leaves(node.operand))
        known = self.buckets.number(np.array(self.context.known))
        if (blank & (self.upper > np.maximum(self.lower, known))).any():
            self.context.assumptions.rely_on(Assumptions.empty_default)
        return blank if self.context.assumptions.peek(Assumptions.empty_default) == 'nothing' else empty

    def _floor(self) -> Indices:
        """The number of the first point that a difference in each window may look back to (A19)."""
        choice = self.context.assumptions.peek(Assumptions.earlier_point)
        if choice == 'window only':
            return self.lower
        if choice == 'always':
            return np.full_like(self.lower, _NONE)
        oldest = self.context.starts - INTERPOLATION_LIMIT
        return ranks(self.times, oldest, 'left') if self.buckets is None else self.buckets.number_from(oldest)

    def _heads(self) -> Indices:
        """Return the number after the first points of each window for which a difference would use a point too early
        (A19).
        """
        head = self.lower
        self.floor = self._floor()
        for smoothed, past in self.history.items():
            operand = past.operand
            lower = np.clip(self.lower - self.first, 0, operand.values.size)
            earlier = operand.last((np.zeros_like(lower), lower)) >= 0
            if (earlier & (operand.next(lower) < np.clip(self.upper - self.first, 0, operand.values.size))).any():
                self.context.assumptions.rely_on(Assumptions.earlier_history)
            if over_window(smoothed, self.context.assumptions):
                head = self.upper
        if not self.memory or head is not self.lower:
            return head
        behind = np.zeros(self.lower.size, dtype=np.bool_)
        for node, column in self.memory.items():
            lower = np.clip(self.lower - self.first, 0, column.values.size)
            upper = np.clip(self.upper - self.first, 0, column.values.size)
            before = column.last((np.zeros_like(lower), lower))
            following = column.next(lower)
            behind |= before >= 0
            reached = (before >= 0) & (following < upper)
            if reached.any():
                self.context.assumptions.rely_on(Assumptions.earlier_point)
            cut = reached & (before + self.first < self.floor)
            if (levels := depth(node)) > 1:
                # A point that the operand uses may be too early although the operand's point is not.
                cut = behind & (following < upper)
                for _ in range(levels - 1):
                    following = column.next(np.minimum(following + 1, column.values.size))
            end = np.minimum(following + 1, upper)
            head = np.maximum(head, np.where(cut, end + self.first, self.lower))
        return head

    def number_of(self, instants: Floats) -> Indices:
        """Return the number of the first point at or after each instant."""
        if self.buckets is None:
            return np.searchsorted(self.times, instants)
        return self.buckets.number_from(instants)

    def has_instant(self, numbers: Indices, instants: Floats) -> Flags:
        """Return whether the point of each number is at the given instant."""
        if self.buckets is None:
            return np.asarray((numbers < self.times.size) & (self.times.take(numbers, mode='clip') == instants))
        return np.asarray(self.buckets.start(numbers) == instants)

    def shift_bounds(self, leaf: Leaf) -> tuple[int, int]:
        """Return the smallest and the largest shift of a leaf, in buckets."""
        assert self.buckets is not None
        if leaf.calendar is not None:
            calendar = leaf.calendar
            return self.buckets.least(leaf.shift + calendar.least), self.buckets.greatest(
                leaf.shift + calendar.greatest
            )
        if isinstance(self.buckets, EvenBuckets):
            shift = int(self.shift(leaf, self.lower))
            return shift, shift
        return self.buckets.least(leaf.shift), self.buckets.greatest(leaf.shift)

    def shift(self, leaf: Leaf, numbers: Indices) -> Indices | int:
        """Return the shift of a leaf in buckets for some point numbers (A20)."""
        if self.buckets is None:
            return 0
        if leaf.calendar is not None:
            # Only a change shifts a calendar_shift() again.
            starts = self.buckets.start(numbers) - leaf.shift
            return numbers - self.buckets.number(starts - leaf.calendar.seconds(starts))
        if isinstance(self.buckets, EvenBuckets):
            step = self.buckets.step
            if leaf.shift % step and self.context.assumptions.uneven_shift == 'nearest bucket':
                return (leaf.shift + step // 2) // step
            return -(-leaf.shift // step)
        return self._aligned_shift(numbers, leaf.shift) if leaf.shift else 0

    def _aligned_shift(self, numbers: Indices, seconds: int) -> Indices:
        """How many calendar units back the bucket lies that holds the shifted start (A20)."""
        assert self.buckets is not None
        shifted = self.buckets.start(numbers) - seconds
        found = self.buckets.number(shifted)
        before = shifted - self.buckets.start(found)
        if before.any() and self.context.assumptions.uneven_shift == 'nearest bucket':
            found = np.where(self.buckets.length(found) - before < before, found + 1, found)
        return numbers - found

    def beside(self, leaf: Leaf) -> list[Leaf]:
        """The queries that are operands of the same arithmetic as a leaf, itself among them (rule 2.16).

        The sides of a change are two series, each filled by itself.
        """
        return [other for other in self._sources if other.before == leaf.before]

    def alone(self, leaf: Leaf) -> bool:
        """Whether a leaf is no operand of arithmetic; groups of a count and differences of a query are that query."""
        return len({replace(other, group=None, differences=()) for other in self.beside(leaf)}) == 1

    def has_points(self, rows: Indices, among: Iterable[Leaf] | None = None) -> Flags:
        """Whether the windows of some ticks hold anything at all, be it without a value (n/0, rule 2.13).

        `among` are the queries that are asked, all of them by default.
        """
        found = np.zeros(rows.size, dtype=np.bool_)
        for leaf in self._sources if among is None else among:
            if leaf in self._with_points:
                found |= self._with_points[leaf][rows]
                continue
            # In arithmetic a fill adds no instant: it acts where another operand has a sample (rule 2.16).
            plain = replace(leaf, differences=(), fill=leaf.fill if self.alone(leaf) else None)
            points = Points(plain, self._unit, {plain: self._sources[leaf]}, self.context.at(rows))
            there = points.count(points.lower, points.upper) > 0
            if rows.size == self.lower.size:
                self._with_points[leaf] = there
            found |= there
        return found

    def _bounds(self) -> Assumption:
        """Return the assumption about the ends of a window: as_count() has its own, which may refer to A1."""
        counted = all(leaf.counting == 'as_count' for leaf in self._sources)
        own = counted and self.context.assumptions.peek(Assumptions.count_window_ends) != 'as A1'
        return Assumptions.count_window_ends if own else Assumptions.window_ends

    def _rely_on_bounds(self) -> None:
        counted = all(leaf.counting == 'as_count' for leaf in self._sources)
        self.context.assumptions.rely_on(self._bounds(), *((Assumptions.count_window_ends,) if counted else ()))

    def number_from(self, instants: Indices) -> Indices:
        """Return the number of the first point of a window that begins at each instant."""
        included = self._rolled or self.context.includes_start(self._bounds())
        if self.buckets is None:
            return ranks(self.times, instants, 'left' if included else 'right')
        return self.buckets.number_from(instants) if included else self.buckets.number(instants) + 1

    def number_to(self, instants: Indices) -> Indices:
        """Return the number after the last point of a window that ends at each instant."""
        included = self._rolled or self.context.assumptions.peek(self._bounds()).endswith(']')
        if self.buckets is None:
            return ranks(self.times, instants, 'right' if included else 'left')
        return self.buckets.number(instants) + 1 if included else self.buckets.number_from(instants)

    def instants(self, numbers: Indices) -> Floats:
        """Return the times of points in seconds; of a bucket, its start."""
        return self.times[numbers] if self.buckets is None else self.buckets.start(numbers).astype(np.float64)

    def lengths(self, numbers: Indices) -> Indices | int:
        """Return the lengths of the points' buckets, in seconds."""
        return self._interval if self.buckets is None else self.buckets.length(numbers)

    def _segments(
        self, lower: Indices, upper: Indices, rows: Indices | slice = slice(None)
    ) -> Iterator[tuple[Indices, Indices, Indices | int]]:
        """Return the places in the column of the points from `lower` to before `upper`, as the evaluations `rows` see
        them.

        Each segment is (first index, index after the last, what to add to an index for the point's number).
        """
        head, tail, offset = self._head[rows], self._tail[rows], self._offset[rows]
        start, end = np.clip(lower, head, tail), np.clip(upper, head, tail)
        yield start - self.first, end - self.first, self.first
        if self.column.values.size == int(self._offset[0] if self._offset.size else 0):
            return
        base = self.lower[rows] - offset
        yield np.minimum(lower, head) - base, np.minimum(upper, head) - base, base
        base = base + tail - head
        yield np.maximum(lower, tail) - base, np.maximum(upper, tail) - base, base

    def ranges(self, lower: Indices, upper: Indices) -> list[Ranges]:
        """Return the places in the column of the points from `lower` to before `upper`, one of each per evaluation."""
        return [(start, end) for start, end, _ in self._segments(lower, upper)]

    def aggregate(self, method: str) -> Floats:
        """One value per evaluation, over its whole window."""
        return self.column.aggregate(method, *self.ranges(self.lower, self.upper))

    def count(self, lower: Indices, upper: Indices) -> Indices:
        """Return the number of points between two numbers, for each evaluation."""
        lower, upper = np.clip(lower, self.lower, self.upper), np.clip(upper, self.lower, self.upper)
        return self.column.count(*self.ranges(lower, np.maximum(upper, lower)))

    def reported(self) -> 'Points':
        """Return the points the last of which says when data stopped (A6).

        What a function over the evaluation window makes of points before it is not defined, so it stands for its
        points; and what fills a gap is no data.
        """
        node = _with_points(self.node)
        if any(isinstance(part, Filled) for part in walk(node)):
            node = Reported(node)
        return self if node == self.node else Points(node, self._unit, self._sources, self.context)

    def last(self, rows: Indices) -> Floats:
        """Return the time of the last value until the end of the windows of some evaluations, NaN without one."""
        lower, upper = self.lower[rows], self.upper[rows]
        number = np.full(rows.size, _NONE)
        for start, end, base in self._segments(lower, upper, rows):
            index = self.column.last((start, end))
            number = np.where(index >= 0, np.maximum(number, index + base), number)
        # How far back a function reaches (A19, A79) does not decide when data stopped (A6).
        before = upper if depth(self.node) or over_window(self.node, self.context.assumptions) else lower
        earlier = np.flatnonzero((number == _NONE) | (before == upper))
        unsettled = (self.settled[rows[earlier]] < before[earlier]).any()
        present = self._present() if unsettled and loses_values(self.node) else None
        number[earlier] = self.last_before(self.node, self.column, before[earlier], rows[earlier], present=present)[0]
        there = number != _NONE
        result = np.full(rows.size, np.nan)
        result[there] = self.instants(number[there])
        return result

    def _present(self) -> Column:
        """Where a query has a point in the end."""
        values = PointValues(self, self.first + np.arange(self._size), None)
        there = np.logical_or.reduce([values.present(leaf) for leaf in self._sources])
        return Column(np.where(there, 0.0, np.nan))

    def last_before(
        self,
        node: Node,
        final: Column,
        numbers: Indices,
        rows: Indices,
        shift: int = 0,
        floor: Indices | None = None,
        present: Column | None = None,
    ) -> tuple[Indices, Floats]:
        """Return the number of the last point before each number where `node` has a value, and the value.

        Both are as the evaluations `rows` see them. `final` holds the values as they are in the end. `shift` is what to
        add to the number of a leaf to have that of a point. Points before `floor` are ignored. `present`: where a point
        is there in the end, for one without a value then may have one as it is seen.
        """
        found, values = np.full(numbers.size, _NONE), np.full(numbers.size, np.nan)
        origin = self.first - shift
        end = numbers - origin
        pending = np.arange(numbers.size)
        again = (floor is not None and depth(node) > 0) or over_window(node, self.context.assumptions)
        while pending.size:
            index = final.last((np.zeros(pending.size, dtype=np.int64), np.maximum(end[pending], 0)))
            if present is not None:
                unsettled = np.clip(self.settled[rows[pending]] - self.first, 0, np.maximum(end[pending], 0))
                index = np.maximum(index, present.last((unsettled, np.maximum(end[pending], 0))))
            near = index >= (0 if floor is None else np.maximum(floor[pending] - origin, 0))
            pending, index = pending[near], index[near]
            value = final.values[index]
            late = (index + self.first >= self.settled[rows[pending]]) | again
            if late.any():
                seen = PointValues(self, (index + origin)[late], rows[pending][late], shift, floor is not None)
                value[late] = compute(node, seen)
            found[pending], values[pending] = index + origin, value
            end[pending] = index
            pending = pending[np.isnan(value)]
            found[pending] = _NONE
        return found, values

    def windows(self) -> tuple[Floats, Floats, Ranges, Indices | int]:
        """Return the times and values of the points of all windows, concatenated, the extent of each window, and the
        lengths of the points' buckets.
        """
        parts = []
        for start, end, base in self._segments(self.lower, self.upper):
            length = np.maximum(end - start, 0)
            rows = np.repeat(np.arange(length.size), length)
            index = np.arange(rows.size) + np.repeat(start - (np.cumsum(length) - length), length)
            parts.append((rows, index, index + np.broadcast_to(base, length.shape)[rows]))
        rows, index, numbers = (np.concatenate([part[column] for part in parts]) for column in range(3))
        order = np.lexsort((numbers, rows))
        count = np.bincount(rows, minlength=self.lower.size)
        end = np.cumsum(count)
        values = self.column.values[index[order]]
        return self.instants(numbers[order]), values, (end - count, end), self.lengths(numbers[order])

    def seen_at(self, row: int) -> tuple[Floats, Floats]:
        """Return the times and values of the points in the window of one evaluation, NaN for points without a value."""
        rows = np.array([row])
        lower, upper = self.lower[rows], self.upper[rows]
        times, values = [], []
        for start, end, base in self._segments(lower, upper, rows):
            indices = np.arange(start[0], end[0], dtype=np.int64)
            times.append(self.instants((indices + base).astype(np.int64)))
            values.append(self.column.values[indices])
        order = np.argsort(np.concatenate(times), kind='stable')
        return np.concatenate(times)[order], np.concatenate(values)[order]


@dataclass
class PointValues:
    """Points by number, each as the evaluation in `rows` sees it, or as it is in the end where `rows` is None.

    Below a leaf that is shifted, numbers are those of its own buckets: `shift` less than those of the points.
    `floored`: differences look back as far as the window allows (A19).
    """

    points: Points
    numbers: Indices
    rows: Indices | None
    shift: Indices | int = 0
    floored: bool = True
    pointwise = True
    _ranges: dict[Samples, Ranges] = field(default_factory=dict)
    _masks: dict[Leaf, Flags | None] = field(default_factory=dict)

    @property
    def bucket(self) -> Indices | int:
        return self.points.lengths(self.numbers)

    def given(self, node: Node) -> Floats | None:
        match node:
            case Source():
                return self._source(node)
            case Leaf():
                return self._leaf(node, node.differences)
        return None

    def present(self, leaf: Leaf) -> Flags:
        return ~np.isnan(self._leaf(leaf, ()))

    def _leaf(self, leaf: Leaf, names: tuple[str, ...]) -> Floats:
        """Aggregate over the sources with a value (rule 2.4), after the differences `names`."""
        points = self.points
        shift = points.shift(leaf, self.numbers)
        below = PointValues(points, self.numbers - shift, self.rows, shift, self.floored)
        if points.buckets is None:
            return compute(_differences(Source(leaf, 0), names), below)
        total = np.zeros(self.numbers.size)
        count = np.zeros(self.numbers.size, dtype=np.int64)
        for index in range(len(points.samples[leaf])):
            values = compute(_differences(Source(leaf, index), names), below)
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

    def _source(self, source: Source) -> Floats:
        if self.points.buckets is None:
            return self.points.sample_values[self.numbers]
        samples, leaf = self.points.samples[source.leaf][source.index], source.leaf
        if samples.filled and leaf not in self._masks:
            self._masks[leaf] = self._sampled(leaf)
        ranges = self._ranges_of(samples, self.numbers)
        return samples.values(self.numbers, ranges, self._seen(samples), self._masks.get(leaf))

    def _seen(self, samples: Samples) -> Indices | None:
        return None if self.rows is None else samples.seen[self.rows]

    def _ranges_of(self, samples: Samples, numbers: Indices) -> Ranges:
        if samples not in self._ranges:
            self._ranges[samples] = samples.ranges(numbers, self._seen(samples))
        return self._ranges[samples]

    def _sampled(self, leaf: Leaf) -> Flags | None:
        """Where the gaps of a leaf's sources are filled; None: everywhere (rules 2.16 and 2.17).

        By default at the instants where one of its sources has a sample, by an explicit fill in arithmetic where any
        operand has.
        """
        points = self.points
        if leaf.extended or (leaf.fill is not None and points.alone(leaf)):
            return None
        sampled = np.zeros(self.numbers.size, dtype=np.bool_)
        for other in points.beside(leaf) if leaf.fill is not None else (leaf,):
            numbers = self.numbers + self.shift
            numbers = numbers - points.shift(other, numbers)
            for samples in points.samples[other]:
                sampled |= samples.occupied(self._ranges_of(samples, numbers))
        return sampled

    def filled(self, node: Filled, values: Floats) -> Floats:
        buckets = self.points.buckets
        assert buckets is not None
        known = self.numbers >= buckets.number(np.array(self.points.context.known))
        if self.rows is not None:
            known &= ~self.points.blank[node][self.rows]
        return np.where(np.isnan(values) & known, node.value, values)

    def difference(self, node: Difference, values: Floats) -> Floats:
        points = self.points
        if self.rows is None:
            # Numbers are consecutive here, from the first point on.
            column = Column(np.broadcast_to(values, self.numbers.shape))
            points.memory[node] = column
            index = column.last((np.zeros(values.size, dtype=np.int64), np.arange(values.size)))
            before = np.where(index >= 0, column.values[index], np.nan)
            number = self.numbers[np.maximum(index, 0)]
        else:
            floor = points.floor[self.rows] - self.shift if self.floored else None
            final = points.memory[node]
            assert isinstance(self.shift, int), 'no difference is around a calendar shift'
            number, before = points.last_before(node.operand, final, self.numbers, self.rows, self.shift, floor)
            number = np.where(np.isnan(before), self.numbers, number)
        return differences(
            node.name,
            values,
            before,
            points.instants(self.numbers) - points.instants(number),
            points.context.assumptions,
        )

    def earlier(self, node: Earlier | Moving | Smoothed) -> Floats:
        assert not isinstance(node, Earlier), 'the plan has none at points'
        return history.values(node, self.points, self)

    def at(self, numbers: Indices, rows: Indices) -> 'PointValues':
        """Return other points, as other evaluations see them."""
        return PointValues(self.points, numbers, rows, self.shift, self.floored)


def _cut(sources: Sequence[Series], leaf: Leaf, context: EvaluationContext, buckets: Buckets) -> Iterator[Samples]:
    """Cut the sources of a query into buckets; those of a distribution are merged before (rule 17.18)."""
    if sources and sources[0].kind == 'distribution':
        yield MergedSamples(sources, leaf, context, buckets)
        return
    for series in sources:
        yield Samples(series, leaf, context, buckets, len(sources) > 1)


def _differences(source: Source, names: tuple[str, ...]) -> Node:
    """Return a source after the differences that apply before the space aggregation (rule 2.4)."""
    node: Node = source
    for name in names:
        node = Difference(name, node)
    return node


def _with_points(node: Node) -> Node:
    """The node with the points themselves for each function over the evaluation window."""
    if isinstance(node, Smoothed) and node.name in OVER_WINDOW:
        return _with_points(node.operand)
    return rebuilt(node, _with_points)
