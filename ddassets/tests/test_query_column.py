"""Positions of evaluations and buckets among samples, compared with numpy's search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets.engine.column import ranks

INSTANTS = st.one_of(
    st.integers(-40, 400).map(float), st.floats(-40, 400, allow_subnormal=False), st.sampled_from([-1e300, 1e300])
)


@given(
    values=st.lists(INSTANTS, max_size=40, unique=True).map(sorted),
    first=st.integers(-50, 300),
    every=st.sampled_from([1, 2, 7, 60]),
    number=st.integers(0, 30),
    side=st.sampled_from(['left', 'right']),
    whole=st.booleans(),
)
def test_ranks_among_even_bounds(values, first, every, number, side, whole):
    values = np.array([value for value in values if not whole or abs(value) < 1e9], dtype=float)
    values = values.astype(np.int64) if whole else values
    bounds = first + every * np.arange(number)
    assert ranks(values, bounds, side).tolist() == np.searchsorted(values, bounds, side=side).tolist()


@pytest.mark.parametrize(
    'bounds',
    [
        pytest.param([10, 20, 40], id='uneven'),
        pytest.param([10, 10, 10], id='equal'),
        pytest.param([30, 20, 10], id='falling'),
        pytest.param([20], id='one'),
        pytest.param([], id='none'),
    ],
)
@pytest.mark.parametrize('side', ['left', 'right'])
def test_ranks_among_other_bounds(bounds, side):
    values = np.array([5.0, 10.0, 10.5, 20.0, 33.0])
    bounds = np.array(bounds, dtype=np.int64)
    assert ranks(values, bounds, side).tolist() == np.searchsorted(values, bounds, side=side).tolist()


# Near the present two instants differ by a quarter of a microsecond at least, which must not be rounded away.
@pytest.mark.parametrize('side', ['left', 'right'])
def test_ranks_keep_the_finest_difference(side):
    bounds = 1_800_000_000 + 60 * np.arange(600_000)
    at = bounds[[7, 300_000, 599_999]].astype(float)
    values = np.sort(np.concatenate([at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf)]))
    assert ranks(values, bounds, side).tolist() == np.searchsorted(values, bounds, side=side).tolist()
