"""Names in messages: the known name nearest to a misspelt one, and lists."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to the first 200 characters of `name`, ignoring case; None if none is."""
    spelled = {one.lower(): one for one in sorted(known)}
    # The comparison is slow, and longer names are not typing errors.
    found = get_close_matches(name[:200].lower(), spelled, n=1)
    return spelled[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` for a message, or nothing."""
    found = closest(name, known)
    return f'; did you mean {found}?' if found else ''


def listed(names: Collection[str], limit: int = 8) -> str:
    """Return names for a message, only the first `limit` if there are more."""
    shown = sorted(names)[:limit]
    return ', '.join(shown) + (f' and {len(names) - limit} more' if len(names) > limit else '') or 'none'
