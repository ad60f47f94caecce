"""Expressions over series: from the samples of a group's sources to one value per evaluation (rules 2.3 to 2.17).

The points of an expression are its samples, where one source is read as it is, or buckets aligned to Unix time. What a
bucket holds depends on when one looks: the newest is partial, and a gap is interpolated once the sample behind it is
there. So points are computed once as they will be in the end, and once more for each evaluation that sees some of them
otherwise: those make up the tail of its window, a bucket or two for most queries.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddassets.query.column import Column, Floats, Indices, Ranges, ranks
from ddassets.query.plan import (
    INTERPOLATION_LIMIT,
    Arithmetic,
    Constant,
    Difference,
    Fill,
    Leaf,
    Node,
    Plan,
    Pointwise,
    ZeroFilled,
    counts,
    leaves,
    looks_back,
    zero_fills,
)
from ddassets.series import Series

type Sources = Mapping[Leaf, Sequence[Series]]
type Flags = NDArray[np.bool_]

# Samples older than this before the first window are not looked at, in seconds: groups are forgotten after a day.
HISTORY = 2 * 86400
# How many parts of a window may be empty for it to count as full (rule 2.8).
MOST_EMPTY = 3
_FAR = np.iinfo(np.int64).max // 4
_NONE = -_FAR


@dataclass(frozen=True)
class Clock:
    """When a monitor is evaluated (`ticks`, seconds, rising), over which window and delay, and under which assumptions.

    `relied_on` collects the ids of the assumptions that mattered.
    """

    ticks: Indices
    window: int
    delay: int
    choices: Mapping[str, str]
    relied_on: set[str]
    # The instant before which samples are not looked at.
    oldest: int

    @property
    def starts(self) -> Indices:
        """Where each window begins (rule 2.3)."""
        return self.ticks - self.delay - self.window

    @property
    def ends(self) -> Indices:
        return self.ticks - self.delay

    def at(self, rows: Indices) -> 'Clock':
        """The same at some of the ticks."""
        return replace(self, ticks=self.ticks[rows])


class Sight(Protocol):
    """What an expression is computed from: points, or operands that are aggregated already.

    `pointwise`: a count that is missing at a point is 0 beside another value there (rule 2.13). What is given for an
    operand that is aggregated has its zeros already, so that n/0 is not mistaken for a missing count.
    """

    @property
    def pointwise(self) -> bool: ...
    def given(self, node: Node) -> Floats | None: ...
    def zero_filled(self, node: ZeroFilled, values: Floats) -> Floats: ...
    def difference(self, node: Difference, values: Floats) -> Floats: ...


def compute(node: Node, sight: Sight) -> Floats:
    """Return the node's values, NaN where it has none. Overflows and n/0 count as none (rule 2.13)."""
    found = sight.given(node)
    if found is not None:
        return found
    match node:
        case Constant(value=value):
            return np.float64(value)  # type: ignore[return-value]
        case Arithmetic(operator=operator, left=left, right=right):
            a, b = compute(left, sight), compute(right, sight)
            if sight.pointwise and not isinstance(left, Constant) and not isinstance(right, Constant):
                a, b = _zero_beside(left, a, b), _zero_beside(right, b, a)
            with np.errstate(all='ignore'):
                result = _OPERATORS[operator](a, b)
                return np.where(np.isfinite(result), result, np.nan)
        case Pointwise(name=name, operand=operand, bound=bound):
            return _POINTWISE[name](compute(operand, sight), bound)
        case ZeroFilled(operand=operand):
            return sight.zero_filled(node, compute(operand, sight))
        case Difference(operand=operand):
            return sight.difference(node, compute(operand, sight))
        case Leaf():
            raise AssertionError('a leaf is given')


def _zero_beside(node: Node, values: Floats, others: Floats) -> Floats:
    """A missing count is 0 where the other operand has a value (rule 2.13)."""
    return np.where(np.isnan(values) & ~np.isnan(others), 0.0, values) if counts(node) else values


_OPERATORS = {'+': np.add, '-': np.subtract, '*': np.multiply, '/': np.divide}
_POINTWISE: dict[str, Callable[[Floats, float], Floats]] = {
    'abs': lambda values, _: np.abs(values),
    'negative': lambda values, _: -values,
    'clamp_min': lambda values, bound: np.maximum(values, bound),
    'clamp_max': lambda values, bound: np.minimum(values, bound),
}
_RATES = {'diff': None, 'derivative': 1, 'per_second': 1, 'per_minute': 60, 'per_hour': 3600}


def _differences(name: str, values: Floats, before: Floats, seconds: NDArray[np.floating]) -> Floats:
    with np.errstate(all='ignore'):
        if name == 'dt':
            return np.where(np.isnan(values) | np.isnan(before), np.nan, seconds)
        factor = _RATES[name]
        result = values - before if factor is None else (values - before) / seconds * factor
        return np.where(np.isfinite(result), result, np.nan)


class Samples:
    """One source, cut into buckets of `step` seconds that are aligned to Unix time (rule 7.1).

    A bucket's value depends on how many of the source's samples are there: `seen`, a count for each bucket asked for.
    """

    def __init__(self, series: Series, leaf: Leaf, clock: Clock, step: int, fill: Fill | None) -> None:
        times, values, arrivals = _recent(series, leaf, clock)
        self.buckets = np.floor(times / step).astype(np.int64)
        self._step = step
        self._fill = fill
        values, self._method = _scaled(values, series, leaf)
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
            return np.full(self.seen.size, _FAR), np.full(self.seen.size, _FAR)
        waits = self.seen < len(self)
        next_bucket = self.buckets[np.minimum(self.seen, len(self) - 1)]
        from_here = strictly = next_bucket
        if self._fill is not None and self._fill.method == 'linear':
            # The gap before the next sample is not interpolated yet, or not to the value that it will be.
            index = np.searchsorted(self.buckets, next_bucket, side='left') - 1
            strictly = np.where(index >= 0, self.buckets[index] + 1, next_bucket)
            reach = strictly - 1 + self._fill.limit // self._step
            from_here = np.where(reach >= first, strictly, next_bucket)
        return np.where(waits, from_here, _FAR), np.where(waits, strictly, _FAR)


def _recent(series: Series, leaf: Leaf, clock: Clock) -> tuple[Floats, Floats, Floats]:
    """Times, values and arrivals of the samples that can matter."""
    index = int(np.searchsorted(series.times, clock.oldest - leaf.shift))
    times = series.times[index:]
    return times, series.values[index:], times if series.arrivals is None else series.arrivals[index:]


def _scaled(values: Floats, series: Series, leaf: Leaf) -> tuple[Floats, str]:
    """The samples under as_count or as_rate (rule 2.14), and how a bucket of them is aggregated (rule 7.4)."""
    if leaf.counting is None or series.kind == 'gauge':
        return values, leaf.method or 'avg'
    if leaf.counting == 'as_count':
        return values * series.interval if series.kind == 'rate' else values, leaf.method or 'sum'
    if series.kind == 'count':
        return values / series.interval, leaf.method or 'sum'
    return values, leaf.method or 'avg'


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
        if clock.choices['A2'] != 'native':
            return cls(int(clock.choices['A2']), False)
        used = [series for leaf in each for series in sources.get(leaf, ())]
        leaf = each[0]
        plain = leaf.fill is None and leaf.method is None and leaf.shift == 0 and not any(zero_fills(operand))
        if len(each) == 1 and len(used) == 1 and plain:
            return cls(None, False)
        return cls(min((series.interval for series in used), default=60), False)


class Points:
    """The points of an expression, as each evaluation sees them: `aggregate` over ranges of their numbers.

    A point's number is its index, or its bucket's, which is the bucket's start in steps since the epoch.
    """

    def __init__(
        self, node: Node, unit: 'Unit', sources: Sources, clock: Clock, filled: frozenset[ZeroFilled] = frozenset()
    ) -> None:
        self.node = node
        self.clock = clock
        self.filled = filled
        self._unit = unit
        self._sources = {leaf: sources.get(leaf, ()) for leaf in leaves(node)}
        self.step = unit.step
        self._rolled = unit.rolled
        # What the differences of the tail look back to: the final values of their operands.
        self.memory: dict[Difference, Column] = {}
        if not self._rolled:
            clock.relied_on.add('A2')
        if self.step is None:
            self._read_samples()
        else:
            self._read_buckets(self.step)

    def _read_samples(self) -> None:
        (leaf, (series,)) = next(iter(self._sources.items()))
        self._times, values, arrivals = _recent(series, leaf, self.clock)
        sight = _SampleSight(self._times, leaf, _scaled(values, series, leaf)[0])
        self.first = 0
        self.column = Column(np.broadcast_to(compute(self.node, sight), self._times.shape))
        self.lower = self.number_from(self.clock.starts)
        self.upper = self.number_to(self.clock.ends)
        if self._times.size and 'A1' not in self.clock.relied_on:
            # A1 matters where a sample lies exactly on a bound.
            for number, edges in ((self.lower, self.clock.starts), (self.upper, self.clock.ends)):
                for nearest in (number - 1, number):
                    if (self._times.take(nearest, mode='clip') == edges).any():
                        self.clock.relied_on.add('A1')
        if series.arrivals is not None:
            seen = ranks(arrivals, self.clock.ticks, 'right')
            # Both: what lies before the window and has not arrived is not the last point either (rule 3.12).
            self.upper = np.minimum(self.upper, seen)
            self.lower = np.minimum(self.lower, self.upper)

    def _read_buckets(self, step: int) -> None:
        self.lower = self.number_from(self.clock.starts)
        self.upper = np.maximum(self.number_to(self.clock.ends), self.lower)
        if not self._rolled and not all((edges % step).all() for edges in (self.clock.starts, self.clock.ends)):
            self.clock.relied_on.add('A1')
        self.samples: dict[Leaf, list[Samples]] = {}
        # One more, for what a difference at the first compares with may be a 0 filled in.
        self.first = int(self.lower.min(initial=_FAR)) - 1
        tail = strict = np.full(self.lower.size, _FAR)
        for leaf, sources in self._sources.items():
            shift = self.shift(leaf)
            several = len(sources) > 1 or leaf.interpolated
            self.samples[leaf] = []
            for series in sources:
                fill = _fill(leaf, series, several, self.clock)
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
            self.clock.relied_on.add('A20')
        return -(-leaf.shift // self.step)

    def number_from(self, instants: Indices) -> Indices:
        """The number of the first point that a window beginning at each instant has."""
        included = self._rolled or self.clock.choices['A1'].startswith('[')
        if self.step is None:
            return ranks(self._times, instants, 'left' if included else 'right')
        return -(-instants // self.step) if included else instants // self.step + 1

    def number_to(self, instants: Indices) -> Indices:
        """The number after that of the last point that a window ending at each instant has."""
        included = self._rolled or self.clock.choices['A1'].endswith(']')
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
        return _differences(
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
        return _differences(node.name, values, before, (self.numbers - number) * float(self.points.step))


@dataclass
class _WindowSight:
    """Operands that are aggregated over the window already; `there`: any of them has a value."""

    operands: Mapping[Node, Floats]
    there: Flags
    pointwise = False

    def given(self, node: Node) -> Floats | None:
        values = self.operands.get(node)
        if values is None or not counts(node):
            return values
        return np.where(np.isnan(values) & self.there, 0.0, values)

    def zero_filled(self, node: ZeroFilled, values: Floats) -> Floats:
        return np.where(np.isnan(values) & self.there, 0.0, values)

    def difference(self, node: Difference, values: Floats) -> Floats:
        raise AssertionError('refused by the plan')


def _fill(leaf: Leaf, series: Series, several: bool, clock: Clock) -> Fill | None:
    """How the gaps of a source are filled (rules 2.14 and 2.16)."""
    if leaf.fill is not None:
        return leaf.fill
    if not several or (leaf.counting is not None and series.kind != 'gauge'):
        return None
    if series.kind != 'gauge':
        clock.relied_on.add('A17')
        if clock.choices['A17'] == 'null':
            return None
    return Fill('linear', INTERPOLATION_LIMIT)


class Evaluation:
    """One group's value at each tick: `values`, NaN where the evaluation returned nothing."""

    def __init__(self, plan: Plan, sources: Sources, clock: Clock) -> None:
        self._plan = plan
        self._sources = sources
        self._clock = clock
        self._units = {operand: Unit.of(operand, sources, clock) for operand in plan.operands}
        # The points of each operand, with the ticks that see them so.
        self.parts: dict[Node, list[tuple[Indices, Points]]] = {
            operand: list(self._points(operand, unit)) for operand, unit in self._units.items()
        }
        aggregated = {operand: self._aggregate(operand) for operand in plan.operands}
        if plan.operands == (plan.expression,):
            self.values = aggregated[plan.expression]
        else:
            there = np.logical_or.reduce([~np.isnan(values) for values in aggregated.values()])
            values = np.broadcast_to(compute(plan.expression, _WindowSight(aggregated, there)), there.shape)
            self.values = np.where(there, values, np.nan)

    def _points(self, operand: Node, unit: Unit) -> Iterator[tuple[Indices, Points]]:
        """An empty window stays empty under default_zero, so what it fills differs from tick to tick (rule 2.17)."""
        every = np.arange(self._clock.ticks.size)
        zeros = tuple(dict.fromkeys(zero_fills(operand)))
        if not zeros:
            yield every, Points(operand, unit, self._sources, self._clock)
            return
        something = np.zeros(every.size, dtype=np.int64)
        for bit, zero in enumerate(zeros):
            inner = Points(zero.operand, unit, self._sources, self._clock)
            something |= (inner.count(inner.lower, inner.upper) > 0).astype(np.int64) << bit
        for code in np.unique(something):
            filled = frozenset(zero for bit, zero in enumerate(zeros) if code >> bit & 1)
            rows = np.flatnonzero(something == code)
            yield rows, Points(operand, unit, self._sources, self._clock.at(rows), filled)

    def _aggregate(self, operand: Node) -> Floats:
        values = np.full(self._clock.ticks.size, np.nan)
        for rows, points in self.parts[operand]:
            values[rows] = points.aggregate(self._plan.aggregator)
        return values

    def has_points(self, rows: Indices) -> Flags:
        """Whether the windows of some ticks hold anything at all, be it without a value (n/0, rule 2.13)."""
        found = np.zeros(rows.size, dtype=np.bool_)
        for operand, unit in self._units.items():
            for leaf in dict.fromkeys(leaves(operand)):
                points = Points(leaf, unit, self._sources, self._clock.at(rows))
                found |= points.count(points.lower, points.upper) > 0
        return found

    def last_point(self, rows: Indices) -> Floats:
        """When the last point with a value was, for some ticks: of the newest operand, NaN where there is none."""
        newest = np.full(self._clock.ticks.size, -np.inf)
        wanted = np.zeros(newest.size, dtype=np.bool_)
        wanted[rows] = True
        for parts in self.parts.values():
            for members, points in parts:
                chosen = np.flatnonzero(wanted[members])
                last = points.last(chosen)
                newest[members[chosen]] = np.fmax(newest[members[chosen]], last)
        result = newest[rows]
        return np.where(np.isinf(result), np.nan, result)

    def full(self, part: int) -> Flags:
        """Whether each window is full: of its parts of `part` seconds the first has a point, 3 may be empty (2.8)."""
        number = -(-self._clock.window // part)
        empty = np.zeros(self._clock.ticks.size, dtype=np.int64)
        first = np.zeros(empty.size, dtype=np.bool_)
        for index in range(number):
            count = np.zeros(empty.size, dtype=np.int64)
            for parts in self.parts.values():
                for rows, points in parts:
                    start = points.clock.starts + index * part
                    end = np.minimum(start + part, points.clock.ends)
                    last = index == number - 1
                    upper = points.number_to(end) if last else points.number_from(end)
                    count[rows] += points.count(points.number_from(start), upper)
            if index == 0:
                first = count > 0
            empty += count == 0
        return first & (empty <= MOST_EMPTY)

    def seen(self, row: int) -> Iterator[tuple[Node, Floats, Floats]]:
        """What each operand's window holds at one tick: times in seconds and values, NaN where one is missing."""
        for operand, parts in self.parts.items():
            for rows, points in parts:
                at = np.flatnonzero(rows == row)
                if at.size:
                    yield operand, *points.seen_at(int(at[0]))
