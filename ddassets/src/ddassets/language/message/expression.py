"""Arithmetic in a message: `{{eval "round(value * 100)"}}`. Rule 4.10. Everything is a float; nothing is executed."""

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

DEEPEST = 32
_TOKEN = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)'
    r'|(?P<name>(?:[A-Za-z_]\w*|\[[^\][]*\])(?:\.(?:\w+|\[[^\][]*\]))*)|(?P<mark>[-+*/^%()]))'
)

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    '+': operator.add,
    '-': operator.sub,
    '*': operator.mul,
    '/': operator.truediv,
    '%': math.fmod,
    '^': math.pow,
}
_STRENGTH = {'+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3}


def _humanize(base: int, units: str) -> Callable[[float], str]:
    def humanize(value: float) -> str:
        unit = 0
        while abs(value) >= base and unit < len(units.split()) - 1:
            value /= base
            unit += 1
        return f'{value:.2f} {units.split()[unit]}'

    return humanize


FUNCTIONS: dict[str, Callable[[float], float | int | str]] = {
    'abs': abs,
    'int': math.floor,
    'trunc': math.trunc,
    'float': float,
    'dec': float,
    'round': lambda value: math.floor(value + 0.5),
    'ceil': math.ceil,
    'floor': math.floor,
    'sgn': lambda value: (value > 0) - (value < 0),
    'exp': math.exp,
    'log10': math.log10,
    'sin': math.sin,
    'cos': math.cos,
    'tan': math.tan,
    'asin': math.asin,
    'acos': math.acos,
    'atan': math.atan,
    'to_bool': lambda value: 'true' if value else 'false',
    'humanize_bytes': _humanize(1024, 'B KiB MiB GiB TiB PiB'),
    'humanize_bits': _humanize(1000, 'b kb Mb Gb Tb Pb'),
}
# Their names are documented and what they print is not.
UNDESCRIBED = frozenset({'dec', 'to_bool', 'humanize_bytes', 'humanize_bits'})


class ExpressionError(ValueError):
    """A text that is no expression, or has no value. `offset` counts from the start of the text."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True)
class Number:
    offset: int
    value: float


@dataclass(frozen=True)
class Name:
    offset: int
    name: str


@dataclass(frozen=True)
class Apply:
    """A function of one operand, or the sign `-`."""

    offset: int
    function: str
    operand: 'Node'


@dataclass(frozen=True)
class Chain:
    """Operands with operators of equal strength between them, from the left."""

    first: 'Node'
    rest: 'tuple[tuple[int, str, Node], ...]'


@dataclass(frozen=True)
class Parentheses:
    inner: 'Node'


type Node = Number | Name | Apply | Chain | Parentheses


@dataclass(frozen=True)
class Expression:
    """`mixed`: operators of different strength stand side by side, so the order of work is assumed."""

    text: str
    root: Node
    mixed: bool

    def names(self) -> Iterator[Name]:
        """Yield each variable, with its offset."""
        return (node for node in _walk(self.root) if isinstance(node, Name))

    def undescribed(self) -> bool:
        """Say whether it prints through a function whose output no source describes."""
        return any(isinstance(node, Apply) and node.function in UNDESCRIBED for node in _walk(self.root))

    def evaluate(self, lookup: Callable[[str], float]) -> float | int | str:
        """Raises ExpressionError where there is no value: division by zero, an argument out of range, a text."""
        value = _evaluate(self.root, lookup)
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpressionError(0, 'the result is not a finite number')
        return value


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Apply():
            yield from _walk(node.operand)
        case Parentheses():
            yield from _walk(node.inner)
        case Chain():
            yield from _walk(node.first)
            for _, _, operand in node.rest:
                yield from _walk(operand)


def _evaluate(node: Node, lookup: Callable[[str], float]) -> float | int | str:
    match node:
        case Number():
            return node.value
        case Name():
            return lookup(node.name)
        case Apply():
            function = FUNCTIONS.get(node.function, operator.neg)
            return _attempt(node.offset, function, _number(node.offset, _evaluate(node.operand, lookup)))
        case Parentheses():
            return _evaluate(node.inner, lookup)
    value = _evaluate(node.first, lookup)
    for offset, sign, operand in node.rest:
        left, right = _number(offset, value), _number(offset, _evaluate(operand, lookup))
        value = _attempt(offset, _OPERATORS[sign], left, right)
    return value


def _attempt[T](offset: int, function: Callable[..., T], *operands: float) -> T:
    try:
        return function(*operands)
    except ZeroDivisionError:
        raise ExpressionError(offset, 'division by zero') from None
    except (ValueError, OverflowError):
        raise ExpressionError(offset, 'the result is not a finite number') from None


def _number(offset: int, value: float | str) -> float:
    if isinstance(value, str):
        raise ExpressionError(offset, f'{value!r} is no number')
    return float(value)


def parse_expression(text: str) -> Expression:
    """Read an expression. `*`, `/` and `%` bind tighter than `+` and `-`, `^` tightest and from the right.

    Raises ExpressionError.
    """
    parser = _Parser(text)
    root = parser.sum(0)
    if parser.token:
        raise ExpressionError(parser.offset, f'expected an operator, found {parser.token!r}')
    return Expression(text, root, parser.mixed)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.mixed = False
        self.next()

    def next(self) -> None:
        match = _TOKEN.match(self.text, self.end)
        if match:
            self.kind = match.lastgroup
            self.token = match[self.kind or 0]
            self.offset, self.end = match.start(self.kind or 0), match.end()
            return
        self.offset = len(self.text) - len(self.text[self.end :].lstrip())
        if self.offset < len(self.text):
            raise ExpressionError(self.offset, f'{self.text[self.offset]!r} has no meaning in an expression')
        self.kind, self.token = None, ''

    def sum(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise ExpressionError(self.offset, f'more than {DEEPEST} levels')
        return self.chain(1, depth)

    def chain(self, strength: int, depth: int) -> Node:
        """Operators of this strength, from the left; of the greatest, from the right."""
        if strength == 3:
            return self.power(depth)
        first = self.chain(strength + 1, depth)
        rest = []
        while self.kind == 'mark' and _STRENGTH.get(self.token) == strength:
            offset, sign = self.offset, self.token
            self.next()
            rest.append((offset, sign, self.chain(strength + 1, depth)))
        if not rest:
            return first
        for operand in (first, *(operand for _, _, operand in rest)):
            self.mixed |= isinstance(operand, Chain)
        return Chain(first, tuple(rest))

    def power(self, depth: int) -> Node:
        base = self.operand(depth)
        if self.token != '^':
            return base
        offset = self.offset
        self.next()
        if depth > DEEPEST:
            raise ExpressionError(offset, f'more than {DEEPEST} levels')
        exponent = self.power(depth + 1)
        self.mixed |= isinstance(exponent, Chain)
        return Chain(base, ((offset, '^', exponent),))

    def operand(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise ExpressionError(self.offset, f'more than {DEEPEST} levels')
        offset, kind, token = self.offset, self.kind, self.token
        if token == '-':
            self.next()
            operand = self.power(depth + 1)
            self.mixed |= isinstance(operand, Chain)
            return Apply(offset, '-', operand)
        if token == '(':
            self.next()
            return Parentheses(self.closed(depth))
        if kind == 'number':
            self.next()
            return Number(offset, float(token))
        if kind == 'name':
            self.next()
            if self.token != '(':
                return Name(offset, token)
            if token not in FUNCTIONS:
                raise ExpressionError(offset, f'unknown function {token!r}; known: {", ".join(FUNCTIONS)}')
            self.next()
            return Apply(offset, token, self.closed(depth))
        raise ExpressionError(
            offset, f'expected a number, a variable or `(`, found {token!r}' if token else 'ends early'
        )

    def closed(self, depth: int) -> Node:
        inner = self.sum(depth + 1)
        if self.token != ')':
            raise ExpressionError(self.offset, 'expected `)`')
        self.next()
        return inner
