"""Lengths of time: one parser and one writer for `90s`, `15m`, `1d12h`."""

import re

#: Seconds of each unit, the longest first. A month is 30 days.
UNITS = {'mo': 2_592_000, 'w': 604_800, 'd': 86_400, 'h': 3_600, 'm': 60, 's': 1}
_PART = re.compile(r'(\d{1,9})(mo|[wdhms])')


def parse(text: str, units: str | tuple[str, ...] = ('w', 'd', 'h', 'm', 's')) -> int | None:
    """Return the seconds of a text such as `1d12h`; None where it is not a duration in these units.

    Each unit stands at most once, longer units first.
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
    """Return the shortest spelling, in whole seconds: 90 is `1m30s`, 604800 is `1w`, 691200 is `8d`, 0 is `0s`."""
    left, words = round(seconds), []
    # Weeks only where nothing else is left: 8d says more than 1w1d.
    for unit in ('w',) if left and left % UNITS['w'] == 0 else ('d', 'h', 'm', 's'):
        count, left = divmod(left, UNITS[unit])
        if count:
            words.append(f'{count}{unit}')
    return ''.join(words) or '0s'
