"""Parse statuses of checks and states of monitors, one interval apart: `OKx10 CRITICALx3 _x5`."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.column import Floats
from ddassets.engine.series import MAX_POINTS
from ddassets.engine.service_check import STATUSES
from ddassets.engine.state import State
from ddassets.nearest import did_you_mean
from ddassets.regex import regex

#: The words for a check's status. Datadog's documentation also uses WARN.
CHECK_WORDS: Mapping[str, int] = {word: code for code, word in enumerate(STATUSES)} | {'WARN': 1}
#: The words for a monitor's state.
STATE_WORDS: Mapping[str, int] = {
    str(state).replace(' ', ''): int(state) for state in State if state is not State.ABSENT
}
_ITEM = regex(r'(?P<word>_|[A-Za-z]+?)(?:x(?P<count>\d{1,18}))?')


def parse(text: str, words: Mapping[str, int], limit: int) -> Floats:
    """Parse words, each with an optional count `xN`; `_` becomes NaN.

    Only the first `limit` values are returned. Raises UnusableInputError with the column.
    """
    parts: list[Floats] = [np.empty(0)]
    size = 0
    for item in re.finditer(r'\S+', text):
        match = _ITEM.fullmatch(item[0])
        word, count = (match['word'], int(match['count'] or 1)) if match else (item[0], 1)
        if word != '_' and word not in words:
            known = ', '.join((*words, '_'))
            raise UnusableInputError(
                f'column {item.start() + 1}: found {item[0][:40]!r}{did_you_mean(word, words)}; allowed: {known}, '
                'each with a count such as x10'
            )
        if not 1 <= count <= MAX_POINTS - size:
            raise UnusableInputError(f'column {item.start() + 1}: found {item[0]!r}, expected 1 to {MAX_POINTS:,} runs')
        made = min(count, max(0, limit - size))
        parts.append(np.full(made, np.nan if word == '_' else words[word], dtype=np.float64))
        size += count
    return np.concatenate(parts)


def messages(statuses: Floats, texts: Mapping[int, Sequence[str]]) -> tuple[str, ...]:
    """Return the message of each run from the messages of each status; the last message repeats."""
    if not texts:
        return ()
    seen = dict.fromkeys(texts, 0)
    found = []
    for status in statuses.astype(np.int64).tolist():
        own = texts.get(status) or ('',)
        number = seen.get(status, 0)
        found.append(own[min(number, len(own) - 1)])
        seen[status] = number + 1
    return tuple(found)
