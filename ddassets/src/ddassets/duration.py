"""Lengths of time: the units, one parser and one writer for `90s`, `15m`, `1d12h`."""

import re
from collections.abc import Sequence

from ddassets.regex import regex

#: Seconds of each unit, the longest first. A month is 30 days, a year is 365.
UNITS = {'y': 31_536_000, 'mo': 2_592_000, 'w': 604_800, 'd': 86_400, 'h': 3_600, 'm': 60, 's': 1}
NAMES = {'y': 'year', 'mo': 'month', 'w': 'week', 'd': 'day', 'h': 'hour', 'm': 'minute', 's': 'second'}
_PART = regex(r'(\d{1,9})(mo|[ywdhms])', re.ASCII)


def parse(text: str, units: Sequence[str] = ('w', 'd', 'h', 'm', 's')) -> int | None:
    """Return the seconds of a text such as `1d12h`; None if it is not a duration in these units.

    Each unit occurs at most once, longer units first.

    >>> parse('1d12h'), parse('90s'), parse('12h1d'), parse('3mo'), parse('3mo', ['mo'])
    (129600, 90, None, None, 7776000)
    """
    seconds, end, allowed = 0, 0, [unit for unit in UNITS if unit in units]
    for part in _PART.finditer(text):
        if part.start() != end or part[2] not in allowed:
            return None
        allowed = allowed[allowed.index(part[2]) + 1 :]
        seconds += int(part[1]) * UNITS[part[2]]
        end = part.end()
    return seconds if end == len(text) and end else None


def write(seconds: float) -> str:
    """Return the shortest spelling, in whole seconds.

    >>> write(90), write(604800), write(691200), write(0)
    ('1m30s', '1w', '8d', '0s')
    """
    left, words = round(seconds), []
    # Weeks only for whole weeks: 8d is clearer than 1w1d.
    for unit in ('w',) if left and left % UNITS['w'] == 0 else ('d', 'h', 'm', 's'):
        count, left = divmod(left, UNITS[unit])
        if count:
            words.append(f'{count}{unit}')
    return ''.join(words) or '0s'


def in_one_unit(seconds: int, units: Sequence[str] = ('w', 'd', 'h', 'm', 's')) -> tuple[int, str]:
    """Return the count and the longest of the units that divides the seconds; the last unit if none does.

    >>> in_one_unit(86400), in_one_unit(5400), in_one_unit(90, ['h', 'm'])
    ((1, 'd'), (90, 'm'), (1, 'm'))
    """
    unit = next((unit for unit in UNITS if unit in units and seconds % UNITS[unit] == 0), units[-1])
    return seconds // UNITS[unit], unit
