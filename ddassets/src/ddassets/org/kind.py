"""What plan and apply have to know of dashboards, monitors, downtimes and notification rules alike."""

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
from ddassets.org.marker import Marker
from ddassets.org.schema import Fault

type Body = Mapping[str, Any]


@dataclass(frozen=True)
class Desired:
    """An asset as it is to be: `body` is what the API takes, without a marker."""

    kind: 'Kind'
    name: str
    title: str
    body: Body = field(repr=False)
    asset: bundle.Asset = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.kind.name, self.name

    def is_over(self, now: float) -> bool:
        return self.kind.present(self.kind.canonical(self.body), now) is None


@dataclass(frozen=True)
class Stored:
    """An object of the organisation that has our marker. `created` is in Unix seconds."""

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
        """Sorts the oldest first, the same way for all clients."""
        return self.created, len(self.id), self.id


class Kind(ABC):
    """Pure: what a kind of object looks like, and what the server makes of it. Instants are Unix seconds."""

    name: str
    plural: str
    # Where the API has it: created and listed there, changed and deleted behind `/{id}`.
    path: str
    # The method that changes it.
    method = 'PUT'
    # Its page in the web app, below the site's address.
    page: str
    # Whether the API refuses an object that does the same as an existing one.
    excludes_equals = False
    # Whether a page of a listing that has room left is the last one.
    full_pages = True
    # How many objects to ask for in one page of a listing; None for `listing.PAGE`.
    page_size: int | None = None

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.replace('_', ' ')

    @abstractmethod
    def body(self, asset: bundle.Asset) -> Body:
        """What the API takes of an asset, without what an export adds."""

    @abstractmethod
    def title(self, body: Body) -> str: ...

    @abstractmethod
    def faults(self, body: Body) -> Iterator[Fault]:
        """What the API would refuse, as far as it can be told without asking."""

    @abstractmethod
    def canonical(self, body: Body) -> dict[str, Any]:
        """What counts in a body, sent or stored, without the marker and whatever the server adds by itself."""

    def present(self, canonical: dict[str, Any], now: float) -> dict[str, Any] | None:
        """What a canonical body still means from `now` on; None where it is over."""
        return canonical

    def request(self, body: Body, id: str = '') -> Body:
        """What is sent: `body` itself, or that in an envelope."""
        return body

    def answered(self, answer: Any) -> tuple[str, Body]:
        """The number and the body in an answer. Raises KeyError, TypeError or AttributeError for another form."""
        return str(answer['id']), dict(answer)

    def listed(self, entry: Body) -> Any:
        """The body in an entry of a listing."""
        return entry

    @abstractmethod
    def marker(self, body: Body) -> Marker | None:
        """Read our marker; None for an object that ddassets did not apply."""

    def is_live(self, body: Body) -> bool:
        """Whether a listed object still counts."""
        return True

    def created(self, body: Body) -> float:
        """Unix seconds; infinite where the body does not say."""
        try:
            return instant(body.get('created') or '')
        except (TypeError, ValueError, OverflowError):
            return math.inf

    def check_readable(self, body: Body) -> None:
        """Raises TypeError, ValueError or the like for a stored body with values of undocumented types."""
        self.present(self.canonical(body), 0.0)
        self.mark(body, Marker('', '', ''))

    @abstractmethod
    def mark(self, body: Body, marker: Marker) -> Body: ...

    def outgoing(self, body: Body, now: float) -> Body:
        """What is sent to create it `now`."""
        return body

    def changes(self, body: Body, stored: Body, now: float) -> Body:
        """What is sent to make `stored` the same as `body`."""
        return body

    def merged(self, stored: Body, changes: Body) -> Body:
        """What the server makes of `stored` when it is sent `changes`."""
        return {**stored, **changes}

    def notes(self, body: Body, now: float) -> Iterator[str]:
        """What of a body will not come about when it is created `now`, though it is valid."""
        return iter(())

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether the API cannot change the one into the other, so that a new one has to take its place."""
        return False

    def stands_in_the_way(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether the API would refuse `desired` because `stored` is there."""
        return False


def model_keys(model: Any) -> frozenset[str]:
    """The keys that a model of the official client names."""
    return frozenset(model.attribute_map.values())


@cache
def load_model(version: str, name: str) -> Any:
    """A model of the official client by its name: importing one is what costs time."""
    module = re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()
    return getattr(importlib.import_module(f'datadog_api_client.{version}.model.{module}'), name)


def tidy(value: Any) -> Any:
    """Without nulls, and with whole numbers written as such: JSON tells 800 from 800.0, Datadog does not."""
    match value:
        case dict() | Mapping():
            return {key: tidy(inner) for key, inner in value.items() if inner is not None}
        case list() | tuple():
            return [tidy(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
    return value


def drop_defaults(body: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in defaults or value != defaults[key]}


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
