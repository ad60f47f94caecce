"""The functions of a query: the nodes that they become, and the unsupported ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

from ddassets.diagnostic import Unsupported
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.calendar_shift import CalendarShift
from ddassets.engine.plan import (
    Counted,
    Difference,
    Filled,
    Leaf,
    Moving,
    Node,
    Pointwise,
    Ranking,
    Smoothed,
    Throughput,
    leaves,
    rebuilt,
    walk,
)
from ddassets.engine.pointwise import POINTWISE
from ddassets.language.query import tree
from ddassets.language.query.vocabulary import ARGUMENTS, METHODS, is_percentile
from ddassets.nearest import joined
from ddassets.regex import regex
from ddassets.zones import zone_names

# A rehearsal lasts at most ten years, so no shift and no bucket is longer.
MAX_SECONDS = 3660 * 86400

_DIFFERENCES = ('diff', 'monotonic_diff', 'dt', 'derivative', 'per_second', 'per_minute', 'per_hour')
# Rule 20.18: month_before is 28 days.
_SHIFTS = {'hour_before': 3600, 'day_before': 86400, 'week_before': 7 * 86400, 'month_before': 28 * 86400}
_COUNTS: dict[str, Literal['count_nonzero', 'count_not_null']] = {
    'count_nonzero': 'count_nonzero',
    'count_nonzero_finite': 'count_nonzero',
    'count_not_null': 'count_not_null',
}
RUNNING = ('cumsum', 'integral')
# Unsupported functions, and their alternatives.
REFUSED: Mapping[str, str] = {
    'autosmooth': 'is not allowed in monitors (rule 20.21); use median_5() or a longer window',
    'robust_trend': 'has a constant that is not published (rule 20.25); use trend_line()',
    'piecewise_constant': 'has segments that are not published (rule 20.25); use median_9()',
    'equiv_to': 'has no public description (rule 20.24)',
    'mavg': 'has no public description; use moving_rollup()',
    **dict.fromkeys(
        ('rollingavg_5', 'rollingavg_13', 'rollingavg_21', 'rollingavg_29'),
        'may be centred or trailing, which is not published (rule 20.26); use moving_rollup()',
    ),
    **dict.fromkeys(
        RUNNING,
        'has no defined start in a monitor (rule 20.15); use sum() over the window, or choose '
        '"over the window" for assumption A81',
    ),
}
TOP = regex(r'(top|bottom)(5|10|15|20)(?:_(mean|min|max|last|area|l2norm))?')
_SMOOTHED = regex(r'(median|ewma)(?:_(\d+))?')
_DEFAULT_SPAN = {'median': 3, 'ewma': 20}


def applied(call: tree.Call, operand: Node, arguments: Sequence[tree.Argument], assumptions: Assumptions) -> Node:
    """Return the node of a function applied to a node. `arguments` are those after the first, in the right number.

    Raises Unsupported for an argument that is not evaluated.
    """
    name = call.name
    if name in POINTWISE:
        return _pointwise(name, operand, arguments, assumptions)
    if name in _SHIFTS:
        _refuse_calendar(call, operand)
        return shifted(operand, _SHIFTS[name])
    if name in _DIFFERENCES:
        # Rule 2.4: on each source of a query by itself; dt is one series over all of them.
        _refuse_calendar(call, operand)
        # The sources of a distribution are merged before.
        if isinstance(operand, Leaf) and name != 'dt' and operand.space != 'count' and not is_percentile(operand.space):
            return replace(operand, differences=(*operand.differences, name))
        return Difference(name, operand)
    if name == 'timeshift':
        _refuse_calendar(call, operand)
        return shifted(operand, _seconds_back(arguments[0]))
    if name == 'calendar_shift':
        return _calendar(call, operand, arguments, assumptions)
    if name in _COUNTS:
        return _counted(call, operand, assumptions)
    if match := _SMOOTHED.fullmatch(name):
        kind = cast(Literal['median', 'ewma'], match[1])
        return Smoothed(kind, operand, int(match[2] or _DEFAULT_SPAN[kind]))
    if name in ('trend_line', *RUNNING):
        assumptions.rely_on(Assumptions.trend_range if name == 'trend_line' else Assumptions.running_sum)
        return Smoothed(cast(Literal['trend_line', 'cumsum', 'integral'], name), operand)
    return _OTHERS[name](operand, arguments)


def _pointwise(name: str, operand: Node, arguments: Sequence[tree.Argument], assumptions: Assumptions) -> Node:
    bound = number(arguments[0], f'{name}()') if arguments else 0.0
    node = Pointwise(name, operand, bound)
    return Filled('gap', node, bound) if POINTWISE[name].fills and assumptions.clamped_gap == 'n' else node


def _calendar(call: tree.Call, operand: Node, arguments: Sequence[tree.Argument], assumptions: Assumptions) -> Node:
    text, zone = (argument.value if isinstance(argument, tree.Text) else '' for argument in arguments)
    if zone not in zone_names():
        raise Unsupported(
            'calendar_shift()', arguments[1].span.start + 1, 'expected a time zone such as "Europe/Berlin"'
        )
    shift = CalendarShift.parse(text, zone)
    if shift is None or shift.greatest > MAX_SECONDS:
        reason = 'expected a shift such as "-1d", "-4w" or "-1mo"'
        raise Unsupported('calendar_shift()', arguments[0].span.start + 1, reason)
    if any(leaf.shift or leaf.calendar or leaf.differences for leaf in leaves(operand)):
        reason = 'around a difference or another shift is not evaluated'
        raise Unsupported('calendar_shift()', call.span.start + 1, reason)
    if shift.unit == 'mo':
        assumptions.rely_on(Assumptions.month_end)
    return _with_calendar(operand, shift)


def _with_calendar(node: Node, shift: CalendarShift) -> Node:
    if isinstance(node, Leaf):
        return replace(node, calendar=shift)
    return rebuilt(node, lambda child: _with_calendar(child, shift))


def _refuse_calendar(call: tree.Call, operand: Node) -> None:
    if any(leaf.calendar for leaf in leaves(operand)):
        raise Unsupported(f'{call.name}()', call.span.start + 1, 'around calendar_shift() is not evaluated')


def _counted(call: tree.Call, operand: Node, assumptions: Assumptions) -> Node:
    if any(isinstance(node, Counted) for node in walk(operand)):
        raise Unsupported(f'{call.name}()', call.span.start + 1, 'around another count of groups')
    node = Counted(_COUNTS[call.name], (operand,))
    return Filled('gap', node) if assumptions.count_of_nothing == '0' else node


# The other functions. Rule 20.1: a monitor leaves out groups without a value for a key anyway.
_OTHERS: Mapping[str, Callable[[Node, Sequence[tree.Argument]], Node]] = {
    'exclude_null': lambda operand, _: operand,
    'throughput': lambda operand, _: Throughput(operand),
    'moving_rollup': lambda operand, arguments: _moving(operand, *arguments),
    'default_zero': lambda operand, _: Filled('default_zero', operand),
    'default': lambda operand, arguments: Filled('default', operand, number(arguments[0], 'default()')),
}


def ranked(expression: tree.Expression) -> tuple[Ranking | None, tree.Expression]:
    """Return the top() around a query, and the query."""
    if not isinstance(expression, tree.Call):
        return None, expression
    short = TOP.fullmatch(expression.name)
    if not short and expression.name != 'top':
        return None, expression
    first, *rest = call_arguments(expression)
    if short:
        return Ranking(int(short[2]), short[3] or 'mean', short[1] == 'top'), first
    count = number(rest[0], 'top()')
    if count not in (5, 10, 25, 50, 100):
        raise Unsupported('top()', rest[0].span.start + 1, 'expected 5, 10, 25, 50 or 100 groups')
    rank, direction = (
        _choice(argument, 'top()', allowed) for argument, allowed in zip(rest[1:], ARGUMENTS['top'][1:], strict=True)
    )
    return Ranking(int(count), rank, direction == 'desc'), first


def shifted(node: Node, seconds: int) -> Node:
    """Return the node `seconds` earlier."""
    if isinstance(node, Leaf):
        return replace(node, shift=node.shift + seconds)
    return rebuilt(node, lambda child: shifted(child, seconds))


def call_arguments(call: tree.Call) -> tuple[tree.Expression, *tuple[tree.Argument, ...]]:
    """Return the arguments of a call, the first being a query. Raises Unsupported for another number."""
    expected = 1 + len(ARGUMENTS[call.name])
    if len(call.arguments) != expected:
        reason = f'with {len(call.arguments)} arguments, expected {expected}'
        raise Unsupported(f'{call.name}()', call.span.start + 1, reason)
    first, *rest = call.arguments
    if isinstance(first, tree.Text | tree.Word | tree.Tags | tree.Named):
        raise Unsupported(f'{call.name}()', first.span.start + 1, 'expected a query')
    return first, *rest


def _choice(argument: tree.Argument, name: str, allowed: str | tuple[str, ...]) -> str:
    assert not isinstance(allowed, str), 'the table lists the choices of this argument'
    value = argument.value if isinstance(argument, tree.Text | tree.Word) else ''
    if value not in allowed:
        raise Unsupported(name, argument.span.start + 1, f'expected {joined(allowed, "or")} in quotes')
    return value


def _moving(operand: Node, seconds: tree.Argument, method: tree.Argument) -> Moving:
    return Moving(operand, whole_seconds(seconds, 'moving_rollup()'), _choice(method, 'moving_rollup()', METHODS))


def _seconds_back(argument: tree.Argument) -> int:
    seconds = number(argument, 'timeshift()')
    if not -MAX_SECONDS <= seconds <= 0 or seconds != int(seconds):
        expected = f'expected whole seconds back, such as -3600, at most {MAX_SECONDS:,}'
        raise Unsupported('timeshift()', argument.span.start + 1, expected)
    return -int(seconds)


def number(argument: tree.Argument, name: str) -> float:
    match argument:
        case tree.Number(value=value):
            return value
        case tree.Negative(operand=tree.Number(value=value)):
            return -value
    raise Unsupported(name, argument.span.start + 1, 'expected a number')


def whole_seconds(argument: tree.Argument, name: str) -> int:
    seconds = number(argument, name)
    if not 1 <= seconds <= MAX_SECONDS or seconds != int(seconds):
        raise Unsupported(name, argument.span.start + 1, f'expected whole seconds, at most {MAX_SECONDS:,}')
    return int(seconds)


#: Every function that is evaluated.
EVALUATED = tuple(sorted({*ARGUMENTS} - {*REFUSED}))
