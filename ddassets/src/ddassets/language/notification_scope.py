"""The scope of a notification rule: `team:harbor AND NOT env:dev AND service:(kiosk OR shop)`. Rule 3.27."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ddassets.language.grammar import Parser, Token, Tree, UnexpectedInput

MAX_DEPTH = 100
_OPERATORS = ('AND', 'OR', 'NOT')


class ScopeFault(ValueError):
    """A text that is not a supported scope. The message names the column, from 1."""

    rule = '3.27'

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f'column {column}: {message}')


type Outcomes = frozenset[bool]

_EITHER: Outcomes = frozenset((True, False))


@dataclass(frozen=True)
class Term:
    """`key:value`; a value of None is `key:*`, which matches any value of the key."""

    key: str
    value: str | None

    def outcomes(self, tags: Mapping[str, set[str]], open_keys: Collection[str]) -> Outcomes:
        """Return whether the term matches; both results if that depends on the value of an open key."""
        values = tags.get(self.key, set())
        if self.value is None:
            return frozenset([bool(values) or self.key in open_keys])
        holds = self.value in values
        return _EITHER if self.key in open_keys and not holds else frozenset([holds])


@dataclass(frozen=True)
class Negation:
    part: 'Node'

    def outcomes(self, tags: Mapping[str, set[str]], open_keys: Collection[str]) -> Outcomes:
        return frozenset(not outcome for outcome in self.part.outcomes(tags, open_keys))


@dataclass(frozen=True)
class Combination:
    """All parts (AND), or any part (OR)."""

    every: bool
    parts: 'tuple[Node, ...]'

    def outcomes(self, tags: Mapping[str, set[str]], open_keys: Collection[str]) -> Outcomes:
        # Parts are judged apart, so `env:a AND env:b` may hold for one open value of env: too much, never too little.
        choose = all if self.every else any
        each = [part.outcomes(tags, open_keys) for part in self.parts]
        return frozenset((choose(True in part for part in each), choose(False not in part for part in each)))


type Node = Term | Negation | Combination


@dataclass(frozen=True)
class NotificationScope:
    root: Node

    def matches(self, tags: Iterable[str], open_keys: Collection[str] = ()) -> bool:
        """Whether the scope covers a set of `key:value` tags; all values of a key count.

        `open_keys` have an additional, unknown value: then, whether the scope may cover the tags.
        """
        values: dict[str, set[str]] = {}
        for tag in tags:
            key, _, value = tag.partition(':')
            values.setdefault(key, set()).add(value)
        return True in self.root.outcomes(values, open_keys)


def parse_notification_scope(text: str) -> NotificationScope:
    """Parse a scope. Raises ScopeFault at the first unsupported part.

    >>> scope = parse_notification_scope('team:harbor AND NOT env:dev')
    >>> scope.matches(['team:harbor', 'env:prod']), scope.matches(['team:harbor', 'env:dev'])
    (True, False)
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        found = repr(text[error.position :][:20]) if error.position < len(text) else 'the end'
        message = f'expected `key:value`, AND, OR, NOT or a parenthesis, found {found}'
        raise ScopeFault(error.position + 1, message) from None
    return NotificationScope(_node(tree))


@cache
def _parser() -> Parser:
    return Parser(Path(__file__).with_suffix('.json'))


def _node(tree: Tree, depth: int = 0) -> Node:
    if depth > MAX_DEPTH:
        raise ScopeFault(_column(tree), f'more than {MAX_DEPTH} levels of parentheses and NOT')
    parts: list[Tree] = [child for child in tree.children if isinstance(child, Tree)]
    match tree.data:
        case 'term':
            return _term(tree.children[0])
        case 'negated':
            return Negation(_node(parts[0], depth + 1))
        case 'values':
            return _values(tree.children[0], [part.children[0] for part in parts])
        case 'all_of' | 'any_of':
            return Combination(tree.data == 'all_of', tuple(_node(part, depth + 1) for part in parts))
    return _node(parts[0], depth + 1)


def _column(tree: Tree) -> int:
    """Return the column of the first word of a tree."""
    first = tree.children[0]
    while isinstance(first, Tree):
        first = first.children[0]
    column: int = first.start_pos + 1
    return column


def _values(head: Token, values: list[Token]) -> Node:
    """Build `key:(a OR b)`, or `-key:(a OR b)`, which negates each value."""
    key = head.removesuffix(':').removeprefix('-')
    if not key:
        raise ScopeFault(head.start_pos + 1, f'expected `key:(a OR b)`, found {str(head)!r}')
    found = Combination(False, tuple(_term(value, key) for value in values))
    return Negation(found) if head.startswith('-') else found


def _term(token: Token, key: str = '') -> Node:
    """One term; a token inside of `key:( )` is a value. `-key:value` is how searches elsewhere deny."""
    column, word = token.start_pos + 1, str(token)
    if not key:
        key, colon, word = word.partition(':')
        if not colon or not key:
            right = f'{key.upper()} as an operator' if key.upper() in _OPERATORS else '`key:value`'
            raise ScopeFault(column, f'{str(token)!r} has no key: write {right}')
    if key[0] == '-' and len(key) > 1:
        return Negation(_value(key[1:], word, column))
    return _value(key, word, column)


def _value(key: str, word: str, column: int) -> Term:
    if '*' in key or '?' in key:
        raise ScopeFault(column, f'a key has no wildcard: write a whole key, not {key!r}')
    if word == '*':
        return Term(key, None)
    if not word:
        raise ScopeFault(column, f'{key}: has no value')
    plain = word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word
    if '"' in key or '"' in plain:
        found = f'{key}:{word}'
        raise ScopeFault(column, f'quotation marks are only around a whole value: write `key:"a value"`, not {found!r}')
    if plain == word and ('*' in word or '?' in word):
        raise ScopeFault(
            column, f'a wildcard stands alone after the key: write `{key}:*` or a whole value, not {word!r}'
        )
    return Term(key, plain)
