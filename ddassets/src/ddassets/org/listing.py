"""Reads an organisation's listings page by page, so that objects which come or go meanwhile hide no other."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddassets.org.client import Client, Refused, Unavailable
from ddassets.org.kind import Body, Kind, Query, Stored
from ddassets.org.marker import Marker
from ddassets.org.plan import Foreign
from ddassets.regex import regex

STRANGE = 'the response is not of the documented form'
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# An id becomes a part of a path.
_ID = regex(r'[\w-]{1,100}')


type Entry = dict[str, Any]


@dataclass(frozen=True)
class Listed:
    """Our objects, and those of others that may exclude one of ours (downtimes)."""

    stored: tuple[Stored, ...]
    foreign: tuple[Foreign, ...] = ()


class Listing:
    def __init__(self, client: Client, integration: str) -> None:
        self.client = client
        self.integration = integration

    def read(self, kind: Kind) -> Listed:
        """List the objects of a kind. Raises ApiError.

        Several pages are read forwards and then backwards. An object that is deleted meanwhile moves the rest towards
        the first page, which hides one from the forward pass only; a new one in front hides one from the backward pass.
        """
        entries, queries = self._forwards(kind)
        listed = self._sorted(kind, entries.values())
        if len(queries) == 1:
            return listed
        again = self._sorted(kind, self._backwards(kind, queries).values())
        both = {one.id for one in listed.stored} & {one.id for one in again.stored}
        stored = {one.id: one for one in (*listed.stored, *again.stored)}
        confirmed = [one if one.id in both else self.current(one) for one in stored.values()]
        foreign = {one.id: one for one in (*listed.foreign, *again.foreign)}
        return Listed(tuple(filter(None, confirmed)), tuple(foreign.values()))

    def current(self, stored: Stored) -> Stored | None:
        """Read the object itself instead of a listing; None if it is gone or no longer ours. Raises ApiError."""
        kind, path = stored.kind, f'{stored.kind.path}/{stored.id}'
        try:
            id, body = read_answer(kind, path, self.client.get(path))
        except Refused as refused:
            # Deleted since it was listed.
            if refused.status in (404, 410):
                return None
            raise
        marker = kind.marker(body)
        if marker is None or marker.integration != self.integration or not kind.is_live(body):
            return None
        return read_stored(kind, id, body, marker)

    def _sorted(self, kind: Kind, entries: Iterable[Entry]) -> Listed:
        stored, foreign = [], []
        for entry in entries:
            id, body = str(entry['id']), kind.entry_body(entry)
            if not isinstance(body, Mapping) or not kind.is_live(body):
                continue
            marker = kind.marker(body)
            if marker and marker.integration == self.integration:
                stored.append(read_stored(kind, id, body, marker, whole=kind.lists_bodies))
            elif kind.refuses_duplicates and _is_readable(kind, body):
                foreign.append(Foreign(kind, id, body))
        return Listed(tuple(stored), tuple(foreign))

    def _forwards(self, kind: Kind) -> tuple[dict[str, Entry], list[Query]]:
        """Read all pages: the entries by id, and the queries, which depend on what the server puts on a page."""
        entries: dict[str, Entry] = {}
        queries: list[Query] = []
        while True:
            start = len(entries)
            if start:
                self.client.say(f'{kind.labels}: {start} read')
            queries.append(kind.page_query(self.integration, len(queries), start))
            page, total = self._page(kind, queries[-1])
            entries.update((str(one['id']), one) for one in page)
            if not page or start + len(page) >= total or (kind.full_pages and len(page) < kind.page_size):
                return entries, queries
            if len(entries) == start:
                # For example, a gateway ignores the query: the loop would not end.
                raise Unavailable(f'{kind.path}: page after page shows the same {kind.labels}')

    def _backwards(self, kind: Kind, queries: Sequence[Query]) -> dict[str, Entry]:
        return {str(one['id']): one for query in reversed(queries) for one in self._page(kind, query)[0]}

    def _page(self, kind: Kind, query: Query) -> tuple[list[Entry], float]:
        """Return the entries of a page, and the number of objects in all pages, infinite if the response lacks it."""
        answer = self.client.request('GET', kind.path, query).content
        page = answer.get(kind.list_key) if kind.list_key and isinstance(answer, dict) else answer
        if not isinstance(page, list) or not all(isinstance(one, dict) and one.get('id') for one in page):
            raise Unavailable(f'{kind.path}: {STRANGE}')
        try:
            return page, kind.total(answer)
        except (KeyError, TypeError, ValueError, OverflowError):
            return page, math.inf


def read_answer(kind: Kind, path: str, answer: Any) -> tuple[str, Body]:
    """Return the id and the body of a response for one object. Raises Unavailable for another form."""
    try:
        return kind.from_answer(answer)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unavailable(f'{path}: {STRANGE}') from None


def read_stored(kind: Kind, id: str, body: Body, marker: Marker, whole: bool = True) -> Stored:
    """Return a stored object. Raises Unavailable for an id or a body with values of undocumented types."""
    try:
        if not _ID.fullmatch(id):
            raise ValueError(id)
        if whole:
            kind.check_readable(body)
        return Stored(kind, id, marker, kind.title(body), body, kind.created(body))
    except _UNREADABLE:
        raise Unavailable(f'{kind.path}/{id[:100]}: {STRANGE}') from None


def _is_readable(kind: Kind, body: Body) -> bool:
    try:
        kind.check_readable(body)
    except _UNREADABLE:
        return False
    return True
