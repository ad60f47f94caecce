"""Names in messages: suggestions for a misspelt name, and lists of names."""

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches

# On difflib's scale of 0 to 1. Names that are less alike share letters by chance: `gauge` and `page`.
_ALIKE = 0.7
_MAX_LISTED = 8


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name of which `name` is a near misspelling or the beginning, ignoring case; None without one.

    Only the first 200 characters of `name` are compared.
    """
    spelled = {one.lower(): one for one in sorted(known)}
    # The comparison is slow, and longer names are not typing errors.
    lower = name[:200].lower()
    for found in get_close_matches(lower, spelled, n=1):
        # In short names one letter is a large part, and in the beginning of a name what is missing.
        near = found.startswith(lower) or one_letter(found, lower)
        if near or SequenceMatcher(None, found, lower).ratio() >= _ALIKE:
            return spelled[found]
    return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `did you mean …?` for a hint, or nothing."""
    found = closest(name, known)
    return f'did you mean {found}?' if found else ''


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` for the end of a message, or nothing."""
    found = suggestion(name, known)
    return f'; {found}' if found else ''


def misspelt(word: str, known: Collection[str]) -> str | None:
    """Return the known word that differs from `word` in one letter, or None. Short words may differ on purpose."""
    if word in known or len(word) < 4 or len(word) > 32:
        return None
    return next((candidate for candidate in sorted(known) if len(candidate) > 3 and one_letter(word, candidate)), None)


def one_letter(word: str, other: str) -> bool:
    """Whether two words differ in exactly one letter: missing, extra, wrong, or two swapped.

    Digits are not letters: `ewma_40` may be a function that is not known yet.
    """
    if abs(len(word) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(word), len(other)) - start and word[-1 - end] == other[-1 - end]:
        end += 1
    left, right = word[start : len(word) - end], other[start : len(other) - end]
    if not (left + right).isalpha():
        return False
    return (len(left) <= 1 and len(right) <= 1) or (len(left) == 2 and left == right[::-1])


def joined(names: Iterable[object], last: str = 'and') -> str:
    """Return `a, b and c`, with another last word if it is given."""
    words = [*map(str, names)]
    return f' {last} '.join(filter(None, [', '.join(words[:-1]), *words[-1:]]))


def listed(names: Collection[str]) -> str:
    """Return names for a message, sorted: the first eight and the number of the others, or `none`."""
    more = len(names) - _MAX_LISTED
    return ', '.join(sorted(names)[:_MAX_LISTED]) + (f' and {more} more' if more > 0 else '') or 'none'
