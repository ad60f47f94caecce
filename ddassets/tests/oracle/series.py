"""The points of a query in one evaluation: the samples of one source, or buckets (rules 2.4 to 2.17, 7.1 to 7.4)."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from oracle.arithmetic import (
    DIFFERENCES,
    FILLERS,
    MONTH,
    PER_SOURCE,
    aggregate,
    bound,
    changed,
    combine,
    counted,
    counting,
    difference,
    of_sources,
    own_shift,
    shifted_leaves,
    zeroed,
)
from oracle.queries import Binary, Counts, Cut, Even, Leaf, Number, Query, Wrapped, leaves, names
from oracle.smoothing import SMOOTHING, family, on_line, smoothed

if TYPE_CHECKING:
    from oracle.evaluation import Evaluation

# Rule 2.5: (longest window, bucket), both in seconds.
TABLE = (
    (60, 1),
    (300, 2),
    (900, 5),
    (1800, 10),
    (3600, 20),
    (4 * 3600, 60),
    (86400, 300),
    (2 * 86400, 600),
    (7 * 86400, 3600),
    (MONTH, 14400),
)


type Kind = Literal['gauge', 'count', 'rate', 'distribution']


@dataclass(frozen=True)
class Source:
    """One series; a sample is (time, value, arrival)."""

    metric: str
    tags: frozenset[str]
    kind: Kind
    interval: int
    samples: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Point:
    """`value` None: n/0 or a missing operand. `real`: a sample, or its interpolation, is behind it."""

    instant: float
    value: float | None
    real: bool = True


@dataclass(frozen=True)
class Changed:
    """The pointwise difference of a change without as_count (rule 1.9): of a series now and `seconds` before."""

    name: str
    query: Query
    seconds: int


def scale(leaf: Leaf, source: Source, value: float) -> float:
    """Rule 2.14, for one sample."""
    if leaf.counting == 'as_rate' and source.kind == 'count':
        return value / source.interval
    if leaf.counting == 'as_count' and source.kind == 'rate':
        return value * source.interval
    return value


def share(value: float | None, whole: float) -> float | None:
    return None if value is None else value / whole


class RawValues:
    """The raw values of a distribution, each a point: those of which percentile() takes one (rule 17.18)."""

    rolled = counts = False

    def __init__(self, evaluation: 'Evaluation', leaf: Leaf) -> None:
        self.evaluation = evaluation
        self.leaf = leaf
        arrived = [sample for source in evaluation.of(leaf) for sample in evaluation.arrived(source)]
        self.samples = sorted((time, value) for time, value, _ in arrived)

    def points(self, shift: float = 0) -> Iterator[Point]:
        """The values of the window that ends `shift` earlier."""
        bounds = self.evaluation.bounds(self.counts, self.rolled)
        return (point for point in self.all() if self.evaluation.inside(point.instant, bounds, shift))

    def all(self) -> Iterator[Point]:
        """The points since the first sample, the newest first."""
        for time, value in reversed(self.samples):
            yield Point(time, value)


class Samples:
    """A query over the samples of one source."""

    rolled = False
    unlimited = False

    def __init__(self, evaluation: 'Evaluation', query: Query, leaf: Leaf, source: Source) -> None:
        self.evaluation = evaluation
        # Functions of functions ask for the same points again and again.
        self.known: dict[tuple[int, int], float | None] = {}
        self.query = query
        self.counts = counting(query)
        self.interval = source.interval
        # How long before the evaluated window the one ends that is read.
        self.back: float = 0
        arrived = evaluation.arrived(source)
        self.samples = [(time, scale(leaf, source, value)) for time, value, _ in arrived]
        if leaf.space == 'count':
            # Rule 20.22: how many raw values each instant has.
            times = [time for time, _, _ in arrived]
            rate = leaf.counting == 'as_rate'
            self.samples = [
                (time, times.count(time) / source.interval if rate else float(times.count(time)))
                for time in dict.fromkeys(times)
            ]
        elif evaluation.merges(leaf):
            self.samples = [
                (time, value)
                for time in dict.fromkeys(time for time, _, _ in arrived)
                if (value := evaluation.raw(leaf, [raw for at, raw, _ in arrived if at == time])) is not None
            ]

    def points(self, shift: float = 0) -> Iterator[Point]:
        """The points of the window that ends `shift` earlier."""
        self.back, self.known = shift, {}
        return self.each(self.window())

    def window(self) -> range:
        """Return the indices of the samples of the window."""
        bounds = self.evaluation.bounds(self.counts, self.rolled)
        return self.evaluation.within([instant for instant, _ in self.samples], bounds, self.back)

    def all(self) -> Iterator[Point]:
        """The points since the first sample, the newest first, whatever A19 says."""
        self.unlimited, self.known = True, {}
        try:
            yield from self.each(reversed(range(len(self.samples))))
        finally:
            self.unlimited, self.known = False, {}

    def each(self, indices: Iterable[int]) -> Iterator[Point]:
        for index in indices:
            yield Point(self.samples[index][0], self.value(self.query, index))

    def previous_counts(self, before: float) -> bool:
        bounds = self.evaluation.bounds(self.counts, self.rolled)
        return self.unlimited or self.evaluation.previous_counts(before, bounds)

    def value(self, query: Query, index: int) -> float | None:
        key = id(query), index
        if key not in self.known:
            self.known[key] = self.value_of(query, index)
        return self.known[key]

    def value_of(self, query: Query, index: int) -> float | None:
        match query:
            case Leaf():
                return self.samples[index][1]
            case Number(value=value):
                return value
            case Binary(sign=sign, left=left, right=right):
                return combine(sign, self.value(left, index), self.value(right, index))
            case Counts(name=name, queries=(inner,)):
                return counted(name, [self.value(inner, index)])
            case Wrapped():
                return self.wrapped(query, index)
        raise AssertionError(query)

    def wrapped(self, query: Wrapped, index: int) -> float | None:
        """The value of a function."""
        name, inner = query.name, query.query
        if name in DIFFERENCES:
            return self.differed(query, index)
        if family(name) in SMOOTHING:
            return self.smoothed(query, index)
        if name == 'trend_line' and not self.unlimited:
            return self.on_line(inner, index)
        value = self.value(inner, index)
        if name == 'trend_line':
            return value
        if name == 'throughput':
            return combine('/', value, self.interval)
        # Rule 20.5: a point without a value gets one.
        return query.argument if value is None and name.startswith('clamp') else bound(name, value, query.argument)

    def differed(self, query: Wrapped, index: int) -> float | None:
        now = self.value(query.query, index)
        for earlier in range(index - 1, -1, -1):
            before = self.value(query.query, earlier)
            if before is not None:
                at, instant = self.samples[earlier][0], self.samples[index][0]
                there = self.previous_counts(at)
                return difference(query.name, now, before, instant - at, self.evaluation.choices) if there else None
        return None

    def on_line(self, query: Query, index: int) -> float | None:
        """Return the line through the points of the window (A85)."""
        window = [
            (self.samples[number][0], value)
            for number in self.window()
            if (value := self.value(query, number)) is not None
        ]
        at = self.samples[index][0]
        return on_line(at, window) if any(at == instant for instant, _ in window) else None

    def smoothed(self, query: Wrapped, index: int) -> float | None:
        """A function of the points up to this one (A79)."""
        now = self.value(query.query, index)
        free = not differs(query.query)
        limited = self.evaluation.choices['A79'] == 'window only' and not self.unlimited
        points = [
            (self.samples[number][0], value)
            for number in (self.window() if limited else range(index + 1))
            if number <= index and (free or self.previous_counts(self.samples[number][0]))
            if (value := self.value(query.query, number)) is not None
        ]
        return None if now is None or not points else smoothed(query, points, self.evaluation.choices)


class Buckets:
    """A query over buckets (rules 7.1 and 20.19)."""

    def __init__(self, evaluation: 'Evaluation', query: Query | Changed) -> None:
        self.evaluation = evaluation
        self.query = query
        below = query.query if isinstance(query, Changed) else query
        # How much earlier the side of a change lies that is being read.
        self.side: float = 0
        self.counts = counting(below)
        found = {leaf: evaluation.of(leaf) for leaf in leaves(below)}
        self.operands = list(shifted_leaves(below))
        self.back: float = 0
        # Whether a difference may reach back as far as it likes.
        self.unlimited = False
        rollups = [leaf.rollup[1] for leaf in found if leaf.rollup and leaf.rollup[1]]
        self.rolled = bool(rollups)
        length = rollups[0] if rollups else self.unrolled(found)
        self.cut: Cut = Even(length) if isinstance(length, int) else length
        # Rule 2.17: default_zero() interpolates one source too, and at every bucket.
        self.zeroed = {id(leaf) for leaf in zeroed(below)}
        self.sources = {
            id(leaf): self.merged(leaf)
            if evaluation.merges(leaf)
            else [self.grouped(leaf, one, self.fill(leaf, one, len(found[leaf]) > 1)) for one in found[leaf]]
            for leaf in leaves(below)
        }
        self.spaces = {id(leaf): evaluation.space(leaf) for leaf in leaves(below)}
        self.known: dict[tuple[int, int, float, float], float | None] = {}
        # A query without any series has points nevertheless.
        self.filled = bool(set(FILLERS) & set(names(below)))

    def unrolled(self, found: Mapping[Leaf, Sequence[Source]]) -> int:
        """The bucket of a query without rollup (A2)."""
        choice = self.evaluation.choices['A2']
        if choice == 'table':
            return next(step for longest, step in TABLE if self.evaluation.query.window <= longest)
        if choice != 'native':
            return int(choice)
        return min((source.interval for sources in found.values() for source in sources), default=60)

    def merged(self, leaf: Leaf) -> 'list[SourceBuckets]':
        """Return all sources of a distribution as one (rule 17.21)."""
        contents: dict[int, list[float]] = {}
        sources = self.evaluation.of(leaf)
        for source in sources:
            for time, value, _ in self.evaluation.arrived(source):
                contents.setdefault(self.cut.number(time), []).append(value)
        values = {number: self.evaluation.raw(leaf, found) for number, found in contents.items()}
        return [SourceBuckets(values, self.fill(leaf, sources[0], False), self.cut, self.evaluation)]

    def grouped(self, leaf: Leaf, source: Source, fill: 'Fill | None') -> 'SourceBuckets':
        """A bucket's content is all that has arrived of it, after the window's end too (rule 7.3)."""
        arrived = self.evaluation.arrived(source)
        key = id(source), len(arrived), leaf, fill, self.cut
        if key not in self.evaluation.cache:
            self.evaluation.cache[key] = self.bucketed(leaf, source, fill, arrived)
        return self.evaluation.cache[key]

    def bucketed(
        self, leaf: Leaf, source: Source, fill: 'Fill | None', arrived: Sequence[tuple[float, float, float]]
    ) -> 'SourceBuckets':
        contents: dict[int, list[float]] = {}
        for time, value, _ in arrived:
            contents.setdefault(self.cut.number(time), []).append(value)
        if leaf.space == 'count':
            # Rule 20.22: how many raw values the bucket has, by its length as a rate.
            rate = leaf.counting == 'as_rate'
            numbers = {n: len(contents[n]) / (self.length(n) if rate else 1) for n in contents}
            return SourceBuckets(numbers, fill, self.cut, self.evaluation)
        method = leaf.rollup[0] if leaf.rollup else None
        if method is None:
            count = source.kind == 'count' and leaf.counting is not None
            method = 'sum' if count or (source.kind == 'rate' and leaf.counting == 'as_count') else 'avg'
        if method == 'sum' and source.kind == 'count' and leaf.counting == 'as_rate':
            # Rule 2.14: what was counted in the bucket by the bucket's length, whether the query names the sum or not.
            values = {number: share(aggregate('sum', contents[number]), self.length(number)) for number in contents}
        elif leaf.weighted and source.kind == 'gauge':
            # Rule 20.23: the mean by the share of the bucket in which the source reported.
            values = {
                number: share(aggregate('sum', contents[number]), self.length(number) / source.interval)
                for number in contents
            }
        else:
            values = {n: aggregate(method, [scale(leaf, source, value) for value in contents[n]]) for n in contents}
        return SourceBuckets(values, fill, self.cut, self.evaluation)

    def length(self, number: int) -> int:
        """Return the length of a bucket in seconds."""
        return self.cut.start(number + 1) - self.cut.start(number)

    def window(self, back: float) -> range:
        """Return the buckets of the window that ends `back` earlier: those that begin in it.

        Without those before anything is known, for shifts read what is earlier.
        """
        bounds = self.evaluation.bounds(self.counts, self.rolled)
        first, last = (self.cut.number(end - back) for end in (self.evaluation.start, self.evaluation.end))
        # Each begins at an end of the window or before it, the next one after it.
        before = not self.evaluation.inside(self.cut.start(first), bounds, back)
        beyond = not self.evaluation.inside(self.cut.start(last), bounds, back)
        known = self.cut.number(min(self.oldest(), self.evaluation.known) if self.filled else self.oldest())
        return range(max(first + before, known), last + 1 - beyond)

    def fill(self, leaf: Leaf, source: Source, several: bool) -> 'Fill | None':
        """How gaps are filled (rule 2.16)."""
        every_bucket = id(leaf) in self.zeroed
        if leaf.fill:
            # Rule 2.16: an operand of arithmetic is filled at the instants of all of them.
            method, limit = leaf.fill
            distinct = {(replace(leaf, group=frozenset()), shift) for leaf, shift in self.operands}
            return Fill(method, 300 if limit is None else limit, every_bucket or len(distinct) < 2)
        if leaf.weighted:
            return None
        if not several and not every_bucket:
            return None
        if source.kind != 'gauge' and (leaf.counting or self.evaluation.choices['A17'] == 'null'):
            return None
        return Fill('linear', 300, every_bucket)

    def points(self, shift: float = 0) -> Iterator[Point]:
        """The points of the window that ends `shift` earlier."""
        if shift != self.back:
            self.back, self.known = shift, {}
        return self.each(self.window(shift))

    def all(self) -> Iterator[Point]:
        """The points since the first sample, the newest first, whatever A19 says."""
        self.unlimited, self.known = True, {}
        first, last = self.cut.number(self.oldest()), self.cut.number(self.evaluation.end)
        try:
            yield from self.each(range(last, first - 1, -1))
        finally:
            self.unlimited, self.known = False, {}

    def previous_counts(self, before: float) -> bool:
        bounds = self.evaluation.bounds(self.counts, self.rolled)
        return self.unlimited or self.evaluation.previous_counts(before, bounds)

    def each(self, numbers: Iterable[int]) -> Iterator[Point]:
        if not any(self.sources.values()) and not self.filled:
            return
        for number in numbers:
            value = self.value(self.query, number)
            # Unless something fills gaps, a value has data behind it.
            real = (value is not None and not self.filled) or self.there(self.query, number)
            if value is not None or real:
                yield Point(self.cut.start(number), value, real)

    def there(self, query: Query | Changed, number: int, shift: float = 0) -> bool:
        """Whether a leaf has a value at the bucket."""
        match query:
            case Leaf():
                return self.value(query, number, shift) is not None
            case Counts(queries=queries):
                return any(self.there(inner, number, shift) for inner in queries)
            case Binary(left=left, right=right):
                return self.there(left, number, shift) or self.there(right, number, shift)
            case Changed(query=inner, seconds=seconds):
                with self.on_side(seconds):
                    before = self.there(inner, number, seconds)
                return before or self.there(inner, number)
            case Wrapped(query=inner):
                return self.there(inner, number, shift + own_shift(query))
        return False

    @contextmanager
    def on_side(self, back: float) -> Iterator[None]:
        """Read the side of a change that lies so much earlier."""
        self.side = back
        yield
        self.side = 0

    def value(self, query: Query | Changed, number: int, shift: float = 0) -> float | None:
        key = id(query), number, shift, self.side
        if key in self.known:
            return self.known[key]
        value = self.known[key] = self.value_of(query, number, shift)
        return value

    def value_of(self, query: Query | Changed, number: int, shift: float) -> float | None:
        match query:
            case Leaf():
                return self.spaced(query, query, number, shift)
            case Number(value=number_value):
                return number_value
            case Changed(name=name, query=inner, seconds=seconds):
                with self.on_side(seconds):
                    before = self.value(inner, number, seconds)
                return changed(name, self.value(inner, number), before)
            case Binary(sign=sign, left=left, right=right):
                return combine(sign, self.value(left, number, shift), self.value(right, number, shift))
            case Counts(name=name, queries=queries):
                return counted(name, [self.value(inner, number, shift) for inner in queries])
            case Wrapped():
                return self.wrapped(query, number, shift)
        raise AssertionError(query)

    def wrapped(self, query: Wrapped, number: int, shift: float) -> float | None:
        """The value of a function."""
        name, inner = query.name, query.query
        if name in PER_SOURCE and of_sources(inner):
            return self.spaced(query, next(leaves(inner)), number, shift)
        if name in DIFFERENCES:
            earliest = self.cut.number(self.oldest() + shift)
            return self.differed(query, number, earliest, lambda n: self.value(inner, n, shift))
        if family(name) in SMOOTHING:
            return self.smoothed(query, number, shift)
        if name == 'trend_line' and not self.unlimited:
            if self.value(inner, number, shift) is None or number not in self.window(self.back):
                return None
            return on_line(self.cut.start(number), self.window_points(inner, shift))
        value = self.value(inner, number, shift + own_shift(query))
        if name == 'trend_line':
            return value
        if name == 'throughput':
            return combine('/', value, self.length(number))
        if name in FILLERS:
            return self.filler(name, inner, number, shift, query.argument or 0.0) if value is None else value
        if value is None and name.startswith('clamp') and self.present(inner, number, shift):
            # Rule 20.5: a point without a value gets one.
            return query.argument
        return bound(name, value, query.argument)

    def present(self, query: Query, number: int, shift: float) -> bool:
        """Whether a point exists, with or without a value, or is filled."""
        if self.there(query, number, shift):
            return True
        match query:
            case Binary(left=left, right=right):
                return self.present(left, number, shift) or self.present(right, number, shift)
            case Counts(queries=queries):
                return any(self.present(inner, number, shift) for inner in queries)
            case Wrapped(name=name, query=inner):
                filled = name in FILLERS and self.value(query, number, shift) is not None
                return filled or self.present(inner, number, shift + own_shift(query))
        return False

    def window_points(self, query: Query, shift: float) -> list[tuple[float, float]]:
        """The points with a value in the window."""
        return [
            (self.cut.start(number), value)
            for number in self.window(self.back)
            if (value := self.value(query, number, shift)) is not None
        ]

    def smoothed(self, query: Wrapped, number: int, shift: float) -> float | None:
        """A function of the points up to this one (A79)."""
        if self.value(query.query, number, shift) is None:
            return None
        free = not differs(query.query)
        limited = self.evaluation.choices['A79'] == 'window only' and not self.unlimited
        bounds = self.evaluation.bounds(self.counts, self.rolled)
        first = self.cut.number(min(self.oldest(), self.evaluation.known))
        if query.name == 'moving_rollup':
            # It sees the last seconds alone.
            first = max(first, self.cut.number(self.cut.start(number) - (query.argument or 0)))
        points = [
            (self.cut.start(earlier), value)
            for earlier in range(min(first, number), number + 1)
            if not limited or self.evaluation.inside(self.cut.start(earlier), bounds, self.back)
            if free or self.previous_counts(self.cut.start(earlier))
            if (value := self.value(query.query, earlier, shift)) is not None
        ]
        return smoothed(query, points, self.evaluation.choices) if points else None

    def filler(self, name: str, query: Query, number: int, shift: float, value: float) -> float | None:
        """Return the value that default_zero() or default() fills into an empty bucket."""
        if number < self.cut.number(self.evaluation.known):
            return None
        return value if name in ('default_zero', 'gap') or self.default_applies(query, shift) else None

    def spaced(self, query: Query, leaf: Leaf, number: int, shift: float) -> float | None:
        """Return the sources' values, aggregated over space (rule 2.4)."""
        values = [self.of_source(query, leaf, source, number, shift) for source in self.sources[id(leaf)]]
        return aggregate(self.spaces[id(leaf)], values)

    def of_source(self, query: Query, leaf: Leaf, source: 'SourceBuckets', number: int, shift: float) -> float | None:
        """Return the value of a leaf, or of a difference of it, for one of its sources."""
        match query:
            case Leaf():
                bucket = self.earlier(number, shift)
                if bucket in source.values or source.fill is None:
                    return source.values.get(bucket)
                filled = source.fill.every_bucket or self.sampled(leaf, number, shift)
                return source.filled(bucket, source.fill) if filled else None
            case Wrapped(name=name, query=inner) if name in PER_SOURCE:
                earliest = self.cut.number(self.oldest() + shift)
                return self.differed(query, number, earliest, lambda n: self.of_source(inner, leaf, source, n, shift))
            case Wrapped(query=inner):
                return self.of_source(inner, leaf, source, number, shift + own_shift(query))
        raise AssertionError(query)

    def earlier(self, number: int, shift: float) -> int:
        """Return the bucket that holds the shifted start of a bucket (A20)."""
        return self.cut.number(self.cut.start(number) - shift) if shift else number

    def sampled(self, leaf: Leaf, number: int, shift: float) -> bool:
        """Whether gaps of a leaf are filled at a bucket (rule 2.16).

        By default where one of its sources has a sample, by an explicit fill in arithmetic where any operand has. A
        change compares two series, now and before, each of which is filled by itself.
        """
        beside = [(leaf, shift)]
        if leaf.fill:
            beside = [(other, own + self.side) for other, own in self.operands]
        return any(
            self.earlier(number, other_shift) in source.values
            for other, other_shift in beside
            for source in self.sources[id(other)]
        )

    def differed(
        self, query: Wrapped, number: int, earliest: int, value: Callable[[int], float | None]
    ) -> float | None:
        now = value(number)
        # Before the first sample there is nothing but what default_zero() puts there.
        for earlier in range(number - 1, min(earliest, number - 1) - 1, -1):
            if now is None or not self.previous_counts(self.cut.start(earlier)):
                return None
            before = value(earlier)
            if before is not None:
                seconds = self.cut.start(number) - self.cut.start(earlier)
                return difference(query.name, now, before, seconds, self.evaluation.choices)
        return None

    def default_applies(self, query: Query, shift: float) -> bool:
        """A76: whether default(q, n) fills a window without any point."""
        evaluation = self.evaluation
        if evaluation.choices.get('A76') != 'nothing':
            return True
        return any(self.there(query, number, shift) for number in self.window(0))

    def oldest(self) -> float:
        return min(
            (sample[0] for source in self.evaluation.sources for sample in source.samples[:1]),
            default=self.evaluation.known,
        )


def differs(query: Query) -> bool:
    """Whether a function around the query uses only points that a difference in it may use (A19 joins A79)."""
    return bool(set(DIFFERENCES) & set(names(query)))


@dataclass(frozen=True)
class Fill:
    """How the gaps of a source are filled, up to `limit` seconds, and whether at buckets that no source has."""

    method: str
    limit: int
    every_bucket: bool


class SourceBuckets:
    """One source's values by bucket, and how the gaps between them are filled."""

    def __init__(
        self, values: Mapping[int, float | None], fill: Fill | None, cut: Cut, evaluation: 'Evaluation'
    ) -> None:
        self.values = values
        self.numbers = sorted(values)
        self.fill = fill
        self.cut = cut
        # A95: the last instant at which a value is held; A96: a gap longer than the limit, the end of which is known.
        self.last_included = evaluation.choices['A95'] == 'included'
        self.fill_long_gaps = evaluation.choices['A96'] != 'nothing'

    def filled(self, bucket: int, fill: Fill) -> float | None:
        """Return what fills an empty bucket (rule 2.16)."""
        before, after = bisect_left(self.numbers, bucket), bisect_right(self.numbers, bucket)
        earlier = self.numbers[before - 1] if before else None
        later = self.numbers[after] if after < len(self.numbers) else None
        distance = 0 if earlier is None else self.cut.start(bucket) - self.cut.start(earlier)
        if earlier is None or distance > fill.limit:
            return None
        if fill.method == 'linear':
            gap = 0 if later is None else self.cut.start(later) - self.cut.start(earlier)
            long = gap > fill.limit
            if (distance == fill.limit and not self.last_included) or (long and not self.fill_long_gaps):
                return None
        low = self.values[earlier]
        match fill.method:
            case 'zero':
                return 0.0
            case 'last':
                return low
            case 'linear' if low is not None:
                high = None if later is None else self.values[later]
                if later is None or high is None:
                    return low
                return low + (high - low) * (distance / gap)
        return None


type Series = Samples | Buckets | RawValues
