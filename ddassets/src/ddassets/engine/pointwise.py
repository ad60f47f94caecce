"""The functions of a query that compute each point separately, with the bounds of their results.

A row here and a row of `language.query.vocabulary.ARGUMENTS` add a function.
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
    """A function of a value and of the number in the query; 0 if it has none.

    `compute` returns NaN if the result has no value (rule 2.13). `bounds` maps the smallest and largest value of the
    operand to those of the result. `fills`: a point without a value gets one (rule 20.5).
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
