"""A file of an integration: its bytes, its text, its JSON, and the position of each value.

Reading never stops at a fault: each becomes a diagnostic with its position.
"""

import codecs
import errno
import json
import os
import re
import stat
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from ddassets import boundary
from ddassets.assets.source import REMOVED, Place
from ddassets.diagnostic import Diagnostic, Edit, Position, Severity
from ddassets.output.terminal import shorten
from ddassets.regex import regex

_SPACE = regex(r'[ \t\n\r]*')
_MARK = regex(r'[{}\[\]"]')
_SURROGATES = regex(r'\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}')
_DECODER = json.JSONDecoder(strict=False)


# A file with a byte order mark is still read, and ddev accepts a folder without a manifest as an integration.
_SEVERITIES = {'file/byte-order-mark': Severity.WARNING, 'manifest/missing': Severity.NOTE}


def fault(code: str, path: Path, position: Position | None, message: str, hint: str = '') -> Diagnostic:
    """Return a diagnostic about a file that cannot be read, or not completely."""
    severity = _SEVERITIES.get(code, Severity.ERROR)
    return Diagnostic(code, severity, path, message, position, hint=hint)


@dataclass(frozen=True)
class Document:
    """A JSON file. `data` is its content."""

    path: Path
    text: str = field(repr=False)
    data: Any = field(repr=False)
    # The offsets of the values of visited objects and arrays, by the offset of the object or array.
    _entered: dict[int, dict[str | int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def position(self, place: Place = (), column: int | None = None) -> Position:
        """Return the position of the value at `place` (keys and indices), or of its parent if it is missing.

        With `column`, the position of that character (counted from 0) of the string at `place`.
        """
        return _position(self.text, self.offset(place, column))

    def offset(self, place: Place = (), column: int | None = None) -> int:
        """Return the position as the number of characters before it."""
        offset = _skip_space(self.text, 0)
        try:
            for step in place:
                if offset not in self._entered:
                    self._entered[offset] = _parts(self.text, offset)
                found = self._entered[offset].get(step)
                if found is None:
                    return offset
                offset = found
        except RecursionError:
            # Nested so deeply that it can be read but not skipped: use the innermost known place.
            return offset
        if column is not None and self.text[offset : offset + 1] == '"':
            offset = _inside(self.text, offset, column)
        return offset

    def edit(self, place: Place, value: Any) -> Edit:
        """Return the edit that replaces a value; REMOVED deletes an element from its list."""
        start = self.offset(place)
        end = _DECODER.raw_decode(self.text, start)[1]
        if value is not REMOVED:
            return Edit(start, end, json.dumps(value, ensure_ascii=False))
        if place[-1] != 0:
            return Edit(self.text.rindex(',', 0, start), end, '')
        after = _skip_space(self.text, end)
        if self.text[after] == ',':
            return Edit(start, _skip_space(self.text, after + 1), '')
        return Edit(self.text.rindex('[', 0, start) + 1, after, '')


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, 'utf-8'),
    # Before UTF-16, because this mark begins with the mark of UTF-16.
    (codecs.BOM_UTF32_LE, 'utf-32-le'),
    (codecs.BOM_UTF32_BE, 'utf-32-be'),
    (codecs.BOM_UTF16_LE, 'utf-16-le'),
    (codecs.BOM_UTF16_BE, 'utf-16-be'),
)


# Maximum of duplicate keys that are reported per file.
MAX_DUPLICATES = 100
# Bytes. The largest known dashboard has two million.
MAX_FILE_SIZE = 64_000_000


def read_bytes(path: Path, max_size: float = MAX_FILE_SIZE) -> bytes:
    """Return the content of a file of at most `max_size` bytes.

    Raises OSError for a path outside the boundary, and for a pipe or a device, which may be endless.
    """
    boundary.check(path)
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, 'Not a file, but a pipe, a socket or a device', str(path))
    if found.st_size > max_size:
        raise OSError(errno.EFBIG, f'Larger than {max_size:.0f} bytes', str(path))
    return path.read_bytes()


def read_text(path: Path, problems: list[Diagnostic]) -> str | None:
    """Return the text of a UTF-8 file; returns None and adds a diagnostic if it cannot be read.

    A byte order mark and another encoding add a diagnostic too, but the text is returned: bytes that are not UTF-8
    become U+FFFD.
    """
    try:
        content = read_bytes(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        code = 'manifest/missing' if isinstance(error, FileNotFoundError | ValueError) else 'file/unreadable'
        if code == 'manifest/missing' and os.path.islink(path):
            code, reason = 'file/unreadable', 'A link to a file that does not exist'
        problems.append(fault(code, path, None, reason))
        return None
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            text = content.removeprefix(mark).decode(encoding, 'replace')
            if encoding == 'utf-8':
                message = 'begins with a byte order mark, which many JSON and CSV parsers do not accept'
                problems.append(fault('file/byte-order-mark', path, Position(1, 1), message))
                # Continue: the rest may not be UTF-8.
                content = content.removeprefix(mark)
                break
            problems.append(fault('file/encoding', path, Position(1, 1), f'encoded in {encoding}; expected UTF-8'))
            return text
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        position = _position(before := content[: error.start].decode(), len(before))
        found = f'{error.reason} {content[error.start]:#04x} at byte {error.start}'
        problems.append(fault('file/encoding', path, position, f'not UTF-8: {found}'))
        return content.decode(errors='replace')


def load_document(path: Path, problems: list[Diagnostic]) -> Document | None:
    """Read a JSON file; returns None and adds a diagnostic if it cannot be read. The last of duplicate keys is used."""
    text = read_text(path, problems)
    return None if text is None else parse_document(path, text, problems)


def parse_document(path: Path, text: str, problems: list[Diagnostic]) -> Document | None:
    """Parse a JSON text; returns None and adds a problem if it is invalid. The last of duplicate keys is used."""
    duplicated = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicated
        mapping = dict(pairs)
        duplicated = duplicated or len(mapping) < len(pairs)
        return mapping

    try:
        data = json.loads(text, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = f'not JSON: {error.msg[:1].lower()}{error.msg[1:]}' if text.strip() else 'the file is empty'
        problems.append(fault('file/syntax', path, _position(text, error.pos), message))
        return None
    except _ConstantError as error:
        position = _position(text, _outside_strings(text, str(error)))
        problems.append(fault('file/syntax', path, position, f'not JSON: {error} is not a JSON number'))
        return None
    except RecursionError:
        problems.append(fault('file/syntax', path, Position(1, 1), 'nested too deeply'))
        return None
    except ValueError:
        # Python's limit for the digits of an integer.
        problems.append(fault('file/syntax', path, Position(1, 1), 'a number has too many digits'))
        return None
    if duplicated:
        for key, offset, fix in _duplicates(text)[:MAX_DUPLICATES]:
            message = f'the key {shorten(key, 100)!r} is duplicated in one object; the last value is used'
            found = fault('file/duplicate-key', path, _position(text, offset), message)
            problems.append(replace(found, fix=fix))
    return Document(path, text, data)


class _ConstantError(ValueError):
    """NaN, Infinity or -Infinity, which Python writes but JSON does not allow."""


def _refuse_constant(name: str) -> Any:
    raise _ConstantError(name)


# Positions are looked up only for diagnostics, so the fast parser of the standard library can be used.


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _parts(text: str, offset: int) -> dict[str | int, int]:
    """Return the offsets of the values of the object or array at `offset`, by key or index."""
    opening = text[offset]
    parts: dict[str | int, int] = {}
    if opening not in '{[':
        return parts
    index = 0
    offset = _skip_space(text, offset + 1)
    while text[offset] not in '}]':
        key: str | int = index
        if opening == '{':
            key, offset = scanstring(text, offset + 1, False)
            offset = _skip_space(text, _skip_space(text, offset) + 1)
        parts[key] = offset
        _, offset = _DECODER.raw_decode(text, offset)
        offset = _skip_space(text, offset)
        if text[offset] == ',':
            offset = _skip_space(text, offset + 1)
        index += 1
    return parts


def _inside(text: str, offset: int, column: int) -> int:
    """Return the offset of character `column` of the string whose opening quote is at `offset`, counting escapes."""
    offset += 1
    while column > 0 and text[offset : offset + 1] not in ('"', ''):
        if text[offset] == '\\':
            match = _SURROGATES.match(text, offset)
            offset = match.end() if match else offset + (6 if text[offset + 1 : offset + 2] == 'u' else 2)
        else:
            offset += 1
        column -= 1
    return offset


def _duplicates(text: str) -> list[tuple[str, int, Edit | None]]:
    """Return each duplicate key of an object, its offset, and the edit that deletes it.

    The text must be JSON.
    """
    found = []
    # For each open object the offset of each key's last value, None for each open list.
    open_objects: list[dict[str, int] | None] = []
    offset = 0
    while match := _MARK.search(text, offset):
        offset = match.end()
        match match[0]:
            case '{':
                open_objects.append({})
            case '[':
                open_objects.append(None)
            case '}' | ']':
                open_objects.pop()
            case _:
                start = match.start()
                key, offset = scanstring(text, start + 1, False)
                keys = open_objects[-1] if open_objects else None
                if keys is not None and text[(end := _skip_space(text, offset)) : end + 1] == ':':
                    value = _skip_space(text, end + 1)
                    if key in keys:
                        found.append((key, start, _without_repetition(text, keys[key], start, value)))
                    keys[key] = value
    return found


def _without_repetition(text: str, first: int, start: int, second: int) -> Edit | None:
    """Return the edit that deletes the key at `start` if its value, at `second`, equals the value at `first`."""
    value, end = _DECODER.raw_decode(text, second)
    same = json.dumps(_DECODER.raw_decode(text, first)[0]) == json.dumps(value)
    return Edit(text.rindex(',', 0, start), end, '') if same else None


def _outside_strings(text: str, word: str) -> int:
    """Return the offset of the first `word` that is not inside a string."""
    offset = 0
    pattern = re.compile(rf'"|{word}')
    while match := pattern.search(text, offset):
        if match[0] != '"':
            return match.start()
        _, offset = scanstring(text, match.end(), False)
    return 0


def _position(text: str, offset: int) -> Position:
    ends = _line_ends(text)
    line = bisect_left(ends, offset)
    return Position(line + 1, offset - (ends[line - 1] if line else -1))


@lru_cache(maxsize=4)
def _line_ends(text: str) -> list[int]:
    """Return the offsets of all line breaks, cached because counting them for each position would be quadratic."""
    return [match.start() for match in re.finditer('\n', text)]
