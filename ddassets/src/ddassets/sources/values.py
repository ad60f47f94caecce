"""The attributes of a resource by their Terraform names, in any spelling."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ddassets.assets.source import Place


@dataclass(frozen=True)
class Withheld:
    """A value that the file does not contain; `reason` says why, and never contains the value."""

    reason: str


def snake(name: str) -> str:
    """Return the Terraform spelling of a camel-case name."""
    return re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower()


def _known(name: str, known: Collection[str]) -> str:
    """Return the known name of a plural (`notify_by` for `notify_bies`), else the name itself."""
    if name in known:
        return name
    for ending, singular in (('ies', 'y'), ('es', ''), ('s', '')):
        if name.endswith(ending) and name.removesuffix(ending) + singular in known:
            return name.removesuffix(ending) + singular
    return name


def list_or_empty(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


@dataclass(frozen=True)
class Values:
    """A block of attributes. `place` is its place in the file; `known` are the names to which plurals are mapped."""

    values: Mapping[str, Any]
    place: Place
    known: Collection[str] = ()
    _names: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = {_known(snake(key), self.known) if self.known else key: key for key in self.values}
        object.__setattr__(self, '_names', names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def get(self, name: str) -> Any:
        return self.values.get(self._names.get(name, name))

    def at(self, name: str) -> Place:
        """Return the place of an attribute in the file."""
        return (*self.place, self._names.get(name, name))

    def blocks(self, name: str) -> list['Values']:
        """Return the blocks of a name: a list of objects, or one object if the form flattens a single block."""
        value = self.get(name)
        if isinstance(value, Mapping):
            return [Values(value, self.at(name), self.known)]
        if not isinstance(value, list):
            return []
        return [
            Values(item, (*self.at(name), index), self.known)
            for index, item in enumerate(value)
            if isinstance(item, Mapping)
        ]

    def block(self, name: str) -> 'Values | None':
        return next(iter(self.blocks(name)), None)
