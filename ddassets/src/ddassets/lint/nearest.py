"""Find the nearest known name among thousands of metrics or tags."""

from collections.abc import Collection
from difflib import SequenceMatcher
from functools import lru_cache

from ddassets.nearest import one_letter
from ddassets.regex import regex

# Minimum similarity on difflib's scale of 0 to 1.
_ALIKE = 0.75
# The comparison is slow, so it is limited to the names with the most words in common.
_CANDIDATES = 40
_WORD = regex(r'[^\W_]+')


def nearest(name: str, known: Collection[str], most: int = 3) -> list[str]:
    """Return the known names nearest to `name`, the best first; empty if none is similar enough."""
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


def one_letter_apart(name: str, other: str) -> bool:
    """Whether two metric names differ in exactly one letter: missing, extra, wrong, or two swapped.

    Digits are not letters, and short words may differ in one letter on purpose: `shard.1` and `shard.2`, `io.r_s` and
    `io.w_s`, `calls.get` and `calls.set` are two metrics each.
    """
    if name == other or abs(len(name) - len(other)) > 1:
        return False
    words, others = _SEPARATOR.split(name), _SEPARATOR.split(other)
    if len(words) != len(others):
        # A separator is missing or extra.
        return ''.join(words) == ''.join(others)
    pairs = [(word, known) for word, known in zip(words, others, strict=True) if word != known]
    if len(pairs) != 1:
        # A different separator is only a matter of spelling.
        return not pairs
    word, known = pairs[0]
    least = 4 if len(word) == len(known) else 3
    return max(len(word), len(known)) >= least and one_letter(word, known)


_SEPARATOR = regex(r'[._]')
