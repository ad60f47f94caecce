"""The scope of a downtime: `env:(prod OR staging) AND -host:web*`. Rules 5.14 and 5.15."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

DEEPEST = 2
_TOKEN = re.compile(r'\s*(?:(?P<mark>[()])|(?P<word>(?:"[^"]*"|[^\s()"])+))')
_KEY = re.compile(r'[A-Za-z_][\w./-]*')


class ScopeFault(ValueError):
    """A text that is not a scope. The message names the column, from 1."""

    rule = '5.14'

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f'column {column}: {message}')


@dataclass(frozen=True)
class Term:
    """`key:value`, or `-key:value`. The value may hold `*`."""

    key: str
    value: str
    negated: bool

    def holds(self, tags: dict[str, list[str]]) -> bool:
        """Say whether any of the key's values is this one, or none of them if negated."""
        return any(_like(self.value, value) for value in tags.get(self.key, ())) != self.negated


@dataclass(frozen=True)
class Combination:
    """All of the parts, or any of them."""

    every: bool
    parts: 'tuple[Term | Combination, ...]'
    negated: bool = False

    def holds(self, tags: dict[str, list[str]]) -> bool:
        """Say whether the parts hold for a group with these values by key."""
        return (all if self.every else any)(part.holds(tags) for part in self.parts) != self.negated


type Node = Term | Combination


@dataclass(frozen=True)
class Scope:
    """`root` is None for `*`, which covers every group."""

    text: str
    root: Node | None

    def matches(self, tags: Iterable[str]) -> bool:
        """Say whether a group with these `key:value` tags is covered.

        Rule 5.15: more tags than the scope names do no harm; a group without tags is covered by `*` alone.
        """
        if self.root is None:
            return True
        values: dict[str, list[str]] = {}
        for tag in tags:
            key, _, value = tag.partition(':')
            values.setdefault(key, []).append(value)
        return bool(values) and self.root.holds(values)


def parse_scope(text: str) -> Scope:
    """Read a scope. Raises ScopeFault at the first thing that is not of the language."""
    if text.strip() == '*':
        return Scope(text, None)
    parser = _Parser(text)
    root = parser.combination(key=None, depth=0)
    if parser.peek() is not None:
        parser.refuse('expected the end of the scope')
    if isinstance(root, Combination) and not root.every and len(_keys(root)) > 1:
        raise ScopeFault(1, f'OR between different keys ({", ".join(sorted(_keys(root)))}) is not supported at the top')
    return Scope(text, root)


def _keys(node: Node) -> set[str]:
    return {node.key} if isinstance(node, Term) else set().union(*(_keys(part) for part in node.parts))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def peek(self) -> str | None:
        match = _TOKEN.match(self.text, self.position)
        if match:
            return match['mark'] or match['word']
        if self.text[self.position :].strip():
            self.refuse('a quote is not closed')
        return None

    def take(self) -> str:
        match = _TOKEN.match(self.text, self.position)
        assert match
        self.position = match.end()
        return match['mark'] or match['word']

    def refuse(self, message: str) -> NoReturn:
        rest = self.text[self.position :]
        column = len(self.text) - len(rest.lstrip()) + 1
        found = rest.split()[0][:40] if rest.split() else 'the end'
        raise ScopeFault(column, f'{message}, found {found!r}' if found != 'the end' else f'{message}, found the end')

    def combination(self, key: str | None, depth: int) -> Node:
        """Terms with AND between them, OR between those; inside `key:( )` a term is a value."""
        choices = [self.conjunction(key, depth)]
        while self.peek() == 'OR':
            self.take()
            choices.append(self.conjunction(key, depth))
        return choices[0] if len(choices) == 1 else Combination(False, tuple(choices))

    def conjunction(self, key: str | None, depth: int) -> Node:
        """Terms with AND or a space between them; values inside `key:( )` need the word."""
        parts = [self.part(key, depth)]
        while (token := self.peek()) not in (None, ')', 'OR'):
            if token == 'AND':
                self.take()
            elif key is not None:
                self.refuse('expected AND or OR between two values')
            parts.append(self.part(key, depth))
        return parts[0] if len(parts) == 1 else Combination(True, tuple(parts))

    def part(self, key: str | None, depth: int) -> Node:
        token = self.peek()
        if token == '(':
            return self.parentheses(key, depth)
        if token is None or token in (')', 'AND', 'OR'):
            self.refuse('expected `key:value`' if key is None else f'expected a value of {key!r}')
        if token in ('and', 'or'):
            self.refuse('write AND and OR in capitals')
        if ',' in token:
            self.refuse('`,` is no operator in the scope of a downtime: write AND')
        if '?' in token:
            self.refuse('the wildcard `?` is not supported: write `*`')
        plain = token.removeprefix('-')
        return self.term(plain, plain != token, depth) if key is None else self.value(key, plain, plain != token)

    def value(self, key: str, text: str, negated: bool) -> Node:
        if negated:
            self.refuse(f'`-` before a value is not supported: write `-{key}:( )` or another term')
        if ':' in text and '"' not in text:
            self.refuse(f'inside `{key}:( )` stand values alone; a value that holds `:` needs quotes')
        self.take()
        return Term(key, _plain(text), negated)

    def term(self, text: str, negated: bool, depth: int) -> Node:
        key, colon, value = text.partition(':')
        if not colon:
            self.refuse('all values must have a key: expected `key:value`')
        if not _KEY.fullmatch(key):
            self.refuse('a key begins with a letter and holds letters, digits, `_`, `.`, `/` and `-`')
        self.take()
        if value:
            return Term(key, _plain(value), negated)
        if self.peek() != '(':
            self.refuse(f'expected a value of {key!r}')
        opened = self.position
        group = self.parentheses(key, depth)
        if negated and isinstance(group, Combination) and group.every:
            self.position = opened
            self.refuse(f'`-{key}:( )` with AND is not supported: it takes one value or several with OR')
        return Combination(True, (group,), negated=True) if negated else group

    def parentheses(self, key: str | None, depth: int) -> Node:
        if depth == DEEPEST:
            self.refuse(f'more than {DEEPEST} levels of parentheses are not supported')
        opened = self.position
        self.take()
        node = self.combination(key, depth + 1)
        if self.peek() != ')':
            self.refuse('expected `)`')
        self.take()
        if isinstance(node, Combination) and len({part.negated for part in node.parts}) > 1:
            self.position = opened
            self.refuse('`-` before some of the terms in parentheses and not before others is not supported')
        return node


def _plain(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _like(pattern: str, value: str) -> bool:
    """Match with `*`, in time linear in the value for each piece."""
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
