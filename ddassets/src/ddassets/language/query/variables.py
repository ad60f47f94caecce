"""Find and replace the template variables of a dashboard in an expression."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product

from ddassets.language.query import tree
from ddassets.regex import regex

# The tag key of each template variable.
type Prefixes = Mapping[str, str | None]


# The selected values of each template variable; a series may have any of them.
type Chosen = Mapping[str, tuple[str, ...]]


def select(expression: tree.Expression, prefixes: Prefixes, chosen: Chosen) -> tree.Expression:
    """Replace template variables in an expression by their selected values; `*` does not filter."""

    def change(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Metric) or node.scope is None:
            return node
        by = tuple(replace(key, name=_key(key.name, prefixes)) for key in node.by)
        return replace(node, scope=_select(node.scope, prefixes, chosen), by=by)

    return tree.rewrite(expression, change)


def _select(scope: tree.Scope, prefixes: Prefixes, chosen: Chosen) -> tree.Scope:
    match scope:
        case tree.TemplateVariable(name=name) if name in chosen:
            if '*' in chosen[name]:
                return tree.Everything(span=scope.span)
            return _any(tree.TagFilter(span=scope.span, key=prefixes[name], value=value) for value in chosen[name])
        case tree.TagFilter(value=value):
            used = [name for name in dict.fromkeys(_VARIABLE.findall(value)) if name in chosen]
            each = (dict(zip(used, values, strict=True)) for values in product(*(chosen[name] for name in used)))
            return _any(replace(scope, value=_filled(value, one)) for one in each)
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


def _filled(value: str, chosen: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: chosen.get(found[1], found[0]), value)


def _any(scopes: Iterable[tree.TagFilter]) -> tree.Scope:
    first, *rest = scopes
    return tree.Or(span=first.span, scopes=(first, *rest)) if rest else first


def _key(name: str, prefixes: Prefixes) -> str:
    variable = name.removeprefix('$').removesuffix('.key')
    return prefixes.get(variable) or name if name.startswith('$') else name


_VARIABLE = regex(r'\$(\w+)\.value')


def variables(expression: tree.Expression) -> set[str]:
    """Return the template variables that affect an expression's result."""
    found: set[str] = set()
    for node in tree.walk(expression):
        match node:
            case tree.TemplateVariable(name=name):
                found.add(name)
            case tree.TagFilter(value=value):
                found.update(_VARIABLE.findall(value))
    return found
