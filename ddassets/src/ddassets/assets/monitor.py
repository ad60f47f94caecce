"""A monitor, and a downtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ddassets.assets.asset import Asset, expect, mapping, misshapen, text, texts
from ddassets.assets.document import Document, Place, Problem


@dataclass(frozen=True)
class Monitor(Asset):
    """A monitor: the bare API form, or the `definition` of a version-2 asset."""

    name: str
    type: str
    query: str
    message: str
    tags: tuple[str, ...]
    options: Mapping[str, Any]
    # Title, description and tags of the version-2 envelope; empty for the bare form.
    envelope: Mapping[str, Any]

    @property
    def outer(self) -> Asset:
        """The whole document, the envelope included."""
        return Asset(self.document, (), self.document.data)


@dataclass(frozen=True)
class Downtime(Asset):
    """A v2 downtime; `body` is its `attributes`."""

    scope: str
    message: str


_MONITOR_SHAPES = {
    'name': 'a text',
    'type': 'a text',
    'query': 'a text',
    'message': 'a text or null',
    'tags': 'a list or null',
    'options': 'an object or null',
}


def read_monitor(document: Document, problems: list[Problem]) -> Monitor:
    """Read one monitor, in either form; what is not as it is meant is added to `problems`."""
    inner = document.data.get('definition')
    enveloped = isinstance(inner, dict)
    body = inner if enveloped else document.data
    place: Place = ('definition',) if enveloped else ()
    if 'definition' in document.data and not enveloped:
        misshapen(document, ('definition',), inner, 'an object', problems)
    expect(document, place, body, _MONITOR_SHAPES, problems)
    return Monitor(
        document=document,
        place=place,
        body=body,
        name=text(body.get('name')),
        type=text(body.get('type')),
        query=text(body.get('query')),
        message=text(body.get('message')),
        tags=texts(body.get('tags')),
        options=mapping(body.get('options')),
        envelope={k: v for k, v in document.data.items() if k != 'definition'} if enveloped else {},
    )


def read_downtime(document: Document) -> Downtime:
    """Read one downtime: the body of a request, or its `attributes` alone."""
    place: Place = ('data', 'attributes')
    body: Any = mapping(document.data.get('data')).get('attributes')
    if not isinstance(body, dict):
        place, body = (), document.data
    return Downtime(document, place, body, scope=text(body.get('scope')), message=text(body.get('message')))
