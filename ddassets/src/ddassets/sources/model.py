"""The content of a source: assets in the API's form, with the positions of their values in the file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

from ddassets.assets.document import Document
from ddassets.assets.source import Place
from ddassets.assets.source_document import Base, SourceDocument
from ddassets.diagnostic import Diagnostic, Position, Severity
from ddassets.sources.values import Values, Withheld

type Kind = Literal['monitor', 'dashboard', 'downtime', 'slo', 'notification_rule']


@dataclass(frozen=True)
class EmbeddedDocument:
    """JSON inside a string of a file; positions refer to the file."""

    inner: Document
    base: Base = field(repr=False)
    place: Place

    @property
    def path(self) -> Path:
        return self.base.path

    @property
    def text(self) -> str:
        return self.base.text

    @property
    def data(self) -> Any:
        return self.inner.data

    def position(self, place: Place = (), column: int | None = None) -> Position:
        return self.base.position(self.place, self.inner.offset(place, column))


@dataclass(frozen=True)
class SourceAsset:
    """An asset. `key` identifies it within its file: the address of the resource, the id, or the name."""

    kind: Kind
    document: SourceDocument
    key: str

    @property
    def body(self) -> Any:
        return self.document.data


@dataclass
class Inventory:
    """Everything read from one path. `form` is the name of the form, empty if it was not recognised."""

    path: Path
    form: str = ''
    assets: list[SourceAsset] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    # Nothing was parsed, and whether the text resembles assets nevertheless.
    unparsed: bool = False
    resembles_assets: bool = False

    def report(
        self,
        code: str,
        severity: Severity,
        message: str,
        position: Position | None = None,
        hint: str = '',
        object: str = '',
        path: Path | None = None,
    ) -> None:
        """Add a diagnostic about the file."""
        self.diagnostics.append(
            Diagnostic(f'source/{code}', severity, path or self.path, message, position, hint=hint, object=object)
        )

    def refuse(self, message: str, hint: str, position: Position | None = None, object: str = '') -> None:
        """Report a form that is recognised but not supported. `hint` is the alternative."""
        self.report('refused', Severity.ERROR, message, position, hint, object)

    def add(self, kind: Kind, base: Base, place: Place, body: Any, key: str = '', **fields: Any) -> SourceAsset:
        """Add an asset whose body is at `place` of the file, or is mapped to the file by `places`."""
        places = fields.pop('places', None) or {(): place}
        document = SourceDocument(base.path, body, base=base, places=places, origin=self.path, **fields)
        asset = SourceAsset(kind, document, key or document.address or _name(body))
        self.assets.append(asset)
        return asset


def _name(body: Any) -> str:
    if not isinstance(body, Mapping):
        return ''
    return str(body.get('name') or body.get('title') or body.get('id') or '')


@dataclass
class BodyBuilder:
    """Builds a body in the API's form and records the place of each value in the file."""

    body: dict[str, Any] = field(default_factory=dict)
    places: dict[Place, Place] = field(default_factory=dict)
    shifts: dict[Place, int] = field(default_factory=dict)
    withheld: dict[Place, str] = field(default_factory=dict)

    def put(self, place: Place, value: Any, origin: Place | None) -> None:
        """Set the value at `place` of the body and create the objects above it. `origin` is its place in the file."""
        target: Any = self.body
        for step in place[:-1]:
            target = target.setdefault(step, {})
        target[place[-1]] = value
        if origin is not None:
            self.places[place] = origin

    def withhold(self, place: Place, value: Any) -> bool:
        """Record a value that the file does not contain, or a list with such an item; return whether it is one."""
        items = value if isinstance(value, list) else [value]
        reasons = [each.reason for each in items if isinstance(each, Withheld)]
        if reasons:
            self.withheld[place] = reasons[0]
        return bool(reasons)

    def block(self, place: Place, values: Values, name: str) -> Values | None:
        """Return the first block of a name; record at `place` of the body one that the file does not contain."""
        self.withhold(place, values.get(name))
        return values.block(name)

    def put_stripped(self, place: Place, value: Any, origin: Place | None) -> None:
        """Set a text without the white space around it."""
        if isinstance(value, str):
            if shift := len(value) - len(value.lstrip()):
                self.shifts[place] = shift
            value = value.strip()
        self.put(place, value, origin)


class Precedence(IntEnum):
    """The order in which forms are compared with a file: the first form that matches is read."""

    #: A key or a value marks the form.
    MARKED = 0
    #: A list, or an object of objects.
    LIST = 1
    #: A single object, which other forms may contain too.
    OBJECT = 2


@dataclass(frozen=True)
class Form:
    """A form of assets. `recognise` checks the parsed content, `read` adds the assets to a source."""

    name: str
    recognise: Callable[[Any], bool]
    read: Callable[[Base, Inventory], None]
    precedence: Precedence = Precedence.MARKED


def is_api_monitor(value: Any) -> bool:
    """Whether a value is a monitor in the API's form, of any type: rule A.6 of the forms."""
    return (
        isinstance(value, dict)
        and isinstance(value.get('query'), str)
        and isinstance(value.get('type'), str)
        and (isinstance(value.get('options'), dict) or isinstance(value.get('message'), str))
    )
