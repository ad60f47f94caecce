"""A baseline: the current findings of a checkout, so that only new findings count.

A finding is identified by its rule, file, object and message, not by its line, so an edit elsewhere in the file has no
effect. Equal findings are counted. If an object was renamed, its findings stay known: the old name is no longer in the
file.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ddassets.assets.document import read_bytes
from ddassets.diagnostic import Diagnostic, UnusableInputError

VERSION = 1


class Known(NamedTuple):
    """The identity of a finding. `file` is relative to the folder of the baseline, with `/`."""

    rule: str
    file: str
    object: str
    message: str


@dataclass(frozen=True)
class Compared:
    """`new` findings, the number of `known` ones, and the recorded findings that are `gone`, sorted."""

    new: list[Diagnostic]
    known: int
    gone: list[Known]


def compare(findings: Iterable[Diagnostic], path: Path, linted: Collection[Path]) -> Compared:
    """Compare findings with the baseline at `path`.

    `linted` are the folders and files that were linted. A recorded finding elsewhere is not gone, unless its file is.
    Raises UnusableInputError if the file is not a baseline.
    """
    recorded = _read(path)
    left = recorded.copy()
    new = []
    count = 0
    for finding in findings:
        known = _known(finding, path.parent)
        if left[known] > 0:
            left[known] -= 1
            count += 1
        else:
            new.append(finding)
    renamed = _Renamed(left, path.parent)
    new = [finding for finding in new if not renamed.takes(_known(finding, path.parent))]
    count += renamed.count
    read = {each.resolve() for each in linted}
    gone = sorted(known for known in left.elements() if _is_gone(path.parent.resolve() / known.file, read))
    return Compared(new=new, known=count, gone=gone)


class _Renamed:
    """Recorded findings of objects whose name is no longer in their file; `left` are those that no finding matches."""

    def __init__(self, left: Counter[Known], folder: Path) -> None:
        self._left = left
        self._folder = folder
        self._texts: dict[str, str] = {}
        self._by_content: dict[tuple[str, str, str], list[Known]] = {}
        self.count = 0
        for known in left.elements():
            self._by_content.setdefault(_content(known), []).append(known)

    def takes(self, found: Known) -> bool:
        """Whether a finding is a recorded one of an object that has another name now."""
        candidates = self._by_content.get(_content(found), [])
        for index, known in enumerate(candidates):
            if known.object and found.object and not self._is_named(known):
                del candidates[index]
                self._left[known] -= 1
                self.count += 1
                return True
        return False

    def _is_named(self, known: Known) -> bool:
        if known.file not in self._texts:
            try:
                self._texts[known.file] = read_bytes(self._folder / known.file).decode(errors='replace')
            except (OSError, ValueError):
                self._texts[known.file] = ''
        # As a whole value: a longer name may begin with it.
        names = {re.escape(known.object), re.escape(json.dumps(known.object)[1:-1])}
        whole = rf'(?m)(?:^|["\':=,\[>-])\s*(?:{"|".join(sorted(names))})\s*(?:["\',\]}}#]|$)'
        return re.search(whole, self._texts[known.file]) is not None


def _content(known: Known) -> tuple[str, str, str]:
    """Return what a finding says regardless of the object's name."""
    return known.rule, known.file, known.message.replace(known.object, '\0') if known.object else known.message


def _is_gone(file: Path, linted: Collection[Path]) -> bool:
    file = Path(os.path.normpath(file))
    return any(each in linted for each in (file, *file.parents)) or not os.path.lexists(file)


def text(findings: Iterable[Diagnostic], path: Path) -> str:
    """Return the content of a baseline for the file `path`: one line per finding, sorted."""
    counts = Counter(_known(finding, path.parent) for finding in findings)
    entries = ({**known._asdict(), 'count': count} for known, count in sorted(counts.items()))
    lines = ',\n'.join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return f'{{"version": {VERSION}, "findings": [\n{lines}\n]}}\n'


def _known(finding: Diagnostic, folder: Path) -> Known:
    path, folder = finding.path.resolve(), folder.resolve()
    file = path.relative_to(folder, walk_up=True) if path.anchor == folder.anchor else path
    return Known(finding.code, file.as_posix(), finding.object, finding.message)


def _read(path: Path) -> Counter[Known]:
    try:
        document = json.loads(read_bytes(path))
        if document['version'] != VERSION:
            raise UnusableInputError(
                f'{path}: baseline version {document["version"]!r}, expected {VERSION}: use --write-baseline'
            )
        return Counter(
            {Known(*(str(entry[key]) for key in Known._fields)): int(entry['count']) for entry in document['findings']}
        )
    except OSError as error:
        raise UnusableInputError(f'{path}: cannot be read: {error.strerror or error}') from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UnusableInputError(f'{path}: not a baseline: expected a file written by --write-baseline') from error
