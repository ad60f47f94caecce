"""The text from which an asset was read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ddassets.diagnostic import Edit, Position

#: The path from the top of a body to a value: keys and indices.
type Place = tuple[str | int, ...]


class _Sentinel:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


#: The decoded form of an unusable value; a diagnostic says why.
INVALID: Any = _Sentinel('INVALID')
#: Marks a value that the API ignores.
REMOVED: Any = _Sentinel('REMOVED')


class Source(Protocol):
    """A text that a person edits, such as a JSON file, a YAML file or a Terraform plan.

    `position` returns where the value at `place` starts, or its nearest parent if the value is missing; with `column`,
    the position of that character (counted from 0) of the string at `place`. None: the position is not known.
    """

    @property
    def path(self) -> Path: ...

    def position(self, place: Place = (), column: int | None = None) -> Position | None: ...


@runtime_checkable
class EditableSource(Source, Protocol):
    """A source whose text can be changed in place."""

    def edit(self, place: Place, value: Any) -> Edit:
        """Return the edit that replaces a value; REMOVED deletes an element from its list."""
        ...


def dotted(place: Place) -> str:
    """Return a place in the form `schedule.recurrences[0].rrule`."""
    return ''.join(f'[{step}]' if isinstance(step, int) else f'.{step}' for step in place).removeprefix('.')


@dataclass(frozen=True)
class Unplaced:
    """A source without text, for a body from a program."""

    path: Path

    def position(self, place: Place = (), column: int | None = None) -> None:
        """Return None: there is no text."""
