"""What the Datadog API would refuse in a body, before anything is sent.

The official client's models are generated from the OpenAPI documents, so they carry the rules; the client itself lets
an unknown key or a bad value pass. These rules are closed: what a model does not name is a fault. They know shapes
alone: no query syntax, no recurrence rules, no past starts, no permissions.

Two things of the documents are lost in the models. The bounds of a list's items are, so that an empty text in a list
passes. An object that the documents leave open looks like any other, so that one is closed, too.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from datadog_api_client.model_utils import ModelComposed, ModelNormal, ModelSimple, OpenApiModel

from ddassets.nearest import closest

# The models are passed on as Any, for the client's own types make them unhashable to mypy.
type Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """`path` leads from the body to the fault; an unknown or a missing key is its last step."""

    path: Path
    message: str

    def __str__(self) -> str:
        text = ''.join(f'[{step}]' if isinstance(step, int) else f'.{step}' for step in self.path).lstrip('.')
        return f'{text}: {self.message}' if text else self.message


def faults(body: Any, model: type[OpenApiModel]) -> list[Fault]:
    """What is wrong with `body` as a `model` of `datadog_api_client`; empty where the API would take its shape."""
    return list(_of_type(body, model, ()))


def _of_type(value: Any, kind: Any, path: Path) -> Iterator[Fault]:
    """`kind` is written as the client writes it: a class, `[item]`, `{str: (value,)}` or a tuple of alternatives."""
    match kind:
        case tuple():
            return _of_alternatives(value, kind, path)
        case list():
            return _of_list(value, kind[0], path)
        case dict():
            return _of_mapping(value, kind[str], path)
        case type() if issubclass(kind, ModelComposed):
            return _of_choice(value, _alternatives(kind), path)
        case type() if issubclass(kind, ModelSimple):
            return _of_simple(value, kind, path)
        case type() if issubclass(kind, ModelNormal):
            return _of_object(value, kind, path)
    return _of_primitive(value, kind, path)


def _of_alternatives(value: Any, kinds: tuple[Any, ...], path: Path) -> Iterator[Fault]:
    if value is None and type(None) in kinds:
        return
    found = [list(_of_type(value, kind, path)) for kind in kinds if kind is not type(None)]
    if all(found):
        yield from found[0]


def _of_list(value: Any, kind: Any, path: Path) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield _wrong_type(value, 'a list', path)
        return
    for index, item in enumerate(value):
        yield from _of_type(item, kind, (*path, index))


def _of_mapping(value: Any, kind: Any, path: Path) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield _wrong_type(value, 'an object', path)
        return
    for key, item in value.items():
        yield from _of_type(item, kind, (*path, key))


def _of_primitive(value: Any, kind: Any, path: Path) -> Iterator[Fault]:
    name, fits = _PRIMITIVES[kind]
    if not fits(value):
        yield _wrong_type(value, name, path)


def _of_object(value: Any, model: Any, path: Path) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield _wrong_type(value, 'an object', path)
        return
    keys = _keys(model)
    for name, item in value.items():
        if key := keys.get(name):
            if item is None and key.nullable:
                continue
            found = list(_of_type(item, key.kind, (*path, name)))
            yield from found or _of_bounds(item, key.bounds, (*path, name))
        elif (extra := _extra(model)) is not None:
            yield from _of_type(item, extra, (*path, name))
        elif keys:
            yield Fault((*path, name), f'unknown key{_hint(name, keys)}')
    for name, key in keys.items():
        if key.required and name not in value:
            yield Fault((*path, name), 'the key is required and missing')


def _of_simple(value: Any, model: type[ModelSimple], path: Path) -> Iterator[Fault]:
    allowed = getattr(model, 'allowed_values', None)
    if allowed:
        # True is 1 to Python, and not to JSON.
        if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed):
            yield Fault(path, f'{_shown(value)} is not allowed{_hint(value, allowed)}')
        return
    found = list(_of_type(value, model.openapi_types['value'], path))
    yield from found or _of_bounds(value, getattr(model, 'validations', {}).get('value', {}), path)


def _of_choice(value: Any, kinds: Sequence[Any], path: Path) -> Iterator[Fault]:
    """One of several. That one is reported on which the keys with fixed values select, such as `type`."""
    objects: list[Any] = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, ModelNormal)]
    if not objects or not isinstance(value, Mapping):
        yield from _of_plain_choice(value, kinds, path)
        return
    disagreeing = {kind: _disagreeing(value, kind) for kind in objects}
    agreeing = [kind for kind in objects if not disagreeing[kind]]
    if agreeing:
        found = {kind: list(_of_object(value, kind, path)) for kind in agreeing}
        yield from found[min(agreeing, key=lambda kind: (len(found[kind]), -_likeness(value, kind)))]
        return
    for name in set.intersection(*disagreeing.values()):
        allowed = {one for kind in objects for one in _keys(kind)[name].values}
        yield Fault((*path, name), f'{_shown(value[name])} is not allowed{_hint(value[name], allowed)}')
        return
    fewest = min(objects, key=lambda kind: len(disagreeing[kind]))
    yield from _of_object(value, fewest, path)


def _of_plain_choice(value: Any, kinds: Sequence[Any], path: Path) -> Iterator[Fault]:
    found = [list(_of_type(value, kind, path)) for kind in kinds]
    if all(found):
        # Faults inside of a list say more than that the whole is none of the choices.
        inside = [faults for faults in found if any(fault.path != path for fault in faults)]
        names = ' or '.join(sorted({_name(kind) for kind in kinds}))
        yield from min(inside, key=len, default=[_wrong_type(value, names, path)])


def _likeness(value: Mapping[str, Any], model: Any) -> float:
    keys = _keys(model)
    return sum(max(difflib.SequenceMatcher(None, name, key).ratio() for key in keys) for name in value)


def _disagreeing(value: Mapping[str, Any], model: Any) -> set[str]:
    return {
        name
        for name, key in _keys(model).items()
        if key.required and key.values and name in value and value[name] not in key.values
    }


def _of_bounds(value: Any, bounds: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    for name, bound in bounds.items():
        text, holds = _BOUNDS[name]
        if not holds(value, bound):
            shown = bound['pattern'] if name == 'regex' else bound
            yield Fault(path, f'{_shown(value)} {text.format(shown)}')


@dataclass(frozen=True)
class _Key:
    kind: tuple[Any, ...]
    required: bool
    nullable: bool
    bounds: Mapping[str, Any]
    # The only values it can have; empty where any will do.
    values: tuple[Any, ...]


_CONSTANT = inspect.Parameter('constant', inspect.Parameter.KEYWORD_ONLY)


@cache
def _keys(model: Any) -> dict[str, _Key]:
    parameters = inspect.signature(model.__init__).parameters
    bounds = getattr(model, 'validations', {})
    keys = {}
    for attribute, kind in model.openapi_types.items():
        # One with a constant for its default is required, and left out of the signature.
        parameter = parameters.get(attribute, _CONSTANT)
        single = kind[0]
        simple = isinstance(single, type) and issubclass(single, ModelSimple)
        keys[model.attribute_map[attribute]] = _Key(
            kind=kind,
            required=parameter.default is inspect.Parameter.empty,
            # The types leave it out where it stands at a reference; the signature has it.
            nullable='none_type' in str(parameter.annotation),
            bounds=bounds.get(attribute, {}),
            values=tuple(getattr(single, 'allowed_values', ()) or ()) if simple else (),
        )
    return keys


def _alternatives(model: type[ModelComposed]) -> tuple[Any, ...]:
    """The choices, with those inside a choice in place of it."""
    found: list[Any] = []
    for kind in model._composed_schemas['oneOf']:
        nested = isinstance(kind, type) and issubclass(kind, ModelComposed)
        found.extend(_alternatives(kind) if nested else [kind])
    return tuple(found)


def _extra(model: type[ModelNormal]) -> Any:
    """What a key that is not named may hold; None where no other key is allowed."""
    extra = model.additional_properties_type
    return None if extra is ModelNormal.additional_properties_type else extra


def _hint(found: Any, allowed: Iterable[Any]) -> str:
    names = sorted(map(str, allowed))
    if nearest := closest(str(found), names):
        return f'; did you mean {nearest!r}?'
    return f'; allowed: {", ".join(names)}' if len(names) <= 12 else ''


def _wrong_type(value: Any, expected: str, path: Path) -> Fault:
    return Fault(path, f'expected {expected}, found {_shown(value)}')


def _shown(value: Any) -> str:
    match value:
        case None:
            return 'null'
        case bool():
            return str(value).lower()
        case Mapping():
            return 'an object'
        case list():
            return 'a list'
        case str() if len(value) > 60:
            return repr(value[:57] + '…')
    return repr(value)


def _name(kind: Any) -> str:
    if isinstance(kind, tuple):
        return _name(kind[0])
    if isinstance(kind, list):
        return 'a list'
    if isinstance(kind, type) and issubclass(kind, ModelSimple):
        values = getattr(kind, 'allowed_values', None)
        return 'one of ' + ', '.join(map(repr, sorted(values))) if values else _name(kind.openapi_types['value'])
    return _PRIMITIVES[kind][0] if kind in _PRIMITIVES else 'an object'


def _parses(read: Callable[[str], object]) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            read(value)
        except ValueError:
            return False
        return True

    return fits


def _is_instant(text: str) -> None:
    if not re.match(r'\d{4}-\d\d-\d\d[Tt ]', text) or datetime.fromisoformat(text).tzinfo is None:
        raise ValueError


def _is_integer(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


_PRIMITIVES: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ('a text', lambda value: isinstance(value, str)),
    bool: ('true or false', lambda value: isinstance(value, bool)),
    int: ('a whole number', _is_integer),
    float: ('a number', lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    dict: ('an object', lambda value: isinstance(value, Mapping)),
    list: ('a list', lambda value: isinstance(value, list)),
    datetime: ('an instant such as 2027-01-31T12:00:00Z', _parses(_is_instant)),
    date: ('a date such as 2027-01-31', _parses(date.fromisoformat)),
    UUID: ('a UUID', _parses(UUID)),
    type(None): ('null', lambda value: value is None),
}
_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    'inclusive_minimum': ('is below {}', lambda value, bound: value >= bound),
    'inclusive_maximum': ('is above {}', lambda value, bound: value <= bound),
    'exclusive_minimum': ('is not above {}', lambda value, bound: value > bound),
    'exclusive_maximum': ('is not below {}', lambda value, bound: value < bound),
    'min_length': ('is shorter than {} characters', lambda value, bound: len(value) >= bound),
    'max_length': ('is longer than {} characters', lambda value, bound: len(value) <= bound),
    'min_items': ('has fewer than {} entries', lambda value, bound: len(value) >= bound),
    'max_items': ('has more than {} entries', lambda value, bound: len(value) <= bound),
    'regex': ('does not match {}', lambda value, bound: re.search(bound['pattern'], value) is not None),
}
