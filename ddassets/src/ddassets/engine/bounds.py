"""The bounds of the values of an expression, for any series."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ddassets.engine.plan import (
    Arithmetic,
    Constant,
    Counted,
    Earlier,
    Filled,
    Leaf,
    Node,
    Plan,
    Pointwise,
    Reduced,
)
from ddassets.engine.pointwise import POINTWISE


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest value, both included; infinite if there is no bound.

    >>> Bounds(0.0, 1.0).can_be('>', 1.0)
    False
    """

    least: float = -math.inf
    greatest: float = math.inf

    def can_be(self, comparator: str, limit: float) -> bool:
        """Whether a value within the bounds can meet the comparison."""
        match comparator:
            case '>':
                return self.greatest > limit
            case '>=':
                return self.greatest >= limit
            case '<':
                return self.least < limit
            case '<=':
                return self.least <= limit
            case '==':
                return self.least <= limit <= self.greatest
        return not self.least == limit == self.greatest

    def __str__(self) -> str:
        if math.isinf(self.least):
            return f'at most {self.greatest:g}'
        if math.isinf(self.greatest):
            return f'at least {self.least:g}'
        return f'between {self.least:g} and {self.greatest:g}'


_ANY = Bounds()


def bounds(plan: Plan, negative: Collection[Leaf] = ()) -> Bounds:
    """Return the bounds of a plan's value. `negative` are the queries that have values below 0."""
    value = _bounds(plan.expression, negative)
    return value if plan.by_window else _aggregated(value, plan.aggregator)


def _aggregated(value: Bounds, method: str) -> Bounds:
    """Return the bounds of an aggregate: a sum of any number of points keeps only its sign."""
    if method == 'l2norm':
        return Bounds(0.0)
    if method not in ('sum', 'area'):
        return value
    return Bounds(0.0 if value.least >= 0 else -math.inf, 0.0 if value.greatest <= 0 else math.inf)


def _bounds(node: Node, negative: Collection[Leaf]) -> Bounds:
    match node:
        case Leaf(differences=()):
            return _ANY if node in negative else Bounds(0.0)
        case Constant(value=value):
            return Bounds(value, value)
        case Arithmetic():
            return _arithmetic(node, negative)
        case Pointwise(name=name, operand=operand, bound=bound):
            inner = _bounds(operand, negative)
            return Bounds(*POINTWISE[name].bounds((inner.least, inner.greatest), bound))
        case Counted(operands=operands):
            return Bounds(0.0, float(len(operands)))
        case Filled(operand=operand, value=value):
            inner = _bounds(operand, negative)
            return Bounds(min(inner.least, value), max(inner.greatest, value))
        case Reduced(operand=operand, method=method):
            return _aggregated(_bounds(operand, negative), method)
        case Earlier(operand=operand):
            return _bounds(operand, negative)
    return _ANY


def _arithmetic(node: Arithmetic, negative: Collection[Leaf]) -> Bounds:
    left, right = _bounds(node.left, negative), _bounds(node.right, negative)
    match node.operator:
        case '+':
            return Bounds(left.least + right.least, left.greatest + right.greatest)
        case '-':
            return Bounds(left.least - right.greatest, left.greatest - right.least)
        case '*':
            return _product(left, right)
    factor, part = _scaled(node.left)
    addends = [*_addends(node.right)]
    if part in addends and all(_bounds(addend, negative).least >= 0 for addend in addends):
        # A part of a sum of values that are not negative.
        return _product(Bounds(factor, factor), Bounds(0.0, 1.0))
    match node.left:
        # A change relative to a value that is not negative, of one that is not either.
        case Arithmetic(operator='-', left=new, right=old) if old == node.right:
            if _bounds(new, negative).least >= 0 and right.least >= 0:
                return Bounds(-1.0)
    if right.least >= 0 or right.greatest <= 0:
        inverse = [math.inf if value == 0 else 1 / value for value in (right.greatest, right.least)]
        sign = 1.0 if right.least >= 0 else -1.0
        inverse = sorted(math.copysign(value, sign) for value in inverse)
        return _product(left, Bounds(inverse[0], inverse[1]))
    return _ANY


def _product(left: Bounds, right: Bounds) -> Bounds:
    # 0 times infinity is 0: the bound is never reached.
    products = [
        0.0 if 0.0 in (a, b) else a * b for a in (left.least, left.greatest) for b in (right.least, right.greatest)
    ]
    return Bounds(min(products), max(products))


def _scaled(node: Node) -> tuple[float, Node]:
    """Split a node into a factor and the rest: 100 * u is (100, u)."""
    match node:
        case (
            Arithmetic(operator='*', left=Constant(value=value), right=rest)
            | Arithmetic(operator='*', left=rest, right=Constant(value=value))
        ):
            factor, inner = _scaled(rest)
            return factor * value, inner
    return 1.0, node


def _addends(node: Node) -> Iterator[Node]:
    match node:
        case Arithmetic(operator='+', left=left, right=right):
            yield from _addends(left)
            yield from _addends(right)
        case _:
            yield node
