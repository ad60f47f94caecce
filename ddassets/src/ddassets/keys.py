"""Descriptions of the keys of a YAML file, for its parser and for its JSON Schema."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Schema = Mapping[str, Any]

#: A value that is read as written: `10` and `true` are texts too.
TEXT: Schema = {'type': ['string', 'number', 'boolean']}
NUMBER: Schema = {'type': 'number'}
FLAG: Schema = {'type': 'boolean'}
ANYTHING: Schema = {}
LENGTH: Schema = {'type': 'string', 'pattern': r'^(\d+[smhdw])+$', 'examples': ['45s', '10m', '1h30m']}
#: A wall time, or a date, which is its midnight.
INSTANT: Schema = {
    'type': 'string',
    'pattern': r'^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d|Z)?)?$',
    'examples': ['2027-01-04T08:00:00', '2027-01-04'],
}


def whole(least: int, greatest: int | None = None) -> Schema:
    return {'type': 'integer', 'minimum': least} | ({} if greatest is None else {'maximum': greatest})


def choice(words: Iterable[str]) -> Schema:
    return {'enum': list(words)}


def list_of(item: Schema, least: int = 0) -> Schema:
    return {'type': 'array', 'items': item} | ({'minItems': least} if least else {})


def map_of(value: Schema) -> Schema:
    return {'type': 'object', 'additionalProperties': value}


def either(*schemas: Schema) -> Schema:
    return {'anyOf': list(schemas)}


@dataclass(frozen=True)
class Key:
    """A key: the JSON Schema of its value, and its description."""

    name: str
    value: Schema
    meaning: str


@dataclass(frozen=True)
class Keys:
    """The keys of a mapping; others are refused. A key without a value counts as absent."""

    keys: Sequence[Key]
    required: Sequence[str] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'names', tuple(key.name for key in self.keys))

    @property
    def schema(self) -> Schema:
        properties = {
            key.name: {
                'description': key.meaning,
                **(either(key.value, {'type': 'null'}) if key.name not in self.required else key.value),
            }
            for key in self.keys
        }
        found: dict[str, Any] = {'type': 'object', 'additionalProperties': False, 'properties': properties}
        return found | ({'required': list(self.required)} if self.required else {})


def document(title: str, schema: Schema) -> dict[str, Any]:
    """Return a complete JSON Schema."""
    return {'$schema': 'http://json-schema.org/draft-07/schema#', 'title': title, **schema}
