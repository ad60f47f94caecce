"""The functions of a query that act on each point by itself: what they compute, and the bounds of the result.

A row here and a row of `language.query.vocabulary.ARGUMENTS` make a new one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ddassets.engine.column import Floats

type Range = tuple[float, float]


def _unbounded(inner: Range, bound: float) -> Range:
    return -math.inf, math.inf


@dataclass(frozen=True, slots=True)
class PointwiseFunction:
    """One function of a value and of the number that the query gives it; 0 where it takes none.

    `compute` returns NaN where the result has no value (rule 2.13). `bounds` maps the least and the greatest value of
    the operand to those of the result. `fills`: a point without a value gets one (rule 20.5).
    """

    compute: Callable[[Floats, float], Floats]
    bounds: Callable[[Range, float], Range] = _unbounded
    fills: bool = False


def _logarithm(function: Callable[[Floats], Floats]) -> Callable[[Floats, float], Floats]:
    # Rule 20.6: the logarithm of 0 or less has no value.
    return lambda values, _: function(np.where(values > 0, values, np.nan))


def _abs_bounds(inner: Range, bound: float) -> Range:
    least, greatest = inner
    return 0.0 if least <= 0 <= greatest else min(abs(least), abs(greatest)), max(abs(least), abs(greatest))


#: Every such function by name; `negative` is the sign before a query.
POINTWISE: Mapping[str, PointwiseFunction] = {
    'abs': PointwiseFunction(lambda values, _: np.abs(values), _abs_bounds),
    'negative': PointwiseFunction(lambda values, _: -values, lambda inner, _: (0.0 - inner[1], 0.0 - inner[0])),
    'log2': PointwiseFunction(_logarithm(np.log2)),
    'log10': PointwiseFunction(_logarithm(np.log10)),
    'clamp_min': PointwiseFunction(
        lambda values, bound: np.maximum(values, bound),
        lambda inner, bound: (max(inner[0], bound), max(inner[1], bound)),
        fills=True,
    ),
    'clamp_max': PointwiseFunction(
        lambda values, bound: np.minimum(values, bound),
        lambda inner, bound: (min(inner[0], bound), min(inner[1], bound)),
        fills=True,
    ),
    # Rule 20.4: an equal value stays.
    'cutoff_min': PointwiseFunction(
        lambda values, bound: np.where(values < bound, np.nan, values),
        lambda inner, bound: (max(inner[0], bound), max(inner[1], bound)),
    ),
    'cutoff_max': PointwiseFunction(
        lambda values, bound: np.where(values > bound, np.nan, values),
        lambda inner, bound: (min(inner[0], bound), min(inner[1], bound)),
    ),
}
