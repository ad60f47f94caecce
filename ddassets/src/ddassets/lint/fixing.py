"""Apply the fixes of findings to their files, which keep their formatting."""

from collections.abc import Iterable
from pathlib import Path

from ddassets.assets.document import read_bytes
from ddassets.assets.writing import replace_text
from ddassets.diagnostic import Diagnostic, Edit

_MARK = '\ufeff'


def fix(findings: Iterable[Diagnostic]) -> int:
    """Change the files of findings that have a fix, and return how many were mended.

    A change that overlaps another waits for the next call. Raises UnusableInputError for a file that cannot be written,
    with the files before it written.
    """
    edits: dict[Path, list[Edit]] = {}
    for finding in findings:
        if finding.fix is not None:
            edits.setdefault(finding.path, []).append(finding.fix)
    return sum(_fix(path, found) for path, found in edits.items())


def _fix(path: Path, edits: list[Edit]) -> int:
    try:
        text = read_bytes(path).decode()
    except (OSError, ValueError):
        # A rule read it, so it is not UTF-8, or was deleted since.
        return 0
    mark = _MARK if text.startswith(_MARK) else ''
    text = text.removeprefix(_MARK)
    parts, number, done = [mark], 0, 0
    # Insertions at one place keep the order of their findings.
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        if edit.start >= done:
            parts += [text[done : edit.start], edit.text]
            number, done = number + 1, edit.end
    replace_text(path, ''.join([*parts, text[done:]]))
    return number
