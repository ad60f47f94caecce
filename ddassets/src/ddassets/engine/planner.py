"""Convert a parsed query to a plan: the part of the language that the engine evaluates exactly.

It refuses everything else with its name and column (section 1 of the semantics), and never guesses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ddassets import duration
from ddassets.diagnostic import Unsupported
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.buckets import CalendarBuckets, CalendarUnit, parse_hour
from ddassets.engine.cumulative import EXTENTS, CumulativeUnit
from ddassets.engine.functions import (
    EVALUATED,
    REFUSED,
    RUNNING,
    TOP,
    applied,
    call_arguments,
    ranked,
    shifted,
    whole_seconds,
)
from ddassets.engine.plan import (
    INTERPOLATION_LIMIT,
    Arithmetic,
    Constant,
    Counted,
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
    Ranking,
    Reduced,
    Smoothed,
    Throughput,
    children,
    has_arithmetic,
    leaves,
    rebuilt,
    walk,
)
from ddassets.engine.raw_values import Share
from ddassets.language.query import tree
from ddassets.language.query.printing import render
from ddassets.language.query.tree import MonitorQuery
from ddassets.language.query.vocabulary import ARGUMENTS, CALENDAR_UNITS, METHODS, WEEKDAYS, is_percentile
from ddassets.nearest import joined
from ddassets.zones import zone_names

AGGREGATORS = ('avg', 'sum', 'min', 'max')
#: What reduces a formula or a variable of it over the window (rules 17.1 and 17.2); others lack a definition.
REDUCERS = (*AGGREGATORS, 'last', 'area', 'l2norm')
# Other names of the same.
_USUAL = {'mean': 'avg'}
# Rule 20.22: how many values a distribution has. Percentiles are allowed too.
SPACES = (*AGGREGATORS, 'count')
# A moving_rollup reads at most this many windows back.
MAX_MOVING_WINDOWS = 1000
# A series under the name of such a function, with the monitor's group keys as tags, replaces its result.
STUBBED = ('anomalies', 'forecast', 'outliers')


#: How long a point of a stub for forecast() over a future window stands, in seconds.
FUTURE_STUB = 3600


@dataclass(frozen=True, slots=True)
class StubWindows:
    """The windows over which a stub series is averaged, in seconds (rules 6.2 and 6.3)."""

    trigger: int
    recovery: int


def stub_windows(query: MonitorQuery, threshold_windows: tuple[int, int] | None) -> StubWindows:
    """Return the windows of a query whose function is replaced by a stub series.

    The `alert_window` of anomalies() takes precedence over `threshold_windows`: the trigger and recovery windows in the
    monitor's options, in seconds (rule 6.2).
    """
    if query.window.kind == 'next':
        return StubWindows(FUTURE_STUB, FUTURE_STUB)
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
    percentile = query.aggregator == 'percentile' or is_percentile(query.aggregator)
    formula = query.aggregator == 'formula'
    aggregator = query.aggregator if percentile else _aggregator(query)
    # Rules 17.6 and A60: without a rollup each variable is reduced by its own method.
    reduced = formula and query.rollup is None and assumptions.formula_reduction == 'reduce, then formula'
    expression = query.expression
    forecast = isinstance(expression, tree.Call) and expression.name == 'forecast' and stub is not None
    if not (forecast and query.window.kind == 'next'):
        _refuse_window(query)
    window = window_seconds(query)
    _refuse_template_variables(query)
    if isinstance(expression, tree.Call) and expression.name in STUBBED and stub is not None:
        return _stub_plan(query, expression, stub)
    ranking, expression = ranked(expression)
    if percentile:
        return _percentile_plan(query, expression, ranking, assumptions)
    node = _Builder(assumptions, reduced).node(expression)
    by = _common_keys(node, expression, formula)
    counted = any(leaf.counting == 'as_count' for leaf in leaves(node))
    asked = not formula or query.rollup is not None
    if counted and aggregator != 'sum' and query.change is None and asked:
        raise Unsupported(aggregator, column, 'of as_count is refused: only sum may aggregate it over the window')
    by_window = reduced or (counted and asked and (has_arithmetic(node) or query.change is not None))
    if query.change is not None:
        seconds = query.change.shift
        before = Earlier(node, seconds) if by_window else _before(shifted(node, seconds))
        change: Node = Arithmetic('-', node, before)
        if query.change.kind == 'pct_change':
            change = Arithmetic('*', Arithmetic('/', change, before), Constant(100.0))
        node = change
    if by_window:
        node = _by_window(node)
        _check_windows(node, expression, query)
    node = _extended(node, by_window)
    for operand in operands(node) if by_window else (node,):
        _check_unit(operand, expression)
        _check_shift(operand, by_window)
    return Plan(aggregator, window, node, by, by_window, ranking=ranking)


def formula_node(query: MonitorQuery, assumptions: Assumptions) -> Node:
    """Return the node of a formula whose variables are numbers, one for each window (rule 17.7)."""
    return _Builder(assumptions, reduced=True).node(query.expression)


def _aggregator(query: MonitorQuery) -> str:
    """Return what aggregates the expression over the window; avg for a formula without a rollup (A60)."""
    allowed: tuple[str, ...] = AGGREGATORS
    shown: tuple[str, ...] = (*AGGREGATORS, 'percentile')
    aggregator = query.aggregator
    if aggregator == 'formula':
        aggregator, allowed = _USUAL.get(query.rollup or 'avg', query.rollup or 'avg'), REDUCERS
        shown = REDUCERS
    if aggregator not in allowed:
        reason = f'as a time aggregator is not evaluated, only {joined(shown)}'
        raise Unsupported(aggregator, query.span.start + 1, reason)
    return aggregator


def window_seconds(query: MonitorQuery) -> int:
    """Return the length of a query's window, in seconds; of a cumulative one the longest extent (A54)."""
    window = query.window
    return EXTENTS[cast(CumulativeUnit, window.unit)] if window.kind == 'current' else window.seconds


def _refuse_window(query: MonitorQuery) -> None:
    window, column = query.window, query.window.span.start + 1
    name = f'{window.kind}_{window.count}{window.unit}'
    if window.kind == 'next':
        raise Unsupported(name, column, 'is not evaluated, only windows such as last_5m and current_1d')
    if window.kind == 'current' and query.change is not None:
        raise Unsupported(
            name, column, f'of a {query.change.kind} is not evaluated: which times compare is not published'
        )
    expression = query.expression
    if window.kind == 'current' and isinstance(expression, tree.Call) and expression.name in STUBBED:
        raise Unsupported(name, column, f'around {expression.name}() is not evaluated')


def _percentile_plan(
    query: MonitorQuery, expression: tree.Expression, ranking: Ranking | None, assumptions: Assumptions
) -> Plan:
    """Return the plan of `percentile(last_5m):p95:m{*}`: one percentile of all raw values (rules 17.17 and 17.18)."""
    name, column = query.aggregator, query.span.start + 1
    if query.change is not None:
        raise Unsupported(name, column, f'in {query.change.kind}() is not evaluated, only {joined(AGGREGATORS)}')
    if not isinstance(expression, tree.Metric):
        reason = 'of an expression is not evaluated, only of one query: percentile(last_5m):p95:m{*}'
        raise Unsupported(name, column, reason)
    leaf = _Builder(assumptions).leaf(expression)
    if not is_percentile(leaf.space):
        reason = f'of {leaf.space}: has no percentile; write it before the metric: percentile(last_5m):p95:m{{*}}'
        raise Unsupported(name, column, reason)
    if name != 'percentile' and Share.parse(name) != Share.parse(leaf.space):
        raise Unsupported(name, column, f'beside {leaf.space}: the two percentiles have to match (rule 17.17)')
    if expression.modifiers:
        modifier = expression.modifiers[0]
        reason = 'inside percentile() is not evaluated: it merges all raw values of the window (rule 17.18)'
        raise Unsupported(f'.{modifier.name}', modifier.span.start + 1, reason)
    return Plan('percentile', window_seconds(query), leaf, leaf.by, ranking=ranking, comparator=query.comparator)


def graph_plan(expression: tree.Expression, assumptions: Assumptions) -> Plan:
    """Return the plan of a dashboard's query, which is computed point by point and aggregated over no window.

    Raises Unsupported for what is outside the subset.
    """
    node = _extended(_Builder(assumptions).node(expression), by_window=False)
    _check_unit(node, expression)
    _check_shift(node, by_window=False)
    return Plan('avg', 0, node, _common_keys(node, expression))


def operands(node: Node) -> Iterator[Node]:
    """Yield the parts that are aggregated over the window first: variables of a formula (17.6), or the largest parts
    without arithmetic, differences, moving_rollup, counts of groups and change (rule 2.11).
    """
    if isinstance(node, Reduced):
        yield node
    elif any(isinstance(part, Arithmetic | Difference | Moving | Earlier | Counted | Reduced) for part in walk(node)):
        for child in children(node):
            yield from operands(child)
    elif not isinstance(node, Constant):
        yield node


def _before(node: Node) -> Node:
    """The node as the earlier side of a change: two series are compared, each of which is filled by itself."""
    if isinstance(node, Leaf):
        return replace(node, before=True)
    return rebuilt(node, _before)


def _by_window(node: Node) -> Node:
    """Return the node with the differences of its leaves on buckets of the window's length (rule 2.11)."""
    if isinstance(node, Reduced):
        return node
    if isinstance(node, Leaf):
        whole: Node = replace(node, differences=())
        for name in node.differences:
            whole = Difference(name, whole)
        return whole
    return rebuilt(node, _by_window)


def _extended(node: Node, by_window: bool, inside: bool = False) -> Node:
    """Return the node with the gaps below a default_zero() interpolated (rule 2.17).

    `by_window`: around arithmetic there is a single value for each window (rule 2.11), without gaps inside.
    """
    if isinstance(node, Leaf):
        return replace(node, extended=inside)
    if isinstance(node, Reduced):
        return replace(node, operand=_extended(node.operand, by_window=False))
    if isinstance(node, Filled) and node.name == 'default_zero':
        inside = not by_window or next(operands(node)) is node
    return rebuilt(node, lambda child: _extended(child, by_window, inside))


def _stub_plan(query: MonitorQuery, call: tree.Call, windows: StubWindows) -> Plan:
    """Return the plan of a stub: the share of points outside the bounds, averaged over a window (rule 6.2).

    Of a forecast over a future window, its newest point is the result.
    """
    inner = next(tree.metrics(call), None)
    if inner is None:
        raise Unsupported(call.name, call.span.start + 1, 'of no metric')
    by = _keys(inner)
    leaf = Leaf(tree.Metric('avg', call.name, inner.name_span, None, inner.by, span=call.span), 'avg', by)
    aggregator = 'last' if query.window.kind == 'next' else 'avg'
    return Plan(aggregator, windows.trigger, leaf, by, recovery_window=windows.recovery, stub=call.name)


def _keys(metric: tree.Metric) -> tuple[str, ...]:
    """Return the keys by which a query is grouped, each once."""
    return tuple(dict.fromkeys(key.name for key in metric.by))


def _refuse_template_variables(query: MonitorQuery) -> None:
    for part in tree.walk(query):
        if isinstance(part, tree.TemplateVariable):
            reason = 'is a template variable: only dashboards have them, a monitor needs a tag or *'
            raise Unsupported(f'${part.name}', part.span.start + 1, reason)


def _common_keys(node: Node, expression: tree.Expression, formula: bool = False) -> tuple[str, ...]:
    keys = _grouping(node, formula)
    if keys is None:
        raise Unsupported('a query without a metric', expression.span.start + 1, 'has nothing to evaluate')
    return keys


def _grouping(node: Node, formula: bool = False) -> tuple[str, ...] | None:
    """Return the keys by which a node is grouped; None for a number. A count of groups and dt() have none (20.2,
    20.10). In a `formula` a query without groups is used for each group of the others (rule 17.9).
    """
    if isinstance(node, Leaf):
        return node.by
    found = [(child, keys) for child in children(node) if (keys := _grouping(child, formula)) is not None]
    if formula and any(keys for _, keys in found):
        found = [(child, keys) for child, keys in found if keys]
    for child, keys in found:
        if set(keys) != set(found[0][1]):
            raise Unsupported(
                f'by {{{",".join(keys)}}}',
                next(leaves(child)).metric.span.start + 1,
                f'beside a query by {{{",".join(found[0][1])}}} is outside the subset: group all by the same keys',
            )
    if isinstance(node, Counted) or (isinstance(node, Difference) and node.name == 'dt'):
        return ()
    return found[0][1] if found else None


def _reduced(node: Node, variable: tree.Variable) -> Node:
    """Return a variable of a formula, aggregated over the window (A60); arithmetic on counts as in rule 2.11."""
    method, column = _USUAL.get(variable.method, variable.method), variable.span.start + 1
    if method not in REDUCERS:
        raise Unsupported(method, column, f'as an aggregator of a variable is not evaluated, only {joined(REDUCERS)}')
    if not any(leaf.counting == 'as_count' for leaf in leaves(node)) or not has_arithmetic(node):
        return Reduced(variable.name, node, method)
    if method != 'sum':
        raise Unsupported(method, column, f'of {variable.name}: only sum may aggregate arithmetic on as_count()')

    def each(part: Node) -> Node:
        if next(operands(part), None) is part:
            return Reduced(f'{variable.name}: {render(next(leaves(part)).metric)}', part, method)
        return rebuilt(part, each)

    return each(_by_window(node))


def _outside(node: Node) -> Iterator[Node]:
    """Yield the node and its descendants, without those of a reduced variable."""
    yield node
    for child in () if isinstance(node, Reduced) else children(node):
        yield from _outside(child)


def _check_unit(operand: Node, expression: tree.Expression) -> None:
    """Refuse rollups of different lengths in a part that is computed point by point."""
    buckets = {_unit(leaf): leaf for leaf in leaves(operand) if leaf.bucket}
    if len(buckets) > 1:
        (first, _), (second, leaf) = list(buckets.items())[:2]
        raise Unsupported(
            f'rollup to {second}', leaf.metric.span.start + 1, f'beside one to {first} in the same arithmetic'
        )


def _unit(leaf: Leaf) -> str:
    """Describe the buckets of a rollup, so that different buckets have different descriptions."""
    if leaf.aligned is None:
        return f'{leaf.bucket} s'
    start = {
        'daily': f'days from {leaf.aligned.hour}:00',
        'weekly': f'weeks from {WEEKDAYS[leaf.aligned.weekday]}',
        'monthly': 'months',
    }
    return f'{start[leaf.aligned.unit]} in {leaf.aligned.zone}'


def _check_shift(operand: Node, by_window: bool) -> None:
    """Refuse differences of a shifted rollup by calendar units, because a shift is not a fixed number of buckets.

    `by_window`: a shift moves the window there.
    """
    whole = by_window and not isinstance(operand, Reduced)
    found = () if whole else tuple(leaves(operand))
    for leaf in found if any(other.aligned for other in found) else ():
        if leaf.shift and leaf.differences:
            reason = 'by calendar units in a shifted difference is not evaluated; use rollup(method, seconds)'
            raise Unsupported('.rollup', leaf.metric.span.start + 1, reason)


def _check_windows(node: Node, expression: tree.Expression, query: MonitorQuery) -> None:
    """Refuse functions that need points around a part that has one value for each window (rule 2.11)."""
    window = query.window.seconds
    for part in _outside(node):
        if query.window.kind == 'current' and isinstance(part, Moving | Difference | Throughput):
            name = 'moving_rollup' if isinstance(part, Moving) else getattr(part, 'name', 'throughput')
            reason = 'of whole windows is not evaluated in a cumulative window, whose length differs'
            raise Unsupported(f'{name}()', expression.span.start + 1, reason)
        if isinstance(part, Moving) and part.seconds > MAX_MOVING_WINDOWS * window:
            reason = f'of more than {MAX_MOVING_WINDOWS:,} windows'
            raise Unsupported('moving_rollup()', expression.span.start + 1, reason)
        if isinstance(part, Smoothed) and next(operands(part), None) is not part:
            name = f'{part.name}_{part.span}()' if part.span else f'{part.name}()'
            raise Unsupported(name, expression.span.start + 1, 'around arithmetic with .as_count() is not evaluated')


class _Builder:
    """Converts an expression to nodes. Raises Unsupported for what is outside the subset."""

    def __init__(self, assumptions: Assumptions, reduced: bool = False) -> None:
        self._assumptions = assumptions
        self._reduced = reduced

    def node(self, expression: tree.Expression) -> Node:
        column = expression.span.start + 1
        match expression:
            case tree.Number(value=value):
                return Constant(value)
            case tree.Metric():
                return self.leaf(expression)
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
            case tree.Variable(expression=inner_expression):
                inner = self.node(inner_expression)
                return _reduced(inner, expression) if self._reduced else inner
            case tree.Reference(name=name):
                raise Unsupported(name, column, 'a reference to another query, as formulas have it')

    def _call(self, call: tree.Call) -> Node:
        name, column = call.name, call.span.start + 1
        if name in STUBBED:
            raise Unsupported(f'{name}()', column, 'cannot be computed from public documentation; give a stub series')
        if name in REFUSED and not (name in RUNNING and self._assumptions.running_sum == 'over the window'):
            raise Unsupported(f'{name}()', column, REFUSED[name])
        if name == 'top' or TOP.fullmatch(name):
            raise Unsupported(f'{name}()', column, 'is evaluated only around the whole query')
        if name not in ARGUMENTS:
            raise Unsupported(f'{name}()', column, f'is not evaluated, only {joined(EVALUATED)}')
        first, *rest = call_arguments(call)
        operand = self.node(first)
        if name == 'default_zero' and any(isinstance(node, Filled) for node in walk(operand)):
            raise Unsupported('default_zero()', column, 'around another default_zero() or default()')
        return applied(call, operand, rest, self._assumptions)

    def leaf(self, metric: tree.Metric) -> Leaf:
        """Return the node of one query."""
        # Rule 1.14: official assets have queries without a space aggregator.
        space = metric.aggregator or self._assumptions.space_aggregator
        column = metric.span.start + 1
        if space not in SPACES and not is_percentile(space):
            allowed = joined((*SPACES, 'percentiles such as p95'))
            raise Unsupported(space, column, f'as a space aggregator is not evaluated, only {allowed}')
        if is_percentile(space) and Share.parse(space) is None:
            raise Unsupported(space, column, 'is not a percentile that is evaluated, only p0 to p100, with 3 decimals')
        leaf = Leaf(metric, space, _keys(metric))
        for modifier in metric.modifiers:
            leaf = _modified(leaf, modifier)
            if leaf.space == 'count' and leaf.method not in (None, 'sum'):
                reason = 'of a distribution has no method (rule 20.22); use .rollup(seconds)'
                raise Unsupported('.rollup', modifier.span.start + 1, reason)
        return leaf


def _aligned(unit: tree.Word | tree.Text, arguments: Sequence[tree.Argument]) -> CalendarBuckets:
    """Return the calendar units of a rollup: the name, then the optional alignment and time zone."""
    found = CalendarBuckets(cast(CalendarUnit, unit.value))
    *before, last = arguments or (None,)
    zone = last.value if isinstance(last, tree.Word | tree.Text) else ''
    if zone in zone_names():
        found = replace(found, zone=zone)
    elif len(arguments) == 2:
        assert last is not None
        raise Unsupported('.rollup', last.span.start + 1, 'expected a time zone such as "Europe/Berlin"')
    else:
        before = list(arguments)
    for start in before:
        assert start is not None
        column, text = start.span.start + 1, start.value if isinstance(start, tree.Word | tree.Text) else ''
        if unit.value == 'weekly' and text.lower() in WEEKDAYS:
            found = replace(found, weekday=WEEKDAYS.index(text.lower()))
        elif unit.value == 'daily' and (hour := parse_hour(text)) is not None:
            found = replace(found, hour=hour)
        elif unit.value == 'monthly':
            reason = 'of months from another day than the first: how the day is written is not published (rule 20.19)'
            raise Unsupported('.rollup', column, reason)
        else:
            expected = 'a day such as monday' if unit.value == 'weekly' else 'a whole hour such as 12am'
            raise Unsupported('.rollup', column, f'expected {expected}, or a time zone such as "Europe/Berlin"')
    return found


def _modified(leaf: Leaf, modifier: tree.Modifier) -> Leaf:
    column = modifier.span.start + 1
    rolled = leaf.method is not None or leaf.bucket is not None
    match modifier.name, modifier.arguments:
        case 'rollup', (tree.Word() | tree.Text() as method, tree.Word() | tree.Text() as unit, *rest) if (
            method.value in METHODS and unit.value in CALENDAR_UNITS and len(rest) < 3 and not rolled
        ):
            # Rule 20.19.
            aligned = _aligned(unit, rest)
            return replace(leaf, method=method.value, bucket=aligned.longest - aligned.longest % 86400, aligned=aligned)
        case (('as_count' | 'as_rate'), ()) if leaf.counting is None:
            return replace(leaf, counting=modifier.name)
        case 'rollup', (tree.Word(value=method), *rest) if method in METHODS and len(rest) < 2 and not rolled:
            return replace(leaf, method=method, bucket=whole_seconds(rest[0], '.rollup') if rest else None)
        case 'weighted', () if not leaf.weighted and leaf.space == 'sum' and leaf.method in (None, 'avg'):
            # Rule 20.23: only a sum over gauges is weighted.
            return replace(leaf, weighted=True)
        case 'rollup', (tree.Number() as seconds,) if not rolled:
            return replace(leaf, bucket=whole_seconds(seconds, '.rollup'))
        case 'fill', (value, *rest) if len(rest) < 2 and leaf.fill is None:
            match value:
                case tree.Word(value='linear' | 'last' | 'zero' | 'null' as method):
                    pass
                case tree.Number(value=0.0):
                    method = 'zero'
                case _:
                    raise Unsupported('.fill', value.span.start + 1, 'expected linear, last, zero, 0 or null')
            limit = whole_seconds(rest[0], '.fill') if rest else INTERPOLATION_LIMIT
            return replace(leaf, fill=Fill(cast(FillMethod, method), limit))
    known = (
        'as_count(), as_rate(), rollup(method, seconds), rollup(method, daily, 12am, "Europe/Berlin"), '
        'fill(method, seconds) and weighted() of a sum, each once'
    )
    raise Unsupported(f'.{modifier.name}', column, f'is not evaluated in this form, only {known}')
