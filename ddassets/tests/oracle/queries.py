"""Queries of the oracle: a separate tree, and its text for the engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Everything:
    def __str__(self) -> str:
        return '*'

    def takes(self, tags: frozenset[str]) -> bool:
        return True


@dataclass(frozen=True)
class Tag:
    """`key:value`, where the value may begin or end with `*` (rule 1.6)."""

    key: str
    value: str

    def __str__(self) -> str:
        return f'{self.key}:{self.value}'

    def takes(self, tags: frozenset[str]) -> bool:
        values = [tag.partition(':')[2] for tag in tags if tag.partition(':')[0] == self.key]
        return any(_matches(self.value, value) for value in values)


def _matches(pattern: str, value: str) -> bool:
    if not pattern:
        return not value
    if pattern[0] == '*':
        return any(_matches(pattern[1:], value[skip:]) for skip in range(len(value) + 1))
    return bool(value) and pattern[0] == value[0] and _matches(pattern[1:], value[1:])


@dataclass(frozen=True)
class In:
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f'{self.key} IN ({", ".join(self.values)})'

    def takes(self, tags: frozenset[str]) -> bool:
        return any(Tag(self.key, value).takes(tags) for value in self.values)


@dataclass(frozen=True)
class Not:
    scope: 'Scope'
    sign: str = 'NOT '

    def __str__(self) -> str:
        inner = f'({self.scope})' if isinstance(self.scope, Both | Either) else str(self.scope)
        return self.sign + inner

    def takes(self, tags: frozenset[str]) -> bool:
        return not self.scope.takes(tags)


@dataclass(frozen=True)
class Both:
    left: 'Scope'
    right: 'Scope'
    sign: str = ' AND '

    def __str__(self) -> str:
        return self.sign.join(
            f'({side})' if isinstance(side, Either) else str(side) for side in (self.left, self.right)
        )

    def takes(self, tags: frozenset[str]) -> bool:
        return self.left.takes(tags) and self.right.takes(tags)


@dataclass(frozen=True)
class Either:
    left: 'Scope'
    right: 'Scope'

    def __str__(self) -> str:
        return f'{self.left} OR {self.right}'

    def takes(self, tags: frozenset[str]) -> bool:
        return self.left.takes(tags) or self.right.takes(tags)


type Scope = Everything | Tag | In | Not | Both | Either


@dataclass(frozen=True)
class Calendar:
    """Days, weeks or months by the wall clock of a zone (rule 20.19). `hour` and `weekday`: where they begin."""

    unit: str
    zone: str | None = None
    hour: int | None = None
    weekday: str | None = None

    def __str__(self) -> str:
        parts = [self.unit]
        if self.hour is not None:
            parts.append(f'{self.hour % 12 or 12}{"am" if self.hour < 12 else "pm"}')
        if self.weekday:
            parts.append(self.weekday)
        return ', '.join(parts + ([f"'{self.zone}'"] if self.zone else []))

    @lru_cache(1_000_000)  # noqa: B019
    def number(self, instant: float) -> int:
        """Return the number of the unit that contains the wall time."""
        wall = datetime.fromtimestamp(instant, ZoneInfo(self.zone or 'UTC')).replace(tzinfo=None)
        day = (wall - timedelta(hours=self.hour or 0)).date()
        if self.unit == 'monthly':
            return day.year * 12 + day.month
        if self.unit == 'daily':
            return day.toordinal()
        # Days since a Sunday, which is the first of a week unless the query names another.
        days = (day - datetime(2000, 1, 2).date()).days
        names = 'sunday monday tuesday wednesday thursday friday saturday'.split()
        return (days - names.index(self.weekday or 'sunday')) // 7

    @lru_cache(100_000)  # noqa: B019
    def start(self, number: int) -> int:
        """Return the first instant of a unit, by bisection."""
        low, high = 0, 1 << 32
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.number(middle) < number else (low, middle)
        return high


@dataclass(frozen=True)
class Even:
    """Buckets of `step` seconds, aligned to Unix time (rule 7.1)."""

    step: int

    def number(self, instant: float) -> int:
        return int(instant // self.step)

    def start(self, number: int) -> int:
        return number * self.step


type Cut = Even | Calendar


@dataclass(frozen=True)
class Leaf:
    """One metric query. `rollup` is (method or None, seconds or calendar units), `fill` (method, seconds or None)."""

    metric: str
    # None: left out (rule 1.14).
    space: str | None = 'avg'
    scope: Scope = Everything()
    by: tuple[str, ...] = ()
    counting: str | None = None
    rollup: tuple[str | None, int | Calendar] | None = None
    fill: tuple[str, int | None] | None = None
    weighted: bool = False
    # Only sources of this group: set where groups are counted.
    group: frozenset[str] = frozenset()

    def __str__(self) -> str:
        text = f'{self.space}:' if self.space else ''
        text += f'{self.metric}{{{self.scope}}}'
        if self.by:
            text += f' by {{{",".join(self.by)}}}'
        if self.counting:
            text += f'.{self.counting}()'
        if self.rollup:
            method, seconds = self.rollup
            text += f'.rollup({seconds})' if method is None else f'.rollup({method}, {seconds})'
        if self.fill:
            method, limit = self.fill
            text += f'.fill({method})' if limit is None else f'.fill({method}, {limit})'
        return f'{text}.weighted()' if self.weighted else text


@dataclass(frozen=True)
class Number:
    value: float

    def __str__(self) -> str:
        return f'{self.value:g}'


@dataclass(frozen=True)
class Binary:
    sign: str
    left: 'Query'
    right: 'Query'

    def __str__(self) -> str:
        return f'({self.left} {self.sign} {self.right})'


@dataclass(frozen=True)
class Wrapped:
    """A function of one query; `argument` is the second one, `method` the third, where there are.

    `gap` is not written: it is what an assumption fills in.
    """

    name: str
    query: 'Query'
    argument: float | None = None
    method: str | None = None

    def __str__(self) -> str:
        if self.name == 'gap':
            return str(self.query)
        inner = str(self.query)
        if inner.startswith('('):
            inner = inner[1:-1]
        argument = '' if self.argument is None else f', {self.argument:g}'
        method = '' if self.method is None else f', {self.method!r}'
        return f'{self.name}({inner}{argument}{method})'


@dataclass(frozen=True)
class Counts:
    """The number of the groups' queries with a value, or with a value other than 0."""

    name: str
    queries: 'tuple[Query, ...]'


type Query = Leaf | Number | Binary | Wrapped | Counts


def leaves(query: Query) -> Iterator[Leaf]:
    match query:
        case Leaf():
            yield query
        case Binary(left=left, right=right):
            yield from leaves(left)
            yield from leaves(right)
        case Wrapped(query=inner):
            yield from leaves(inner)
        case Counts(queries=queries):
            for inner in queries:
                yield from leaves(inner)


def names(query: Query) -> Iterator[str]:
    """Return the operators and functions in the query."""
    match query:
        case Binary(sign=sign, left=left, right=right):
            yield sign
            yield from names(left)
            yield from names(right)
        case Wrapped(name=name, query=inner):
            yield name
            yield from names(inner)
        case Counts(name=name, queries=queries):
            yield name
            for inner in queries:
                yield from names(inner)
