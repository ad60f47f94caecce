"""Expressions in a message: `{{eval "round(value * 100)"}}`. Rule 4.10. No code is executed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from ddassets.language.grammar import END, Parser, Token, UnexpectedInput
from ddassets.language.message.functions import FUNCTIONS, OPERATORS, UNDESCRIBED, Number, Value, bounded
from ddassets.nearest import did_you_mean

MAX_DEPTH = 32
MAX_LENGTH = 10_000
# A longer literal is not exact as a float.
MAX_DIGITS = 15


class ExpressionError(ValueError):
    """A text that is not an expression, or has no result. `offset` is relative to the start of the text."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True)
class Literal:
    """A number, or a text in quotes."""

    offset: int
    value: Value


@dataclass(frozen=True)
class Name:
    offset: int
    name: str


@dataclass(frozen=True)
class Apply:
    """A function and its operands."""

    offset: int
    function: str
    operands: 'tuple[Node, ...]'


@dataclass(frozen=True)
class Negative:
    """The sign `-`."""

    offset: int
    operand: 'Node'


@dataclass(frozen=True)
class Chain:
    """Operands and operators of equal precedence, left-associative."""

    first: 'Node'
    rest: 'tuple[tuple[int, str, Node], ...]'


@dataclass(frozen=True)
class Parentheses:
    inner: 'Node'


type Node = Literal | Name | Apply | Negative | Chain | Parentheses


@dataclass(frozen=True)
class Expression:
    """`mixed`: operators of different precedence occur without parentheses, so their order is assumed (A31)."""

    text: str
    root: Node
    mixed: bool

    def names(self) -> Iterator[Name]:
        """Yield each variable, with its offset."""
        return (node for node in _walk(self.root) if isinstance(node, Name))

    def undescribed(self) -> bool:
        """Whether it calls a function whose output is not documented."""
        return any(isinstance(node, Apply) and node.function in UNDESCRIBED for node in _walk(self.root))

    def evaluate(self, lookup: Callable[[str], Value], from_left: bool = False) -> Value:
        """Return the result. `from_left`: apply operators in the order of the text, ignoring precedence.

        Raises ExpressionError if there is no result: division by zero, an operand out of range.
        """
        value = _evaluate(_from_left(self.root) if from_left else self.root, lookup)
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpressionError(0, 'the result is not a finite number')
        return value


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Apply():
            return node.operands
        case Negative():
            return (node.operand,)
        case Parentheses():
            return (node.inner,)
        case Chain():
            return node.first, *(operand for _, _, operand in node.rest)
    return ()


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in _parts(node):
        yield from _walk(part)


def _from_left(node: Node) -> Node:
    """Flatten operators outside parentheses to a chain without precedence."""
    match node:
        case Parentheses():
            return Parentheses(_from_left(node.inner))
        case Apply():
            return replace(node, operands=tuple(map(_from_left, node.operands)))
        case Negative():
            inner = _from_left(node.operand)
            if isinstance(inner, Chain):
                return Chain(Negative(node.offset, inner.first), inner.rest)
            return Negative(node.offset, inner)
        case Chain():
            first = _from_left(node.first)
            start, rest = (first.first, [*first.rest]) if isinstance(first, Chain) else (first, [])
            for offset, sign, operand in node.rest:
                inner = _from_left(operand)
                further = inner if isinstance(inner, Chain) else Chain(inner, ())
                rest += [(offset, sign, further.first), *further.rest]
            return Chain(start, tuple(rest))
    return node


# Evaluating


def _evaluate(node: Node, lookup: Callable[[str], Value]) -> Value:
    match node:
        case Literal():
            return node.value
        case Name():
            return lookup(node.name)
        case Parentheses():
            return _evaluate(node.inner, lookup)
        case Negative():
            return -_number(node.offset, node.operand, lookup)
        case Apply():
            function = FUNCTIONS[node.function]
            operands = [
                (_text if index < function.texts else _number)(node.offset, operand, lookup)
                for index, operand in enumerate(node.operands)
            ]
            return _attempt(node.offset, function.call, *operands)
    value = _number(node.rest[0][0], node.first, lookup)
    for offset, sign, operand in node.rest:
        result = _attempt(offset, OPERATORS[sign], value, _number(offset, operand, lookup))
        assert not isinstance(result, str)
        value = result
    return value


def _attempt(offset: int, function: Callable[..., Value], *operands: Value) -> Value:
    try:
        return bounded(function(*operands))
    except ZeroDivisionError:
        raise ExpressionError(offset, 'division by zero') from None
    except (ValueError, ArithmeticError):
        raise ExpressionError(offset, 'the result is not a finite number') from None


def _text(offset: int, node: Node, lookup: Callable[[str], Value]) -> str:
    return str(_evaluate(node, lookup))


def _number(offset: int, node: Node, lookup: Callable[[str], Value]) -> Number:
    value = _evaluate(node, lookup)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            what = node.name if isinstance(node, Name) else repr(value)
            raise ExpressionError(offset, f'{what} is not a number') from None
    if not math.isfinite(value):
        raise ExpressionError(offset, 'the result is not a finite number')
    return value


# Reading


def parse_expression(text: str) -> Expression:
    """Parse an expression. `*`, `/` and `%` bind tighter than `+` and `-`; `^` binds tightest and is right-associative.

    Raises ExpressionError.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(0, f'more than {MAX_LENGTH} characters')
    try:
        root: Node = _parser().parse(text)
    except UnexpectedInput as error:
        _refuse(text, error)
    _refuse_depth(root)
    return Expression(text, root, _mixed(root))


class _Builder:
    """Builds the tree. The parser calls one method for each rule of `expression.lark`."""

    def start(self, children: list[Any]) -> Node:
        root: Node = children[0]
        return root

    def chain(self, children: list[Any]) -> Node:
        first, *rest = children
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return Chain(first, tuple((sign.start_pos, str(sign), operand) for sign, operand in pairs))

    def signed(self, children: list[Any]) -> Node:
        sign, operand = children
        return Negative(sign.start_pos, operand) if sign == '-' else operand

    def number(self, children: list[Token]) -> Node:
        [token] = children
        whole = token.isdecimal() and len(token) <= MAX_DIGITS
        return Literal(token.start_pos, int(token) if whole else float(token))

    def text(self, children: list[Token]) -> Node:
        return Literal(children[0].start_pos, children[0][1:-1])

    def name(self, children: list[Token]) -> Node:
        return Name(children[0].start_pos, str(children[0]))

    def parentheses(self, children: list[Any]) -> Node:
        return Parentheses(children[1])

    def call(self, children: list[Any]) -> Node:
        name, _, *rest = children
        return Apply(name.start_pos, str(name), tuple(rest[:-1:2]))


@cache
def _parser() -> Parser:
    return Parser(Path(__file__).with_name('expression.json'), _Builder())


def _refuse(text: str, error: UnexpectedInput) -> NoReturn:
    token = error.token
    if token is None:
        raise ExpressionError(error.position, f'{text[error.position]!r} is not allowed here') from None
    if token.type == END:
        raise ExpressionError(len(text), 'expected `)`' if 'RPAR' in error.accepts else 'ends early') from None
    expected = 'a number, a variable or `(`' if 'NUMBER' in error.accepts else 'an operator'
    raise ExpressionError(token.start_pos, f'expected {expected}, found {str(token)!r}') from None


def _refuse_depth(root: Node) -> None:
    """Refuse expressions that are nested too deeply, unknown functions and wrong numbers of operands."""
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ExpressionError(0, f'more than {MAX_DEPTH} levels')
        if isinstance(node, Apply):
            _check(node)
        pending += [(part, depth + 1) for part in _parts(node)]


def _check(node: Apply) -> None:
    function = FUNCTIONS.get(node.function)
    if function is None:
        close = did_you_mean(node.function, FUNCTIONS)
        raise ExpressionError(node.offset, f'unknown function {node.function!r}{close}; known: {", ".join(FUNCTIONS)}')
    if not function.least <= len(node.operands) <= function.most:
        counts = ' or '.join(map(str, range(function.least, function.most + 1)))
        plural = 's' * (counts != '1')
        raise ExpressionError(
            node.offset, f'{node.function}: expected {counts} argument{plural}, found {len(node.operands)}'
        )


def _mixed(root: Node) -> bool:
    return any(
        isinstance(part, Chain) for node in _walk(root) if isinstance(node, Chain | Negative) for part in _parts(node)
    )
