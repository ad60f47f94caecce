"""Operations on values, and the properties of queries that the oracle needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, log2, log10

from oracle.queries import Binary, Counts, Leaf, Number, Query, Wrapped, leaves, names

MONTH = 30 * 86400
# Rule 20.18: month_before is 28 days.
SHIFTS = {'hour_before': 3600, 'day_before': 86400, 'week_before': 7 * 86400, 'month_before': 28 * 86400}
SECONDS = {'per_second': 1, 'per_minute': 60, 'per_hour': 3600, 'derivative': 1}
# Rule 2.4: these act on each source, before space aggregation. `dt` is one series over all of them (rule 20.10).
PER_SOURCE = ('diff', 'monotonic_diff', *SECONDS)
DIFFERENCES = (*PER_SOURCE, 'dt')
FILLERS = ('default_zero', 'default', 'gap')


def aggregate(method: str, values: Sequence[float | None]) -> float | None:
    """Aggregate the values, ignoring NaN (rule 2.13)."""
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


def percentile(space: str, values: Sequence[float], choice: str, comparator: str = '') -> float | None:
    """Return the percentile of raw values; by rank q * (n - 1), the lower value, unless A63 says otherwise.

    `comparator` is given where the share of all values of a window that cross the threshold may count.
    """
    if not values:
        return None
    ordered, q = sorted(values), Fraction(space[1:]) / 100
    if choice == 'share of points' and comparator:
        # The threshold is crossed by this value and all beyond it: the least that are q of all.
        least = max(1, ceil(q * len(ordered)))
        return ordered[-least] if comparator[0] == '>' else ordered[least - 1]
    rank = q * (len(ordered) - 1)
    low = ordered[floor(rank)]
    if choice != 'interpolated':
        return low
    return low + (ordered[ceil(rank)] - low) * float(rank - floor(rank))


def combine(sign: str, left: float | None, right: float | None) -> float | None:
    """Combine two operands; a missing operand and n/0 give NaN (rule 2.13)."""
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


def changed(name: str, now: float | None, before: float | None) -> float | None:
    """Rule 1.9."""
    delta = combine('-', now, before)
    if name == 'change' or delta is None or before is None:
        return delta
    return delta / before * 100 if before else None


def logarithm(function: Callable[[float], float], value: float) -> float | None:
    """Return the logarithm; NaN for 0 or less (rule 20.6)."""
    return function(value) if value > 0 else None


# Functions of a value and of the second argument.
POINTS: Mapping[str, Callable[[float, float], float | None]] = {
    'abs': lambda value, _: abs(value),
    'clamp_min': max,
    'clamp_max': min,
    'cutoff_min': lambda value, least: None if value < least else value,
    'cutoff_max': lambda value, greatest: None if value > greatest else value,
    'log2': lambda value, _: logarithm(log2, value),
    'log10': lambda value, _: logarithm(log10, value),
}
# What leaves a value as it is: shifts, and functions of other groups (rule 20.1).
SAME = ('timeshift', 'exclude_null', *SHIFTS)


def bound(name: str, value: float | None, argument: float | None) -> float | None:
    if value is None or name in SAME:
        return value
    return POINTS[name](value, argument or 0.0)


def difference(
    name: str, value: float | None, before: float | None, seconds: float, choices: Mapping[str, str]
) -> float | None:
    if value is None or before is None:
        return None
    if name == 'monotonic_diff' and value < before:
        return 0.0 if choices['A77'] == '0' else None
    if name in ('diff', 'monotonic_diff'):
        return value - before
    if name == 'dt':
        return seconds
    return (value - before) / seconds * SECONDS[name]


def pushed(query: Query) -> Query:
    """Return the query with each timeshift directly around its leaf."""
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


def shifted_leaves(query: Query, shift: float = 0) -> Iterator[tuple[Leaf, float]]:
    match query:
        case Leaf():
            yield query, shift
        case Binary(left=left, right=right):
            yield from shifted_leaves(left, shift)
            yield from shifted_leaves(right, shift)
        case Wrapped(query=inner):
            yield from shifted_leaves(inner, shift + own_shift(query))
        case Counts(queries=queries):
            for inner in queries:
                yield from shifted_leaves(inner, shift)


def unshifted(query: Query) -> Query:
    """Return the query without its timeshifts."""
    match query:
        case Wrapped(name=name, query=inner):
            inner = unshifted(inner)
            return inner if name == 'timeshift' or name in SHIFTS else replace(query, query=inner)
    return query


def is_operand(query: Query) -> bool:
    """Whether the query is one series, and no function in it acts on buckets as long as the window (rule 2.11)."""
    match query:
        case Leaf():
            return True
        case Wrapped(name=name, query=inner):
            return name not in (*DIFFERENCES, 'moving_rollup') and is_operand(inner)
    return False


def own_shift(query: Wrapped) -> float:
    """Return how many seconds earlier the inner query is read."""
    if query.name == 'timeshift':
        return -(query.argument or 0)
    return SHIFTS.get(query.name, 0)


def counting(query: Query) -> bool:
    """Whether a query of one series is a count (A89)."""
    return all(leaf.counting == 'as_count' for leaf in leaves(query))


def of_sources(query: Query) -> bool:
    """Whether a difference of the query applies to each source: no part of it needs the sources combined."""
    match query:
        case Leaf():
            # The sources of a distribution are merged first (rule 17.18).
            return query.space != 'count'
        case Wrapped(name=name, query=inner):
            return name in (*PER_SOURCE, *SAME) and of_sources(inner)
    return False


def zeroed(query: Query) -> Iterator[Leaf]:
    match query:
        case Binary(left=left, right=right):
            yield from zeroed(left)
            yield from zeroed(right)
        case Wrapped(name='default_zero', query=inner):
            yield from leaves(inner)
        case Wrapped(query=inner):
            yield from zeroed(inner)
        case Counts(queries=queries):
            for inner in queries:
                yield from zeroed(inner)


def counted(name: str, values: Sequence[float | None]) -> float | None:
    """Return the number of groups (rule 20.2); no point if no group has a value (A74)."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    return float(len([value for value in there if value or name == 'count_not_null']))


def gapped(query: Query, choices: Mapping[str, str]) -> Query:
    """Return the query with the gaps that assumptions fill around counts of groups (A74) and clamps (A75)."""
    match query:
        case Binary(left=left, right=right):
            return replace(query, left=gapped(left, choices), right=gapped(right, choices))
        case Wrapped(name=name, query=inner, argument=argument):
            query = replace(query, query=gapped(inner, choices))
            if name.startswith('count_') and choices['A74'] == '0':
                return Wrapped('gap', query, 0.0)
            return Wrapped('gap', query, argument) if name.startswith('clamp') and choices['A75'] == 'n' else query
    return query


def split(query: Query, groups: Sequence[frozenset[str]]) -> Query:
    """Return the query with one query for each counted group."""
    match query:
        case Binary(left=left, right=right):
            return replace(query, left=split(left, groups), right=split(right, groups))
        case Wrapped(name=name, query=inner) if name.startswith('count_'):
            name = name.removesuffix('_finite')
            return Counts(name, tuple(in_group(inner, group) for group in groups) or (inner,))
        case Wrapped(query=inner):
            return replace(query, query=split(inner, groups))
    return query


def in_group(query: Query, group: frozenset[str]) -> Query:
    match query:
        case Leaf():
            return replace(query, group=group)
        case Binary(left=left, right=right):
            return replace(query, left=in_group(left, group), right=in_group(right, group))
        case Wrapped(query=inner):
            return replace(query, query=in_group(inner, group))
    return query


def grouping(query: Query) -> tuple[str, ...] | None:
    """Return the keys of the query's groups; a count of groups and dt() have none."""
    match query:
        case Leaf(by=by):
            return by
        case Binary(left=left, right=right):
            found = grouping(left)
            return grouping(right) if found is None else found
        case Wrapped(name=name, query=inner):
            return () if name == 'dt' or name.startswith('count_') else grouping(inner)
    return None
