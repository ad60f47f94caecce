"""The interface of the kinds of objects that plan and apply manage, and helpers for their bodies."""

import importlib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from ddassets import assets as bundle
from ddassets.org.changes import Changes
from ddassets.org.marker import Marker
from ddassets.org.schema import Fault

type Body = Mapping[str, Any]
type Query = dict[str, str | int]


@dataclass(frozen=True)
class Desired:
    """An asset that the organisation should contain. `body` is that of the API, without a marker."""

    kind: 'Kind'
    name: str
    title: str
    body: Body = field(repr=False)
    asset: bundle.Asset = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.kind.name, self.name

    def has_ended(self, now: float) -> bool:
        """Whether the asset has no effect from `now` on, such as a downtime in the past."""
        return self.kind.remaining(self.kind.canonical(self.body), now) is None


@dataclass(frozen=True)
class Stored:
    """An object of the organisation that has our marker. `created` is in Unix seconds, infinite if unknown."""

    kind: 'Kind'
    id: str
    marker: Marker
    title: str
    body: Body = field(repr=False)
    created: float = math.inf

    @property
    def key(self) -> tuple[str, str]:
        return self.kind.name, self.marker.name

    @property
    def age_order(self) -> tuple[float, int, str]:
        """A key that sorts the oldest first, the same way for all clients."""
        return self.created, len(self.id), self.id


class Kind(ABC):
    """How a kind of object is sent, stored and compared. Pure: no requests, no clock. Instants are Unix seconds.

    A body is sent or stored; a canonical body is the form in which two bodies are compared.
    """

    # The class of its assets.
    asset: type[bundle.Asset]
    name: str
    plural: str
    # The API's path to create and list objects; `/{id}` is appended to change or delete one.
    path: str
    # The HTTP method that changes an object.
    method = 'PUT'
    # The path of an object's page in the web app.
    page: str
    # Whether the API refuses an object with the same effect as an existing one.
    refuses_duplicates = False
    # Whether a page of a listing that is not full is the last page.
    full_pages = True
    # The number of objects to request in one page of a listing.
    page_size = 100
    # The key of a listing's response that has the objects; empty if the response is the list itself.
    list_key = 'data'
    # Whether the entries of a listing have whole bodies.
    lists_bodies = True
    # The permissions to read and to change such objects.
    permissions: tuple[str, str]

    @property
    def label(self) -> str:
        """The name in texts."""
        return self.name.replace('_', ' ')

    @property
    def labels(self) -> str:
        """The plural in texts."""
        return self.plural.replace('_', ' ')

    @abstractmethod
    def body(self, asset: bundle.Asset) -> Body:
        """Return the body of an asset for the API, without the keys that an export adds."""

    @abstractmethod
    def title(self, body: Body) -> str:
        """Return the title that a reader knows the object by."""

    @abstractmethod
    def faults(self, body: Body) -> Iterator[Fault]:
        """Yield what the API would refuse, as far as that is known offline."""

    @abstractmethod
    def canonical(self, body: Body) -> dict[str, Any]:
        """Return a body without the marker and without keys and values that the server adds or rewrites."""

    def remaining(self, canonical: dict[str, Any], now: float) -> dict[str, Any] | None:
        """Return the part of a canonical body that still has an effect from `now` on; None if it has ended."""
        return canonical

    def request(self, body: Body, id: str = '') -> Body:
        """Return the request for a body: the body itself, or an envelope around it."""
        return body

    def from_answer(self, answer: Any) -> tuple[str, Body]:
        """Return the id and the body of a response. Raises KeyError, TypeError or AttributeError for another form."""
        return str(answer['id']), dict(answer)

    def entry_body(self, entry: Body) -> Any:
        """Return the body of an entry of a listing."""
        return entry

    @abstractmethod
    def changed(self, asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
        """Return the body of an asset with the changes that the options request. Raises ChangeError."""

    def page_query(self, integration: str, number: int, start: int) -> Query:
        """Return the query for page `number` of a listing, from 0, with `start` entries before it."""
        return {'page[offset]': start, 'page[limit]': self.page_size}

    def total(self, answer: Any) -> float:
        """Return the number of objects in all pages. Raises KeyError or TypeError for a response without it."""
        return float(answer['meta']['page']['total_filtered_count'])

    @abstractmethod
    def marker(self, body: Body) -> Marker | None:
        """Return our marker; None for an object that ddassets did not apply."""

    def is_live(self, body: Body) -> bool:
        """Whether a listed object still exists."""
        return True

    def created(self, body: Body) -> float:
        """Return the instant of creation; infinite if the body does not contain it."""
        try:
            return instant(body.get('created') or '')
        except (TypeError, ValueError, OverflowError):
            return math.inf

    def check_readable(self, body: Body) -> None:
        """Raise TypeError, ValueError or a similar error for a stored body with values of undocumented types."""
        self.remaining(self.canonical(body), 0.0)
        self.mark(body, Marker('', '', ''))

    @abstractmethod
    def mark(self, body: Body, marker: Marker) -> Body:
        """Return the body with this marker in place of any other."""

    def for_creation(self, body: Body, now: float) -> Body:
        """Return the body to send in order to create the object `now`."""
        return body

    def changes(self, body: Body, stored: Body, now: float) -> Body:
        """Return the body to send in order to change `stored` into `body`."""
        return body

    def merged(self, stored: Body, changes: Body) -> Body:
        """Return the body that the server stores when `changes` are sent for `stored`."""
        return {**stored, **changes}

    def notes(self, body: Body, now: float) -> Iterator[str]:
        """Yield the effects that a valid body will not have if it is created `now`."""
        return iter(())

    def notes_of_update(self, desired: Body, stored: Body) -> Iterator[str]:
        """Yield the effects that a valid update may not have."""
        return iter(())

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether the API cannot make the change, so that a new object must replace the stored one."""
        return False

    def conflicts(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether the API would refuse `desired` because `stored` exists."""
        return False


def model_keys(model: Any) -> frozenset[str]:
    """Return the keys of a model of the official client."""
    return frozenset(model.attribute_map.values())


@cache
def load_model(version: str, name: str) -> Any:
    """Import a model of the official client by its name, on first use: the import is slow."""
    module = re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()
    return getattr(importlib.import_module(f'datadog_api_client.{version}.model.{module}'), name)


def normalised(value: Any) -> Any:
    """Return the value without nulls and with integers for whole floats: 800 and 800.0 are equal for Datadog."""
    match value:
        case dict() | Mapping():
            return {key: normalised(inner) for key, inner in value.items() if inner is not None}
        case list() | tuple():
            return [normalised(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
    return value


def drop_defaults(body: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body without the keys whose value is the default."""
    return {key: value for key, value in body.items() if key not in defaults or value != defaults[key]}


def instant(text: str) -> float:
    """Return Unix seconds for an instant in ISO 8601. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()
