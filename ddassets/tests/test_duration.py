import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets import duration


def test_the_examples_hold():
    assert doctest.testmod(duration) == (0, 3)


@given(st.integers(0, 10**9))
def test_a_written_duration_is_read_back(seconds):
    assert duration.parse(duration.write(seconds)) == seconds
    count, unit = duration.in_one_unit(seconds)
    assert count * duration.UNITS[unit] == seconds


@pytest.mark.parametrize(
    'text', ['', '5', 'm', '5x', '5m ', '-5m', '1h1h', '1m1h', '5.5m', '٥m', '1mo', '1y', '12345678901s']
)
def test_invalid_durations(text):
    assert duration.parse(text) is None
