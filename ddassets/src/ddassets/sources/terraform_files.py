"""Find the configuration of a planned resource in the `.tf` files beside the plan."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ddassets import boundary
from ddassets.assets.document import read_text
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Position
from ddassets.regex import regex

# Files of a module.
MAX_FILES = 500
_BLOCK = regex(r'^[ \t]*resource\s+"?(\w+)"?\s+"?([\w-]+)"?\s*\{', re.MULTILINE)
_TOP = regex(r'^(?:\}|[a-z]\w*\b[^=\n]*\{)')


@dataclass(frozen=True)
class ResourceBlock:
    """A `resource` block of a `.tf` file. Places refer to the planned values, which are `data`.

    The text is searched line by line. Attributes with an expression have a position too; a missing attribute has the
    position of the block.
    """

    path: Path
    text: str = field(repr=False)
    line: int
    data: Mapping[str, Any] = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the block."""
        lines = self.text.split('\n')[self.line - 1 :]
        end = next((number for number, line in enumerate(lines[1:], 1) if _TOP.match(line)), len(lines))
        return lines[:end]

    def position(self, place: Place = (), column: int | None = None) -> Position:
        """Return the position of an attribute or a block; for a one-line text, of its character `column`."""
        value: Any = self.data
        number, found = 0, Position(self.line, 1)
        for index, step in enumerate(place):
            value = _part(value, step)
            if isinstance(step, int):
                continue
            following = place[index + 1] if index + 1 < len(place) else 0
            for _ in range(following + 1 if isinstance(following, int) else 1):
                start = self._find(step, number + 1)
                if start is None:
                    return found
                number, found = start.line - self.line, start
        if column is None or not isinstance(value, str):
            return found
        return self._inside(found, value, column)

    def _find(self, name: str, first: int) -> Position | None:
        pattern = re.compile(rf'(\s*){re.escape(name)}\s*(?:=\s*|(?=\{{))')
        for number in range(first, len(self.lines)):
            if match := pattern.match(self.lines[number]):
                column = match.end() if match[0].rstrip().endswith('=') else len(match[1])
                return Position(self.line + number, column + 1)
        return None

    def _inside(self, start: Position, value: str, column: int) -> Position:
        number = start.line - self.line
        written = self.lines[number][start.column - 1 :]
        # A text with a reference is as it was written.
        for escape in (_escaped, _quoted):
            if written.startswith(f'"{escape(value)}"'):
                return Position(start.line, start.column + 1 + len(escape(value[:column])))
        row = value[column:].split('\n', 1)[0].strip()
        if written.startswith('<<') and row:
            # A heredoc: find the line with the same end.
            for offset, line in enumerate(self.lines[number + 1 :], 1):
                if (at := line.find(row)) >= 0:
                    return Position(start.line + offset, at + 1)
        return start


def _part(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def _escaped(text: str) -> str:
    return _quoted(text).replace('${', '$${').replace('%{', '%%{')


def _quoted(text: str) -> str:
    escapes = {'\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t'}
    return ''.join(escapes.get(character, character) for character in text)


class TerraformFiles:
    """The `.tf` files of the modules of a plan, read on demand."""

    def __init__(self, folder: Path, configuration: Mapping[str, Any]) -> None:
        self.folder = folder
        self.configuration = configuration
        self._modules: dict[Path, dict[tuple[str, str], tuple[Path, str, int]]] = {}

    def block(self, modules: Sequence[str], type: str, name: str, values: Mapping[str, Any]) -> ResourceBlock | None:
        """Return the block of a resource in a module, None if it is not beside the plan."""
        folder = self._folder(modules)
        if folder is None:
            return None
        if folder not in self._modules:
            self._modules[folder] = _blocks(folder)
        found = self._modules[folder].get((type, name))
        return ResourceBlock(found[0], found[1], found[2], values) if found else None

    def _folder(self, modules: Sequence[str]) -> Path | None:
        """Return the folder of a module; only local modules are beside the plan."""
        folder, configuration = self.folder, self.configuration
        for name in modules:
            calls = configuration.get('module_calls')
            call = calls.get(name) if isinstance(calls, dict) else None
            source = call.get('source') if isinstance(call, dict) else None
            if not isinstance(source, str) or not source.startswith(('./', '../')):
                return None
            folder = Path(os.path.normpath(folder / source))
            inner = call.get('module') if isinstance(call, dict) else None
            configuration = inner if isinstance(inner, dict) else {}
        return folder


def _blocks(folder: Path) -> dict[tuple[str, str], tuple[Path, str, int]]:
    """Return the resource blocks of a folder, each with its file, the text of the file and its line."""
    try:
        boundary.check(folder)
        files = sorted(path for path in folder.iterdir() if path.suffix == '.tf')[:MAX_FILES]
    except OSError:
        return {}
    found = {}
    for path in files:
        problems: list[Diagnostic] = []
        text = read_text(path, problems)
        for match in _BLOCK.finditer(text) if text and not problems else ():
            found[match[1], match[2]] = (path, match.string, match.string.count('\n', 0, match.start()) + 1)
    return found
