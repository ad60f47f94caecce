"""The values of an expression from the values of its operands: arithmetic, functions and differences (rule 2.13)."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.column import Floats
from ddassets.engine.plan import (
    Arithmetic,
    Constant,
    Difference,
    Earlier,
    Filled,
    Leaf,
    Moving,
    Node,
    Pointwise,
    Source,
    counts,
)


class ValueSource(Protocol):
    """Where an expression reads its operands: points, or results of whole windows.

    `pointwise`: a count that is missing at a point is 0 beside another value there (rule 2.13). Operands that are
    aggregated over a window already have their zeros, so that n/0 is not mistaken for a missing count.
    """

    @property
    def pointwise(self) -> bool: ...
    def given(self, node: Node) -> Floats | None:
        """Return the values of a node that is not to be computed from others, or None."""

    def filled(self, node: Filled, values: Floats) -> Floats:
        """Return the values of the operand with its gaps filled."""

    def difference(self, node: Difference, values: Floats) -> Floats:
        """Return the difference from the point before; `values` are those of the operand."""

    def earlier(self, node: Earlier | Moving) -> Floats:
        """Return what the node makes of earlier windows."""


def compute(node: Node, source: ValueSource) -> Floats:
    """Return the node's values, NaN where it has none. Overflows and n/0 count as none (rule 2.13)."""
    values = source.given(node)
    if values is not None:
        return values
    match node:
        case Constant(value=value):
            return np.float64(value)  # type: ignore[return-value]
        case Arithmetic(operator=operator, left=left, right=right):
            a, b = compute(left, source), compute(right, source)
            if source.pointwise and not isinstance(left, Constant) and not isinstance(right, Constant):
                a, b = _zero_beside(left, a, b), _zero_beside(right, b, a)
            with np.errstate(all='ignore'):
                result = _OPERATORS[operator](a, b)
                return np.where(np.isfinite(result), result, np.nan)
        case Pointwise(name=name, operand=operand, bound=bound):
            return _POINTWISE[name](compute(operand, source), bound)
        case Filled(operand=operand):
            return source.filled(node, compute(operand, source))
        case Difference(operand=operand):
            return source.difference(node, compute(operand, source))
        case Earlier() | Moving():
            return source.earlier(node)
        case Leaf() | Source():
            raise AssertionError('a value source gives every leaf')


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
# The seconds that a rate is per; None: a plain difference.
_RATES = {'diff': None, 'derivative': 1, 'per_second': 1, 'per_minute': 60, 'per_hour': 3600}


def differences(name: str, values: Floats, before: Floats, seconds: NDArray[np.floating]) -> Floats:
    """Return the `diff`, `dt` or rate of values, of those before them and of the seconds between."""
    with np.errstate(all='ignore'):
        if name == 'dt':
            return np.where(np.isnan(values) | np.isnan(before), np.nan, seconds)
        factor = _RATES[name]
        result = values - before if factor is None else (values - before) / seconds * factor
        return np.where(np.isfinite(result), result, np.nan)
