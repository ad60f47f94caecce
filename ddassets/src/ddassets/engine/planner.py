"""From a parsed query to a plan: the part of the language that the engine evaluates exactly.

It refuses everything else with its name and column (section 1 of the semantics), and never guesses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ddassets import duration
from ddassets.diagnostic import Unsupported
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.plan import (
    INTERPOLATION_LIMIT,
    Arithmetic,
    Constant,
    Difference,
    Earlier,
    Fill,
    Filled,
    FillMethod,
    Leaf,
    Moving,
    Node,
    Plan,
    Pointwise,
    children,
    has_arithmetic,
    leaves,
    rebuilt,
    walk,
)
from ddassets.language.query import tree
from ddassets.language.query.tree import MonitorQuery

AGGREGATORS = ('avg', 'sum', 'min', 'max')
METHODS = (*AGGREGATORS, 'count')
# A rehearsal lasts at most ten years, so no shift and no bucket is longer.
MAX_SECONDS = 3660 * 86400
# A moving_rollup reads at most this many windows back.
MAX_MOVING_WINDOWS = 1000
# A series under the name of such a function, with the monitor's group keys as tags, replaces its result.
STUBBED = ('anomalies', 'forecast', 'outliers')

_DIFFERENCES = ('diff', 'dt', 'derivative', 'per_second', 'per_minute', 'per_hour')
_SHIFTS = {'hour_before': 3600, 'day_before': 86400, 'week_before': 604800}
_NUMBER_OF_ARGUMENTS = {'clamp_min': 2, 'clamp_max': 2, 'timeshift': 2, 'default': 2, 'moving_rollup': 3}
_FUNCTIONS = ('abs', 'default_zero', *_NUMBER_OF_ARGUMENTS, *_DIFFERENCES, *_SHIFTS)


@dataclass(frozen=True, slots=True)
class StubWindows:
    """The windows over which the series that replaces a function is averaged, in seconds (rules 6.2 and 6.3)."""

    trigger: int
    recovery: int


def stub_windows(query: MonitorQuery, threshold_windows: tuple[int, int] | None) -> StubWindows:
    """Return the windows of a query whose function a series replaces.

    The `alert_window` of anomalies() decides, with or without `threshold_windows`, which are the trigger and the
    recovery window of the monitor's options in seconds (rule 6.2).
    """
    trigger = _alert_window(query.expression) or (threshold_windows or (query.window.seconds,))[0]
    return StubWindows(trigger, threshold_windows[1] if threshold_windows else trigger)


def _alert_window(expression: tree.Expression) -> int | None:
    if not isinstance(expression, tree.Call):
        return None
    for argument in expression.arguments:
        if isinstance(argument, tree.Named) and argument.name == 'alert_window':
            text = argument.value.value if isinstance(argument.value, tree.Text | tree.Word) else ''
            seconds = duration.parse(text.removeprefix('last_')) if text.startswith('last_') else None
            if not seconds:
                raise Unsupported('alert_window', argument.span.start + 1, 'expected a window such as last_15m')
            return seconds
    return None


def make_plan(query: MonitorQuery, assumptions: Assumptions, stub: StubWindows | None = None) -> Plan:
    """Return the plan of a monitor's query.

    `stub` is given where a series replaces the result of anomalies(), forecast() or outliers().

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
    _refuse_template_variables(query)
    expression = query.expression
    if isinstance(expression, tree.Call) and expression.name in STUBBED and stub is not None:
        return _stub_plan(query, expression, stub)
    node = _Builder(assumptions).node(expression)
    by = _common_keys(node, expression)
    counted = any(leaf.counting == 'as_count' for leaf in leaves(node))
    if counted and query.aggregator != 'sum' and query.change is None:
        raise Unsupported(query.aggregator, column, 'of as_count is refused: only sum may aggregate it over the window')
    by_window = counted and (has_arithmetic(node) or query.change is not None)
    if query.change is not None:
        seconds = query.change.shift
        before = Earlier(node, seconds) if by_window else shifted(node, seconds)
        change: Node = Arithmetic('-', node, before)
        if query.change.kind == 'pct_change':
            change = Arithmetic('*', Arithmetic('/', change, before), Constant(100.0))
        node = change
    node = _by_window(node) if by_window else node
    node = _extended(node, by_window)
    for operand in operands(node) if by_window else (node,):
        _check_unit(operand, expression)
    for moving in walk(node):
        if isinstance(moving, Moving) and moving.seconds > MAX_MOVING_WINDOWS * query.window.seconds:
            reason = f'of more than {MAX_MOVING_WINDOWS:,} windows'
            raise Unsupported('moving_rollup()', expression.span.start + 1, reason)
    return Plan(query.aggregator, query.window.seconds, node, by, by_window)


def graph_plan(expression: tree.Expression, assumptions: Assumptions) -> Plan:
    """Return the plan of a dashboard's query, which is computed point by point and aggregated over no window.

    Raises Unsupported for what is outside the subset.
    """
    node = _extended(_Builder(assumptions).node(expression), by_window=False)
    _check_unit(node, expression)
    return Plan('avg', 0, node, _common_keys(node, expression))


def operands(node: Node) -> Iterator[Node]:
    """Yield the parts that are aggregated over the window before anything else: the largest without arithmetic,
    differences, moving_rollup and change (rule 2.11).
    """
    if any(isinstance(one, Arithmetic | Difference | Moving | Earlier) for one in walk(node)):
        for child in children(node):
            yield from operands(child)
    elif not isinstance(node, Constant):
        yield node


def shifted(node: Node, seconds: int) -> Node:
    """Return the node as it was `seconds` earlier."""
    if isinstance(node, Leaf):
        return replace(node, shift=node.shift + seconds)
    return rebuilt(node, lambda child: shifted(child, seconds))


def _by_window(node: Node) -> Node:
    """The node with the differences of its leaves on window-level buckets (rule 2.11)."""
    if isinstance(node, Leaf):
        whole: Node = replace(node, differences=())
        for name in node.differences:
            whole = Difference(name, whole)
        return whole
    return rebuilt(node, _by_window)


def _extended(node: Node, by_window: bool, inside: bool = False) -> Node:
    """The node with the gaps below a default_zero() interpolated (rule 2.17).

    `by_window`: one around arithmetic sees the one value of each window (rule 2.11), and no gaps within.
    """
    if isinstance(node, Leaf):
        return replace(node, extended=inside)
    if isinstance(node, Filled) and node.name == 'default_zero':
        inside = not by_window or next(operands(node)) is node
    return rebuilt(node, lambda child: _extended(child, by_window, inside))


def _stub_plan(query: MonitorQuery, call: tree.Call, windows: StubWindows) -> Plan:
    """A stub gives the share of points beyond the bounds; its mean over a window is compared (rule 6.2)."""
    inner = next(tree.metrics(call), None)
    if inner is None:
        raise Unsupported(call.name, call.span.start + 1, 'of no metric')
    by = _keys(inner)
    leaf = Leaf(tree.Metric('avg', call.name, inner.name_span, None, inner.by, span=call.span), 'avg', by)
    return Plan('avg', windows.trigger, leaf, by, recovery_window=windows.recovery, stub=call.name)


def _keys(metric: tree.Metric) -> tuple[str, ...]:
    """The keys that a query is grouped by, each once."""
    return tuple(dict.fromkeys(key.name for key in metric.by))


def _refuse_template_variables(query: MonitorQuery) -> None:
    for part in tree.walk(query):
        if isinstance(part, tree.TemplateVariable):
            reason = 'is a template variable: only dashboards have them, a monitor needs a tag or *'
            raise Unsupported(f'${part.name}', part.span.start + 1, reason)


def _common_keys(node: Node, expression: tree.Expression) -> tuple[str, ...]:
    every = list(leaves(node))
    if not every:
        raise Unsupported('a query without a metric', expression.span.start + 1, 'has nothing to evaluate')
    for leaf in every:
        if set(leaf.by) != set(every[0].by):
            raise Unsupported(
                f'by {{{",".join(leaf.by)}}}',
                leaf.metric.span.start + 1,
                f'beside a query by {{{",".join(every[0].by)}}} is outside the subset: group all alike',
            )
    return every[0].by


def _check_unit(operand: Node, expression: tree.Expression) -> None:
    """Refuse two lengths of rollup in what is computed point by point, and moving_rollup there."""
    buckets = {leaf.bucket: leaf for leaf in leaves(operand) if leaf.bucket}
    if len(buckets) > 1:
        (first, _), (second, leaf) = list(buckets.items())[:2]
        raise Unsupported(
            f'rollup to {second} s', leaf.metric.span.start + 1, f'beside one to {first} s in the same arithmetic'
        )
    if any(isinstance(node, Moving) for node in walk(operand)):
        raise Unsupported(
            'moving_rollup()', expression.span.start + 1, 'is evaluated only in arithmetic with .as_count()'
        )


class _Builder:
    """Turns an expression into nodes. Raises Unsupported for what is outside the subset."""

    def __init__(self, assumptions: Assumptions) -> None:
        self._assumptions = assumptions

    def node(self, expression: tree.Expression) -> Node:
        column = expression.span.start + 1
        match expression:
            case tree.Number(value=value):
                return Constant(value)
            case tree.Metric():
                return self._leaf(expression)
            case tree.Negative(operand=operand):
                inner = self.node(operand)
                return Constant(-inner.value) if isinstance(inner, Constant) else Pointwise('negative', inner)
            case tree.Binary(operator=operator, left=left, right=right):
                return Arithmetic(operator, self.node(left), self.node(right))
            case tree.Call():
                for modifier in expression.modifiers:
                    raise Unsupported(f'.{modifier.name}', modifier.span.start + 1, f'after {expression.name}()')
                return self._call(expression)
            case tree.Modified(modifiers=modifiers):
                raise Unsupported(f'.{modifiers[0].name}', modifiers[0].span.start + 1, 'after parentheses')
            case tree.Reference(name=name):
                raise Unsupported(name, column, 'a reference to another query, as formulas have it')

    def _call(self, call: tree.Call) -> Node:
        name, column = call.name, call.span.start + 1
        if name in STUBBED:
            raise Unsupported(f'{name}()', column, 'is not reproducible from what is published; give a stub series')
        if name not in _FUNCTIONS:
            raise Unsupported(f'{name}()', column, f'is not evaluated, only {_listed(_FUNCTIONS)}')
        expected = _NUMBER_OF_ARGUMENTS.get(name, 1)
        if len(call.arguments) != expected:
            raise Unsupported(f'{name}()', column, f'with {len(call.arguments)} arguments, expected {expected}')
        first, *rest = call.arguments
        if isinstance(first, tree.Text | tree.Word | tree.Tags | tree.Named):
            raise Unsupported(f'{name}()', first.span.start + 1, 'expected a query')
        operand = self.node(first)
        if name == 'default_zero' and any(isinstance(node, Filled) for node in walk(operand)):
            raise Unsupported('default_zero()', column, 'around another default_zero() or default()')
        return _applied(name, operand, rest)

    def _leaf(self, metric: tree.Metric) -> Leaf:
        # Rule 1.14: official assets have queries without a space aggregator.
        space = metric.aggregator or self._assumptions.space_aggregator
        if space not in AGGREGATORS:
            column = metric.span.start + 1
            raise Unsupported(space, column, f'as a space aggregator is not evaluated, only {_listed(AGGREGATORS)}')
        leaf = Leaf(metric, space, _keys(metric))
        for modifier in metric.modifiers:
            leaf = _modified(leaf, modifier)
        return leaf


def _applied(name: str, operand: Node, arguments: Sequence[tree.Argument]) -> Node:
    """A function of a node. The arguments are those after the first, in the right number."""
    match name:
        case 'timeshift':
            return shifted(operand, _seconds_back(arguments[0]))
        case 'moving_rollup':
            return _moving(operand, *arguments)
        case 'default_zero':
            return Filled('default_zero', operand)
        case 'default':
            return Filled('default', operand, _number(arguments[0], 'default()'))
    if name in _SHIFTS:
        return shifted(operand, _SHIFTS[name])
    if name in _DIFFERENCES:
        # Rule 2.4: on each source of a query by itself; dt is one series over all of them.
        if isinstance(operand, Leaf) and name != 'dt':
            return replace(operand, differences=(*operand.differences, name))
        return Difference(name, operand)
    return Pointwise(name, operand, _number(arguments[0], name) if arguments else 0.0)


def _moving(operand: Node, seconds: tree.Argument, method: tree.Argument) -> Moving:
    value = method.value if isinstance(method, tree.Text | tree.Word) else ''
    if value not in METHODS:
        raise Unsupported('moving_rollup()', method.span.start + 1, f'expected {_listed(METHODS)} in quotes')
    return Moving(operand, _seconds(seconds, 'moving_rollup()'), value)


def _seconds_back(argument: tree.Argument) -> int:
    seconds = _number(argument, 'timeshift()')
    if not -MAX_SECONDS <= seconds <= 0 or seconds != int(seconds):
        expected = f'expected whole seconds back, such as -3600, at most {MAX_SECONDS:,}'
        raise Unsupported('timeshift()', argument.span.start + 1, expected)
    return -int(seconds)


def _modified(leaf: Leaf, modifier: tree.Modifier) -> Leaf:
    column = modifier.span.start + 1
    rolled = leaf.method is not None or leaf.bucket is not None
    match modifier.name, modifier.arguments:
        case (('as_count' | 'as_rate'), ()) if leaf.counting is None:
            return replace(leaf, counting=modifier.name)
        case 'rollup', (tree.Word(value=method), *rest) if method in METHODS and len(rest) < 2 and not rolled:
            return replace(leaf, method=method, bucket=_seconds(rest[0], '.rollup') if rest else None)
        case 'rollup', (tree.Number() as seconds,) if not rolled:
            return replace(leaf, bucket=_seconds(seconds, '.rollup'))
        case 'fill', (value, *rest) if len(rest) < 2 and leaf.fill is None:
            match value:
                case tree.Word(value='linear' | 'last' | 'zero' | 'null' as method):
                    pass
                case tree.Number(value=0.0):
                    method = 'zero'
                case _:
                    raise Unsupported('.fill', value.span.start + 1, 'expected linear, last, zero, 0 or null')
            limit = _seconds(rest[0], '.fill') if rest else INTERPOLATION_LIMIT
            return replace(leaf, fill=Fill(cast(FillMethod, method), limit))
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
    seconds = _number(argument, name)
    if not 1 <= seconds <= MAX_SECONDS or seconds != int(seconds):
        raise Unsupported(name, argument.span.start + 1, f'expected whole seconds, at most {MAX_SECONDS:,}')
    return int(seconds)


def _listed(names: tuple[str, ...]) -> str:
    return ', '.join(names[:-1]) + ' and ' + names[-1]
