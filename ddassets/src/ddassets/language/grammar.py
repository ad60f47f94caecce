"""Parse text with the tables of a grammar, which `make grammars` computes from its `.lark` file.

The parser is LALR(1) with a contextual lexer: the parser state determines the allowed terminals. The tables are data,
so commands do not build parsers at start, and only development needs `lark`.
"""

import json
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

from ddassets.diagnostic import Span

END = '$END'


class Token(str):
    """The text of a terminal, its type, and its extent in the whole text."""

    __slots__ = ('end_pos', 'start_pos', 'type')
    type: str
    start_pos: int
    end_pos: int

    def __new__(cls, type_: str, text: str, start_pos: int, end_pos: int) -> Self:
        token = super().__new__(cls, text)
        token.type = type_
        token.start_pos = start_pos
        token.end_pos = end_pos
        return token

    @property
    def value(self) -> str:
        return str(self)

    @property
    def span(self) -> Span:
        return Span(self.start_pos, self.end_pos)


class Tree(NamedTuple):
    """The result of a rule without a callback: its name and the values of its parts."""

    data: str
    children: list[Any]


class Rule(NamedTuple):
    """A reduction: the callback `name` converts `size` values to one.

    `expand` contains the positions of values that are lists (repetitions). A rule without a name returns such a list. A
    rule that `passes` returns a single value unchanged.
    """

    origin: str
    name: str
    size: int
    passes: bool
    expand: list[int]


class UnexpectedInput(Exception):
    """The text has a syntax error. `token` is None if no terminal matches at `position`."""

    def __init__(self, parser: 'Parser', stack: list[int], position: int, token: Token | None) -> None:
        super().__init__(position)
        self.parser = parser
        self.stack = tuple(stack)
        self.position = position
        self.token = token

    @cached_property
    def accepts(self) -> set[str]:
        """The allowed terminals at this position."""
        return {name for name in self.parser.states[self.stack[-1]] if name.isupper() and self._accepts(name)}

    def _accepts(self, terminal: str) -> bool:
        states, rules, stack = self.parser.states, self.parser.rules, list(self.stack)
        ends = {last for _, last in self.parser.starts.values()}
        while (action := states[stack[-1]].get(terminal)) is not None:
            if action >= 0:
                return True
            rule = rules[-action - 1]
            del stack[len(stack) - rule.size :]
            stack.append(states[stack[-1]][rule.origin])
            if terminal == END and stack[-1] in ends:
                return True
        return False


class Parser:
    """Parses with the tables of a file. `builder` has a method for each rule, which receives the list of its parts.

    A state maps a terminal to the next state, or to -1 - the index of the rule to reduce by, and the origin of a rule
    to the next state.
    """

    def __init__(self, tables: Path, builder: object = None) -> None:
        data = json.loads(tables.read_text(encoding='utf-8'))
        self.terminals: dict[str, str] = data['terminals']
        self.ignored: set[str] = set(data['ignored'])
        self.starts: dict[str, list[int]] = data['starts']
        self.rules = [Rule(*rule) for rule in data['rules']]
        self.lexers: list[list[str]] = data['lexers']
        self.lexer_of: list[int] = data['lexer_of']
        self.states: list[dict[str, int]] = data['states']
        self._builder = builder
        self._matchers: dict[int, list[tuple[str, Callable[..., Any]]]] = {}
        self._patterns: dict[str, Callable[..., Any]] = {}
        self._reductions = [self._reduction(rule) for rule in self.rules]

    def parse(self, text: str, start: str = 'start') -> Any:
        """Return the builder's result for the whole text. Raises UnexpectedInput."""
        first, last = self.starts[start]
        stack, values = [first], list[Any]()
        position = 0
        while True:
            token = self._next(text, position, stack)
            position = token.end_pos
            kind = token.type
            while True:
                action = self.states[stack[-1]].get(kind)
                if action is None:
                    raise UnexpectedInput(self, stack, token.start_pos, token)
                if action >= 0:
                    break
                rule = self.rules[-action - 1]
                at = len(values) - rule.size
                value = self._reductions[-action - 1](values[at:])
                del stack[at + 1 :], values[at:]
                stack.append(self.states[stack[-1]][rule.origin])
                values.append(value)
                if kind == END and stack[-1] == last:
                    return value
            stack.append(action)
            values.append(token)

    def _next(self, text: str, position: int, stack: list[int]) -> Token:
        """Return the next token that is not ignored; the parser refuses a token of another context."""
        lexer = self.lexer_of[stack[-1]]
        while position < len(text):
            found = self._match(lexer, text, position) or self._match(0, text, position)
            if found is None:
                raise UnexpectedInput(self, stack, position, None)
            if found.type not in self.ignored:
                return found
            position = found.end_pos
        return Token(END, '', position, position)

    def _match(self, lexer: int, text: str, position: int) -> Token | None:
        matchers = self._matchers.get(lexer)
        if matchers is None:
            matchers = self._matchers[lexer] = [(name, self._pattern(name)) for name in self.lexers[lexer]]
        for name, match in matchers:
            if found := match(text, position):
                return Token(name, found[0], position, found.end())
        return None

    def _pattern(self, terminal: str) -> Callable[..., Any]:
        if terminal not in self._patterns:
            self._patterns[terminal] = re.compile(self.terminals[terminal]).match
        return self._patterns[terminal]

    def _reduction(self, rule: Rule) -> Callable[[list[Any]], Any]:
        build = getattr(self._builder, rule.name, None) if rule.name else list
        if build is None:

            def build(children: list[Any]) -> Any:
                return Tree(rule.name, children)

        if not rule.expand and not rule.passes:
            return build

        def reduce(children: list[Any]) -> Any:
            for index in reversed(rule.expand):
                children[index : index + 1] = children[index]
            return children[0] if rule.passes and len(children) == 1 else build(children)

        return reduce
