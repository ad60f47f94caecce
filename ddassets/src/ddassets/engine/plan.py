"""From a parsed monitor query to what the evaluator does: the part of the language that can be evaluated exactly.

Everything else is refused with its name and column (section 1's table of the semantics), never guessed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

from ddassets.diagnostic import Unsupported
from ddassets.language.query import tree
from ddassets.language.query.tree import MonitorQuery

AGGREGATORS = ('avg', 'sum', 'min', 'max')
METHODS = (*AGGREGATORS, 'count')
MONTH = 30 * 86400
INTERPOLATION_LIMIT = 300
# Ten years, which is as long as a rehearsal may be: no shift and no bucket needs more.
MOST_SECONDS = 3660 * 86400
# A stub's series stand under this name, with the monitor's group keys as tags.
STUBBED = ('anomalies', 'forecast', 'outliers')
MOST_ZERO_FILLS = 4

type Method = Literal['linear', 'last', 'zero', 'null']


@dataclass(frozen=True, slots=True)
class Fill:
    """How a source's gaps are filled (rules 2.16 and 7.4). `limit`: seconds past the last sample."""

    method: Method
    limit: int = INTERPOLATION_LIMIT


@dataclass(frozen=True, slots=True)
class Leaf:
    """One metric query, read `shift` seconds before the point.

    `method` and `bucket` are those of the rollup, `fill` is an explicit one; None where the query has none. Without a
    method a bucket is summed under as_count, and is the mean otherwise (rules 2.14 and 7.4). `interpolated`: even of
    one source, for it is below a default_zero (rule 2.17).
    """

    metric: tree.Metric
    space: str
    by: tuple[str, ...]
    counting: Literal['as_count', 'as_rate'] | None = None
    method: str | None = None
    bucket: int | None = None
    fill: Fill | None = None
    shift: int = 0
    interpolated: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    value: float


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: Literal['+', '-', '*', '/']
    left: 'Node'
    right: 'Node'


@dataclass(frozen=True, slots=True)
class Pointwise:
    """`abs`, `clamp_min` or `clamp_max` of each point; negation is a product with -1."""

    name: str
    operand: 'Node'
    bound: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """`diff`, `dt` or a rate: each point and the one before it."""

    name: str
    operand: 'Node'


@dataclass(frozen=True, slots=True)
class ZeroFilled:
    """`default_zero` (rule 2.17)."""

    operand: 'Node'


type Node = Leaf | Constant | Arithmetic | Pointwise | Difference | ZeroFilled


@dataclass(frozen=True, slots=True)
class Plan:
    """What one monitor evaluates. `window` and `recovery_window` are in seconds.

    `operands` are aggregated over the window one by one, and `expression` is computed from the results: for most
    queries both are the same node. Arithmetic on as_count has an operand for each side (rule 2.11). `stub` names the
    function that a series stands in for; `recovery_window` is then the one for recovery thresholds (rule 6.3).
    """

    aggregator: str
    window: int
    expression: Node
    operands: tuple[Node, ...]
    by: tuple[str, ...]
    recovery_window: int | None = None
    stub: str | None = None

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(dict.fromkeys(leaves(self.expression)))


def leaves(node: Node) -> Iterator[Leaf]:
    """Every metric query below the node, in the order of the text."""
    match node:
        case Leaf():
            yield node
        case Arithmetic(left=left, right=right):
            yield from leaves(left)
            yield from leaves(right)
        case Pointwise(operand=operand) | Difference(operand=operand) | ZeroFilled(operand=operand):
            yield from leaves(operand)


def zero_fills(node: Node) -> Iterator[ZeroFilled]:
    """Every `default_zero` below the node."""
    match node:
        case ZeroFilled():
            yield node
        case Arithmetic(left=left, right=right):
            yield from zero_fills(left)
            yield from zero_fills(right)
        case Pointwise(operand=operand) | Difference(operand=operand):
            yield from zero_fills(operand)


def looks_back(node: Node) -> bool:
    """Whether a point of the node depends on the one before it."""
    match node:
        case Difference():
            return True
        case Arithmetic(left=left, right=right):
            return looks_back(left) or looks_back(right)
        case Pointwise(operand=operand) | ZeroFilled(operand=operand):
            return looks_back(operand)
    return False


def counts(node: Node) -> bool:
    """Whether a missing value of the node is 0 where the other side of an operator has one (rule 2.13)."""
    return all(leaf.counting == 'as_count' for leaf in leaves(node)) and not isinstance(node, Constant)


def make_plan(query: MonitorQuery, stub_windows: tuple[int, int] | None = None) -> Plan:
    """Return the plan of a query.

    `stub_windows` are the trigger and recovery windows in seconds of a monitor whose anomalies() (outliers, forecast)
    is stood in for by a series of its results.

    Raises Unsupported for what is outside the subset.
    """
    column = query.span.start + 1
    if query.aggregator not in AGGREGATORS:
        raise Unsupported(
            query.aggregator, column, f'as a time aggregator is not evaluated, only {_listed(AGGREGATORS)}'
        )
    if query.window.kind != 'last':
        name = f'{query.window.kind}_{query.window.count}{query.window.unit}'
        raise Unsupported(name, query.window.span.start + 1, 'is not evaluated, only windows such as last_5m')
    expression = query.expression
    if isinstance(expression, tree.Call) and expression.name in STUBBED and stub_windows is not None:
        return _stub_plan(query, expression, stub_windows)
    node = _node(expression)
    by = _common_keys(node, query.expression)
    each = tuple(leaves(node))
    counted = [leaf for leaf in each if leaf.counting == 'as_count']
    if counted and query.aggregator != 'sum':
        raise Unsupported(query.aggregator, column, 'of as_count is refused: only sum may aggregate it over the window')
    separate = bool(counted) and has_arithmetic(node)
    node = _interpolated(node, separate)
    if query.change is not None:
        if separate:
            raise Unsupported(
                query.change.kind, query.change.span.start + 1, 'of arithmetic on as_count is outside the subset'
            )
        before = shifted(node, query.change.shift)
        change: Node = Arithmetic('-', node, before)
        if query.change.kind == 'pct_change':
            change = Arithmetic('*', Arithmetic('/', change, before), Constant(100.0))
        node = change
    operands = tuple(dict.fromkeys(_operands(node, expression))) if separate else (node,)
    for operand in operands:
        _check_unit(operand, expression)
    return Plan(query.aggregator, query.window.seconds, node, operands, by)


def graph_plan(expression: tree.Expression) -> Plan:
    """Return the plan of a dashboard's query, which is computed point by point and aggregated over no window.

    Raises Unsupported for what is outside the subset.
    """
    node = _interpolated(_node(expression))
    _check_unit(node, expression)
    return Plan('avg', 0, node, (node,), _common_keys(node, expression))


def shifted(node: Node, seconds: int) -> Node:
    """The same as it was `seconds` earlier."""
    return _changed(node, lambda leaf: replace(leaf, shift=leaf.shift + seconds))


def _changed(node: Node, change: Callable[[Leaf], Leaf]) -> Node:
    """The node with each of its leaves changed."""
    match node:
        case Leaf():
            return change(node)
        case Arithmetic(left=left, right=right):
            return replace(node, left=_changed(left, change), right=_changed(right, change))
        case Pointwise(operand=operand) | Difference(operand=operand) | ZeroFilled(operand=operand):
            return replace(node, operand=_changed(operand, change))
        case Constant():
            return node


def _interpolated(node: Node, separate: bool = False) -> Node:
    """The node with what is below a default_zero interpolated (rule 2.17).

    `separate`: operands are aggregated over the window one by one. A default_zero around their arithmetic comes after
    that (rule 2.11): it sees the one value of each window, and no gaps within.
    """
    match node:
        case ZeroFilled():
            alone = separate and has_arithmetic(node)
            return node if alone else _changed(node, lambda leaf: replace(leaf, interpolated=True))
        case Arithmetic(left=left, right=right):
            return replace(node, left=_interpolated(left, separate), right=_interpolated(right, separate))
        case Pointwise(operand=operand) | Difference(operand=operand):
            return replace(node, operand=_interpolated(operand, separate))
    return node


def _stub_plan(query: MonitorQuery, call: tree.Call, windows: tuple[int, int]) -> Plan:
    """A stub gives the share of points beyond the bounds; over a window the mean of it counts (rule 6.2)."""
    inner = next(tree.metrics(call), None)
    if inner is None:
        raise Unsupported(call.name, call.span.start + 1, 'of no metric')
    by = tuple(key.name for key in inner.by)
    leaf = Leaf(tree.Metric('avg', call.name, inner.name_span, None, inner.by, span=call.span), 'avg', by)
    return Plan('avg', windows[0], leaf, (leaf,), by, recovery_window=windows[1], stub=call.name)


def _common_keys(node: Node, expression: tree.Expression) -> tuple[str, ...]:
    each = list(leaves(node))
    if not each:
        raise Unsupported('a query without a metric', expression.span.start + 1, 'has nothing to evaluate')
    for leaf in each:
        if set(leaf.by) != set(each[0].by):
            raise Unsupported(
                f'by {{{",".join(leaf.by)}}}',
                leaf.metric.span.start + 1,
                f'beside a query by {{{",".join(each[0].by)}}} is outside the subset: group all alike',
            )
    return each[0].by


def _check_unit(operand: Node, expression: tree.Expression) -> None:
    """One rollup for all that is computed point by point, and only so many default_zero."""
    buckets = {leaf.bucket: leaf for leaf in leaves(operand) if leaf.bucket}
    if len(buckets) > 1:
        (first, _), (second, leaf) = list(buckets.items())[:2]
        raise Unsupported(
            f'rollup to {second} s', leaf.metric.span.start + 1, f'beside one to {first} s in the same arithmetic'
        )
    if len(set(zero_fills(operand))) > MOST_ZERO_FILLS:
        raise Unsupported('default_zero', expression.span.start + 1, f'more than {MOST_ZERO_FILLS} times')


def has_arithmetic(node: Node, differences: bool = False) -> bool:
    """Whether an operator, or if asked for a difference, stands in the node."""
    match node:
        case Arithmetic():
            return True
        case Difference(operand=operand):
            return differences or has_arithmetic(operand)
        case Pointwise(operand=operand) | ZeroFilled(operand=operand):
            return has_arithmetic(operand, differences)
    return False


def _operands(node: Node, expression: tree.Expression) -> Iterator[Node]:
    """The largest parts without arithmetic."""
    match node:
        case Arithmetic(left=left, right=right):
            yield from _operands(left, expression)
            yield from _operands(right, expression)
        case Difference(name=name) if has_arithmetic(node):
            raise Unsupported(name, expression.span.start + 1, 'of arithmetic on as_count is outside the subset')
        case Pointwise(operand=operand) | ZeroFilled(operand=operand) if has_arithmetic(node):
            yield from _operands(operand, expression)
        case Constant():
            return
        case _:
            yield node


def _node(expression: tree.Expression) -> Node:
    column = expression.span.start + 1
    match expression:
        case tree.Number(value=value):
            return Constant(value)
        case tree.Metric():
            return _leaf(expression)
        case tree.Negative(operand=operand):
            inner = _node(operand)
            return Constant(-inner.value) if isinstance(inner, Constant) else Pointwise('negative', inner)
        case tree.Binary(operator=operator, left=left, right=right):
            return Arithmetic(operator, _node(left), _node(right))
        case tree.Call():
            for modifier in expression.modifiers:
                raise Unsupported(f'.{modifier.name}', modifier.span.start + 1, f'after {expression.name}()')
            return _call(expression)
        case tree.Modified(modifiers=modifiers):
            raise Unsupported(f'.{modifiers[0].name}', modifiers[0].span.start + 1, 'after parentheses')
        case tree.Reference(name=name):
            raise Unsupported(name, column, 'a reference to another query, as formulas have it')


_DIFFERENCES = ('diff', 'dt', 'derivative', 'per_second', 'per_minute', 'per_hour')
_SHIFTS = {'hour_before': 3600, 'day_before': 86400, 'week_before': 604800}
_WITH_NUMBER = ('clamp_min', 'clamp_max', 'timeshift')
_FUNCTIONS = ('abs', 'default_zero', *_WITH_NUMBER, *_DIFFERENCES, *_SHIFTS)


def _call(call: tree.Call) -> Node:
    column = call.span.start + 1
    if call.name in STUBBED:
        raise Unsupported(f'{call.name}()', column, 'is not reproducible from what is published; give a stub series')
    if call.name not in _FUNCTIONS:
        raise Unsupported(f'{call.name}()', column, f'is not evaluated, only {_listed(_FUNCTIONS)}')
    expected = 2 if call.name in _WITH_NUMBER else 1
    if len(call.arguments) != expected:
        raise Unsupported(f'{call.name}()', column, f'with {len(call.arguments)} arguments, expected {expected}')
    first, *rest = call.arguments
    if isinstance(first, tree.Text | tree.Word | tree.Tags | tree.Named):
        raise Unsupported(f'{call.name}()', first.span.start + 1, 'expected a query')
    operand = _node(first)
    if call.name == 'timeshift':
        return shifted(operand, _seconds_back(rest[0]))
    if call.name in _SHIFTS:
        return shifted(operand, _SHIFTS[call.name])
    if call.name in _DIFFERENCES:
        return Difference(call.name, operand)
    if call.name != 'default_zero':
        return Pointwise(call.name, operand, _number(rest[0], call.name) if rest else 0.0)
    if any(zero_fills(operand)):
        raise Unsupported('default_zero()', column, 'around another default_zero()')
    return ZeroFilled(operand)


def _seconds_back(argument: tree.Argument) -> int:
    seconds = _number(argument, 'timeshift()')
    if not -MOST_SECONDS <= seconds <= 0 or seconds != int(seconds):
        expected = f'expected whole seconds back, such as -3600, at most {MOST_SECONDS:,}'
        raise Unsupported('timeshift()', argument.span.start + 1, expected)
    return -int(seconds)


def _leaf(metric: tree.Metric) -> Leaf:
    column = metric.span.start + 1
    if metric.aggregator not in AGGREGATORS:
        name = metric.aggregator or metric.name
        raise Unsupported(name, column, f'as a space aggregator is not evaluated, only {_listed(AGGREGATORS)}')
    leaf = Leaf(metric, metric.aggregator, tuple(key.name for key in metric.by))
    for modifier in metric.modifiers:
        leaf = _modified(leaf, modifier)
    return leaf


def _modified(leaf: Leaf, modifier: tree.Modifier) -> Leaf:
    column = modifier.span.start + 1
    rolled = leaf.method is not None or leaf.bucket is not None
    match modifier.name, modifier.arguments:
        case (('as_count' | 'as_rate'), ()) if leaf.counting is None:
            return replace(leaf, counting=modifier.name)
        case 'rollup', (tree.Word(value=method), *rest) if method in METHODS and len(rest) < 2 and not rolled:
            return replace(leaf, method=method, bucket=_seconds(rest[0], 'rollup') if rest else None)
        case 'rollup', (tree.Number() as seconds,) if not rolled:
            return replace(leaf, bucket=_seconds(seconds, 'rollup'))
        case 'fill', (value, *rest) if len(rest) < 2 and leaf.fill is None:
            match value:
                case tree.Word(value='linear' | 'last' | 'zero' | 'null' as method):
                    pass
                case tree.Number(value=0.0):
                    method = 'zero'
                case _:
                    raise Unsupported('.fill', value.span.start + 1, 'expected linear, last, zero, 0 or null')
            limit = _seconds(rest[0], 'fill') if rest else INTERPOLATION_LIMIT
            return replace(leaf, fill=Fill(cast(Method, method), limit))
    known = 'as_count(), as_rate(), rollup(method, seconds) and fill(method, seconds), each once'
    raise Unsupported(f'.{modifier.name}', column, f'is not evaluated in this form, only {known}')


def _number(argument: tree.Argument, name: str) -> float:
    match argument:
        case tree.Number(value=value):
            return value
        case tree.Negative(operand=tree.Number(value=value)):
            return -value
    raise Unsupported(name, argument.span.start + 1, 'expected a number')


def _seconds(argument: tree.Argument, name: str) -> int:
    seconds = _number(argument, f'.{name}')
    if not 1 <= seconds <= MOST_SECONDS or seconds != int(seconds):
        raise Unsupported(f'.{name}', argument.span.start + 1, f'expected whole seconds, at most {MOST_SECONDS:,}')
    return int(seconds)


def _listed(names: tuple[str, ...]) -> str:
    return ', '.join(names[:-1]) + ' and ' + names[-1]
