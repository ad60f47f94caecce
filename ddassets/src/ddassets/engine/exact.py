"""Sums and ratios of decimal numbers without rounding: columns of whole numbers of a common unit (rule 18.8).

>>> import numpy as np
>>> total = running(whole(np.array([0.1, 0.2]), 1))
>>> int(total[-1]), quotient(total[-1:], whole(np.array([0.4]), 1)).tolist()
(3, [0.75])
"""

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.column import Floats

#: Whole numbers: of 64 bits while they and their sums fit, else Python's.
type Whole = NDArray[Any]

_MAX = 1 << 62
# The largest number up to which a float holds every whole number.
_MAX_FLOAT = 1 << 53
# Decimals of numbers that are tried at once. A number of up to 15 digits is that of its float.
_USUAL_PLACES = 7
_MAX_DIGITS = 10**15


def places(values: Floats) -> int:
    """Return the number of decimals that write every value exactly as it is printed.

    >>> places(np.array([1.0, 0.25])), places(np.array([1e-9])), places(np.array([1e20]))
    (2, 9, 0)
    """
    for number in range(_USUAL_PLACES):
        scaled = np.rint(values * 10.0**number)
        if (np.abs(scaled) < _MAX_DIGITS).all() and (scaled / 10.0**number == values).all():
            return number
    exponents = (Decimal(repr(value)).normalize().as_tuple().exponent for value in np.unique(values).tolist())
    return max((-exponent for exponent in exponents if isinstance(exponent, int) and exponent < 0), default=0)


def whole(values: Floats, decimals: int) -> Whole:
    """Return the values in units of the last of `decimals` decimals."""
    if decimals < _USUAL_PLACES:
        scaled = np.rint(values * 10.0**decimals)
        if (np.abs(scaled) < _MAX_DIGITS).all():
            return scaled.astype(np.int64)
    return np.array([int(Decimal(repr(value)).scaleb(decimals)) for value in values.tolist()], dtype=object)


def bound(numbers: Whole) -> int:
    """Return the largest absolute value."""
    return max(abs(int(numbers.max())), abs(int(numbers.min()))) if numbers.size else 0


def times(numbers: Whole, factor: int) -> Whole:
    """Return the product with a number."""
    wide = bound(numbers) * abs(factor) >= _MAX
    return (numbers.astype(object) if wide else numbers) * factor


def plus(left: Whole, right: Whole) -> Whole:
    """Return the sum, number by number."""
    if bound(left) + bound(right) >= _MAX:
        left, right = left.astype(object), right.astype(object)
    return left + right


def running(numbers: Whole) -> Whole:
    """Return the sum of the first 0, 1, 2, … numbers."""
    wide = bound(numbers) * max(numbers.size, 1) >= _MAX
    sums = np.zeros(numbers.size + 1, dtype=object if wide else numbers.dtype)
    np.cumsum(numbers.astype(object) if wide else numbers, out=sums[1:])
    return sums


def quotient(numerator: Whole, denominator: Whole) -> Floats:
    """Return the quotients, rounded once; NaN where the denominator is 0."""
    there = denominator != 0
    if max(bound(numerator), bound(denominator)) < _MAX_FLOAT:
        with np.errstate(all='ignore'):
            found: Floats = numerator.astype(np.float64) / denominator.astype(np.float64)
        return np.where(there, found, np.nan)
    pairs = zip(numerator.tolist(), denominator.tolist(), strict=True)
    return np.array([above / below if below else np.nan for above, below in pairs], dtype=np.float64)


def signs(left: Whole, right: Whole) -> NDArray[np.int8]:
    """Return 1 where the left number is the larger one, -1 where it is the smaller one, else 0."""
    return np.asarray(left > right, dtype=np.int8) - np.asarray(left < right, dtype=np.int8)
