"""How two bodies differ, key by key."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

type Path = tuple[str | int, ...]


class Missing(Enum):
    """Stands for the value of a key that is not there."""

    MISSING = 'missing'


MISSING = Missing.MISSING


@dataclass(frozen=True)
class Difference:
    """`path` leads to what differs, for a reader: an entry of a list that has a title is named by it."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = '') -> Iterator[Difference]:
    """Each place where `after` is not as `before`; what is on one side alone is `MISSING` on the other."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*after, *(key for key in before if key not in after)]:
            inner = f'{path}.{key}' if path else str(key)
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), inner)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Difference(path, before, after)


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Difference]:
    """Entries that are in both keep each other company, so that one put in between is all that is told."""
    old, new = ([json.dumps(entry, sort_keys=True) for entry in entries] for entries in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == 'equal':
            continue
        pairs = min(end - start, new_end - new_start)
        for offset in range(pairs):
            inner = f'{path}[{new_start + offset}]{_name(after[new_start + offset])}'
            yield from differences(before[start + offset], after[new_start + offset], inner)
        for index in range(start + pairs, end):
            yield Difference(f'{path}[{index}]{_name(before[index])}', before[index], MISSING)
        for index in range(new_start + pairs, new_end):
            yield Difference(f'{path}[{index}]{_name(after[index])}', MISSING, after[index])


def _name(entry: Any) -> str:
    """How a reader knows an entry of a list: the title of a widget, the name of a variable."""
    if not isinstance(entry, Mapping):
        return ''
    inner = entry.get('definition')
    found = (inner.get('title') or inner.get('type')) if isinstance(inner, Mapping) else entry.get('name')
    return f' {found!r} ' if isinstance(found, str) and found else ''
