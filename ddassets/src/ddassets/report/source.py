"""What the page's dashboards are computed from: the evaluator and the series of one rehearsal."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ddassets.graph import Line
from ddassets.query import tree
from ddassets.report.columns import BUCKETS, pack
from ddassets.report.model import Answer, Pool, Series

# Rule 1.10's modifiers that make a count of what would be averaged.
_COUNTS = ('as_count',)
_NOWHERE = tree.Span(0, 0)

# The tag key of each template variable.
type Prefixes = Mapping[str, str | None]


@dataclass(frozen=True)
class Source:
    """One rehearsal's signal. `end` is not included.

    `evaluate` gives the lines of an expression, one per group, over [start, end); it raises UnusableInputError for what
    is outside its subset. `tags` are those of every series, by metric.
    """

    start: int
    end: int
    evaluate: Callable[[tree.Expression, int, int], Sequence[Line]]
    tags: Mapping[str, frozenset[str]]
    pool: Pool

    def values(self, key: str) -> list[str]:
        """Every value that a tag of this key has, sorted."""
        tags = (tag.partition(':') for tags in self.tags.values() for tag in tags)
        return sorted({value for name, colon, value in tags if colon and name == key})

    def answer(self, expression: tree.Expression) -> Answer:
        """Evaluate an expression in every length of bucket that a frame may ask for."""
        read = [*tree.metrics(expression)]
        missing = sorted({metric.name for metric in read} - self.tags.keys())
        if missing:
            return Answer(missing=missing)
        own = [bucket for metric in read for bucket in _own_bucket(metric)]
        buckets = (max(own),) if own and len(own) == len(read) else BUCKETS
        levels = {
            bucket: {line.name: line for line in self.evaluate(_rolled_up(expression, bucket), self.start, self.end)}
            for bucket in buckets
        }
        return Answer(
            [self.pack(name, {b: lines.get(name) for b, lines in levels.items()}) for name in levels[buckets[0]]]
        )

    def pack(self, name: str, levels: Mapping[int, Line | None]) -> Series:
        """Pack one line's levels, by length of bucket."""
        return pack(self.pool, self.start, self.end, name, levels.get, tuple(levels))


def select(expression: tree.Expression, prefixes: Prefixes, chosen: Mapping[str, str]) -> tree.Expression:
    """Put the chosen values of the template variables into an expression; `*` narrows nothing."""

    def change(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Metric) or node.scope is None:
            return node
        by = tuple(replace(key, name=_key(key.name, prefixes)) for key in node.by)
        return replace(node, scope=_select(node.scope, prefixes, chosen), by=by)

    return tree.rewrite(expression, change)


def _select(scope: tree.Scope, prefixes: Prefixes, chosen: Mapping[str, str]) -> tree.Scope:
    match scope:
        case tree.TemplateVariable(name=name) if name in chosen:
            if chosen[name] == '*':
                return tree.Everything(span=scope.span)
            return tree.TagFilter(span=scope.span, key=prefixes[name], value=chosen[name])
        case tree.TagFilter(value=value):
            return replace(scope, value=_VARIABLE.sub(lambda found: chosen.get(found[1], found[0]), value))
        case tree.Not(scope=inner):
            return replace(scope, scope=_select(inner, prefixes, chosen))
        case tree.And(scopes=scopes):
            parts = tuple(_select(part, prefixes, chosen) for part in scopes)
            kept = tuple(part for part in parts if not isinstance(part, tree.Everything))
            if len(kept) > 1:
                return replace(scope, scopes=kept)
            return kept[0] if kept else tree.Everything(span=scope.span)
        case tree.Or(scopes=scopes):
            return replace(scope, scopes=tuple(_select(part, prefixes, chosen) for part in scopes))
    return scope


def _key(name: str, prefixes: Prefixes) -> str:
    variable = name.removeprefix('$').removesuffix('.key')
    return prefixes.get(variable) or name if name.startswith('$') else name


_VARIABLE = re.compile(r'\$(\w+)\.value')


def variables(expression: tree.Expression) -> set[str]:
    """The template variables that an expression's result depends on."""
    found: set[str] = set()
    for node in tree.walk(expression):
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
    """Give each query without a rollup the one that a graph would: sums of counts, averages of the rest (rule 7.4)."""

    def change(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Metric) or _own_bucket(node):
            return node
        own = next((m for m in node.modifiers if m.name == 'rollup' and m.arguments), None)
        word = 'sum' if any(modifier.name in _COUNTS for modifier in node.modifiers) else 'avg'
        method = own.arguments[0] if own else tree.Word(span=_NOWHERE, value=word)
        rollup = tree.Modifier(
            span=_NOWHERE, name='rollup', arguments=(method, tree.Number(span=_NOWHERE, value=float(bucket)))
        )
        return replace(node, modifiers=(*(m for m in node.modifiers if m is not own), rollup))

    return tree.rewrite(expression, change)
