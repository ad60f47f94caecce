"""Parse many plain decimal numbers at once, because a year of samples must be read in hundredths of a second."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# So many digits make an integer that a float holds exactly. Divided by a power of ten, which is exact too, it is
# rounded once: to what Python reads.
MAX_DIGITS = 15
# How many characters are read at a time: what is made of them stays in the processor's cache.
_PART = 1 << 18
_MINUS, _POINT, _ZERO = (ord(character) for character in '-.0')


def read(text: str, separators: str) -> NDArray[np.float64] | None:
    """Return the numbers of a text such as `12,-3.5\n7,.25\n`, which end with the separators in rotation.

    The last separator may be missing. None for a number with an exponent or too many digits, and for any other text:
    the caller then parses number by number.
    """
    if not text.isascii():
        return None
    turns = np.frombuffer(separators.encode(), dtype=np.uint8)
    parts = []
    for part in _parts(text, separators[-1]):
        numbers = _numbers(np.frombuffer(part.encode(), dtype=np.uint8), turns)
        if numbers is None:
            return None
        parts.append(numbers)
    return np.concatenate(parts) if parts else np.empty(0)


def _parts(text: str, last: str) -> Iterator[str]:
    """Split the text after each separator; return None if there is none for too long."""
    start = 0
    while start < len(text):
        end = text.rfind(last, start, start + _PART) + 1 or len(text)
        yield text[start:end] if text[end - 1] == last else text[start:end] + last
        start = end


def _numbers(data: NDArray[np.uint8], turns: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    digits = data - _ZERO
    ends = np.flatnonzero(digits > 9)
    kinds = data[ends]
    signs, points = ends[kinds == _MINUS], ends[kinds == _POINT]
    if signs.size or points.size:
        ends = ends[(kinds != _MINUS) & (kinds != _POINT)]
        kinds = data[ends]
    if ends.size % turns.size or any((kinds[turn :: turns.size] != kind).any() for turn, kind in enumerate(turns)):
        return None
    lengths = ends.copy()
    lengths[1:] -= ends[:-1] + 1
    signed, pointed = np.searchsorted(ends, signs), np.searchsorted(ends, points)
    if (signs != ends[signed] - lengths[signed]).any() or (np.diff(pointed) == 0).any():
        return None
    lengths[signed] -= 1
    lengths[pointed] -= 1
    if lengths.min() < 1 or lengths.max() > MAX_DIGITS:
        return None
    # How many digits stand behind the point.
    behind = None
    if points.size:
        behind = np.full(ends.size, MAX_DIGITS)
        behind[pointed] = ends[pointed] - points - 1
    numbers = np.empty(ends.size)
    for turn in range(turns.size):
        column = slice(turn, None, turns.size)
        numbers[column] = _integers(digits, ends[column], lengths[column], None if behind is None else behind[column])
    if behind is not None:
        numbers[pointed] /= _POWERS[behind[pointed]]
    numbers[signed] = -numbers[signed]
    return numbers


_POWERS = np.array([float(10**power) for power in range(MAX_DIGITS + 1)])


def _integers(
    digits: NDArray[np.uint8],
    ends: NDArray[np.int64],
    lengths: NDArray[np.int64],
    behind: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """Return the digits of each number as an integer, without the decimal point, which has `behind` digits after it."""
    total = np.zeros(ends.size, dtype=np.int64)
    position = ends.copy()
    shortest = int(lengths.min())
    for place in range(int(lengths.max())):
        position -= 1
        if behind is not None:
            position -= behind == place
        digit = np.multiply(digits[position], 10**place, dtype=np.int64)
        if place >= shortest:
            digit *= place < lengths
        total += digit
    return total
