"""Formulas of monitors: `formula("a / b").last("5m") > 1` over the variables of `options.variables` (rule 17.1)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from ddassets.diagnostic import Span
from ddassets.language.query.syntax import QuerySyntaxError, parse_formula, render
from ddassets.language.query.tree import Expression, Metric, MonitorQuery, Node, Reference, rewrite, walk
from ddassets.regex import regex

#: The data sources of event variables that are evaluated, and the products of a scenario's events (rule 17.3).
EVENTS: Mapping[str, tuple[str, ...]] = {
    'logs': ('logs',),
    'rum': ('rum',),
    'spans': ('spans', 'trace-analytics'),
    'events': ('events',),
    'audit': ('audit', 'audits'),
    'ci_pipelines': ('ci-pipelines',),
    'ci_tests': ('ci-tests',),
}
#: The name of a variable.
NAME = regex(r'[^\W\d]\w*')
_HEAD = regex(r'\s*formula\s*\(')
# One term of the text that the page of a monitor displays: `count[ci_level:job]` or `avg(@duration)[service:pay]`.
_DISPLAYED = regex(r'\b[a-z_0-9]+(?:\([^()\[\]]*\))?\[[^\[\]]*\]')


def is_formula(query: str) -> bool:
    """Whether a monitor's query begins as those of formula monitors do."""
    return _HEAD.match(query) is not None


def references(query: MonitorQuery) -> Iterator[Reference]:
    """Yield every name of a variable in a formula, in the order of the text."""
    return (node for node in walk(query) if isinstance(node, Reference))


def inline_metrics(query: MonitorQuery) -> Iterator[Metric]:
    """Yield every metric query in the text of a formula, which may contain only names."""
    return (node for node in walk(query) if isinstance(node, Metric))


def substituted(query: MonitorQuery, variable: Callable[[Reference], Expression]) -> MonitorQuery:
    """Return the query with each name replaced; faults of the replacement are shown at the name."""

    def change(part: Node) -> Node:
        return _placed(variable(part), part.span) if isinstance(part, Reference) else part

    return rewrite(query, change)


def _placed[T: Node](node: T, span: Span) -> T:
    """Return a node with all its spans replaced by one."""
    changes: dict[str, Any] = {'span': span}
    for one in fields(node):
        value = getattr(node, one.name)
        if one.name == 'name_span':
            changes[one.name] = span
        elif isinstance(value, Node):
            changes[one.name] = _placed(value, span)
        elif isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
            changes[one.name] = tuple(_placed(item, span) if isinstance(item, Node) else item for item in value)
    return replace(node, **changes)


def displayed(text: str) -> tuple[str, list[str]] | None:
    """Return the formula and the names of its variables for a text that the page displays; None for another text.

    >>> displayed('(count[ci_level:job @ci.status:error] / count[ci_level:job]) * 100')
    ('a / b * 100', ['a', 'b'])
    """
    names: dict[str, str] = {}
    for match in _DISPLAYED.finditer(text):
        names.setdefault(match[0], chr(ord('a') + len(names) % 26))
    if not names:
        return None
    try:
        return render(parse_formula(_DISPLAYED.sub(lambda match: names[match[0]], text))), [*names.values()]
    except QuerySyntaxError:
        return None
