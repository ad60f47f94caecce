"""The differences between two JSON values, key by key."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

type Path = tuple[str | int, ...]


class Missing(Enum):
    """The value of a key that is missing."""

    MISSING = 'missing'


MISSING = Missing.MISSING


@dataclass(frozen=True)
class Difference:
    """`path` is the place for a reader, such as `widgets[2 'Jobs'].title`: entries of lists have their title."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = '') -> Iterator[Difference]:
    """Yield each place where the values differ; a value that only one side has is `MISSING` on the other."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*after, *(key for key in before if key not in after)]:
            inner = f'{path}.{key}' if path else str(key)
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), inner)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Difference(path, before, after)


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Difference]:
    """Compare entries that belong together, so that an inserted entry is the only difference."""
    for old, new in _pairs(before, after):
        index, entry = (new, after[new]) if new is not None else (old, before[old or 0])
        inner = f'{path}[{index}{_name(entry, " ")}]'
        if old is None or new is None:
            yield Difference(inner, MISSING if old is None else entry, MISSING if new is None else entry)
        else:
            yield from differences(before[old], entry, inner)


def _pairs(before: Sequence[Any], after: Sequence[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Yield the indices of entries that belong together; None on one side for an entry that only the other has."""
    texts = [[json.dumps(entry, sort_keys=True) for entry in entries] for entries in (before, after)]
    for same, old, new in _blocks(*texts):
        if same or len(old) == len(new):
            yield from zip(old, new, strict=True)
            continue
        # Of the entries that differ, those with the same name belong together.
        names = [[_name(entries[i]) for i in indices] for entries, indices in ((before, old), (after, new))]
        for alike, inner_old, inner_new in _blocks(*names):
            pairs = min(len(inner_old), len(inner_new)) if alike or not any(names[0] + names[1]) else 0
            yield from zip((old[i] for i in inner_old[:pairs]), (new[i] for i in inner_new[:pairs]), strict=True)
            yield from ((old[i], None) for i in inner_old[pairs:])
            yield from ((None, new[i]) for i in inner_new[pairs:])


def _blocks(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[bool, range, range]]:
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        yield kind == 'equal', range(start, end), range(new_start, new_end)


def _name(entry: Any, before: str = '') -> str:
    """Return the title or type of a widget, or the name of a variable, after `before`; empty for other entries."""
    if not isinstance(entry, Mapping):
        return ''
    inner = entry.get('definition')
    found = (inner.get('title') or inner.get('type')) if isinstance(inner, Mapping) else entry.get('name')
    return f'{before}{found!r}' if isinstance(found, str) and found else ''
