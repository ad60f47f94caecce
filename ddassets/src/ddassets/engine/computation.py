"""Compute the values of an expression from those of its operands: arithmetic, functions, differences (rule 2.13)."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats, Indices
from ddassets.engine.plan import (
    Arithmetic,
    Constant,
    Counted,
    Difference,
    Earlier,
    Filled,
    Leaf,
    Moving,
    Node,
    Pointwise,
    Reduced,
    Reported,
    Smoothed,
    Source,
    Throughput,
    Wrapper,
    children,
    counts,
    leaves,
)
from ddassets.engine.pointwise import POINTWISE


class ValueSource(Protocol):
    """The source of an expression's operands: points, or results of whole windows.

    `pointwise`: a count without a value at a point is 0 if the other operand has one (rule 2.13). Operands that are
    aggregated over a window already contain their zeros, so that n/0 is not taken for a missing count.
    """

    @property
    def pointwise(self) -> bool: ...
    @property
    def bucket(self) -> Indices | int:
        """The length of each point's bucket, or of all, in seconds."""

    def given(self, node: Node) -> Floats | None:
        """Return the values of a node that is not computed from other nodes, or None."""

    def present(self, leaf: Leaf) -> NDArray[np.bool_]:
        """Return where the query has a point, regardless of its differences."""

    def filled(self, node: Filled, values: Floats) -> Floats:
        """Return the values of the operand with its gaps filled."""

    def difference(self, node: Difference, values: Floats) -> Floats:
        """Return the difference from the previous point; `values` are those of the operand."""

    def earlier(self, node: Earlier | Moving | Smoothed) -> Floats:
        """Return the node's result for earlier points or windows."""


def compute(node: Node, source: ValueSource) -> Floats:
    """Return the node's values, NaN for none. Overflow and n/0 give no value (rule 2.13)."""
    values = source.given(node)
    if values is not None:
        return values
    match node:
        case Constant(value=value):
            return np.float64(value)  # type: ignore[return-value]
        case Arithmetic(operator=operator, left=left, right=right):
            a, b = compute(left, source), compute(right, source)
            if source.pointwise and not isinstance(left, Constant) and not isinstance(right, Constant):
                a, b = _missing_as_zero(left, a, b), _missing_as_zero(right, b, a)
            with np.errstate(all='ignore'):
                result = _OPERATORS[operator](a, b)
                return np.where(np.isfinite(result), result, np.nan)
        case Counted(name=name, operands=operands):
            return _counted(name, [compute(operand, source) for operand in operands])
        case Leaf() | Source() | Reduced():
            raise AssertionError('a value source gives every leaf')
    return _wrapped(node, source)


def _wrapped(node: Wrapper, source: ValueSource) -> Floats:
    """Return the values of a function of one node."""
    match node:
        case Pointwise(name=name, operand=operand, bound=bound):
            function, values = POINTWISE[name], compute(operand, source)
            result = function.compute(values, bound)
            if function.fills and np.isnan(values).any():
                result = np.where(np.isnan(values) & _present(operand, source), bound, result)
            return result
        case Throughput(operand=operand):
            return compute(operand, source) / source.bucket
        case Filled(operand=operand):
            return source.filled(node, compute(operand, source))
        case Reported(operand=operand):
            there = np.logical_or.reduce([source.present(leaf) for leaf in leaves(operand)])
            return np.where(there, compute(operand, source), np.nan)
        case Difference(operand=operand):
            return source.difference(node, compute(operand, source))
        case Earlier() | Moving() | Smoothed():
            return source.earlier(node)


def _missing_as_zero(node: Node, values: Floats, others: Floats) -> Floats:
    """Replace a missing count by 0 where the other operand has a value (rule 2.13)."""
    return np.where(np.isnan(values) & ~np.isnan(others), 0.0, values) if counts(node) else values


def _counted(name: str, groups: Sequence[Floats]) -> Floats:
    """Return the number of groups at each point; NaN if none has a value (A74)."""
    present = sum((~np.isnan(values)).astype(np.float64) for values in groups)
    number = present
    if name == 'count_nonzero':
        number = sum(((values != 0) & ~np.isnan(values)).astype(np.float64) for values in groups)
    return np.where(present > 0, number, np.nan)


def _present(node: Node, source: ValueSource) -> NDArray[np.bool_]:
    """Return where a point exists, with or without a value: n/0, a cut value or a missing operand (rules 2.13 and
    20.5).
    """
    if not source.pointwise and (values := source.given(node)) is not None:
        return ~np.isnan(values)
    match node:
        case Leaf():
            return source.present(node)
        case Earlier():
            return ~np.isnan(compute(node, source))
        case Filled():
            return _present(node.operand, source) | ~np.isnan(compute(node, source))
    found: NDArray[np.bool_] = np.zeros((), dtype=np.bool_)
    for child in children(node):
        found = found | _present(child, source)
    return found


_OPERATORS = {'+': np.add, '-': np.subtract, '*': np.multiply, '/': np.divide}
# The seconds that a rate is per; None: a plain difference.
_RATES = {'diff': None, 'monotonic_diff': None, 'derivative': 1, 'per_second': 1, 'per_minute': 60, 'per_hour': 3600}


def differences(
    name: str, values: Floats, before: Floats, seconds: NDArray[np.floating], assumptions: Assumptions
) -> Floats:
    """Return the `diff`, `dt` or rate of values, from the previous values and the seconds between."""
    with np.errstate(all='ignore'):
        if name == 'dt':
            return np.where(np.isnan(values) | np.isnan(before), np.nan, seconds)
        factor = _RATES[name]
        result = values - before if factor is None else (values - before) / seconds * factor
        if name == 'monotonic_diff' and (result < 0).any():
            result = np.where(result < 0, 0.0 if assumptions.monotonic_fall == '0' else np.nan, result)
        return np.where(np.isfinite(result), result, np.nan)
