"""An asset that is part of a file in another form: a plan, a list, a custom resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ddassets.assets.source import Place
from ddassets.diagnostic import Position


class Base(Protocol):
    """A parsed file: JSON, one document of a YAML stream, or HCL."""

    @property
    def path(self) -> Path: ...
    @property
    def text(self) -> str: ...
    @property
    def data(self) -> Any: ...
    def position(self, place: Place = (), column: int | None = None) -> Position: ...


@dataclass(frozen=True)
class SourceDocument:
    """An asset in the API's form, read from a part of a file. `data` is the body.

    `places` map places of the body to places of the file; a place without an entry uses that of its nearest parent.
    `shifts` are the numbers of characters stripped from the start of a string. `withheld` maps values that the file
    does not contain to the reason: rules do not check what depends on them.
    """

    path: Path
    data: Any = field(repr=False)
    base: Base = field(kw_only=True, repr=False)
    places: Mapping[Place, Place] = field(kw_only=True, repr=False)
    shifts: Mapping[Place, int] = field(kw_only=True, default_factory=dict, repr=False)
    # The file that was read, if it is not the file that people edit.
    origin: Path | None = field(kw_only=True, default=None)
    address: str = field(kw_only=True, default='')
    manager: str = field(kw_only=True, default='')
    withheld: Mapping[Place, str] = field(kw_only=True, default_factory=dict)

    def position(self, place: Place = (), column: int | None = None) -> Position:
        """Return the position in the file of the value at `place` of the body."""
        for end in range(len(place), -1, -1):
            origin = self.places.get(place[:end])
            if origin is not None:
                shifted = None if column is None else column + self.shifts.get(place, 0)
                return self.base.position((*origin, *place[end:]), shifted)
        return self.base.position()

    def is_withheld(self, place: Place) -> bool:
        """Whether the value at `place`, a parent or a part of it is withheld. The whole body never is."""
        return bool(place) and any(place[: len(each)] == each or each[: len(place)] == place for each in self.withheld)
