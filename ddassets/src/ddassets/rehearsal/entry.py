"""Read a YAML file strictly: every value has its line, and every error contains it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ddassets.assets.composer import YamlError, compose_document
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Position, Severity, UnusableInputError
from ddassets.nearest import did_you_mean
from ddassets.nearest import listed as listed
from ddassets.rehearsal.times import TimeFault

_KINDS = {'mapping': 'keys and values', 'sequence': 'a list', 'scalar': 'a single value'}
_NODES = {'mapping': yaml.MappingNode, 'sequence': yaml.SequenceNode, 'scalar': yaml.ScalarNode}
_NULL = 'tag:yaml.org,2002:null'
MAX_CHARACTERS = 500_000_000
_MAX_LENGTH = 60


@dataclass(frozen=True, eq=False)
class Entry:
    """A value of the file. `name` is its path from the top level: `expect[0].at`, empty at the top level."""

    path: Path
    node: yaml.Node
    name: str = ''

    @property
    def position(self) -> Position | None:
        """The position of the value; None without a text."""
        mark = self.node.start_mark
        return Position(mark.line + 1, mark.column + 1) if mark else None

    @property
    def where(self) -> str:
        """`file:line:column`, both counted from 1; only the path without a text."""
        place = self.position
        return f'{self.path}:{place.line}:{place.column}' if place else str(self.path)

    @property
    def line(self) -> int:
        """The line, counted from 1; 0 without a text."""
        return self.position.line if self.position else 0

    def refuse(self, message: str) -> NoReturn:
        """Raise UnusableInputError about this value."""
        subject = f'{self.name}: ' if self.name else ''
        raise UnusableInputError(f'{self.where}: {subject}{message}', diagnostics=[self.diagnostic(message)])

    def diagnostic(self, message: str) -> Diagnostic:
        """Return an error about this value."""
        return Diagnostic('rehearsal/unusable', Severity.ERROR, self.path, message, self.position, key=self.name)

    @property
    def kind(self) -> str:
        """Return mapping, sequence or scalar."""
        return next(kind for kind, node in _NODES.items() if isinstance(self.node, node))

    @property
    def is_null(self) -> bool:
        return self.node.tag == _NULL

    def shown(self) -> str:
        """Return the value for a message."""
        if self.kind != 'scalar':
            return _KINDS[self.kind]
        if self.is_null:
            return 'nothing'
        text = repr(str(self.node.value))
        return text if len(text) <= _MAX_LENGTH else f'{text[:_MAX_LENGTH]}…'

    @cached_property
    def keys(self) -> dict[str, 'Entry']:
        """Return the entries of a mapping by key."""
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f'expected keys and values, found {self.shown()}')
        found: dict[str, Entry] = {}
        for key, value in self.node.value:
            at = Entry(self.path, key, self.name)
            if not isinstance(key, yaml.ScalarNode) or key.tag == _NULL:
                at.refuse(f'expected the name of a key, found {at.shown()}')
            if key.value in found:
                at.refuse(f'the key {key.value!r} is duplicated, see line {found[key.value].line}')
            found[key.value] = Entry(self.path, value, f'{self.name}.{key.value}'.removeprefix('.'))
        return found

    def mapping(self, allowed: Sequence[str], required: Sequence[str] = ()) -> dict[str, 'Entry']:
        """Return the entries of a mapping with only the allowed keys, without empty values."""
        for key, entry in self.keys.items():
            if key not in allowed:
                at = next(Entry(self.path, k, self.name) for k, value in self.node.value if value is entry.node)
                at.refuse(f'unknown key {key!r}{did_you_mean(key, allowed)}; known: {", ".join(allowed)}')
        present = {key: entry for key, entry in self.keys.items() if not entry.is_null}
        for key in required:
            if key not in present:
                self.refuse(f'{key} is missing')
        return present

    def items(self) -> list['Entry']:
        """Return the entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f'expected a list, found {self.shown()}')
        return [Entry(self.path, node, f'{self.name}[{index}]') for index, node in enumerate(self.node.value)]

    def text(self) -> str:
        """Return the value as written, without YAML's types: `no` is no, `10` is 10."""
        if self.kind != 'scalar' or self.is_null:
            self.refuse(f'expected a text, found {self.shown()}{self._quoting()}')
        return str(self.node.value)

    def _quoting(self) -> str:
        """Return a hint for a text that YAML parses as a mapping or a list because of its first character."""
        if isinstance(self.node, yaml.CollectionNode) and self.node.flow_style:
            return "; a text that begins with { or [ must be in quotes: '…'"
        return ''

    def texts(self) -> tuple[str, ...]:
        return tuple(entry.text() for entry in self.items())

    def choice[T: str](self, allowed: Sequence[T], what: str = '') -> T:
        """Return one of the allowed words."""
        text = self.text()
        for word in allowed:
            if text == word:
                return word
        self.refuse(f'found {self.shown()}; allowed: {", ".join(allowed)}{what}{did_you_mean(text, allowed)}')

    def flag(self) -> bool:
        if self.node.value not in ('true', 'false'):
            self.refuse(f'found {self.shown()}; allowed: true, false')
        return bool(self.node.value == 'true')

    def number(self, least: float = float('-inf'), greatest: float = float('inf')) -> float:
        bounds = f' from {least:g} to {greatest:g}' if greatest < float('inf') else f' of at least {least:g}'
        expected = 'expected a number' + (bounds if least > float('-inf') else '')
        try:
            value = float(self.text())
        except ValueError:
            value = float('nan')
        if not least <= value <= greatest or value in (float('inf'), float('-inf')):
            self.refuse(f'{expected}, found {self.shown()}')
        return value

    def whole(self, least: int, greatest: int = 10**9) -> int:
        text = self.text()
        if not text.isascii() or not text.isdigit() or len(text) > 12 or not least <= int(text) <= greatest:
            bounds = f'from {least} to {greatest}' if greatest < 10**9 else f'of at least {least}'
            self.refuse(f'expected a whole number {bounds}, found {self.shown()}')
        return int(text)

    def word[T](self, read: Callable[[str], T]) -> T:
        """Return the value parsed by `read`; its TimeFault becomes an error with the line."""
        try:
            return read(self.text())
        except TimeFault as fault:
            self.refuse(f'{fault}, found {self.shown()}')

    def within[**P, T](self, read: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Return the result of `read`; its error becomes an error about this value."""
        try:
            return read(*arguments, **options)
        except UnusableInputError as error:
            raise UnusableInputError(
                f'{self.where}: {self.name}: {error}', error.details, error.diagnostics or [self.diagnostic(str(error))]
            ) from None

    def data(self) -> Any:
        """Return the value in JSON types."""
        match self.node:
            case yaml.MappingNode():
                return {key: entry.data() for key, entry in self.keys.items()}
            case yaml.SequenceNode():
                return [entry.data() for entry in self.items()]
        if self.node.tag not in _PLAIN:
            return str(self.node.value)
        try:
            return yaml.SafeLoader('').construct_object(self.node)
        except ValueError:
            # Numbers in YAML but not in Python: `0x_`, or thousands of digits.
            self.refuse(f'expected a number, found {self.shown()}')


_PLAIN = {f'tag:yaml.org,2002:{name}' for name in ('null', 'bool', 'int', 'float')}


def read(text: str, path: Path) -> Entry:
    """Return the top level of a YAML file. Raises UnusableInputError with the line if it is not YAML."""
    if len(text) > MAX_CHARACTERS:
        raise UnusableInputError(f'{path}: found {len(text):,} characters, expected at most {MAX_CHARACTERS:,}')
    try:
        node = compose_document(text)
    except YamlError as error:
        place = f'{path}:{error.position.line}:{error.position.column}' if error.position else str(path)
        message = f'{error.message}{_quoted(text, error.position)}'
        fault = Diagnostic('rehearsal/unusable', Severity.ERROR, path, message, error.position)
        raise UnusableInputError(f'{place}: {message}', diagnostics=[fault]) from None
    if node is None:
        raise UnusableInputError(f'{path}: the file is empty')
    return Entry(path, node)


def _quoted(text: str, position: Position | None) -> str:
    """Return a hint for a value that begins with a special character of YAML: `@handle`, `*.log`, `%5`."""
    lines = text.split('\n')
    if position is None or position.line > len(lines):
        return ''
    found = re.match(r'[@`%*&!][^\s,\]}#]*', lines[position.line - 1][position.column - 1 :])
    return f"; put it in quotes: '{found[0][:_MAX_LENGTH]}'" if found else ''


def of_data(data: Mapping[str, Any], path: Path) -> Entry:
    """Return the top level of a file with this data. Raises UnusableInputError if YAML cannot represent it."""
    try:
        return Entry(path, yaml.representer.SafeRepresenter(sort_keys=False).represent_data(dict(data)))
    except yaml.YAMLError as error:
        raise UnusableInputError(f'{path}: {" ".join(map(str, error.args))}') from None


@dataclass(frozen=True)
class EntrySource:
    """The body of an asset inside a YAML file."""

    entry: Entry

    @property
    def path(self) -> Path:
        return self.entry.path

    def position(self, place: Place = (), column: int | None = None) -> Position | None:
        """Return where the value at `place` starts; for a one-line text, the position of its character `column`."""
        node = self.entry.node
        for step in place:
            inner = _inner(node, step)
            if inner is None:
                column = None
                break
            node = inner
        mark = node.start_mark
        if mark is None:
            return None
        style = getattr(node, 'style', None)
        inside = 0 if column is None or style in ('|', '>') else column + (style in ('"', "'"))
        return Position(mark.line + 1, mark.column + 1 + inside)


def _inner(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    return None
