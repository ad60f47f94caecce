"""The scope of a downtime: `env:(prod OR staging) AND -host:web*`. Rules 5.14 and 5.15."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from ddassets.language.grammar import END, Parser, Token, Tree, UnexpectedInput
from ddassets.regex import regex

MAX_DEPTH = 2
_QUOTED = regex(r'"[^"]*"')
_BRACKET = regex(r'"[^"]*"|[()]')
_OPERATOR = regex(r'(?<![^\s()])(?:and|or)(?![^\s()])', re.IGNORECASE)
_KEY = regex(r'[A-Za-z_][\w./-]*')


class ScopeFault(ValueError):
    """A text that is not a supported scope. The message contains the column, from 1."""

    rule = '5.14'

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f'column {column}: {message}')


@dataclass(frozen=True)
class Term:
    """`key:value`, or `-key:value`. The value may contain `*`."""

    key: str
    value: str
    negated: bool

    def holds(self, tags: dict[str, list[str]]) -> bool:
        """Whether any of the key's values matches, or none of them if negated."""
        return any(_like(self.value, value) for value in tags.get(self.key, ())) != self.negated


@dataclass(frozen=True)
class Combination:
    """All parts (AND), or any part (OR)."""

    every: bool
    parts: 'tuple[Term | Combination, ...]'
    negated: bool = False

    def holds(self, tags: dict[str, list[str]]) -> bool:
        """Whether a group with these values by key matches."""
        return (all if self.every else any)(part.holds(tags) for part in self.parts) != self.negated


type Node = Term | Combination


@dataclass(frozen=True)
class Scope:
    """`root` is None for `*`, which covers every group. `lowercase`: it has `and` or `or` in lower case (A91)."""

    text: str
    root: Node | None
    lowercase: bool = False

    def matches(self, tags: Iterable[str]) -> bool:
        """Whether the scope covers a group with these `key:value` tags.

        Rule 5.15: additional tags of the group have no effect; only `*` covers a group without tags.
        """
        if self.root is None:
            return True
        values: dict[str, list[str]] = {}
        for tag in tags:
            key, _, value = tag.partition(':')
            values.setdefault(key, []).append(value)
        return bool(values) and self.root.holds(values)


def _keys(node: Node) -> set[str]:
    return {node.key} if isinstance(node, Term) else set().union(*(_keys(part) for part in node.parts))


def parse_scope(text: str) -> Scope:
    """Parse a scope. Raises ScopeFault at the first unsupported part."""
    if text.strip() == '*':
        return Scope(text, None)
    _refuse_depth(text)
    try:
        tree: Tree = _parser().parse(text)
    except UnexpectedInput as error:
        _refuse(text, error)
    lowercase = any(match[0] != match[0].upper() for match in _OPERATOR.finditer(_QUOTED.sub('', text)))
    return Scope(text, _terms(tree), lowercase)


@cache
def _parser() -> Parser:
    return Parser(Path(__file__).with_suffix('.json'))


def _refuse_depth(text: str) -> None:
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += {'(': 1, ')': -1}.get(match[0], 0)
        if depth > MAX_DEPTH:
            raise ScopeFault(match.start() + 1, f'more than {MAX_DEPTH} levels of parentheses are not supported')


def _refuse(text: str, error: UnexpectedInput) -> NoReturn:
    token, accepted = error.token, error.accepts
    if token is None:
        raise ScopeFault(error.position + 1, 'a quote is not closed') from None
    at_end = token.type == END
    offset = len(text) if at_end else token.start_pos
    if 'WORD' in accepted:
        message = 'expected a value' if _in_values(text, offset) else 'expected `key:value`'
    elif token.type == 'RPAR':
        message = 'expected the end of the scope'
    else:
        message = 'expected `)`' if at_end and 'RPAR' in accepted else 'expected AND or OR between two terms'
    raise ScopeFault(offset + 1, f'{message}, found {"the end" if at_end else repr(str(token)[:40])}') from None


def _in_values(text: str, offset: int) -> bool:
    """Whether the innermost open parenthesis at an offset follows a key."""
    opened = []
    for match in _BRACKET.finditer(text, 0, offset):
        if match[0] == '(':
            opened.append(match.start())
        elif match[0] == ')':
            opened.pop()
    return bool(opened) and text[: opened[-1]].rstrip().endswith(':')


def _terms(tree: Any) -> Node:
    """Build the terms of a parse tree."""
    children = tree.children
    match tree.data:
        case 'start':
            return _terms(children[0])
        case 'parentheses':
            return _terms(children[1])
        case 'word':
            return _term(children[0])
        case 'values':
            return _group(children[0], children[2])
    parts = tuple(map(_terms, _parts(tree)))
    every = tree.data == 'all_of'
    keys = sorted(set().union(*map(_keys, parts)))
    if not every and len(keys) > 1:
        raise ScopeFault(_column(tree), f'OR between different keys ({", ".join(keys)}) is not supported')
    return Combination(every, parts)


def _parts(tree: Any) -> list[Any]:
    """Return the children of a tree that are not operators."""
    return [child for child in tree.children if isinstance(child, Tree)]


def _group(head: Token, inner: Any) -> Node:
    """Build the group `key:(a OR b)`, `-key:(a OR b)` or `-key(a OR b)`."""
    negated, key = head.startswith('-'), head.removeprefix('-')
    if not key.endswith(':') and ':' in key:
        # A term before parentheses: a space is AND.
        return Combination(True, (_term(head), _terms(inner)))
    if not key.endswith(':') and not negated:
        raise ScopeFault(head.start_pos + 1, f'expected `key:(a OR b)`, found {str(head)[:40]!r}')
    key = _key(head, key.removesuffix(':'))
    group = _values(key, inner, negated)
    return Combination(True, (group,), negated=True) if negated else group


def _values(key: str, tree: Any, negated: bool) -> Node:
    children = tree.children
    match tree.data:
        case 'parentheses':
            return _values(key, children[1], negated)
        case 'values':
            column = children[0].start_pos + 1
            raise ScopeFault(column, f'a group within `{key}:( )` is not supported, found {str(children[0])[:40]!r}')
        case 'word':
            return _value(key, children[0])
    parts = _parts(tree)
    if len(children) < 2 * len(parts) - 1:
        raise ScopeFault(_column(parts[1]), f'expected AND or OR between two values of {key!r}')
    if negated and tree.data == 'all_of':
        raise ScopeFault(
            children[1].start_pos + 1, f'AND within `-{key}:( )` is not supported: write `-{key}:a AND -{key}:b`'
        )
    return Combination(tree.data == 'all_of', tuple(_values(key, part, negated) for part in parts))


def _value(key: str, word: Token) -> Term:
    column = word.start_pos + 1
    _refuse_marks(word)
    if word.startswith('-'):
        raise ScopeFault(column, f'`-` within `{key}:( )` is not supported: write `-{key}:{word[1:41]}`')
    if ':' in word and '"' not in word:
        raise ScopeFault(column, f'inside `{key}:( )` only values are allowed; a value that contains `:` needs quotes')
    return Term(key, _plain(word), False)


def _term(word: Token) -> Term:
    _refuse_marks(word)
    text = word.removeprefix('-')
    key, colon, value = text.partition(':')
    column = word.start_pos + 1
    if not colon:
        raise ScopeFault(column, f'all values must have a key: expected `key:value`, found {str(word)[:40]!r}')
    key = _key(word, key)
    if not value:
        raise ScopeFault(word.end_pos + 1, f'expected a value of {key!r}')
    return Term(key, _plain(value), text != word)


def _key(word: Token, key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ScopeFault(
            word.start_pos + 1,
            f'a key begins with a letter and consists of letters, digits, `_`, `.`, `/` and `-`, found {key[:40]!r}',
        )
    return key


def _refuse_marks(word: Token) -> None:
    for mark, message in (
        (',', '`,` is not an operator of a scope: write AND'),
        ('?', 'the wildcard `?` is not supported: write `*`'),
    ):
        if mark in _QUOTED.sub('', word):
            raise ScopeFault(word.start_pos + 1, f'{message}, found {str(word)[:40]!r}')


def _column(tree: Any) -> int:
    """Return the column of the first word of a tree."""
    while isinstance(tree, Tree):
        tree = tree.children[0]
    token: Token = tree
    return token.start_pos + 1


def _plain(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _like(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern with `*`; linear time per piece of the pattern."""
    first, *pieces = pattern.split('*')
    if not pieces:
        return value == pattern
    last = pieces.pop()
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    at, end = len(first), len(value) - len(last)
    for piece in pieces:
        at = value.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
