"""What the page's dashboards are computed from: the parser, the evaluator and the series of one rehearsal, as functions."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ddassets.query import tree
from ddassets.report.columns import BUCKETS, Line, pack
from ddassets.report.model import Answer, Pool, Series

# Rule 1.10's modifiers that make a count of what would be averaged.
_COUNTS = ('as_count',)
_NOWHERE = tree.Span(0, 0)


@dataclass(frozen=True)
class Source:
    """One rehearsal's signal. `end` is not included.

    `parse` reads a query or a formula and `evaluate` gives its lines, one per group, over [start, end); both raise
    UnusableInputError. `tags` are those of every series, by metric.
    """

    start: int
    end: int
    parse: Callable[[str], tree.Expression]
    evaluate: Callable[[tree.Expression, int, int], Sequence[Line]]
    tags: Mapping[str, frozenset[str]]
    pool: Pool

    def values(self, key: str) -> list[str]:
        """Every value that a tag of this key has, sorted."""
        tags = (tag.partition(':') for tags in self.tags.values() for tag in tags)
        return sorted({value for name, colon, value in tags if colon and name == key})

    def answer(self, expression: tree.Expression) -> Answer:
        """Evaluate an expression in every length of bucket that a frame may ask for."""
        missing = sorted({metric.name for metric in metrics(expression)} - self.tags.keys())
        if missing:
            return Answer(missing=missing)
        own = [bucket for metric in metrics(expression) for bucket in _own_bucket(metric)]
        if own and len(own) == len(list(metrics(expression))):
            buckets: tuple[int, ...] = (max(own),)
        else:
            buckets = BUCKETS
        levels = {
            bucket: {line.name: line for line in self.evaluate(_rolled_up(expression, bucket), self.start, self.end)}
            for bucket in buckets
        }
        return Answer([self.pack(name, {b: lines.get(name) for b, lines in levels.items()}) for name in levels[buckets[0]]])

    def pack(self, name: str, levels: Mapping[int, Line | None]) -> Series:
        """Pack one line's levels, by length of bucket."""
        return pack(self.pool, self.start, self.end, name, levels.get, tuple(levels))


def nodes(node: object) -> Iterator[tree.Node]:
    """Yield a node and all below it."""
    if isinstance(node, tuple):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, tree.Node):
        yield node
        for part in fields(node):
            yield from nodes(getattr(node, part.name))


def metrics(expression: tree.Expression) -> list[tree.Metric]:
    return [node for node in nodes(expression) if isinstance(node, tree.Metric)]


def rewrite(node: Any, change: Callable[[Any], Any]) -> Any:
    """Rebuild a tree from below: `change` is given each node, its parts already changed, and returns what replaces it."""
    if isinstance(node, tuple):
        return tuple(rewrite(item, change) for item in node)
    if not is_dataclass(node) or isinstance(node, tree.Span):
        return node
    parts = {part.name: getattr(node, part.name) for part in fields(node)}
    return change(replace(node, **{name: rewrite(value, change) for name, value in parts.items()}))  # type: ignore[type-var]


def select(expression: tree.Expression, prefixes: Mapping[str, str | None], chosen: Mapping[str, str]) -> tree.Expression:
    """Put the chosen values of the template variables into an expression; `*` narrows nothing."""

    def change(node: Any) -> Any:
        match node:
            case tree.TemplateVariable(name=name) if name in chosen:
                if chosen[name] == '*':
                    return tree.Everything(span=node.span)
                return tree.TagFilter(span=node.span, key=prefixes[name], value=chosen[name])
            case tree.TagFilter(value=value) if '$' in value:
                return replace(node, value=_VARIABLE.sub(lambda found: chosen.get(found[1], found[0]), value))
            case tree.And(scopes=scopes):
                kept = tuple(scope for scope in scopes if not isinstance(scope, tree.Everything))
                return replace(node, scopes=kept) if len(kept) > 1 else kept[0] if kept else tree.Everything(span=node.span)
            case tree.GroupKey(name=name) if name.startswith('$'):
                variable = name[1:].removesuffix('.key')
                return replace(node, name=prefixes.get(variable) or name)
        return node

    return rewrite(expression, change)  # type: ignore[no-any-return]


_VARIABLE = re.compile(r'\$(\w+)\.value')


def variables(expression: tree.Expression) -> set[str]:
    """The template variables that an expression's result depends on."""
    found: set[str] = set()
    for node in nodes(expression):
        match node:
            case tree.TemplateVariable(name=name):
                found.add(name)
            case tree.TagFilter(value=value):
                found.update(_VARIABLE.findall(value))
    return found


def _own_bucket(metric: tree.Metric) -> list[int]:
    numbers = [
        argument.value
        for modifier in metric.modifiers
        if modifier.name == 'rollup'
        for argument in modifier.arguments
        if isinstance(argument, tree.Number)
    ]
    return [int(number) for number in numbers[:1]]


def _rolled_up(expression: tree.Expression, bucket: int) -> tree.Expression:
    """Give every query that has no rollup the one that a graph would: sums of counts, averages of the rest (rule 7.4)."""

    def change(node: Any) -> Any:
        if not isinstance(node, tree.Metric) or _own_bucket(node):
            return node
        own = next((m for m in node.modifiers if m.name == 'rollup' and m.arguments), None)
        word = 'sum' if any(modifier.name in _COUNTS for modifier in node.modifiers) else 'avg'
        method = own.arguments[0] if own else tree.Word(span=_NOWHERE, value=word)
        rollup = tree.Modifier(
            span=_NOWHERE, name='rollup', arguments=(method, tree.Number(span=_NOWHERE, value=float(bucket)))
        )
        return replace(node, modifiers=(*(m for m in node.modifiers if m is not own), rollup))

    return rewrite(expression, change)  # type: ignore[no-any-return]
