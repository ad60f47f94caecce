"""The known names most like one that is not, where thousands are known: metrics and tags."""

import re
from collections.abc import Collection
from difflib import SequenceMatcher
from functools import lru_cache

# At least so alike, on difflib's scale of 0 to 1.
_ALIKE = 0.75
# Comparing is slow: only those with the most words in common are compared.
_CANDIDATES = 40
_WORD = re.compile(r'[^\W_]+')


def nearest(name: str, known: Collection[str], most: int = 3) -> list[str]:
    """The known names most like `name`, the best first; none where none is much alike."""
    name = name[:200]
    words = _words(name)
    candidates = sorted(
        (candidate for candidate in known if abs(len(candidate) - len(name)) <= max(3, len(name) // 2)),
        key=lambda candidate: (
            -len(words & _words(candidate)),
            abs(len(candidate) - len(name)),
            candidate,
        ),
    )[:_CANDIDATES]
    matcher = SequenceMatcher(None, '', name.lower())
    found = []
    for candidate in candidates:
        matcher.set_seq1(candidate.lower())
        if matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE:
            ratio = matcher.ratio()
            if ratio >= _ALIKE:
                found.append((-ratio, candidate))
    return [candidate for _, candidate in sorted(found)[:most]]


@lru_cache(1 << 12)
def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.lower()))
