"""A Datadog organisation: our objects in it, and the operations on them.

Objects are identified by their marker, so a creation whose response was lost is looked for before it is repeated.
"""

import time
from collections.abc import Sequence
from typing import Any

from ddassets.org import client as transport
from ddassets.org.client import ApiError, Client, Refused, Unavailable, Unclear
from ddassets.org.concurrency import map_concurrently
from ddassets.org.kind import Body, Desired, Kind, Stored
from ddassets.org.kinds import MONITORS
from ddassets.org.listing import STRANGE, Listed, Listing, read_stored
from ddassets.org.marker import Marker, fingerprint
from ddassets.org.plan import diff

# Seconds between looks for an object whose creation is unclear. Listings have been seen to lag by 5 s; this is three
# times as long.
LOOKS: tuple[float, ...] = (0, 0.5, 1, 2, 4, 8)


class Organisation:
    """`last_unclear` is when a creation last ended without a response, by the client's clock; None for never."""

    def __init__(self, client: Client, integration: str) -> None:
        self.client = client
        self.integration = integration
        self.last_unclear: float | None = None
        self._listing = Listing(client, integration)

    def link(self, kind: Kind, id: str) -> str:
        return self.client.account.app_url + kind.page.format(id=id)

    def list(self, kinds: Sequence[Kind]) -> Listed:
        """List several kinds concurrently; of dashboards the summaries. Raises ApiError."""
        parts = map_concurrently(self._listing.read, kinds)
        return Listed(
            tuple(one for part in parts for one in part.stored), tuple(one for part in parts for one in part.foreign)
        )

    def find(self, kinds: Sequence[Kind]) -> Listed:
        """List, and read the bodies that a listing leaves out. Raises ApiError."""
        listed = self.list(kinds)
        whole = map_concurrently(self._whole, listed.stored)
        return Listed(tuple(filter(None, whole)), listed.foreign)

    def current(self, stored: Stored) -> Stored | None:
        """Return the current object; None if it is gone or no longer ours. Raises ApiError."""
        return self._listing.current(stored)

    def _whole(self, stored: Stored) -> Stored | None:
        # A listing may lag, and the fingerprint in the marker must be compared with the body that has this marker.
        return stored if stored.kind.lists_bodies else self.current(stored)

    def validate(self, desired: Desired, stored: Stored | None) -> str:
        """Ask Datadog to validate a monitor: empty, or why it refuses. Raises ApiError."""
        if desired.kind is not MONITORS:
            return ''
        path = f'{MONITORS.path}/{stored.id}/validate' if stored else f'{MONITORS.path}/validate'
        try:
            self.client.ask(path, desired.body)
        except Refused as refused:
            if refused.status in (401, 403):
                raise
            return refused.reason
        return ''

    # Operations that change something

    def create(self, desired: Desired) -> Stored:
        """Create an object, once: when a response is lost, look for the object before another attempt.

        Raises ApiError.
        """
        kind = desired.kind
        tried: set[Marker] = set()
        failure: ApiError | None = None
        attempts = len(transport.PAUSES) + 1
        for _ in range(attempts):
            now = time.time()
            _check_lasting(desired, now)
            body = kind.for_creation(desired.body, now)
            marker = self._marker(desired, body)
            tried.add(marker)
            try:
                answer = self.client.create(kind.path, kind.request(kind.mark(body, marker)))
                return self._stored(kind, answer, marker)
            except Unclear as unclear:
                failure = unclear
                if stored := self._look(desired, tried, unclear):
                    return stored
            except Refused as refused:
                if not (kind.refuses_duplicates and refused.status in (400, 409)):
                    raise
                # It may exist: from an attempt whose response was lost, or from another apply at the same time.
                if stored := self._look(desired, tried, refused):
                    return stored
                raise
        raise Unavailable(f'{failure}, {attempts} times in a row')

    def _look(self, desired: Desired, tried: set[Marker], failure: ApiError) -> Stored | None:
        """Look for an object of ours that `failure` leaves unclear, for as long as listings lag."""
        kind = desired.kind
        limit = sum(LOOKS)
        self.client.say(f'{failure}; looking for up to {limit:g} s whether the {kind.label} {desired.name} is there')
        try:
            for pause in LOOKS:
                self.client.clock.sleep(pause)
                for stored in self.find([kind]).stored:
                    same = isinstance(failure, Refused) and stored.key == desired.key
                    if stored.marker in tried or (same and not diff(desired, stored, time.time())):
                        return stored
        finally:
            if isinstance(failure, Unclear):
                self.last_unclear = self.client.clock.now()
        return None

    def update(self, desired: Desired, stored: Stored) -> Stored:
        """Update an object; repeating it has no further effect. Raises ApiError."""
        kind = desired.kind
        now = time.time()
        _check_lasting(desired, now)
        changes = kind.changes(desired.body, stored.body, now)
        marker = self._marker(desired, kind.merged(stored.body, changes))
        body = kind.request(kind.mark(changes, marker), stored.id)
        answer = self.client.request(kind.method, f'{kind.path}/{stored.id}', body=body).content
        return self._stored(kind, answer, marker)

    def delete(self, stored: Stored) -> None:
        """Delete an object; one that is gone already counts as deleted. Raises ApiError."""
        self.client.delete(f'{stored.kind.path}/{stored.id}')

    def _marker(self, desired: Desired, body: Body) -> Marker:
        return Marker(self.integration, desired.name, fingerprint(desired.kind.canonical(body)))

    def _stored(self, kind: Kind, answer: Any, marker: Marker) -> Stored:
        try:
            id, body = kind.from_answer(answer)
            return read_stored(kind, id, body, marker)
        except (KeyError, TypeError, AttributeError, ValueError, Unavailable):
            raise Unclear(f'{kind.path}: {STRANGE}') from None


def _check_lasting(desired: Desired, now: float) -> None:
    """Raises ApiError for an asset that has ended since it was planned: without a schedule it would never end."""
    if desired.has_ended(now):
        raise ApiError(f'{desired.asset.path}: it has ended since the plan was made')
