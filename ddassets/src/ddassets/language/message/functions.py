"""The functions and operators of `{{eval "…"}}`. Rule 4.10.

Integers stay integers, so that a link can contain an epoch minus some minutes; a whole quotient is an integer too.
Operands out of range raise ArithmeticError or ValueError.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

type Number = int | float
type Value = int | float | str

# Larger integers are not exact elsewhere, and exact arithmetic with them is unbounded.
MAX_INTEGER = 2**53
MAX_PLACES = 15


@dataclass(frozen=True)
class Function:
    """`texts`: the first operand is a text; the others are numbers, except for `strip`."""

    call: Callable[..., Value]
    least: int = 1
    most: int = 1
    texts: int = 0


def _round(value: Number, places: Number = 0) -> Number:
    """Round half up to a number of decimals; below 0 to tens, hundreds and so on."""
    if places != int(places) or abs(places) > MAX_PLACES:
        raise ValueError
    step = Decimal(1).scaleb(-int(places))
    rounded = (Decimal(repr(value)) / step + Decimal('0.5')).to_integral_value(ROUND_FLOOR) * step
    return float(rounded) if places > 0 else int(rounded)


def _decimal_part(value: Number) -> float:
    """Return 0.345 for 12.345, without the error of a subtraction of floats."""
    return float(Decimal(repr(value)) % 1)


def _substring(text: str, start: Number, end: Number | None = None) -> str:
    if start < 0 or start != int(start) or (end is not None and end != int(end)):
        raise ValueError
    return text[int(start) : None if end is None else max(0, int(end))]


def _humanize(base: int, units: str) -> Callable[[Number], str]:
    names = units.split()

    def humanize(value: Number) -> str:
        unit = 0
        while abs(value) >= base and unit < len(names) - 1:
            value /= base
            unit += 1
        return f'{value:.2f} {names[unit]}'

    return humanize


FUNCTIONS: Mapping[str, Function] = {
    'abs': Function(abs),
    'int': Function(math.floor),
    'trunc': Function(math.trunc),
    'float': Function(float),
    'dec': Function(_decimal_part),
    'round': Function(_round, most=2),
    'ceil': Function(math.ceil),
    'floor': Function(math.floor),
    'sgn': Function(lambda value: (value > 0) - (value < 0)),
    'exp': Function(math.exp),
    'log10': Function(math.log10),
    'sin': Function(math.sin),
    'sinh': Function(math.sinh),
    'asin': Function(math.asin),
    'asinh': Function(math.asinh),
    'cos': Function(math.cos),
    'cosh': Function(math.cosh),
    'acos': Function(math.acos),
    'acosh': Function(math.acosh),
    'tan': Function(math.tan),
    'tanh': Function(math.tanh),
    'atan': Function(math.atan),
    'atanh': Function(math.atanh),
    'atan2': Function(math.atan2, least=2, most=2),
    'to_bool': Function(lambda value: 'true' if value else 'false'),
    'humanize_bytes': Function(_humanize(1024, 'B KiB MiB GiB TiB PiB')),
    'humanize_bits': Function(_humanize(1000, 'b kb Mb Gb Tb Pb')),
    'upper': Function(str.upper, texts=1),
    'lower': Function(str.lower, texts=1),
    'substring': Function(_substring, least=2, most=3, texts=1),
    'strip': Function(str.strip, most=2, texts=2),
}
# Their names are documented, but their output is not.
UNDESCRIBED = frozenset({'to_bool', 'humanize_bytes', 'humanize_bits'})


def _divide(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _remainder(left: Number, right: Number) -> Number:
    """Return the remainder, with the sign of the dividend."""
    if isinstance(left, int) and isinstance(right, int):
        return abs(left) % abs(right) * (1 if left >= 0 else -1)
    return math.fmod(left, right)


def _power(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and 0 <= right <= 64:
        return int(left**right)
    return math.pow(left, right)


OPERATORS: Mapping[str, Callable[[Number, Number], Number]] = {
    '+': lambda left, right: left + right,
    '-': lambda left, right: left - right,
    '*': lambda left, right: left * right,
    '/': _divide,
    '%': _remainder,
    '^': _power,
}


def bounded(value: Value) -> Value:
    """Convert an integer that is too large to be exact elsewhere to a float."""
    return float(value) if isinstance(value, int) and abs(value) > MAX_INTEGER else value
