"""Tables of options, and the decoder that reads a body with a table.

A table is a frozen dataclass. The annotation of a field is the decoded type; `option(...)` describes the values that
the API accepts. `decode` reads a body with a table and collects every fault as a diagnostic; it does not raise. Its
codes:

- `file/shape`: the value has the wrong type
- `file/value`: the value is not allowed, or out of bounds
- `file/missing-key`, `file/unknown-key`
- `file/number-as-text`, `file/empty-value`, `file/server-key`: notes; the intended value is used
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ddassets import duration
from ddassets.assets.source import INVALID, REMOVED, Place, dotted
from ddassets.diagnostic import Diagnostic, Severity, Span
from ddassets.nearest import closest, did_you_mean, joined
from ddassets.regex import regex

if TYPE_CHECKING:
    from ddassets.assets.asset import Asset

_NUMBER = regex(r'[+-]?(\d{1,40}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?')
_MAX_SHOWN = 60
# Longer lists of allowed values are not shown in a message.
_MAX_LISTED = 8
# On difflib's scale of 0 to 1. A misspelt key is an error, because the API ignores or refuses it.
_MISSPELT = 0.8


class Value(Protocol):
    """The allowed values of a key. `expected` completes the sentence `expected …`."""

    @property
    def expected(self) -> str: ...

    def read(self, found: Any, place: Place, report: 'Report', code: str) -> Any:
        """Decode a value that is not null; on a fault, report it and return INVALID."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """A row of a table.

    `absent` is the decoded value of an absent key. `code` is the rule for values that are not allowed, if it is not the
    general rule. `types` are the monitor types that have the option; empty for all types.
    """

    value: Value
    absent: Any = None
    required: bool = False
    code: str = 'file/value'
    types: frozenset[str] = frozenset()
    excludes: tuple['Exclusion', ...] = ()


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """An option that excludes another option of the same table.

    `other` is the field of the other option, dotted if it is in a part. The two conflict if this option is neither zero
    nor absent and the other option has one of `values`, or any value but zero if `values` is empty.
    """

    other: str
    values: tuple[Any, ...] = ()
    message: str
    code: str
    severity: Severity = Severity.ERROR
    hint: str = ''

    def judge(self, decoded: Any, key: str, place: Place, report: 'Report') -> None:
        other: Any = decoded
        for name in self.other.split('.'):
            other = other.get(name) if isinstance(other, Mapping) else getattr(other, name, None)
        value = getattr(decoded, key)
        if value and (other in self.values if self.values else other):
            here = (*place, key)
            report.add(self.code, here, f'{dotted(here)}: {self.message}', self.severity, self.hint)


def option(value: Value, absent: Any = None, **more: Any) -> Any:
    """Describe a field of a table. The keywords are those of `Option`."""
    return field(default=absent, metadata={'option': Option(value=value, absent=absent, **more)})


class Table(Protocol):
    """A dataclass whose fields are options. `ignored` names keys that the server adds or that are obsolete."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    ignored: ClassVar[frozenset[str]]


@cache
def options_of(table: type[Table]) -> Mapping[str, Option]:
    """Return the rows of a table by key."""
    return {row.name: row.metadata['option'] for row in fields(table) if 'option' in row.metadata}


@dataclass
class Report:
    """The diagnostics of one asset, in the order in which they were found.

    `fixes` maps places to the number for each number in quotes, and to REMOVED for keys that the API ignores.
    """

    asset: 'Asset'
    root: type[Table] | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    fixes: dict[Place, Any] = field(default_factory=dict)

    def add(
        self,
        code: str,
        place: Place,
        message: str,
        severity: Severity = Severity.ERROR,
        hint: str = '',
        span: Span | None = None,
    ) -> None:
        """Add a diagnostic about the value at `place`, relative to the body of the asset."""
        self.diagnostics.append(self.asset.diagnostic(code, severity, place, message, hint=hint, span=span))

    def wrong(self, code: str, place: Place, expected: str, found: Any, more: str = '', hint: str = '') -> Any:
        """Report an unexpected value, and return INVALID."""
        subject = f'{dotted(place)}: ' if place else ''
        self.add(code, place, f'{subject}expected {expected}, found {shown(found)}{more}', hint=hint)
        return INVALID

    @property
    def failed(self) -> bool:
        """Whether an error was reported."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


def shown(value: Any) -> str:
    """Return a value in the form for messages."""
    match value:
        case None:
            return 'null'
        case bool():
            return str(value).lower()
        case Mapping():
            return 'an object'
        case list() | tuple():
            return f'a list of {len(value)}'
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f'{text[: _MAX_SHOWN - 1]}…'


@dataclass(frozen=True)
class Text:
    """A string. `noun` names it in messages; `max_length` is in characters."""

    noun: str = 'a text'
    max_length: int | None = None
    min_length: int = 0

    @property
    def expected(self) -> str:
        return f'{self.noun} of at most {self.max_length} characters' if self.max_length else self.noun

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if not isinstance(found, str):
            return report.wrong('file/shape', place, self.expected, found)
        if len(found.strip()) < self.min_length or (self.max_length and len(found) > self.max_length):
            return report.wrong(code, place, self.expected, found)
        return found


@dataclass(frozen=True)
class Flag:
    expected: str = 'true or false'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if isinstance(found, bool):
            return found
        hint = 'write it without quotes' if found in ('true', 'false') else ''
        return report.wrong('file/shape', place, self.expected, found, hint=hint)


@dataclass(frozen=True)
class Number:
    """A number with bounds, both included. `unit` is a plural such as `minutes`."""

    least: float | None = None
    greatest: float | None = None
    unit: str = ''
    whole: bool = False

    @property
    def expected(self) -> str:
        text = ('a whole number' if self.whole else 'a number') + (f' of {self.unit}' if self.unit else '')
        if self.least is not None and self.greatest is not None:
            return f'{text} from {self.least:g} to {self.greatest:g}'
        return text if self.least is None else f'{text}, {self.least:g} or more'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        value = found
        if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
            value = float(found)
            value = int(found) if found.strip().lstrip('+-').isdecimal() else value
        # YAML has NaN and infinity; an integer in JSON may be too large for a float.
        usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
        if not usable or (self.whole and not float(value).is_integer()):
            return report.wrong('file/shape', place, self.expected, found, hint=self._hint(found))
        value = int(value) if self.whole else float(value)
        if (self.least is not None and value < self.least) or (self.greatest is not None and value > self.greatest):
            return report.wrong(code, place, self.expected, found)
        if isinstance(found, str):
            report.fixes[place] = value
            message = f'{dotted(place)}: the number {found} is written as a text'
            report.add('file/number-as-text', place, message, Severity.NOTE, 'write it without quotes')
        return value

    def _hint(self, found: Any) -> str:
        size = {'seconds': 1, 'minutes': 60, 'hours': 3600}.get(self.unit)
        seconds = duration.parse(found.strip()) if isinstance(found, str) else None
        return f'{found.strip()} is {seconds / size:g} {self.unit}' if size and seconds else ''


def Whole(least: int | None = None, greatest: int | None = None, unit: str = '') -> Number:
    return Number(least, greatest, unit, whole=True)


@dataclass(frozen=True)
class Choice:
    """One of a list of texts. `noun` replaces a long list in messages.

    `grows`: Datadog adds values to the list, so only a misspelt value is an error; another unknown value is a note.
    """

    allowed: tuple[str, ...]
    noun: str = 'an allowed value'
    grows: bool = False

    @property
    def expected(self) -> str:
        return joined(self.allowed, 'or') if len(self.allowed) <= _MAX_LISTED else self.noun

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if not isinstance(found, str):
            return report.wrong('file/shape', place, self.expected, found)
        if found in self.allowed:
            return found
        near = did_you_mean(found, self.allowed)
        if self.grows and not is_misspelt(found, self.allowed):
            report.add(code, place, f'{dotted(place)}: {found!r} is not known here', Severity.NOTE)
            return found
        hint = '' if near or len(self.allowed) <= _MAX_LISTED else f'allowed: {", ".join(self.allowed)}'
        return report.wrong(code, place, self.expected, found, near, hint)


@dataclass(frozen=True)
class ListOf:
    """A list of values of one kind, decoded to a tuple. `noun` is a plural; unusable items are omitted."""

    item: Value
    noun: str = 'texts'
    least: int = 0
    greatest: int | None = None

    @property
    def expected(self) -> str:
        bounds = f'{self.least} to {self.greatest} ' if self.greatest is not None else ''
        return f'a list of {bounds}{self.noun}'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if not isinstance(found, list | tuple):
            return report.wrong('file/shape', place, self.expected, found)
        if len(found) < self.least or (self.greatest is not None and len(found) > self.greatest):
            return report.wrong(code, place, self.expected, found)
        items = [
            report.wrong('file/shape', (*place, index), self.item.expected, None)
            if item is None
            else self.item.read(item, (*place, index), report, 'file/value')
            for index, item in enumerate(found)
        ]
        return tuple(item for item in items if item is not INVALID)


@dataclass(frozen=True)
class Part:
    """An object with its own table."""

    table: type[Table]
    expected: str = 'an object'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if not isinstance(found, Mapping):
            return report.wrong('file/shape', place, self.expected, found)
        return decode(self.table, found, place, report)


@dataclass(frozen=True)
class Anything:
    """An object or a list without a table."""

    types: tuple[type, ...]
    expected: str = 'an object'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        return found if isinstance(found, self.types) else report.wrong('file/shape', place, self.expected, found)


@dataclass(frozen=True)
class Parsed[T]:
    """A text with its own grammar. `parse` returns its value, or None and every fault.

    `codes` maps the number of the rule that a fault names (`fault.rule`) to the lint rule that reports it.
    """

    parse: Callable[[str], tuple[T | None, Sequence[Exception]]]
    expected: str
    codes: Mapping[str, str] = field(default_factory=dict)

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if not isinstance(found, str) or not found.strip():
            return report.wrong('file/value' if found == '' else 'file/shape', place, self.expected, found)
        value, faults = self.parse(found)
        for fault in faults:
            own = self.codes.get(str(getattr(fault, 'rule', '')), code)
            report.add(own, place, f'{dotted(place)}: {fault}', span=getattr(fault, 'span', None))
        return INVALID if faults else value


def decode[T: Table](table: type[T], body: Mapping[str, Any], place: Place, report: Report) -> T:
    """Decode an object with a table. Unusable values are reported and decoded like absent keys."""
    rows = options_of(table)
    values: dict[str, Any] = {}
    for key, row in rows.items():
        found = body.get(key)
        if found is None or (row.required and found == ''):
            if row.required:
                _missing(key, row, place, report)
            continue
        if found == '' and not row.required and not isinstance(row.value, Text):
            _empty(key, place, report)
            continue
        value = row.value.read(found, (*place, key), report, row.code)
        if value is not INVALID:
            values[key] = value
    _ignored([key for key in body if key in table.ignored], place, report)
    # An open table contains only some of the keys.
    for key in () if getattr(table, 'open', False) else body:
        if key not in rows and key not in table.ignored:
            _unknown(str(key), table, place, report)
    decoded = table(**values)
    for key, row in rows.items():
        for exclusion in row.excludes if key in values else ():
            exclusion.judge(decoded, key, place, report)
    return decoded


def _missing(key: str, row: Option, place: Place, report: Report) -> None:
    expected = f'; expected {row.value.expected}'
    report.add('file/missing-key', (*place, key), f'{dotted((*place, key))} is missing{expected}')


def _empty(key: str, place: Place, report: Report) -> None:
    here = (*place, key)
    report.fixes[here] = REMOVED
    message = f"{dotted(here)}: '' is treated as an absent key"
    report.add('file/empty-value', here, message, Severity.NOTE, 'delete the key')


def _ignored(keys: Sequence[str], place: Place, report: Report) -> None:
    """Add one note per object about keys that only exports contain."""
    if keys:
        report.fixes.update(((*place, key), REMOVED) for key in keys)
        subject = f'{dotted(place)}: ' if place else ''
        message = f'{subject}the API ignores {joined(keys)}'
        report.add('file/server-key', (*place, keys[0]), message, Severity.NOTE, 'delete keys that the server adds')


def _unknown(key: str, table: type[Table], place: Place, report: Report) -> None:
    here = (*place, key)
    rows = options_of(table)
    homes = sorted(_homes(report.root).get(key, ())) if report.root else []
    if homes and dotted(place) not in homes:
        where = ' or '.join(home or 'the top of the body' for home in homes)
        report.add('file/unknown-key', here, f'{dotted(here)}: the key belongs to {where}')
        return
    nearest = closest(key, rows)
    known = '' if nearest else f'known: {", ".join(rows)}' if len(rows) <= _MAX_LISTED else ''
    more = f'; did you mean {nearest}?' if nearest else ''
    severity = Severity.ERROR if is_misspelt(key, rows) else Severity.WARNING
    report.add('file/unknown-key', here, f'{dotted(here)}: unknown key{more}', severity, known)


def is_misspelt(name: str, known: Iterable[str]) -> bool:
    """Whether a name is so near to a known name that it is certainly a misspelling."""
    nearest = closest(name, known)
    return nearest is not None and _alike(name, nearest) >= _MISSPELT


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


@cache
def _homes(root: type[Table]) -> Mapping[str, frozenset[str]]:
    """Return the dotted places of each key of a table and of its parts, without keys below a list."""
    found: dict[str, set[str]] = {}
    pending: list[tuple[str, type[Table]]] = [('', root)]
    while pending:
        home, table = pending.pop()
        for key, row in options_of(table).items():
            found.setdefault(key, set()).add(home)
            if isinstance(row.value, Part):
                pending.append((f'{home}.{key}'.lstrip('.'), row.value.table))
    return {key: frozenset(homes) for key, homes in found.items()}
