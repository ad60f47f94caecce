"""The values that options of the command line take; each raises ArgumentTypeError with what is expected and found."""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path


def path(text: str) -> Path:
    # An unset variable of a shell script; to pathlib it would be the current folder.
    if not text:
        raise ArgumentTypeError('expected a path, found an empty text')
    return Path(text)


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f'expected a whole number from 1, found {text!r}')
    return int(text)


def per_cent(text: str) -> float:
    value = _number(text)
    if value is None or not 0 <= value <= 100:
        raise ArgumentTypeError(f'expected 0 to 100, found {text!r}')
    return value


def seconds(most: int) -> Callable[[str], float]:
    """Return what reads seconds, of which there may be so many."""

    def read(text: str) -> float:
        value = _number(text)
        if value is None or not 0 < value <= most:
            raise ArgumentTypeError(f'expected seconds above 0, at most {most}, found {text!r}')
        return value

    return read


def length(text: str) -> int:
    """A length of time such as 5m, in seconds."""
    found = re.fullmatch(r'([0-9]{1,6})([smhdw])', text)
    seconds = int(found[1]) * {'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 604800}[found[2]] if found else 0
    if not 0 < seconds <= 366 * 86400:
        raise ArgumentTypeError(f'expected a length such as 45s, 5m, 4h or 1d, found {text!r}')
    return seconds


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
