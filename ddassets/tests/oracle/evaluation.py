"""One evaluation of one group: the points that it sees, and the value that it compares (sections 2 and 7, rules 1.9,
1.14 and 20.7).

Nothing is kept between evaluations: each reads the raw samples again, bucket by bucket.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from oracle.arithmetic import (
    DIFFERENCES,
    FILLERS,
    MONTH,
    aggregate,
    bound,
    changed,
    combine,
    counted,
    counting,
    difference,
    grouping,
    is_operand,
    percentile,
    pushed,
    shifted_leaves,
    shifts,
    split,
    unshifted,
)
from oracle.boundaries import Current
from oracle.queries import Binary, Counts, Leaf, Number, Query, Wrapped, leaves, names
from oracle.series import Buckets, Changed, Point, RawValues, Samples, Series, Source, SourceBuckets
from oracle.smoothing import OVER_WINDOW, SMOOTHING, family

PARTS = {'m': 60, 'h': 600, 'd': 3600, 'w': 3600, 'mo': 14400}
UNITS = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 7 * 86400, 'mo': MONTH}


@dataclass(frozen=True)
class MonitorQuery:
    """`aggregator(last_<number><unit>):query`, or its change form. `change` is (name, seconds, text)."""

    aggregator: str
    number: int
    unit: str
    query: Query
    change: tuple[str, int, str] | None = None
    # A stub of anomalies(): its window is alert_window (rule 6.2). `recovery` is recovery_window in seconds (rule 6.3).
    stub: bool = False
    recovery: int | None = None
    # That of the monitor, for the share of points that cross (A63).
    comparator: str = '>'
    # A cumulative window (section 16).
    current: Current | None = None

    @property
    def window(self) -> int:
        """The length, of a cumulative window the longest one."""
        if self.current:
            return self.current.extent
        return self.number * UNITS[self.unit]

    @property
    def by(self) -> tuple[str, ...]:
        return grouping(self.query) or ()

    def __str__(self) -> str:
        if self.stub:
            by = f' by {{{",".join(self.by)}}}' if self.by else ''
            alert = f"alert_window='last_{self.number}{self.unit}'"
            return f"avg(last_1w):anomalies(avg:m{{*}}{by}, 'basic', 2, direction='both', {alert}, interval=60)"
        kind = 'current' if self.current else 'last'
        inner = f'{self.aggregator}({kind}_{self.number}{self.unit})'
        if self.change:
            inner = f'{self.change[0]}({inner},{self.change[2]})'
        query = str(self.query)
        return f'{inner}:{query[1:-1] if query.startswith("(") else query}'


@dataclass(frozen=True)
class Result:
    """`value` None: the evaluation returned nothing. `empty`: the window has no point, not even without value. `real`:
    at least one point comes from data, not from default_zero() or default().
    """

    value: float | None
    empty: bool
    real: bool
    full: bool


class Evaluation:
    """One evaluation: the samples that had arrived at `tick`, and the window that ends `delay` before it."""

    def __init__(
        self,
        query: MonitorQuery,
        sources: Sequence[Source],
        tick: int,
        delay: int,
        choices: Mapping[str, str],
        cache: dict[tuple[object, ...], 'SourceBuckets'],
        rehearsed: int,
    ) -> None:
        # What a source held when so many samples had arrived.
        self.cache = cache
        self.query = query
        self.sources = sources
        # Nothing is known of the time before the first sample and the rehearsal: there is no gap to fill (rule 2.17).
        self.known = min([rehearsed, *(source.samples[0][0] for source in sources if source.samples)])
        self.tick = tick
        self.end = tick - delay
        self.start = self.end - query.window
        if query.current:
            self.start = query.current.start(self.end, choices['A53'])
        self.choices = choices

    def of(self, leaf: Leaf) -> list[Source]:
        """Return the sources that match the leaf's scope (rule 1.5)."""
        return [
            source
            for source in self.sources
            if source.metric == leaf.metric
            and leaf.scope.takes(source.tags)
            and leaf.group <= source.tags
            and has_keys(leaf, source)
        ]

    def space(self, leaf: Leaf) -> str:
        """Return the space aggregator, which is optional (rule 1.14, A94)."""
        if self.merges(leaf):
            # There is one source, merged of all.
            return 'avg'
        return 'sum' if leaf.space == 'count' else leaf.space or self.choices.get('A94', 'avg')

    def merges(self, leaf: Leaf) -> bool:
        """Whether the raw values of all sources are merged before anything else (rules 17.18, 17.21 and 17.22)."""
        return leaf.space != 'count' and any(source.kind == 'distribution' for source in self.of(leaf))

    def raw(self, leaf: Leaf, values: Sequence[float]) -> float | None:
        """Aggregate raw values of a distribution."""
        space = leaf.space or self.choices.get('A94', 'avg')
        return percentile(space, values, self.choices['A63']) if space[0] == 'p' else aggregate(space, values)

    def inside(self, instant: float, bounds: str, shift: float = 0) -> bool:
        start, end = self.start - shift, self.end - shift
        after = start <= instant if bounds[0] == '[' else start < instant
        before = instant <= end if bounds[-1] == ']' else instant < end
        return after and before

    def within(self, instants: Sequence[float], bounds: str, shift: float) -> range:
        """Return which of the rising instants are inside."""
        first = (bisect_left if bounds[0] == '[' else bisect_right)(instants, self.start - shift)
        last = (bisect_right if bounds[-1] == ']' else bisect_left)(instants, self.end - shift)
        return range(first, last)

    def bounds(self, leaf_counts: bool, rolled: bool) -> str:
        """Return whether the window includes its ends: rule 7.2 for buckets of a rollup, A89 for counts, otherwise
        A1.
        """
        if rolled:
            return '[from,to]'
        found = self.choices['A1']
        if leaf_counts and self.choices.get('A89', 'as A1') != 'as A1':
            found = '(from,to]'
        # Rule 16.6: the instant of a boundary belongs to the window that begins there.
        return f'[{found[1:]}' if self.query.current else found

    def result(self) -> Result:
        if self.counts_first():
            return Windows(self).result()
        series = self.series(self.query.query)
        points = self.points(series)
        values = [point.value for point in points]
        if isinstance(series, RawValues):
            there = [value for value in values if value is not None]
            value = percentile(series.leaf.space or '', there, self.choices['A63'], self.query.comparator)
        else:
            value = aggregate(self.query.aggregator, values)
        return Result(
            value=value,
            empty=not points,
            real=any(point.real for point in points),
            full=self.full([self.parts(points, series)]),
        )

    def counts_first(self) -> bool:
        """Whether operands are aggregated over the window before the arithmetic (rule 2.11)."""
        arithmetic = self.query.change is not None or any(name in '+-*/' for name in names(self.query.query))
        return arithmetic and any(leaf.counting == 'as_count' for leaf in leaves(self.query.query))

    def series(self, query: Query, changed: bool = True) -> 'Series':
        """Return the points of a query. Without buckets, the samples of its only source are the points (A2)."""
        if self.query.aggregator == 'percentile':
            assert isinstance(query, Leaf)
            return RawValues(self, query)
        if self.query.change and changed:
            name, seconds, _ = self.query.change
            return Buckets(self, Changed(name, query, seconds))
        (first, *others) = dict.fromkeys(leaves(query))
        sources = self.of(first)
        # Counted groups are read alike.
        plain = not first.rollup and not first.fill and not shifts(query) and not set(FILLERS) & set(names(query))
        if plain and not others and len(sources) == 1 and self.choices['A2'] == 'native':
            return Samples(self, query, first, sources[0])
        return Buckets(self, query)

    def points(self, series: 'Series', shift: float = 0) -> list[Point]:
        """Return every point of the window, or of the window `shift` seconds earlier."""
        return list(series.points(shift))

    def arrived(self, source: Source) -> Sequence[tuple[float, float, float]]:
        """Return what had arrived of a source: its samples arrive in their order."""
        return source.samples[: bisect_right(source.samples, float(self.tick), key=lambda sample: sample[2])]

    def part_length(self) -> int:
        window = self.query.window
        unit = 'm' if window < 3600 else 'h' if window < 86400 else 'd'
        return PARTS[unit if self.query.stub else self.query.unit]

    def parts(self, points: Sequence[Point], series: 'Series', shift: float = 0) -> set[int]:
        """Return the parts of the window with a value (rule 2.8). A part includes its ends like the window."""
        length = self.part_length()
        closed = self.bounds(series.counts, series.rolled).startswith('[')
        found = set()
        for at in ((point.instant + shift - self.start) / length for point in points if point.value is not None):
            part = floor(at) if closed else ceil(at) - 1
            found.add(min(part, self.query.window // length - 1))
        return found

    def full(self, parts: Sequence[set[int]]) -> bool:
        held = set().union(*parts)
        return 0 in held and self.query.window // self.part_length() - len(held) <= 3

    def last(self) -> float | None:
        """The newest point with a value until the window's end, in the window or long before it (A6)."""
        if self.counts_first():
            return Windows(self).last()
        return self.last_of(self.series(self.query.query))

    def last_of(self, series: 'Series', shift: float = 0) -> float | None:
        upto_end = self.bounds(series.counts, series.rolled).endswith(']')
        for point in series.all():
            at = point.instant + shift
            if point.value is not None and point.real and (at < self.end or (upto_end and at == self.end)):
                return at
        return None

    def previous_counts(self, before: float, bounds: str) -> bool:
        """Whether a difference may use an earlier point (A19)."""
        if self.choices['A19'] == 'always' or before > self.start or (before == self.start and bounds[0] == '['):
            return True
        return self.choices['A19'] != 'window only' and self.start - before <= 300


def prepared(query: MonitorQuery, sources: Sequence[Source]) -> MonitorQuery:
    """Return the query as it is evaluated: with one query for each counted group, and a timeshift of arithmetic as one
    of each operand, which matters where operands are aggregated first.
    """
    groups = {group for leaf in leaves(query.query) for group in _groups(leaf, sources)}
    return replace(query, query=split(pushed(query.query), sorted(groups, key=sorted)))


def has_keys(leaf: Leaf, source: Source) -> bool:
    """Rule 1.7."""
    return all(any(tag.startswith(f'{key}:') for tag in source.tags) for key in leaf.by)


def _groups(leaf: Leaf, sources: Sequence[Source]) -> Iterator[frozenset[str]]:
    for source in sources:
        if source.metric == leaf.metric and leaf.scope.takes(source.tags) and has_keys(leaf, source):
            yield frozenset(tag for tag in source.tags if tag.partition(':')[0] in leaf.by)


class Refused(Exception):
    """A function of points around arithmetic of whole windows."""


class Windows:
    """A query with as_count and arithmetic: each operand is reduced to buckets as long as the window (rule 2.11).

    The buckets end at the window's end. Changes, differences and shifts act on them, then the arithmetic on the newest.
    An operand has none of these; the functions within it act on its points.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.window = evaluation.query.window
        self.known: dict[Query, Series] = {}
        self.points: list[Point] = []
        self.parts: list[set[int]] = []
        # Rule 2.13: a count that is missing is 0, unless nothing at all is there.
        self.zeros = False

    def series(self, operand: Query) -> Series:
        if operand not in self.known:
            self.known[operand] = self.evaluation.series(operand, changed=False)
        return self.known[operand]

    def result(self) -> Result:
        query = self.evaluation.query
        self.whole()
        self.zeros = any(point.value is not None for point in self.points)
        value = self.whole()
        real = any(point.real for point in self.points)
        made = bool(set(FILLERS) & set(names(query.query)))
        return Result(
            value=value if self.zeros or made else None,
            # As at points: what only fills gaps is no point where the arithmetic has no value.
            empty=not real,
            real=real,
            full=self.evaluation.full(self.parts),
        )

    def whole(self) -> float | None:
        query = self.evaluation.query
        value = self.value(query.query, 0)
        if query.change:
            name, shift, _ = query.change
            value = changed(name, value, self.value(query.query, shift))
        return value

    def value(self, query: Query, back: float) -> float | None:
        """Return the value of the window that ends `back` seconds earlier."""
        if is_operand(query):
            own = sum(shift for _, shift in shifted_leaves(query))
            return self.operand(unshifted(query), back + own)
        match query:
            case Number(value=number):
                return number
            case Binary(sign=sign, left=left, right=right):
                return combine(sign, self.value(left, back), self.value(right, back))
            case Counts(name=name, queries=queries):
                return counted(name, [self.value(inner, back) for inner in queries])
            case Wrapped():
                return self.wrapped(query, back)
        raise AssertionError(query)

    def wrapped(self, query: Wrapped, back: float) -> float | None:
        """Return the value of a function of windows."""
        name, inner = query.name, query.query
        if family(name) in (*(one for one in SMOOTHING if one != 'moving_rollup'), *OVER_WINDOW):
            raise Refused(name)
        if name == 'moving_rollup':
            number = ceil((query.argument or 0) / self.window)
            return aggregate(query.method or '', [self.value(inner, back + k * self.window) for k in range(number)])
        value = self.value(inner, back)
        if name in DIFFERENCES:
            return difference(name, value, self.value(inner, back + self.window), self.window, self.evaluation.choices)
        if name == 'throughput':
            return combine('/', value, self.window)
        if name in FILLERS:
            known = self.evaluation.end - back > self.evaluation.known
            if name == 'default' and self.evaluation.choices.get('A76') == 'nothing' and not self.there(inner, back):
                return value
            return query.argument or 0.0 if value is None and known else value
        if value is None and name.startswith('clamp') and self.present(inner, back):
            return query.argument
        return bound(name, value, query.argument)

    def there(self, query: Query, back: float) -> bool:
        """Whether the windows of a query, each the newest, hold a point (A76)."""
        if is_operand(query):
            own = sum(shift for _, shift in shifted_leaves(query))
            return any(point.real for point in self.evaluation.points(self.series(unshifted(query)), back + own))
        match query:
            case Binary(left=left, right=right):
                return self.there(left, back) or self.there(right, back)
            case Counts(queries=queries):
                return any(self.there(inner, back) for inner in queries)
            case Wrapped(query=inner):
                return self.there(inner, back)
        return False

    def present(self, query: Query, back: float) -> bool:
        """Whether the query has any value (rule 20.5)."""
        if is_operand(query):
            return self.value(query, back) is not None
        match query:
            case Binary(left=left, right=right):
                return self.present(left, back) or self.present(right, back)
            case Counts(queries=queries):
                return any(self.present(inner, back) for inner in queries)
            case Wrapped(name=name, query=inner):
                return self.present(inner, back) or (name in FILLERS and self.value(query, back) is not None)
        return False

    def operand(self, operand: Query, back: float) -> float | None:
        series = self.series(operand)
        points = self.evaluation.points(series, back)
        self.points += points
        self.parts.append(self.evaluation.parts(points, series, back))
        value = aggregate(self.evaluation.query.aggregator, [point.value for point in points])
        return 0.0 if value is None and self.zeros and counting(operand) else value

    def last(self) -> float | None:
        query = self.evaluation.query
        found = [
            self.evaluation.last_of(self.series(operand), back + (query.change[1] if query.change and later else 0))
            for operand, back in self.operands(query.query, 0)
            for later in (False, True)
        ]
        return max((at for at in found if at is not None), default=None)

    def operands(self, query: Query, back: float) -> Iterator[tuple[Query, float]]:
        """Yield every operand, and how long before the end of the window its own window ends."""
        if is_operand(query):
            yield unshifted(query), back + sum(shift for _, shift in shifted_leaves(query))
            return
        match query:
            case Binary(left=left, right=right):
                yield from self.operands(left, back)
                yield from self.operands(right, back)
            case Counts(queries=queries):
                for inner in queries:
                    yield from self.operands(inner, back)
            case Wrapped(name=name, query=inner):
                yield from self.operands(inner, back)
                if name == 'moving_rollup':
                    for k in range(1, ceil((query.argument or 0) / self.window)):
                        yield from self.operands(inner, back + k * self.window)
                if name in DIFFERENCES:
                    yield from self.operands(inner, back + self.window)
