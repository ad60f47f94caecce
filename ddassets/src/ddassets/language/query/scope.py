"""Match series against a scope, and narrow the scopes of a query (rules 1.5 and 1.6)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from ddassets.language.query.syntax import QuerySyntaxError, parse_query
from ddassets.language.query.tree import (
    And,
    Everything,
    Metric,
    Node,
    Not,
    Or,
    Scope,
    TagFilter,
    TagIn,
    TemplateVariable,
    rewrite,
    walk,
)

type Predicate = Callable[[frozenset[str]], bool]
# The values of a dashboard's template variables: tags such as `host:web-1`, or `*` (also for missing variables).
type Variables = Mapping[str, Sequence[str]]


def matches(scope: Scope | None, tags: frozenset[str], variables: Variables | None = None) -> bool:
    """Whether the scope matches a series with these tags (`key:value`, or a bare word). None matches all series."""
    return predicate(scope, variables)(tags)


def predicate(scope: Scope | None, variables: Variables | None = None) -> Predicate:
    """Return a fast `matches` for many series.

    `*` in a value matches any text. Matching is case-sensitive. A series without the key does not match `key:value`,
    but matches `!key:value`.
    """
    return _plain_predicate(scope) if not variables else _predicate(scope, variables)


@lru_cache(4096)
def _plain_predicate(scope: Scope | None) -> Predicate:
    return _predicate(scope, {})


def _predicate(scope: Scope | None, variables: Variables) -> Predicate:
    match scope:
        case TagFilter(key=key, value=value):
            prefix = '' if key is None else f'{key}:'
            return _any_of(prefix + _unquoted(alternative) for alternative in _alternatives(value, variables))
        case TagIn(key=key, values=values):
            expanded = chain.from_iterable(_alternatives(value, variables) for value in values)
            return _any_of(f'{key}:{_unquoted(value)}' for value in expanded)
        case TemplateVariable(name=name):
            return _any_of(variables.get(name, ('*',)))
        case Not(scope=inner):
            holds = _predicate(inner, variables)
            return lambda tags: not holds(tags)
        case And(scopes=scopes):
            every = [_predicate(part, variables) for part in scopes]
            return lambda tags: all(part(tags) for part in every)
        case Or(scopes=scopes):
            some = [_predicate(part, variables) for part in scopes]
            return lambda tags: any(part(tags) for part in some)
        case _:
            return _everything


def keys(scope: Scope | None) -> frozenset[str]:
    """Return the tag keys in the scope; template variables have none until they are replaced."""
    if scope is None:
        return frozenset()
    return frozenset(part.key for part in walk(scope) if isinstance(part, TagFilter | TagIn) and part.key is not None)


def narrow[T: Node](node: T, tags: Iterable[str]) -> T:
    """Restrict every metric of the expression or monitor query to series that have all of `tags`.

    The tags are joined with `,` or with AND, as in the scope, because the two cannot be combined (rule 1.5). A tag that
    a scope already requires is not added again.

    Raises:
        ValueError: for a text that is not `key:value`.
    """
    filters = [_tag_filter(tag) for tag in tags]
    return rewrite(node, lambda part: _narrowed(part, filters) if isinstance(part, Metric) else part)


def _narrowed(metric: Metric, filters: Sequence[TagFilter]) -> Metric:
    scope = metric.scope
    symbolic = scope is None or not any(_is_worded(part) for part in walk(scope))
    present: tuple[Scope, ...]
    match scope:
        case None | Everything():
            present = ()
        case And(scopes=scopes, symbolic=style) if style == symbolic:
            present = scopes
        case _:
            present = (scope,)
    added = tuple(dict.fromkeys(part for part in filters if part not in present))
    if not added:
        return metric
    together = (*present, *added)
    narrowed = together[0] if len(together) == 1 else And(together, symbolic, span=(scope or metric).span)
    return replace(metric, scope=narrowed)


def _is_worded(scope: Node) -> bool:
    return isinstance(scope, Or | TagIn) or (isinstance(scope, And | Not) and not scope.symbolic)


def _tag_filter(tag: str) -> TagFilter:
    try:
        expression = parse_query(f'avg:metric{{{tag}}}')
    except QuerySyntaxError:
        expression = None
    if isinstance(expression, Metric) and isinstance(expression.scope, TagFilter) and expression.scope.key:
        return expression.scope
    raise ValueError(f'expected a tag such as host:web-1, found {tag!r}')


def _everything(tags: frozenset[str]) -> bool:
    return True


def _any_of(patterns: Iterable[str]) -> Predicate:
    """Return a predicate: one of the tags matches one of the patterns."""
    listed = frozenset(patterns)
    if '*' in listed:
        return _everything
    exact = frozenset(pattern for pattern in listed if '*' not in pattern)
    if exact == listed:
        return lambda tags: not exact.isdisjoint(tags)
    fits = re.compile('|'.join(map(_wildcard, sorted(listed - exact))), re.DOTALL).fullmatch
    return lambda tags: not exact.isdisjoint(tags) or any(fits(tag) for tag in tags)


def _wildcard(pattern: str) -> str:
    """Return a regular expression whose groups do not backtrack, so that many `*` are not slower than one."""
    first, *middle, last = map(re.escape, pattern.split('*'))
    return first + ''.join(f'(?>.*?{part})' for part in middle if part) + '.*' + last


def _alternatives(value: str, variables: Variables) -> Iterator[str]:
    """Return the value for each choice of its template variables; from a tag only the part after the key is used."""
    if '$' not in value:
        yield value
        return
    known = sorted(variables, key=len, reverse=True)
    names = '|'.join(map(re.escape, known)) or r'(?!)'
    found = re.search(rf'\$(?:({names})|\w+)(?:\.value)?', value)
    if found is None:
        yield value
        return
    choices = [choice.partition(':')[2] or choice for choice in variables.get(found[1], ('*',))]
    for rest in _alternatives(value[found.end() :], variables):
        for choice in choices:
            yield value[: found.start()] + choice + rest


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in '"\'' else value
