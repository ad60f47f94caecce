"""The syntax tree of the metric query language (rules 1.1 to 1.11).

Every node has a `span`, the offsets of its first character and of the character after its last. Spans are not compared,
so two queries that differ only in spacing are equal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Literal

from ddassets.diagnostic import Span
from ddassets.duration import UNITS

type Comparator = Literal['<', '<=', '>', '>=', '==', '!=']


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    span: Span = field(compare=False, repr=False)


# Scopes: the filter of a metric's series (rules 1.5 and 1.6).


@dataclass(frozen=True, slots=True)
class Everything(Node):
    """`*`: no filter."""


@dataclass(frozen=True, slots=True)
class TagFilter(Node):
    """`key:value`. Without a colon `key` is None. The value may contain `*` and template variables (`$host.value`)."""

    key: str | None
    value: str


@dataclass(frozen=True, slots=True)
class TagIn(Node):
    """`key IN (a, b)`; NOT IN is a `Not` around it."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemplateVariable(Node):
    """`$name`, which is replaced by `prefix:value` of the dashboard's variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`!tag` (`symbolic`) or `NOT tag`."""

    scope: 'Scope'
    symbolic: bool


@dataclass(frozen=True, slots=True)
class And(Node):
    """All of `scopes` match: `a, b` (`symbolic`) or `a AND b`."""

    scopes: tuple['Scope', ...]
    symbolic: bool


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Any of `scopes` matches: `a OR b`."""

    scopes: tuple['Scope', ...]


type Scope = Everything | TagFilter | TagIn | TemplateVariable | Not | And | Or


# Expressions.


@dataclass(frozen=True, slots=True)
class Number(Node):
    value: float


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A quoted argument of a function, such as 'basic'."""

    value: str


@dataclass(frozen=True, slots=True)
class Word(Node):
    """A bare argument of a function, such as `sum` or `linear` or `null`."""

    value: str


@dataclass(frozen=True, slots=True)
class Tags(Node):
    """A list of tag keys or tags in braces or brackets as an argument of a function: `{host}` or `['host']`."""

    values: tuple[str, ...]
    brackets: bool = False


@dataclass(frozen=True, slots=True)
class Named(Node):
    """`name=value` among the arguments of a function."""

    name: str
    value: 'Expression | Text | Word | Tags'


type Argument = Expression | Text | Word | Tags | Named


@dataclass(frozen=True, slots=True)
class Modifier(Node):
    """`.name(arguments)` after a query or a call: rollup, fill, as_count, as_rate, weighted, … (rule 1.10)."""

    name: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Metric(Node):
    """`aggregator:name{scope} by {keys}.modifiers`. `aggregator` is None if the text has none."""

    aggregator: str | None
    name: str
    name_span: Span = field(compare=False, repr=False)
    # None if the text has no braces.
    scope: Scope | None
    by: tuple['GroupKey', ...] = ()
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupKey(Node):
    """One key in `by {…}`; in a dashboard it may be a template variable, `$key` or `$host.key`."""

    name: str


@dataclass(frozen=True, slots=True)
class Reference(Node):
    """The name of another query in a formula: `query1`, `a`."""

    name: str
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`name(arguments)`, such as `abs(…)` or `anomalies(…, 'basic', 2)`."""

    name: str
    arguments: tuple[Argument, ...]
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left operator right` with `+ - * /`; `*` and `/` bind tighter; operators are left-associative."""

    operator: Literal['+', '-', '*', '/']
    left: 'Expression'
    right: 'Expression'


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """`-operand`."""

    operand: 'Expression'


@dataclass(frozen=True, slots=True)
class Modified(Node):
    """`(operand).modifiers` of arithmetic; other operands have their own modifiers."""

    operand: 'Expression'
    modifiers: tuple[Modifier, ...]


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """The query of a variable of a monitor's formula, in place of its name (rule 17.2).

    `method` reduces it over the window before the formula, unless the formula has a rollup (A60).
    """

    name: str
    expression: 'Expression'
    method: str


type Expression = Number | Metric | Reference | Call | Binary | Negative | Modified | Variable


# Monitors: an expression, its time aggregation, and the comparison.


@dataclass(frozen=True, slots=True)
class Window(Node):
    """`last_5m`, `next_1w` or `current_1mo` (rules 1.3 and 1.4)."""

    kind: Literal['last', 'next', 'current']
    count: int
    unit: Literal['m', 'h', 'd', 'w', 'mo']

    @property
    def seconds(self) -> int:
        """The length; a month has 30 days."""
        return self.count * UNITS[self.unit]

    @property
    def words(self) -> str:
        """The window in a sentence: `last 5m`, `current 1d`."""
        return f'{self.kind} {self.count}{self.unit}'


@dataclass(frozen=True, slots=True)
class Change(Node):
    """The `change(…,shift)` around a time aggregation (rules 1.8 and 1.9). `shift` is in seconds."""

    kind: Literal['change', 'pct_change']
    shift: int


@dataclass(frozen=True, slots=True)
class MonitorQuery(Node):
    """`aggregator(window):expression comparator threshold`. The threshold may be signed.

    `formula("expression").rollup("method").by("keys").last("5m") > threshold` (rule 17.1) has the aggregator `formula`.
    `threshold` is NaN for `> threshold`, whose value comes from another query (rule 17.14).
    """

    aggregator: str
    window: Window
    change: Change | None
    expression: Expression
    comparator: Comparator
    threshold: float
    threshold_span: Span = field(compare=False, repr=False)
    rollup: str | None = None
    by: tuple[str, ...] = ()

    @property
    def dynamic(self) -> bool:
        """Whether the threshold is the value of another query."""
        return isnan(self.threshold)


# The fields of each node type that contain nodes, in the order of the text.
_PARTS: dict[type, tuple[str, ...]] = {
    And: ('scopes',),
    Binary: ('left', 'right'),
    Call: ('arguments', 'modifiers'),
    Metric: ('scope', 'by', 'modifiers'),
    Modified: ('operand', 'modifiers'),
    Modifier: ('arguments',),
    MonitorQuery: ('change', 'window', 'expression'),
    Named: ('value',),
    Negative: ('operand',),
    Not: ('scope',),
    Or: ('scopes',),
    Reference: ('modifiers',),
    Variable: ('expression',),
}


def children(node: Node) -> Iterator[Node]:
    """Return the parts of a node, in the order of the text."""
    for name in _PARTS.get(type(node), ()):
        part = getattr(node, name)
        if isinstance(part, Node):
            yield part
        elif part is not None:
            yield from part


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and every node below it, each before its parts."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed([*children(current)]))


def metrics(node: Node) -> Iterator[Metric]:
    """Return every metric of the node, in the order of the text."""
    return (part for part in walk(node) if isinstance(part, Metric))


def rewrite[T: Node](node: T, change: Callable[[Node], Node]) -> T:
    """Return the tree with `change` applied to each part of an expression, from the top; scopes are not changed.

    `change` returns the part itself to keep it, or its replacement.
    """
    return _rewrite(node, change)  # type: ignore[return-value]


def _rewrite(node: Node, change: Callable[[Node], Node]) -> Node:
    match changed := change(node):
        case Call(arguments=arguments):
            return _with(changed, arguments=tuple(_rewrite(part, change) for part in arguments))
        case Binary(left=left, right=right):
            return _with(changed, left=_rewrite(left, change), right=_rewrite(right, change))
        case Negative(operand=operand) | Modified(operand=operand):
            return _with(changed, operand=_rewrite(operand, change))
        case Named(value=value):
            return _with(changed, value=_rewrite(value, change))
        case MonitorQuery(expression=expression) | Variable(expression=expression):
            return _with(changed, expression=_rewrite(expression, change))
        case _:
            return changed


def _with(node: Node, **parts: object) -> Node:
    return node if all(getattr(node, name) == part for name, part in parts.items()) else replace(node, **parts)  # type: ignore[arg-type]
