"""A baseline: the current findings of a checkout, so that only new findings count.

A finding is identified by its rule, file, object and message, not by its line, so an edit elsewhere in the file has no
effect. Equal findings are counted.
"""

import json
import os
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
    read = {each.resolve() for each in linted}
    gone = sorted(known for known in left.elements() if _is_gone(path.parent.resolve() / known.file, read))
    return Compared(new=new, known=count, gone=gone)


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
