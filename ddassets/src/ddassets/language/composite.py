"""The query of a composite monitor: members joined by `&&`, `||`, `!` and parentheses (rules 13.1 and 13.2).

>>> query = parse('(1 || 2) && !3')
>>> [(letter, member.text) for letter, member in query.members.items()]
[('a', '1'), ('b', '2'), ('c', '3')]
>>> render(parse('1 || 2 && !3').root)
'1 || (2 && !3)'
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from ddassets.diagnostic import Span
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.regex import regex

MAX_DEPTH = 100
#: Rule 13.3.
MAX_MEMBERS = 10
LETTERS = 'abcdefghijklmnopqrstuvwxyz'
_EXPECTED = ('a monitor id', 'the name of a monitor', '!', '(')
_TOKEN = regex(
    r"""(?P<operator>&&|\|\||[!()])
    | %\{(?P<kennel>[^{}]+)\}
    | \$\{(?P<terraform>[^{}]+)\}
    | "(?P<double>[^"]+)" | '(?P<single>[^']+)'
    | (?P<word>\w[\w.:-]*)""",
    re.VERBOSE,
)
# The public id of a synthetic test: unlike a name, it has a digit.
PUBLIC_ID = regex(r'(?=.*\d)[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}')


@dataclass(frozen=True)
class Member:
    """A monitor that a query names. `text` is its id or name, without the marks around it."""

    text: str
    span: Span

    @property
    def id(self) -> int | None:
        """The id of a member that is named by it."""
        return int(self.text) if self.text.isascii() and self.text.isdigit() else None


@dataclass(frozen=True)
class Not:
    """`!part`."""

    part: 'Node'


@dataclass(frozen=True)
class And:
    """`left && right && …`."""

    parts: tuple['Node', ...]


@dataclass(frozen=True)
class Or:
    """`left || right || …`."""

    parts: tuple['Node', ...]


type Node = Member | Not | And | Or


@dataclass(frozen=True)
class CompositeQuery:
    """A parsed query. `bare_mix`: where `&&` and `||` are mixed without parentheses (rule 13.2)."""

    text: str
    root: Node
    bare_mix: Span | None = None

    @cached_property
    def every_member(self) -> tuple[Member, ...]:
        """Each mention of a member, in the order of the query."""
        return tuple(_members(self.root))

    @cached_property
    def members(self) -> Mapping[str, Member]:
        """Each member once, by its letter, in the order of the query (rule 13.4). More than 26 are not lettered."""
        found: dict[str, Member] = {}
        for member in self.every_member:
            found.setdefault(member.text, member)
        return dict(zip(LETTERS, found.values(), strict=False))

    @cached_property
    def letters(self) -> Mapping[str, str]:
        """The letter of each member, by its text."""
        return {member.text: letter for letter, member in self.members.items()}


def _members(node: Node) -> Iterator[Member]:
    match node:
        case Member():
            yield node
        case Not(part=part):
            yield from _members(part)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _members(part)


def parse(text: str) -> CompositeQuery:
    """Return the query. Raises QuerySyntaxError with the column."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.depth = 0
        self.bare_mix: Span | None = None

    def query(self) -> CompositeQuery:
        root = self._or()
        if self._peek():
            self._fail(('&&', '||', 'the end'))
        return CompositeQuery(self.text, _plain(root), self.bare_mix)

    def _or(self) -> Node:
        parts = [self._and()]
        while operator := self._accept('||'):
            right = self._and()
            for part in (parts[-1], right):
                if isinstance(part, And) and not isinstance(part, _Enclosed):
                    self.bare_mix = self.bare_mix or operator
            parts.append(right)
        return _joined(Or, parts)

    def _and(self) -> Node:
        parts = [self._not()]
        while self._accept('&&'):
            parts.append(self._not())
        return _joined(And, parts)

    def _not(self) -> Node:
        if self._accept('!'):
            self._deeper()
            part = self._not()
            self.depth -= 1
            return Not(_plain(part))
        if self._accept('('):
            self._deeper()
            inner = self._or()
            if not self._accept(')'):
                self._fail(('&&', '||', ')'))
            self.depth -= 1
            return _Enclosed(inner.parts) if isinstance(inner, And) else inner
        return self._member()

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._refuse(self.position, f'more than {MAX_DEPTH} parts inside of each other')

    def _member(self) -> Member:
        match = self._peek()
        if match is None or match['operator']:
            self._fail(_EXPECTED)
        text = next(match[group] for group in _NAMES if match[group]).strip()
        if PUBLIC_ID.fullmatch(text):
            self._refuse(
                match.start(),
                f'{text!r} is not a monitor id but the public id of a synthetic test; a composite takes numeric '
                'monitor ids, and each test has one as its monitor_id',
            )
        self.position = match.end()
        return Member(text, Span(match.start(), match.end()))

    def _peek(self) -> re.Match[str] | None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        if self.position == len(self.text):
            return None
        return _TOKEN.match(self.text, self.position) or self._fail(('&&', '||', *_EXPECTED))

    def _accept(self, operator: str) -> Span | None:
        match = self._peek()
        if match is None or match['operator'] != operator:
            return None
        self.position = match.end()
        return Span(match.start(), match.end())

    def _fail(self, expected: tuple[str, ...]) -> NoReturn:
        rest = self.text[self.position :]
        match = re.match(r'[&|]|\w[\w.:-]*|.', rest, re.DOTALL)
        found = match[0][:40] if match else 'the end'
        what = 'the end of the query' if not match else repr(found)
        hint = f'; write {found * 2}' if found in ('&', '|') else ''
        message = f'expected {", ".join(expected[:-1])} or {expected[-1]}, found {what}{hint}'
        raise QuerySyntaxError(self.text, self.position + 1, expected, found, message)

    def _refuse(self, offset: int, message: str) -> NoReturn:
        raise QuerySyntaxError(self.text, offset + 1, (), self.text[offset : offset + 40], message)


_NAMES = ('kennel', 'terraform', 'double', 'single', 'word')


class _Enclosed(And):
    """An And in parentheses."""


def _plain(node: Node) -> Node:
    return And(tuple(map(_plain, node.parts))) if isinstance(node, _Enclosed) else node


def _joined(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    return kind(tuple(map(_plain, parts))) if len(parts) > 1 else parts[0]


def render(node: Node, names: Mapping[str, str] | None = None) -> str:
    """Return the text of a part, with parentheses wherever `&&` and `||` meet. `names` replaces members, by text."""
    match node:
        case Member(text=text):
            shown = (names or {}).get(text, text)
            return shown if re.fullmatch(r'\w[\w.:-]*', shown) else f'"{shown}"'
        case Not(part=part):
            return f'!{_enclosed(part, names)}'
        case And(parts=parts):
            return ' && '.join(_enclosed(part, names) for part in parts)
        case Or(parts=parts):
            return ' || '.join(_enclosed(part, names) for part in parts)


def _enclosed(node: Node, names: Mapping[str, str] | None) -> str:
    return f'({render(node, names)})' if isinstance(node, And | Or) else render(node, names)
