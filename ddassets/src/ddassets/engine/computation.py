"""What an expression makes of the values of its operands: arithmetic, functions and differences (rule 2.13)."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.column import Floats
from ddassets.engine.plan import Arithmetic, Constant, Difference, Leaf, Node, Pointwise, ZeroFilled, counts


class Sight(Protocol):
    """What an expression is computed from: points, or operands that are aggregated already.

    `pointwise`: a count that is missing at a point is 0 beside another value there (rule 2.13). What is given for an
    operand that is aggregated has its zeros already, so that n/0 is not mistaken for a missing count.
    """

    @property
    def pointwise(self) -> bool: ...
    def given(self, node: Node) -> Floats | None: ...
    def zero_filled(self, node: ZeroFilled, values: Floats) -> Floats: ...
    def difference(self, node: Difference, values: Floats) -> Floats: ...


def compute(node: Node, sight: Sight) -> Floats:
    """Return the node's values, NaN where it has none. Overflows and n/0 count as none (rule 2.13)."""
    found = sight.given(node)
    if found is not None:
        return found
    match node:
        case Constant(value=value):
            return np.float64(value)  # type: ignore[return-value]
        case Arithmetic(operator=operator, left=left, right=right):
            a, b = compute(left, sight), compute(right, sight)
            if sight.pointwise and not isinstance(left, Constant) and not isinstance(right, Constant):
                a, b = _zero_beside(left, a, b), _zero_beside(right, b, a)
            with np.errstate(all='ignore'):
                result = _OPERATORS[operator](a, b)
                return np.where(np.isfinite(result), result, np.nan)
        case Pointwise(name=name, operand=operand, bound=bound):
            return _POINTWISE[name](compute(operand, sight), bound)
        case ZeroFilled(operand=operand):
            return sight.zero_filled(node, compute(operand, sight))
        case Difference(operand=operand):
            return sight.difference(node, compute(operand, sight))
        case Leaf():
            raise AssertionError('a leaf is given')


def _zero_beside(node: Node, values: Floats, others: Floats) -> Floats:
    """A missing count is 0 where the other operand has a value (rule 2.13)."""
    return np.where(np.isnan(values) & ~np.isnan(others), 0.0, values) if counts(node) else values


_OPERATORS = {'+': np.add, '-': np.subtract, '*': np.multiply, '/': np.divide}
_POINTWISE: dict[str, Callable[[Floats, float], Floats]] = {
    'abs': lambda values, _: np.abs(values),
    'negative': lambda values, _: -values,
    'clamp_min': lambda values, bound: np.maximum(values, bound),
    'clamp_max': lambda values, bound: np.minimum(values, bound),
}
_RATES = {'diff': None, 'derivative': 1, 'per_second': 1, 'per_minute': 60, 'per_hour': 3600}


def differences(name: str, values: Floats, before: Floats, seconds: NDArray[np.floating]) -> Floats:
    """Return what `diff`, `dt` or a rate makes of values, of those before them and of the seconds between."""
    with np.errstate(all='ignore'):
        if name == 'dt':
            return np.where(np.isnan(values) | np.isnan(before), np.nan, seconds)
        factor = _RATES[name]
        result = values - before if factor is None else (values - before) / seconds * factor
        return np.where(np.isfinite(result), result, np.nan)
