"""The syntax tree of a notification message; every node has its offset in the text. Rule 4.1."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ddassets.diagnostic import Excerpt, UnusableInputError
from ddassets.language.message.expression import Expression
from ddassets.language.message.vocabulary import MATCHES
from ddassets.regex import regex

_PART = regex(r'\[([^\][{}]+)\]|([\w@/-]+)')


class Fault(NamedTuple):
    """A syntax error of a message, or a part with a surprising meaning. `offset` is in characters."""

    offset: int
    message: str


class MessageSyntaxError(UnusableInputError):
    """All syntax errors of a message. The details have a caret under each."""

    def __init__(self, text: str, faults: Collection[Fault]) -> None:
        self.text = text
        self.faults = tuple(sorted(faults))
        first = self.faults[0]
        line, column = position(text, first.offset)
        super().__init__(
            f'line {line}, column {column}: {first.message}',
            '\n'.join(f'{_caret(text, fault.offset)} {fault.message}' for fault in self.faults),
        )


def position(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column, both from 1."""
    return text.count('\n', 0, offset) + 1, offset - text.rfind('\n', 0, offset)


def _caret(text: str, offset: int) -> str:
    return '\n'.join(Excerpt(text, offset, offset + 1).caret())


# The tree


@dataclass(frozen=True)
class Text:
    offset: int
    end: int
    text: str


@dataclass(frozen=True)
class Comment:
    """A comment, or a mark of a raw block. `nested`: it contains braces, so its end is assumed (A87)."""

    offset: int
    end: int
    nested: bool = False


@dataclass(frozen=True)
class Variable:
    """`{{host.name}}`. `[a.b].name` has the parts `a.b` and `name` (rule 4.8)."""

    offset: int
    end: int
    parts: tuple[str, ...]
    escaped: bool


@dataclass(frozen=True)
class Call:
    """`{{eval "…"}}`, `{{local_time '…' '…'}}`, `{{urlencode "…"}}`, `{{override_priority '…'}}`. Rule 4.10."""

    offset: int
    end: int
    function: str
    arguments: tuple[str, ...]
    expression: Expression | None


@dataclass(frozen=True)
class Condition:
    """The condition of a block: `is_alert`, or `is_match` with its arguments.

    `expression` is the expression of the first argument if it is `(eval "…")` (rule 4.5); the argument has its text.
    """

    name: str
    arguments: tuple[str, ...] = ()
    expression: Expression | None = None

    def __str__(self) -> str:
        quoted = [f'"{argument}"' for argument in self.arguments]
        if self.expression:
            quoted[0] = f'(eval {quoted[0]})'
        return ' '.join([self.name, *quoted])


@dataclass(frozen=True)
class Block:
    """`{{#is_alert}}…{{else}}…{{/is_alert}}`, or `{{^…}}`, which is `inverted`. `otherwise` is None without `{{else}}`.

    A raw conditional, `{{{{is_match …}}}}…{{{{/is_match}}}}`, is a block whose body is a single text.
    """

    offset: int
    end: int
    condition: Condition
    inverted: bool
    body: 'tuple[Node, ...]'
    otherwise: 'tuple[Node, ...] | None'
    marks: tuple[tuple[int, int], ...]  # the offsets of its opening and closing tags


type Node = Text | Comment | Variable | Call | Block


class Literal(NamedTuple):
    """A condition and its required value."""

    condition: Condition
    holds: bool

    def __str__(self) -> str:
        return str(self.condition) if self.holds else f'not {self.condition}'


class Branch(NamedTuple):
    """A branch of a block. `path` are the required conditions, the outermost block first."""

    offset: int
    path: tuple[Literal, ...]

    def __str__(self) -> str:
        return ' and '.join(map(str, self.path))


class Use(NamedTuple):
    """A use of a variable in the message."""

    offset: int
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return '.'.join(f'[{part}]' if '.' in part else part for part in self.parts)


@dataclass(frozen=True)
class Template:
    """A parsed message. `warnings` are parts with a surprising meaning."""

    text: str
    nodes: tuple[Node, ...]
    warnings: tuple[Fault, ...]

    def walk(self) -> Iterator[tuple[Node, tuple[Literal, ...]]]:
        """Yield each node and the conditions for rendering it, in the order of the text."""
        return _walk(self.nodes, ())

    @cached_property
    def _branches(self) -> tuple[Branch, ...]:
        return tuple(
            Branch(node.offset, (*path, literal))
            for node, path in self.walk()
            if isinstance(node, Block)
            for literal, _ in ways(node)
        )

    def branches(self) -> tuple[Branch, ...]:
        """Return every branch of the message: each body, and each `{{else}}`."""
        return self._branches

    def variables(self) -> tuple[Use, ...]:
        """Return every use of a variable (printed, tested or in an expression), in the order of the text."""
        return tuple(use for node, _ in self.walk() for use in _uses(node))


def ways(block: Block) -> Iterator[tuple[Literal, tuple[Node, ...]]]:
    """Yield each branch of a block: its conditions and its nodes."""
    yield Literal(block.condition, not block.inverted), block.body
    if block.otherwise is not None:
        yield Literal(block.condition, block.inverted), block.otherwise


def _walk(nodes: tuple[Node, ...], path: tuple[Literal, ...]) -> Iterator[tuple[Node, tuple[Literal, ...]]]:
    for node in nodes:
        yield node, path
        if isinstance(node, Block):
            for literal, inside in ways(node):
                yield from _walk(inside, (*path, literal))


def _uses(node: Node) -> Iterator[Use]:
    match node:
        case Variable():
            yield Use(node.offset, node.parts)
        case Block(condition=Condition(expression=Expression() as expression)):
            yield from (Use(node.offset, bare_parts(name.name)) for name in expression.names())
        case Block() if node.condition.name in MATCHES:
            yield Use(node.offset, quoted_parts(node.condition.arguments[0]))
        case Call() if node.expression:
            yield from (Use(node.offset, bare_parts(name.name)) for name in node.expression.names())
        case Call() if node.function in ('local_time', 'urlencode'):
            yield Use(node.offset, quoted_parts(node.arguments[0]))


def bare_parts(path: str) -> tuple[str, ...]:
    """Split `[a.b].name` into `a.b` and `name`."""
    return tuple(bracketed or plain for bracketed, plain in _PART.findall(path))


def quoted_parts(path: str) -> tuple[str, ...]:
    """Split the name of a quoted variable, where a dotted key needs no brackets: `a.b.name` has the key `a.b`."""
    if '[' in path or '.' not in path:
        return bare_parts(path)
    return tuple(path.rsplit('.', 1))
