"""A part of a document, and the values in it as far as they have the shape that is meant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddassets.assets.document import Document, Place, Problem
from ddassets.diagnostic import Position


@dataclass(frozen=True)
class Asset:
    """A part of a document; `place` is where its body lies in the document."""

    document: Document
    place: Place
    body: Mapping[str, Any] = field(repr=False)

    @property
    def path(self) -> Path:
        return self.document.path

    def position(self, *place: str | int) -> Position:
        """Where the value at `place`, counted from the body, begins in the file."""
        return self.document.position(self.place + place)


_JSON_NAMES = {
    dict: 'an object',
    list: 'a list',
    str: 'a text',
    bool: 'true or false',
    int: 'a number',
    float: 'a number',
    type(None): 'null',
}


def misshapen(document: Document, place: Place, found: Any, expected: str, problems: list[Problem]) -> None:
    """Add a problem: what was found at a place has not the shape that is expected."""
    subject = ''
    if place:
        subject = f'{place[-2]}[{place[-1]}]: ' if isinstance(place[-1], int) else f'{place[-1]}: '
    message = f'{subject}expected {expected}, found {_JSON_NAMES[type(found)]}'
    problems.append(Problem('shape', document.path, document.position(place), message))


_SHAPES: Mapping[str, tuple[type, ...]] = {
    'an object': (dict,),
    'a list': (list,),
    'an object or null': (dict, type(None)),
    'a text': (str,),
    'a text or null': (str, type(None)),
    'a list or null': (list, type(None)),
}


def expect(
    document: Document, place: Place, body: Mapping[str, Any], shapes: Mapping[str, str], problems: list[Problem]
) -> None:
    """Add a problem for each key of `body` that is there and has not the shape that `shapes` names."""
    for key, expected in shapes.items():
        if key in body and not isinstance(body[key], _SHAPES[expected]):
            misshapen(document, (*place, key), body[key], expected, problems)


def text(value: Any) -> str:
    """The value, empty where it is no text. Likewise below: what is not as it is meant is as if it were not there."""
    return value if isinstance(value, str) else ''


def texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def one_or_more(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else texts(value)


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
