"""A YAML document as plain data, and the line and column of each value."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from ddassets.assets.source import Place
from ddassets.diagnostic import Position
from ddassets.regex import regex

_PLAIN = {f'tag:yaml.org,2002:{name}' for name in ('null', 'bool', 'int', 'float')}
_MERGE = 'tag:yaml.org,2002:merge'
_TOKEN = regex(r'\S+')


@dataclass(frozen=True)
class YamlDocument:
    """A document of a YAML stream. `data` is its content in JSON types; `text` is the whole file."""

    path: Path
    text: str = field(repr=False)
    node: yaml.Node = field(repr=False)

    @cached_property
    def data(self) -> Any:
        return plain(self.node)

    def position(self, place: Place = (), column: int | None = None) -> Position:
        """Return where the value at `place` starts, or its parent if it is missing.

        With `column`, the position of that character (counted from 0) of the string at `place`.
        """
        node = self.node
        for step in place:
            child = children(node).get(step)
            if child is None:
                return _start(node)
            node = child
        if column and isinstance(node, yaml.ScalarNode):
            return self._inside(node, column)
        return _start(node)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split('\n')

    def _inside(self, node: yaml.ScalarNode, column: int) -> Position:
        """Return the position of a character of a scalar, which may be quoted, indented or folded."""
        line, start = node.start_mark.line, node.start_mark.column
        if node.start_mark.line == node.end_mark.line:
            if node.style == '"':
                return Position(line + 1, _escaped(self._lines[line], start + 1, column) + 1)
            extra = 0
            if node.style == "'":
                extra = 1 + node.value.count("'", 0, column)
            return Position(line + 1, start + extra + column + 1)
        if node.style == '|':
            return self._inside_block(node, column)
        # Line breaks are folded: find the word by its number of earlier occurrences.
        word = _TOKEN.match(node.value, column)
        if word is None:
            return _start(node)
        count = node.value.count(word[0], 0, column)
        for number in range(line, min(node.end_mark.line + 1, len(self._lines))):
            offset = start if number == line else 0
            while (found := self._lines[number].find(word[0], offset)) >= 0:
                if count == 0:
                    return Position(number + 1, found + 1)
                count -= 1
                offset = found + 1
        return _start(node)

    def _inside_block(self, node: yaml.ScalarNode, column: int) -> Position:
        first = node.start_mark.line + 1
        filled = next((line for line in self._lines[first : node.end_mark.line + 1] if line.strip()), '')
        begins = node.value.lstrip('\n')
        # With an indentation indicator, further blanks are content.
        kept = len(begins) - len(begins.lstrip(' '))
        indent = len(filled) - len(filled.lstrip(' ')) - kept
        row = node.value.count('\n', 0, column)
        return Position(first + row + 1, indent + column - (node.value.rfind('\n', 0, column) + 1) + 1)


def _start(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _escaped(line: str, offset: int, column: int) -> int:
    """Return the offset of character `column` of a double-quoted scalar whose content starts at `offset`."""
    while column > 0 and offset < len(line) and line[offset] != '"':
        if line[offset] == '\\':
            offset += {'x': 4, 'u': 6, 'U': 10}.get(line[offset + 1 : offset + 2], 2)
        else:
            offset += 1
        column -= 1
    return offset


def children(node: yaml.Node) -> dict[str | int, yaml.Node]:
    """Return the values of a mapping or list, with merged keys (`<<`). The last of duplicate keys is used."""
    if isinstance(node, yaml.SequenceNode):
        return dict(enumerate(node.value))
    if not isinstance(node, yaml.MappingNode):
        return {}
    merged: dict[str | int, yaml.Node] = {}
    own: dict[str | int, yaml.Node] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                merged = {**children(source), **merged}
        else:
            own[_key(key)] = value
    return {**merged, **own}


def duplicate_keys(node: yaml.Node) -> list[tuple[str, Position]]:
    """Return each duplicate key with the position of the repetition."""
    found = []
    pending, seen = [node], set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = set()
            for key, value in node.value:
                pending.append(value)
                if key.tag == _MERGE:
                    continue
                if _key(key) in keys:
                    found.append((_key(key), _start(key)))
                keys.add(_key(key))
    return sorted(found, key=lambda each: (each[1].line, each[1].column))


def _key(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ''


def plain(node: yaml.Node) -> Any:
    """Return the value of a node in JSON types. Dates and numbers out of range stay text."""
    if isinstance(node, yaml.MappingNode):
        return {str(key): plain(value) for key, value in children(node).items()}
    if isinstance(node, yaml.SequenceNode):
        return [plain(value) for value in node.value]
    if node.tag not in _PLAIN:
        return str(node.value)
    try:
        return yaml.SafeLoader('').construct_object(node)
    except ValueError:
        # Numbers in YAML but not in Python: `0x_`, or thousands of digits.
        return str(node.value)
