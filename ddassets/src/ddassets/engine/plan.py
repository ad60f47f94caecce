"""The plan of a monitor's evaluation: a tree of nodes, and the functions that walk it. `planner.make_plan` builds it
from a parsed query.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ddassets.engine.buckets import CalendarBuckets
from ddassets.engine.calendar_shift import CalendarShift
from ddassets.language.query import tree

# Rule 2.16: how long a source's last value is held, in seconds.
INTERPOLATION_LIMIT = 300

# What counts points before the window, instead of seconds, finds them in two days.
_UNBOUNDED = 2 * 86400

type FillMethod = Literal['linear', 'last', 'zero', 'null']


@dataclass(frozen=True, slots=True)
class Fill:
    """How the gaps of a source are filled (rules 2.16 and 7.4). `limit`: seconds after the last sample."""

    method: FillMethod
    limit: int = INTERPOLATION_LIMIT


@dataclass(frozen=True, slots=True)
class Leaf:
    """One metric query, read `shift` seconds before the point, or as `calendar` says.

    `method` and `bucket` (seconds) are those of the rollup, `fill` is an explicit one; None where the query has none.
    Without a method a bucket is summed under as_count, and is the mean otherwise (rules 2.14 and 7.4). `differences`
    act on each source before the space aggregation, the first one first (rule 2.4). `extended`: gaps are interpolated
    at every bucket, even of one source, for a default_zero() is around it (rule 2.17). `weighted`: a bucket's value is
    the mean times the share of the bucket in which the source reported (rule 20.23). `group`: only sources of this
    group are read, for the query is one of those that a count of groups is made of. `aligned`: the buckets are calendar
    units, and `bucket` is about as long as one (rule 20.19). `before`: the leaf is one of the earlier side of a change,
    which no more than the other side makes an operand of arithmetic of it (rule 2.16).
    """

    metric: tree.Metric
    space: str
    by: tuple[str, ...]
    counting: Literal['as_count', 'as_rate'] | None = None
    method: str | None = None
    bucket: int | None = None
    fill: Fill | None = None
    shift: int = 0
    differences: tuple[str, ...] = ()
    extended: bool = False
    weighted: bool = False
    calendar: CalendarShift | None = None
    group: frozenset[str] | None = None
    aligned: CalendarBuckets | None = None
    before: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a leaf: number `index` of its series."""

    leaf: Leaf
    index: int


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
    """A function of a single point, a row of `pointwise.POINTWISE`; negation is one too."""

    name: str
    operand: 'Node'
    bound: float = 0.0


@dataclass(frozen=True, slots=True)
class Throughput:
    """`throughput(q)`: each value divided by the seconds of its bucket (rule 20.11)."""

    operand: 'Node'


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of groups with a value at a point, or with a value other than 0 (rule 20.2).

    `operands` has one query for each group; before `with_groups`, the query of all groups.
    """

    name: Literal['count_nonzero', 'count_not_null']
    operands: tuple['Node', ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`diff`, `monotonic_diff`, `dt` or a rate: computed from each point and the previous one."""

    name: str
    operand: 'Node'


@dataclass(frozen=True, slots=True)
class Filled:
    """`default_zero(q)` (rule 2.17), `default(q, value)` (rule 20.7), or a gap that an assumption fills (A74, A75)."""

    name: Literal['default_zero', 'default', 'gap']
    operand: 'Node'
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Moving:
    """`moving_rollup(q, seconds, 'method')`: each point is an aggregate of the points of the last seconds (20.12)."""

    operand: 'Node'
    seconds: int
    method: str


@dataclass(frozen=True, slots=True)
class Smoothed:
    """`median_n` and `ewma_n`, of each point and those before it (20.13, 20.14), or `trend_line`, `cumsum` and
    `integral`, over the evaluation window (20.25, 20.15). `span` is n.
    """

    name: Literal['median', 'ewma', 'trend_line', 'cumsum', 'integral']
    operand: 'Node'
    span: int = 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same query `seconds` earlier: the other operand of a change over windows (rule 2.11)."""

    operand: 'Node'
    seconds: int


@dataclass(frozen=True, slots=True)
class Reported:
    """The operand where one of its queries has a point: what fills gaps alone is no data (A6)."""

    operand: 'Node'


@dataclass(frozen=True, slots=True)
class Reduced:
    """A variable of a formula, or an operand of one with as_count, aggregated over the window by its own `method`
    before the formula (rule 17.6, A60).
    """

    name: str
    operand: 'Node'
    method: str


type Wrapper = Pointwise | Throughput | Difference | Filled | Moving | Smoothed | Earlier | Reported
type Node = Leaf | Source | Constant | Arithmetic | Counted | Reduced | Wrapper


@dataclass(frozen=True, slots=True)
class Ranking:
    """`top(q, number, 'rank', 'direction')`: only the first groups have data at an evaluation (rule 20.16)."""

    number: int
    rank: str
    largest: bool


@dataclass(frozen=True)
class Plan:
    """What one monitor evaluates. `window` and `recovery_window` are in seconds.

    `by_window`: each operand is aggregated over the window first, a variable of a formula by its own method (17.6), and
    `expression` is computed from the results (rule 2.11); otherwise `expression` is computed point by point and
    aggregated then. `stub` names the function that a series replaces; `recovery_window` is then the one for recovery
    thresholds (rule 6.3). `ranking`: which groups have data at an evaluation. `aggregator` is `percentile` for that of
    all raw values of a window; `comparator` is that of the query then (A63).
    """

    aggregator: str
    window: int
    expression: Node
    by: tuple[str, ...]
    by_window: bool = False
    recovery_window: int | None = None
    stub: str | None = None
    ranking: Ranking | None = None
    comparator: str = ''

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(dict.fromkeys(leaves(self.expression)))

    @cached_property
    def fills(self) -> tuple[Filled, ...]:
        """Every default_zero() and default() in the plan."""
        return tuple(node for node in walk(self.expression) if isinstance(node, Filled))


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct children. Raises TypeError for a value that is not a node.

    >>> children(Arithmetic('+', Constant(1.0), Constant(2.0)))
    (Constant(value=1.0), Constant(value=2.0))
    """
    match node:
        case Leaf() | Source() | Constant():
            return ()
        case Arithmetic(left=left, right=right):
            return left, right
        case Counted(operands=operands):
            return operands
        case Reduced(operand=operand):
            return (operand,)
        case Pointwise() | Throughput() | Difference() | Filled() | Moving() | Smoothed() | Earlier() | Reported():
            return (node.operand,)
    raise TypeError(f'not a node of a plan: {node!r}')


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all its descendants, in the order of the text."""
    yield node
    for child in children(node):
        yield from walk(child)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with each child replaced by the result of `change`."""
    below = [change(child) for child in children(node)]
    match node:
        case Arithmetic():
            return replace(node, left=below[0], right=below[1])
        case Counted():
            return replace(node, operands=tuple(below))
        case Reduced():
            return replace(node, operand=below[0])
        case Pointwise() | Throughput() | Difference() | Filled() | Moving() | Smoothed() | Earlier() | Reported():
            return replace(node, operand=below[0])
    return node


def with_groups(node: Node, groups: Callable[[tuple[Leaf, ...]], Sequence[frozenset[str]]]) -> Node:
    """Return the node with one operand for each group in each count of groups; `groups` returns the leaves of a
    group.
    """
    if isinstance(node, Counted):
        (operand,) = node.operands
        each = tuple(_of_group(operand, group) for group in groups(tuple(leaves(operand))))
        return replace(node, operands=each or node.operands)
    return rebuilt(node, lambda child: with_groups(child, groups))


def _of_group(node: Node, group: frozenset[str]) -> Node:
    if isinstance(node, Leaf):
        return replace(node, group=group)
    return rebuilt(node, lambda child: _of_group(child, group))


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield every metric query in the node."""
    return (one for one in walk(node) if isinstance(one, Leaf))


def depth(node: Node) -> int:
    """Return how many previous points a point of the node depends on: the number of nested differences."""
    match node:
        case Leaf(differences=names):
            return len(names)
        case Difference(operand=operand):
            return 1 + depth(operand)
    return max(map(depth, children(node)), default=0)


def looks_back(node: Node) -> bool:
    """Whether a point of the node depends on any number of other points."""
    return any(isinstance(one, Smoothed | Moving) for one in walk(node))


def reach(plan: Plan) -> int:
    """Return the seconds before the end of a window whose samples a plan reads, apart from the last one before them."""
    return max(plan.window, plan.recovery_window or 0) + _reach(plan.expression)


def _reach(node: Node) -> int:
    inner = max(map(_reach, children(node)), default=0)
    match node:
        case Leaf():
            shift = node.shift if node.calendar is None else node.calendar.greatest
            filled = node.fill.limit if node.fill else INTERPOLATION_LIMIT
            return shift + 2 * (node.bucket or 0) + filled + (_UNBOUNDED if node.differences else 0)
        case Earlier() | Moving():
            return inner + node.seconds
        case Difference() | Smoothed():
            return inner + _UNBOUNDED
    return inner


def has_arithmetic(node: Node) -> bool:
    """Whether the node contains an operator."""
    return any(isinstance(one, Arithmetic) for one in walk(node))


def loses_values(node: Node) -> bool:
    """Whether a point may lack a value although its data are there (rule 2.13): n/0, a missing operand, a cut value."""
    cuts = any(isinstance(one, Pointwise) and one.name in _CUTS for one in walk(node))
    return cuts or has_arithmetic(node) or depth(node) > 0


# Functions that take the value away from some points.
_CUTS = ('cutoff_min', 'cutoff_max', 'log2', 'log10')


def counts(node: Node) -> bool:
    """Whether a missing value of the node counts as 0 if the other operand of an operator has a value (rule 2.13)."""
    return not isinstance(node, Constant) and all(leaf.counting == 'as_count' for leaf in leaves(node))
