"""What one evaluation of one group sees, and the number that comes of it (section 2 of the semantics and rules 7.x).

Nothing is kept from one evaluation to the next: each looks at the bare samples anew, one bucket after the other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from oracle.words import Binary, Leaf, Number, Query, Wrapped, leaves, names

MONTH = 30 * 86400
PARTS = {'m': 60, 'h': 600, 'd': 3600, 'w': 3600, 'mo': 14400}
UNITS = {'m': 60, 'h': 3600, 'd': 86400, 'w': 7 * 86400, 'mo': MONTH}
SHIFTS = {'hour_before': 3600, 'day_before': 86400, 'week_before': 7 * 86400, 'month_before': MONTH}
SECONDS = {'per_second': 1, 'per_minute': 60, 'per_hour': 3600, 'derivative': 1}
DIFFERENCES = ('diff', 'dt', *SECONDS)


class Outside(Exception):
    """The query is none of the declared subset: a difference of what was aggregated over the window already."""


@dataclass(frozen=True)
class Source:
    """One series; a sample is (time, value, arrival)."""

    metric: str
    tags: frozenset[str]
    kind: str
    interval: int
    samples: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Question:
    """`aggregator(last_<number><unit>):query`, or its change form. `change` is (name, seconds)."""

    aggregator: str
    number: int
    unit: str
    query: Query
    change: tuple[str, int, str] | None = None
    # Of a stub for anomalies() the recovery window, in seconds (rule 6.3).
    recovery: int | None = None

    @property
    def window(self) -> int:
        return self.number * UNITS[self.unit]

    @property
    def by(self) -> tuple[str, ...]:
        return next((leaf.by for leaf in leaves(self.query)), ())

    def __str__(self) -> str:
        if self.recovery:
            by = f' by {{{",".join(self.by)}}}' if self.by else ''
            return f"avg(last_1d):anomalies(avg:m{{*}}{by}, 'basic', 2)"
        inner = f'{self.aggregator}(last_{self.number}{self.unit})'
        if self.change:
            inner = f'{self.change[0]}({inner},{self.change[2]})'
        query = str(self.query)
        return f'{inner}:{query[1:-1] if query.startswith("(") else query}'


@dataclass(frozen=True)
class Answer:
    """`value` None: the evaluation returned nothing. `empty`: there was no point at all, not even one without value."""

    value: float | None
    empty: bool
    full: bool


class Look:
    """One evaluation: the samples that had arrived at `tick`, and the window that ends `delay` before it."""

    def __init__(
        self,
        question: Question,
        sources: Sequence[Source],
        tick: int,
        delay: int,
        choices: Mapping[str, str],
        memory: dict[tuple[object, ...], 'Held'],
    ) -> None:
        # What a source held when so many samples were there; a matter of time alone.
        self.memory = memory
        # A timeshift of arithmetic is one of each part, which matters to what is aggregated by itself.
        self.question = replace(question, query=pushed(question.query))
        self.sources = sources
        self.tick = tick
        self.end = tick - delay
        self.start = self.end - question.window
        self.choices = choices

    def of(self, leaf: Leaf) -> list[Source]:
        """Rule 1.5: the sources that the leaf's scope takes."""
        return [one for one in self.sources if one.metric == leaf.metric and leaf.scope.takes(one.tags)]

    def inside(self, instant: float, closed: bool = False) -> bool:
        """A1; a rollup's buckets belong to the window with both ends (rule 7.2)."""
        bounds = '[from,to]' if closed else self.choices['A1']
        after = self.start <= instant if bounds[0] == '[' else self.start < instant
        before = instant <= self.end if bounds[-1] == ']' else instant < self.end
        return after and before

    def answer(self) -> Answer:
        operands = self.operands(self.question.query)
        points = {operand: self.points(operand) for operand in operands}
        self.aggregated = {
            operand: aggregate(self.question.aggregator, list(points[operand].values())) for operand in operands
        }
        there = any(value is not None for value in self.aggregated.values())
        return Answer(
            value=self.value(self.question.query) if there else None,
            empty=not any(points.values()),
            full=self.full(points),
        )

    # Rule 2.11: what is aggregated over the window by itself.

    def split(self) -> bool:
        query = self.question.query
        return (
            self.question.change is None
            and any(name in '+-*/' for name in names(query))
            and any(leaf.counting == 'as_count' for leaf in leaves(query))
        )

    def operands(self, query: Query) -> list[Query]:
        if not self.split():
            return [query]
        match query:
            case Binary(left=left, right=right):
                return [*self.operands(left), *self.operands(right)]
            case Number():
                return []
            case Wrapped(query=inner) if any(name in '+-*/' for name in names(inner)):
                return self.operands(inner)
        return [query]

    def value(self, query: Query) -> float | None:
        """What comes of the operands once each is aggregated; one that counts and is missing is 0 (rule 2.13)."""
        if query in self.aggregated:
            value = self.aggregated[query]
            return 0.0 if value is None and counts(query) else value
        match query:
            case Number(value=value):
                return value
            case Binary(sign=sign, left=left, right=right):
                return combine(sign, self.value(left), self.value(right))
            case Wrapped(name='default_zero', query=inner):
                value = self.value(inner)
                return 0.0 if value is None else value
            case Wrapped(name=name, query=inner, argument=argument):
                return bound(name, self.value(inner), argument)
        raise AssertionError(query)

    def points(self, operand: Query) -> dict[float, float | None]:
        """Every point of the operand in the window by its instant, None where it has no value (n/0)."""
        view = self.view(operand)
        return {at: value for at, value in view.points() if self.inside(at, view.rolled)}

    def view(self, operand: Query) -> 'Bare | Buckets':
        """A2: where nothing needs buckets, the samples of the one source are the points."""
        if self.question.change:
            name, seconds, _ = self.question.change
            return Buckets(self, Changed(name, operand, Wrapped('timeshift', operand, -seconds)))
        (first, *others) = dict.fromkeys(leaves(operand))
        sources = self.of(first)
        plain = not first.rollup and not first.fill and not shifts(operand) and 'default_zero' not in names(operand)
        if plain and not others and len(sources) == 1 and self.choices['A2'] == 'native':
            return Bare(operand, first, self.arrived(sources[0]), sources[0])
        return Buckets(self, operand)

    def arrived(self, source: Source) -> list[tuple[float, float, float]]:
        return [sample for sample in source.samples if sample[2] <= self.tick]

    def full(self, points: Mapping[Query, Mapping[float, float | None]]) -> bool:
        """Rule 2.8. A part has the ends that the window has."""
        window = self.question.window
        unit = 'm' if window < 3600 else 'h' if window < 86400 else 'd'
        length = PARTS[unit if self.question.recovery else self.question.unit]
        held = [False] * (self.question.window // length)
        for operand, each in points.items():
            from_there = self.view(operand).rolled or self.choices['A1'].startswith('[')
            for instant in (at for at, value in each.items() if value is not None):
                at = (instant - self.start) / length
                part = floor(at) if from_there else ceil(at) - 1
                held[min(part, len(held) - 1)] = True
        return held[0] and held.count(False) <= 3

    def last(self) -> float | None:
        """The last point with a value until the window's end, or long before it, of the newest operand."""
        found = [self.last_of(operand) for operand in self.operands(self.question.query)]
        return max((at for at in found if at is not None), default=None)

    def last_of(self, operand: Query) -> float | None:
        view = self.view(operand)
        upto_end = view.rolled or self.choices['A1'].endswith(']')
        for at, value in reversed(list(view.points(always=True))):
            if value is not None and (at < self.end or (upto_end and at == self.end)):
                return at
        return None


@dataclass(frozen=True)
class Changed:
    """The pointwise difference of rule 1.9."""

    name: str
    now: Query
    before: Query


def aggregate(method: str, values: Sequence[float | None]) -> float | None:
    """NaN points are left out (rule 2.13)."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    match method:
        case 'avg':
            return sum(there) / len(there)
        case 'sum':
            return sum(there)
        case 'min':
            return min(there)
        case 'max':
            return max(there)
        case 'count':
            return float(len(there))
    raise AssertionError(method)


def counts(query: Query) -> bool:
    """Rule 2.13: whether what is missing of it is 0."""
    found = list(leaves(query))
    return bool(found) and all(leaf.counting == 'as_count' for leaf in found)


def combine(sign: str, left: float | None, right: float | None) -> float | None:
    """A missing operand makes the result NaN, and so does n/0 (rule 2.13)."""
    if left is None or right is None:
        return None
    match sign:
        case '+':
            return left + right
        case '-':
            return left - right
        case '*':
            return left * right
        case '/':
            return left / right if right else None
    raise AssertionError(sign)


def bound(name: str, value: float | None, argument: float | None) -> float | None:
    if value is None:
        return None
    match name:
        case 'abs':
            return abs(value)
        case 'clamp_min':
            return max(value, argument or 0.0)
        case 'clamp_max':
            return min(value, argument or 0.0)
    if name in SHIFTS or name == 'timeshift':
        return value
    raise Outside(name)


def difference(name: str, value: float | None, before: float | None, seconds: float) -> float | None:
    if value is None or before is None:
        return None
    if name == 'diff':
        return value - before
    if name == 'dt':
        return seconds
    return (value - before) / seconds * SECONDS[name]


def pushed(query: Query) -> Query:
    """The query with each timeshift right around its leaf."""
    match query:
        case Binary(left=left, right=right):
            return replace(query, left=pushed(left), right=pushed(right))
        case Wrapped(name=name, query=inner) if name == 'timeshift' or name in SHIFTS:
            return around(pushed(inner), query)
        case Wrapped(query=inner):
            return replace(query, query=pushed(inner))
    return query


def around(query: Query, shift: Wrapped) -> Query:
    match query:
        case Binary(left=left, right=right):
            return replace(query, left=around(left, shift), right=around(right, shift))
        case Wrapped(query=inner):
            return replace(query, query=around(inner, shift))
        case Number():
            return query
    return replace(shift, query=query)


def shifts(query: Query) -> bool:
    return any(name == 'timeshift' or name in SHIFTS for name in names(query))


def scale(leaf: Leaf, source: Source, value: float) -> float:
    """Rule 2.14, for one sample."""
    if leaf.counting == 'as_rate' and source.kind == 'count':
        return value / source.interval
    if leaf.counting == 'as_count' and source.kind == 'rate':
        return value * source.interval
    return value


class Bare:
    """An operand over the samples of one source."""

    rolled = False

    def __init__(
        self, operand: Query, leaf: Leaf, samples: Sequence[tuple[float, float, float]], source: Source
    ) -> None:
        self.operand = operand
        self.samples = [(time, scale(leaf, source, value)) for time, value, _ in samples]

    def points(self, always: bool = False) -> Iterator[tuple[float, float | None]]:
        for index, (instant, _) in enumerate(self.samples):
            yield instant, self.value(self.operand, index)

    def value(self, query: Query, index: int) -> float | None:
        match query:
            case Leaf():
                return self.samples[index][1]
            case Number(value=value):
                return value
            case Binary(sign=sign, left=left, right=right):
                return combine(sign, self.value(left, index), self.value(right, index))
            case Wrapped(name=name, query=inner) if name in DIFFERENCES:
                now = self.value(inner, index)
                for earlier in range(index - 1, -1, -1):
                    before = self.value(inner, earlier)
                    if before is not None:
                        return difference(name, now, before, self.samples[index][0] - self.samples[earlier][0])
                return None
            case Wrapped(name=name, query=inner, argument=argument):
                return bound(name, self.value(inner, index), argument)
        raise AssertionError(query)


class Buckets:
    """An operand over buckets aligned to Unix time (rule 7.1). A bucket goes by its number; it starts at n * step."""

    def __init__(self, look: Look, operand: Query | Changed) -> None:
        self.look = look
        self.operand = operand
        below = operand.now if isinstance(operand, Changed) else operand
        found = list(dict.fromkeys(leaves(below)))
        rollups = [leaf.rollup[1] for leaf in found if leaf.rollup and leaf.rollup[1]]
        intervals = [source.interval for leaf in found for source in look.of(leaf)]
        native = look.choices['A2']
        self.rolled = bool(rollups)
        self.step = rollups[0] if rollups else int(native) if native != 'native' else min(intervals, default=60)
        # Rule 2.17: default_zero interpolates one source too.
        self.zeroed = {id(leaf) for leaf in zeroed(below)}
        self.held = {
            id(leaf): [self.grouped(leaf, source, self.fill(leaf, source)) for source in look.of(leaf)]
            for leaf in leaves(below)
        }
        self.known: dict[tuple[int, int, float], float | None] = {}

    def grouped(self, leaf: Leaf, source: Source, fill: tuple[str, int] | None) -> 'Held':
        """A bucket's content is what has arrived of it, after the window's end too (rule 7.3)."""
        arrived = self.look.arrived(source)
        key = id(source), len(arrived), leaf, fill, self.step
        if key not in self.look.memory:
            self.look.memory[key] = self.held_of(leaf, source, fill, arrived)
        return self.look.memory[key]

    def held_of(
        self, leaf: Leaf, source: Source, fill: tuple[str, int] | None, arrived: list[tuple[float, float, float]]
    ) -> 'Held':
        contents: dict[int, list[float]] = {}
        for time, value, _ in arrived:
            contents.setdefault(floor(time / self.step), []).append(scale(leaf, source, value))
        method = leaf.rollup[0] if leaf.rollup else None
        if method is None:
            count = source.kind == 'count' and leaf.counting is not None
            method = 'sum' if count or (source.kind == 'rate' and leaf.counting == 'as_count') else 'avg'
        if method == 'sum' and source.kind == 'count' and leaf.counting == 'as_rate':
            # What was counted in the bucket, by the bucket's length: the same, whether the query names the sum or not.
            contents = {n: [value * source.interval / self.step for value in contents[n]] for n in contents}
        return Held({number: aggregate(method, contents[number]) for number in contents}, fill, self.step)

    def fill(self, leaf: Leaf, source: Source) -> tuple[str, int] | None:
        """Rule 2.16, and 2.14 for what turns it off."""
        if leaf.fill:
            method, limit = leaf.fill
            return method, 300 if limit is None else limit
        if len(self.look.of(leaf)) < 2 and id(leaf) not in self.zeroed:
            return None
        if source.kind != 'gauge' and (leaf.counting or self.look.choices['A17'] == 'null'):
            return None
        return 'linear', 300

    def points(self, always: bool = False) -> Iterator[tuple[float, float | None]]:
        """Those of the window, or all since the first sample."""
        if not any(self.held.values()):
            return
        first = floor(self.look.start / self.step) - 1
        if always:
            first = min(first, floor(self.oldest() / self.step))
        for number in range(first, floor(self.look.end / self.step) + 2):
            value = self.value(self.operand, number)
            if value is not None or self.there(self.operand, number):
                yield number * self.step, value

    def there(self, query: Query | Changed, number: int, shift: float = 0) -> bool:
        """Whether any leaf has a value at the bucket."""
        match query:
            case Leaf():
                return self.leaf(query, number, shift) is not None
            case Binary(left=left, right=right):
                return self.there(left, number, shift) or self.there(right, number, shift)
            case Changed(now=now, before=before):
                return self.there(now, number, shift) or self.there(before, number, shift)
            case Wrapped(query=inner):
                return self.there(inner, number, shift + own_shift(query))
        return False

    def value(self, query: Query | Changed, number: int, shift: float = 0) -> float | None:
        key = id(query), number, shift
        if key not in self.known:
            self.known[key] = self.value_of(query, number, shift)
        return self.known[key]

    def value_of(self, query: Query | Changed, number: int, shift: float) -> float | None:
        match query:
            case Leaf():
                return self.leaf(query, number, shift)
            case Number(value=value):
                return value
            case Changed():
                return self.changed(query, number)
            case Binary(sign=sign, left=left, right=right):
                return combine(sign, self.value(left, number, shift), self.value(right, number, shift))
            case Wrapped(name=name) if name in DIFFERENCES:
                return self.differed(query, number, shift)
            case Wrapped(name='default_zero', query=inner):
                value = self.value(inner, number, shift)
                return 0.0 if value is None and self.in_window(inner, shift) else value
            case Wrapped(name=name, query=inner, argument=argument):
                return bound(name, self.value(inner, number, shift + own_shift(query)), argument)
        raise AssertionError(query)

    def differed(self, query: Wrapped, number: int, shift: float) -> float | None:
        now = self.value(query.query, number, shift)
        # Before the first sample there is nothing but what default_zero puts there.
        earliest = min(floor((self.oldest() + shift) / self.step), number - 1)
        for earlier in range(number - 1, earliest - 1, -1):
            before = self.value(query.query, earlier, shift)
            if now is None or before is not None:
                return difference(query.name, now, before, (number - earlier) * self.step)
        return None

    def changed(self, query: Changed, number: int) -> float | None:
        now, before = self.value(query.now, number), self.value(query.before, number)
        if counts(query.now) and (now is not None or before is not None):
            now, before = now or 0.0, before or 0.0
        delta = combine('-', now, before)
        if query.name == 'change' or delta is None:
            return delta
        return delta / before * 100 if before else None

    def in_window(self, query: Query, shift: float) -> bool:
        """Rule 2.17: nothing is done to a window that is empty."""
        look = self.look
        around = range(floor(look.start / self.step), floor(look.end / self.step) + 2)
        inside = [number for number in around if look.inside(number * self.step, self.rolled)]
        return any(self.value(query, number, shift) is not None for number in inside)

    def oldest(self) -> float:
        return min((sample[0] for source in self.look.sources for sample in source.samples[:1]), default=0)

    def leaf(self, leaf: Leaf, number: int, shift: float) -> float | None:
        """Rule 2.4: the sources' values, their gaps filled, aggregated over space."""
        bucket = floor((number * self.step - shift) / self.step)
        return aggregate(leaf.space, [held.value(bucket) for held in self.held[id(leaf)]])


class Held:
    """One source's values by bucket, and how the gaps between them are filled."""

    def __init__(self, values: Mapping[int, float | None], fill: tuple[str, int] | None, step: int) -> None:
        self.values = values
        self.numbers = sorted(values)
        self.fill = fill
        self.step = step

    def value(self, bucket: int) -> float | None:
        if bucket in self.values or self.fill is None:
            return self.values.get(bucket)
        method, limit = self.fill
        before, after = bisect_left(self.numbers, bucket), bisect_right(self.numbers, bucket)
        earlier = self.numbers[before - 1] if before else None
        later = self.numbers[after] if after < len(self.numbers) else None
        if earlier is None or (bucket - earlier) * self.step > limit:
            return None
        low = self.values[earlier]
        match method:
            case 'zero':
                return 0.0
            case 'last':
                return low
            case 'linear' if later is not None and low is not None:
                return low + (self.values[later] - low) * ((bucket - earlier) / (later - earlier))
        return None


def zeroed(query: Query) -> Iterator[Leaf]:
    match query:
        case Binary(left=left, right=right):
            yield from zeroed(left)
            yield from zeroed(right)
        case Wrapped(name='default_zero', query=inner):
            yield from leaves(inner)
        case Wrapped(query=inner):
            yield from zeroed(inner)


def own_shift(query: Wrapped) -> float:
    """How many seconds before its bucket what is inside is read."""
    if query.name == 'timeshift':
        return -(query.argument or 0)
    return SHIFTS.get(query.name, 0)
