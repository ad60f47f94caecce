"""Points by metric and tags, in columns. Pure: the input is text and arrays, the output arrays."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine import decimals
from ddassets.engine.column import Floats
from ddassets.regex import regex

type Kind = Literal['gauge', 'count', 'rate', 'distribution']
KINDS: tuple[Kind, ...] = ('gauge', 'count', 'rate', 'distribution')
# More are not exact as a float.
MAX_NUMBERS = 1 << 53


@dataclass(frozen=True, eq=False)
class Series:
    """The points of one metric from one source, which is one set of `key:value` tags.

    `times` are in seconds since the epoch and rise strictly; `values` are finite. `interval`, in seconds, is how far
    apart the source submits (rule 2.15). `arrivals` are the instants from which each point can be seen, also in
    seconds, not before its time and in the same order; None where every point is there at its own time. Raises
    UnusableInputError otherwise.

    A distribution has raw values: several may have the same time. `numbers`: how often each occurred; None: once.
    """

    metric: str
    tags: frozenset[str]
    times: Floats = field(repr=False)
    values: Floats = field(repr=False)
    kind: Kind
    interval: int
    arrivals: Floats | None = field(default=None, repr=False)
    numbers: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'tags', frozenset(self.tags))
        for name in ('times', 'values', 'arrivals', 'numbers'):
            column = getattr(self, name)
            if column is not None:
                object.__setattr__(self, name, np.asarray(column, dtype=np.float64))
        problem = self._problem()
        if problem:
            raise UnusableInputError(f'series {self}: {problem}')

    def _problem(self) -> str | None:
        if self.kind not in KINDS:
            return f'kind: found {self.kind!r}, allowed are {", ".join(KINDS)}'
        if not isinstance(self.interval, int) or self.interval < 1:
            return f'interval: found {self.interval!r}, expected whole seconds, at least 1'
        if self.times.ndim != 1 or self.times.shape != self.values.shape:
            return f'found {self.times.size} times and {self.values.size} values, expected as many of each'
        if not (np.isfinite(self.times).all() and np.isfinite(self.values).all()):
            return 'a time or a value is not finite; leave a missing point out'
        # Several raw values of a distribution have one time.
        several = self.kind == 'distribution'
        steps = np.flatnonzero(np.diff(self.times) < 0 if several else np.diff(self.times) <= 0)
        if steps.size:
            return f'times must rise: {self.times[steps[0] + 1]:.15g} follows {self.times[steps[0]]:.15g}'
        return self._problem_of_arrivals() or self._problem_of_numbers()

    def _problem_of_arrivals(self) -> str | None:
        if self.arrivals is None:
            return None
        if self.arrivals.shape != self.times.shape or not np.isfinite(self.arrivals).all():
            return 'expected one finite arrival for each point'
        if (self.arrivals < self.times).any():
            return 'a point arrives before its own time'
        if (np.diff(self.arrivals) < 0).any():
            return 'the points of one source must arrive in their order'
        if (np.diff(self.arrivals)[np.diff(self.times) == 0] > 0).any():
            return 'the values of one instant must arrive together'
        return None

    def _problem_of_numbers(self) -> str | None:
        if self.numbers is None:
            return None
        if self.kind != 'distribution':
            return 'only values of a distribution occur more than once'
        whole = np.isfinite(self.numbers) & (self.numbers == np.floor(self.numbers)) & (self.numbers >= 1)
        if self.numbers.shape != self.times.shape or not whole.all():
            return 'expected one whole number of at least 1 for each value'
        if self.numbers.sum() > MAX_NUMBERS:
            return f'expected at most {MAX_NUMBERS:,} values in all'
        with np.errstate(over='ignore'):
            if not np.isfinite(self.values * self.numbers).all():
                return 'a value times its number is not finite'
        return None

    def counted(self) -> 'Series':
        """Return how many values a distribution has at each instant, as a count (rule 20.22)."""
        numbers = np.ones(self.times.size) if self.numbers is None else self.numbers
        times, first = np.unique(self.times, return_index=True)
        values = np.add.reduceat(numbers, first) if first.size else numbers
        arrivals = None if self.arrivals is None else self.arrivals[first]
        return replace(self, times=times, values=values, kind='count', arrivals=arrivals, numbers=None)

    def group(self, keys: Sequence[str]) -> tuple[str, ...] | None:
        """Return the tags of some keys, None if one is missing; several values of a key are joined (rule 4.8)."""
        group = []
        for key in keys:
            values = sorted(tag.partition(':')[2] for tag in self.tags if tag.startswith(f'{key}:'))
            if not values:
                return None
            group.append(f'{key}:{",".join(values)}')
        return tuple(group)

    def __str__(self) -> str:
        return f'{self.metric}{{{",".join(sorted(self.tags))}}}'

    def __len__(self) -> int:
        return int(self.times.size)


class SeriesSet:
    """Series by metric. Each combination of metric and tags occurs once, and a metric has one kind.

    Raises UnusableInputError for contradictory series.
    """

    def __init__(self, series: Iterable[Series]) -> None:
        self._by_metric: dict[str, dict[frozenset[str], Series]] = {}
        for one in series:
            sources = self._by_metric.setdefault(one.metric, {})
            if one.tags in sources:
                raise UnusableInputError(f'series {one}: given twice')
            other = next(iter(sources.values()), one)
            if other.kind != one.kind:
                raise UnusableInputError(f'series {one}: a {one.kind}, but {other} is a {other.kind}')
            sources[one.tags] = one

    def __iter__(self) -> Iterator[Series]:
        for sources in self._by_metric.values():
            yield from sources.values()

    def __len__(self) -> int:
        return sum(map(len, self._by_metric.values()))

    @property
    def metrics(self) -> frozenset[str]:
        return frozenset(self._by_metric)

    def of(self, metric: str) -> tuple[Series, ...]:
        """Return the series of a metric, in the given order; none for an unknown metric."""
        return tuple(self._by_metric.get(metric, {}).values())

    @property
    def end(self) -> float:
        """The time of the last point of all series, in seconds; minus infinity without points."""
        return max((float(one.times[-1]) for one in self if len(one)), default=-np.inf)


_DIGITS = r'(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?'
_ITEM = regex(rf'(?:(?P<gap>_)|(?P<value>[+-]?{_DIGITS})(?P<step>[+-]{_DIGITS})?)(?:x(?P<count>\d{{1,18}}))?')
# Up to so many characters NumPy's own reading of words has a head start.
_SHORT = 500
# An item that is more than a number.
_SPECIAL = regex(r'(?<!\S)[^\s_x]*+[_x]\S*+')
MAX_POINTS = 100_000_000


def parse_compact(text: str, limit: int | None = None) -> Floats:
    """Read values in compact notation, NaN where a point is missing.

    Items stand apart by spaces: `500` is one point, `500x20` is twenty, `600+10x5` is five (600 610 620 630 640),
    `_` is a gap of one point and `_x5` of five. Unlike promtool's, a count is always the number of points.

    Items beyond the first `limit` points are read but not made. Raises UnusableInputError with the column.
    """
    parts: list[Floats] = []
    size = position = made = 0
    # A year of samples is long, so the plain values between gaps and repeats are read at once.
    for word in _SPECIAL.finditer(text) if '_' in text or 'x' in text else ():
        if word.start() - position > 1:
            parts.append(_plain(text[position : word.start()], position))
            made += parts[-1].size
        left = None if limit is None else max(0, limit - made)
        values, count = _repeated(word[0], word.start(), MAX_POINTS - size, left)
        parts.append(values)
        size += count
        made += values.size
        position = word.end()
    parts.append(_plain(text[position:], position))
    return np.concatenate(parts)[:limit]


def _plain(text: str, offset: int) -> Floats:
    """Read items without a count. `offset` is their offset in the whole text."""
    values = decimals.read(text.strip(), ' ') if len(text) > _SHORT else None
    if values is not None:
        return values
    try:
        values = np.array(text.split(), dtype=np.float64)
    except ValueError:
        values = None
    if values is None or not np.isfinite(values).all():
        for word in re.finditer(r'\S+', text):
            _repeated(word[0], offset + word.start(), MAX_POINTS)
    assert values is not None
    return values


def _repeated(word: str, offset: int, most: int, limit: int | None = None) -> tuple[Floats, int]:
    """Read one item of at most `most` points: its first `limit` values and its number of points."""
    item = _ITEM.fullmatch(word)
    if item is None or (item['step'] and not item['count']):
        raise UnusableInputError(_found(word, offset, 'expected such as 500, 500x20, 600+10x5, _ or _x5'))
    count = int(item['count'] or 1)
    if not 1 <= count <= most:
        raise UnusableInputError(_found(word, offset, f'expected 1 to {MAX_POINTS:,} points'))
    made = count if limit is None else min(count, limit)
    if item['gap']:
        return np.full(made, np.nan), count
    start, step = float(item['value']), float(item['step'] or 0)
    if np.isinf(start) or np.isinf(start + step * count):
        raise UnusableInputError(_found(word, offset, 'which is not finite'))
    return start + step * np.arange(made, dtype=np.float64), count


def _found(word: str, offset: int, rest: str) -> str:
    return f'column {offset + 1}: found {word if len(word) <= 40 else word[:40] + "…"!r}, {rest}'


def from_compact(
    text: str,
    metric: str,
    tags: Iterable[str],
    start: float,
    kind: Kind = 'gauge',
    interval: int = 60,
    limit: int | None = None,
) -> Series:
    """Return the series of `parse_compact(text, limit)`, a point each `interval` seconds from `start`, without gaps."""
    return from_values(parse_compact(text, limit), metric, tags, start, kind, interval)


def from_values(
    values: Floats, metric: str, tags: Iterable[str], start: float, kind: Kind = 'gauge', interval: int = 60
) -> Series:
    """Return the series of values `interval` seconds apart, the first at `start`; NaN is a gap and left out."""
    there = ~np.isnan(values)
    times = start + interval * np.flatnonzero(there).astype(np.float64)
    return Series(metric, frozenset(tags), times, values[there], kind, interval)


_RAW = regex(
    rf'(?:(?P<gap>_)|\[(?P<raw>[^\[\]{{}}]*)\]|\{{(?P<bins>[^\[\]{{}}]*)\}}|(?P<value>[+-]?{_DIGITS}))(?:x(?P<count>\d{{1,18}}))?(?!\S)'
)
_WORD = regex(r'\S+')
_BIN = regex(rf'\s*([+-]?{_DIGITS})\s*:\s*(\d{{1,15}})\s*')


def parse_distribution(text: str, limit: int | None = None) -> tuple[Floats, Floats, Floats, int]:
    """Read the raw values of a distribution: the point of each, the values, how often each occurred; and the size.

    `[1 2 2]` is one point of three values, `{1: 20, 3: 4}` one of twenty times 1 and four times 3, `7` one of a single
    value; `_` and a count such as `x5` are those of `parse_compact`. Points from number `limit` on are left out, and
    part of the size. Raises UnusableInputError with the column.
    """
    steps: list[Floats] = []
    values: list[Floats] = []
    numbers: list[Floats] = []
    position = size = made = 0
    while word := _WORD.search(text, position):
        position = word.start()
        item = _RAW.match(text, position)
        if item is None:
            raise UnusableInputError(_found(word[0], position, 'expected such as [1 2 3], {1: 20, 3: 4}, 7, _ or _x5'))
        count = int(item['count'] or 1)
        if not 1 <= count <= MAX_POINTS - size:
            raise UnusableInputError(_found(item[0], position, f'expected 1 to {MAX_POINTS:,} points'))
        each = _raw_values(item, item[0], position)
        shown = count if limit is None else max(0, min(count, limit - size))
        made += shown * len(each)
        if made > MAX_POINTS:
            raise UnusableInputError(_found(item[0], position, f'expected at most {MAX_POINTS:,} values'))
        steps.append(np.repeat(np.arange(size, size + shown, dtype=np.float64), len(each)))
        values.append(np.tile(np.array([value for value, _ in each], dtype=np.float64), shown))
        numbers.append(np.tile(np.array([number for _, number in each], dtype=np.float64), shown))
        size += count
        position = item.end()
    empty = [np.empty(0)]
    columns = (np.concatenate(parts or empty) for parts in (steps, values, numbers))
    return *columns, size  # type: ignore[return-value]


def _raw_values(item: re.Match[str], word: str, offset: int) -> list[tuple[float, int]]:
    """The values of one point, and how often each occurred."""
    if item['gap']:
        return []
    if item['bins'] is not None:
        bins = [_BIN.fullmatch(part) for part in item['bins'].split(',')]
        found = [(float(match[1]), int(match[2])) for match in bins if match]
        if len(found) < len(bins) or any(number < 1 for _, number in found):
            raise UnusableInputError(_found(word, offset, 'expected values with whole numbers: {1: 20, 3: 4}'))
    else:
        try:
            found = [(float(value), 1) for value in (item['value'] or item['raw'] or '').replace(',', ' ').split()]
        except ValueError:
            raise UnusableInputError(_found(word, offset, 'expected numbers: [1 2 3]')) from None
    if not found or not np.isfinite([value for value, _ in found]).all():
        raise UnusableInputError(_found(word, offset, 'expected at least one value, and finite ones; use _ for none'))
    return found


def read_csv(
    text: str, metric: str, tags: Iterable[str] = (), kind: Kind = 'gauge', interval: int = 60
) -> tuple[Series, ...]:
    """Read the series of one metric from CSV with a header row.

    The column `time` holds seconds or milliseconds since the epoch or ISO 8601 with an offset, `value` a number or
    nothing where the point is missing, `arrival`, if there, an instant like `time`. Every other column is a tag key; an
    empty cell is a series without the key. `tags` are added to each series. Points may stand in any order. Rows of a
    distribution with the same time are its raw values; `count`, if there, is how often each occurred.

    Raises UnusableInputError with the line and the column's name.
    """
    text = text.removeprefix('\ufeff')
    fixed = frozenset(tags)
    head, _, body = text.partition('\n')
    if head.strip() == 'time,value':
        numbers = _pairs(body)
        if numbers is not None:
            return (_in_order(metric, fixed, kind, interval, numbers[::2], numbers[1::2]),)
    rows = csv.reader(io.StringIO(text, newline=''))
    header = [name.strip() for name in next(rows, [])]
    if not {'time', 'value'} <= set(header) or len(set(header)) < len(header):
        raise UnusableInputError(f'line 1: found the columns {header}, expected time and value, and each name once')
    numbered = kind == 'distribution' and 'count' in header
    found = tuple(
        _in_order(metric, source, kind, interval, **columns)
        for source, columns in _by_column(header, body, fixed, numbered)
    )
    if found:
        return found
    points: dict[frozenset[str], list[tuple[float, float, float, float]]] = {}
    for cells in rows:
        if not cells:
            continue
        if len(cells) != len(header):
            raise UnusableInputError(f'line {rows.line_num}: found {len(cells)} cells, expected {len(header)}')
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        time, value, arrival = row.pop('time'), row.pop('value'), row.pop('arrival', '')
        number = row.pop('count') if numbered else ''
        source = fixed | {f'{key}:{cell}' for key, cell in row.items() if cell}
        if value:
            at = _instant(time, rows.line_num, 'time')
            seen = _instant(arrival, rows.line_num, 'arrival') if arrival else at
            found_value = _number(value, rows.line_num)
            often = _number(number, rows.line_num, 'count') if number else 1.0
            points.setdefault(source, []).append((at, found_value, seen, often))
    names = {'times': 0, 'values': 1, **({'arrivals': 2} if 'arrival' in header else {})}
    names |= {'numbers': 3} if numbered else {}
    tables = {source: np.array(each).T for source, each in points.items()}
    return tuple(
        _in_order(metric, source, kind, interval, **{name: table[row] for name, row in names.items()})
        for source, table in tables.items()
    )


def _by_column(
    header: Sequence[str], body: str, fixed: frozenset[str], numbered: bool
) -> Iterator[tuple[frozenset[str], dict[str, Floats]]]:
    """Return the tags and the columns of each source; nothing if the cells are not plain or one is missing."""
    cells = _cells(body, len(header))
    columns = {name: cells[index :: len(header)] for index, name in enumerate(header)}
    wanted = {'time': 'times', 'value': 'values', 'arrival': 'arrivals', **({'count': 'numbers'} if numbered else {})}
    numbers = {
        field: decimals.read('\n'.join(columns.pop(name)) + '\n', '\n')
        for name, field in wanted.items()
        if name in columns
    }
    plain = {field: column for field, column in numbers.items() if column is not None}
    if not cells or len(plain) < len(numbers):
        return
    keys = list(zip(*columns.values(), strict=True)) or [()] * plain['times'].size
    sources: dict[frozenset[str], int] = {}
    code = {
        key: sources.setdefault(
            fixed | {f'{name}:{cell}' for name, cell in zip(columns, key, strict=True) if cell}, len(sources)
        )
        for key in dict.fromkeys(keys)
    }
    codes = np.fromiter(map(code.__getitem__, keys), dtype=np.int64, count=len(keys))
    order = np.argsort(codes, kind='stable')
    for source, rows in zip(sources, np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True):
        yield source, {field: column[rows] for field, column in plain.items()}


def _cells(body: str, width: int) -> list[str]:
    """Return the cells of rows with equal width, in one list; None if cells are quoted or padded."""
    body = body.replace('\r\n', '\n') if '\r' in body else body
    if not body.isascii() or any(character in body for character in '" \t\r\v\f\x1c\x1d\x1e\x1f'):
        return []
    body = body if body.endswith('\n') else body + '\n'
    data = np.frombuffer(body.encode(), dtype=np.uint8)
    ends = data[(data == ord(',')) | (data == ord('\n'))]
    expected = np.full(width, ord(','), dtype=np.uint8)
    expected[-1] = ord('\n')
    if ends.size % width or any((ends[place::width] != end).any() for place, end in enumerate(expected)):
        return []
    return body.replace('\n', ',').split(',')[:-1]


_PLAIN = regex(r'(?:[\d.eE+-]++,[\d.eE+-]++(?:\n|$))*+')


def _pairs(body: str) -> Floats | None:
    """Return the times and values, alternating; None for rows that are not exactly two numbers."""
    body = body.replace('\r\n', '\n') if '\r' in body else body
    numbers = decimals.read(body, ',\n')
    if numbers is None and _PLAIN.fullmatch(body):
        try:
            return np.array(body.replace(',', ' ').split(), dtype=np.float64)
        except ValueError:
            return None
    return numbers


def _in_order(
    metric: str,
    tags: frozenset[str],
    kind: Kind,
    interval: int,
    times: Floats,
    values: Floats,
    arrivals: Floats | None = None,
    numbers: Floats | None = None,
) -> Series:
    times = np.ascontiguousarray(_seconds(times))
    arrivals = None if arrivals is None else _seconds(arrivals)
    values = np.ascontiguousarray(values)
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind='stable')
        times, values = times[order], values[order]
        arrivals, numbers = (None if column is None else column[order] for column in (arrivals, numbers))
    return Series(metric, tags, times, values, kind, interval, arrivals, numbers)


# The year 5000, in seconds since the epoch.
_LAST_SECOND = 95_617_584_000


def _seconds(instants: Floats) -> Floats:
    """Convert milliseconds, as Datadog's API returns, to seconds: no seconds are beyond the year 5000."""
    late = instants > _LAST_SECOND
    if not late.any():
        return instants
    found = np.where(late, instants / 1000, instants)
    if (beyond := found > _LAST_SECOND).any():
        raise UnusableInputError(
            f'found the time {instants[beyond][0]:.0f}, expected seconds or milliseconds since the epoch'
        )
    return found


def _number(text: str, line: int, column: str = 'value') -> float:
    try:
        return float(text)
    except ValueError:
        raise UnusableInputError(f'line {line}, {column}: found {text!r}, expected a number') from None


def _instant(text: str, line: int, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.timestamp()
    except ValueError:
        pass
    raise UnusableInputError(
        f'line {line}, {column}: found {text!r}, expected seconds since the epoch or ISO 8601 with an offset'
    )
