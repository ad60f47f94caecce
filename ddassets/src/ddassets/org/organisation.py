"""A Datadog organisation: what of it bears our marker, and the five things that are done to it.

Everything is found again by its marker, so a creation whose answer was lost is looked for before it is tried again.
"""

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddassets.org import client as transport
from ddassets.org import downtimes
from ddassets.org.client import ApiError, Client, Refused, Unavailable, Unclear
from ddassets.org.concurrency import at_once
from ddassets.org.kind import Body, Kind, Stored, Wanted
from ddassets.org.kinds import DASHBOARDS, DOWNTIMES, MONITORS
from ddassets.org.marker import Marker, fingerprint, in_tags, in_text, owner_tag
from ddassets.org.plan import Foreign

PAGE = 100


@dataclass(frozen=True)
class Found:
    """What a listing showed: objects of ours, and those of others that may stand in the way."""

    stored: tuple[Stored, ...]
    foreign: tuple[Foreign, ...] = ()


class Organisation:
    def __init__(self, client: Client, integration: str) -> None:
        self.client = client
        self.integration = integration

    def link(self, kind: Kind, id: str) -> str:
        return self.client.account.app_url + kind.page.format(id=id)

    def find(self, kinds: Sequence[Kind]) -> Found:
        """List, several kinds at once, and read what a listing leaves out. Raises ApiError."""
        found = at_once(self._list, kinds)
        stored = [one for one in at_once(self._whole, [one for part in found for one in part.stored]) if one]
        return Found(tuple(stored), tuple(one for part in found for one in part.foreign))

    def _list(self, kind: Kind) -> Found:
        match kind.name:
            case 'dashboard':
                return Found(tuple(self._dashboards()))
            case 'monitor':
                return Found(tuple(self._monitors()))
        return self._downtimes()

    def _dashboards(self) -> Iterator[Stored]:
        """Their summaries, which hold the description and so the marker."""
        seen: set[str] = set()
        for start in itertools.count(0, PAGE):
            page = self._page(DASHBOARDS, {'start': start, 'count': PAGE}, 'dashboards', start, seen)
            for one in page.new:
                marker = in_text(one.get('description'))
                if marker and marker.integration == self.integration:
                    yield Stored(
                        DASHBOARDS, one['id'], marker, one.get('title') or '', one, one.get('created_at') or ''
                    )
            if len(page) < PAGE:
                return

    def _monitors(self) -> Iterator[Stored]:
        """Chosen by the server: those of others are not sent at all."""
        seen: set[str] = set()
        for number in itertools.count():
            query = {'monitor_tags': owner_tag(self.integration), 'page': number, 'page_size': PAGE}
            page = self._page(MONITORS, query, '', number * PAGE, seen)
            for one in page.new:
                marker = in_tags(one.get('tags') or ())
                if marker and marker.integration == self.integration:
                    yield Stored(MONITORS, str(one['id']), marker, MONITORS.title(one), one, one.get('created') or '')
            if len(page) < PAGE:
                return

    def _downtimes(self) -> Found:
        """Cancelled ones are listed for two days more, and count for nothing."""
        stored, foreign = [], []
        seen: set[str] = set()
        start = 0
        while page := self._page(DOWNTIMES, {'page[offset]': start, 'page[limit]': PAGE}, 'data', start, seen):
            for one in page.new:
                body = one.get('attributes') or {}
                if body.get('status') not in downtimes.LIVE:
                    continue
                marker = in_text(body.get('message'))
                if marker and marker.integration == self.integration:
                    created = body.get('created') or ''
                    stored.append(Stored(DOWNTIMES, one['id'], marker, DOWNTIMES.title(body), body, created))
                else:
                    foreign.append(Foreign(DOWNTIMES, one['id'], body))
            # The most that a page holds is not documented, so the number of all is what counts.
            start += len(page)
            if start >= page.total:
                break
        return Found(tuple(stored), tuple(foreign))

    def _page(self, kind: Kind, query: Mapping[str, Any], key: str, start: int, seen: set[str]) -> '_Page':
        """The page of a listing that begins at `start`; what is new on it is added to `seen`."""
        if start:
            self.client.say(f'{kind.plural}: {start} read')
        answer = self.client.request('GET', kind.path, query).content
        found = answer.get(key) if key and isinstance(answer, dict) else answer
        if not isinstance(found, list) or not all(isinstance(one, dict) and one.get('id') for one in found):
            raise Unavailable(f'{kind.path}: {STRANGE}')
        page = _Page(found, answer, seen)
        if found and not page.new:
            # Such as a gateway that answers every page with the same one: there would be no end.
            raise Unavailable(f'{kind.path}: page after page tells the same {kind.plural}')
        return page

    def _whole(self, stored: Stored) -> Stored | None:
        if stored.kind is not DASHBOARDS:
            return stored
        try:
            _, body = DASHBOARDS.answered(self.client.get(f'{DASHBOARDS.path}/{stored.id}'))
        except Refused as refused:
            # Deleted since it was listed.
            if refused.status == 404:
                return None
            raise
        except (KeyError, TypeError, AttributeError, ValueError):
            raise Unavailable(f'{DASHBOARDS.path}/{stored.id}: {STRANGE}') from None
        # A listing may lag behind, and one fingerprint does not fit the other's body.
        marker = in_text(body.get('description'))
        if marker is None or marker.integration != self.integration:
            return None
        return Stored(stored.kind, stored.id, marker, DASHBOARDS.title(body), body, stored.created)

    def validate(self, wanted: Wanted, stored: Stored | None) -> str:
        """Datadog's own judgement of a monitor: empty, or what it refuses."""
        if wanted.kind is not MONITORS:
            return ''
        path = f'{MONITORS.path}/{stored.id}/validate' if stored else f'{MONITORS.path}/validate'
        try:
            self.client.ask(path, wanted.body)
        except Refused as refused:
            if refused.status in (401, 403):
                raise
            return refused.reason
        return ''

    # What changes something

    def create(self, wanted: Wanted) -> Stored:
        """Create it, once: where it is unclear whether that has been done, look. Raises ApiError."""
        kind = wanted.kind
        tried: set[Marker] = set()
        failure: ApiError | None = None
        for pause in (0, *transport.PAUSES):
            if failure:
                self.client.say(f'{failure}; looking whether the {kind.name} {wanted.name} is there')
                time.sleep(pause)
                if found := next((one for one in self.find([kind]).stored if one.marker in tried), None):
                    return found
            now = time.time()
            _check_lasting(wanted, now)
            body = kind.outgoing(wanted.body, now)
            marker = self._marker(wanted, body)
            tried.add(marker)
            try:
                answer = self.client.create(kind.path, kind.request(kind.mark(body, marker)))
                return self._stored(kind, answer, marker)
            except Unclear as unclear:
                failure = unclear
        if found := next((one for one in self.find([kind]).stored if one.marker in tried), None):
            return found
        raise Unavailable(f'{failure}, {len(transport.PAUSES) + 1} times in a row')

    def update(self, wanted: Wanted, stored: Stored) -> Stored:
        """Raises ApiError. Done twice, it does no more than once."""
        kind = wanted.kind
        now = time.time()
        _check_lasting(wanted, now)
        changes = kind.changes(wanted.body, stored.body, now)
        marker = self._marker(wanted, kind.merged(stored.body, changes))
        body = kind.request(kind.mark(changes, marker), stored.id)
        answer = self.client.request(kind.method, f'{kind.path}/{stored.id}', body=body).content
        return self._stored(kind, answer, marker)

    def delete(self, stored: Stored) -> None:
        """Raises ApiError. What is gone already is fine."""
        self.client.delete(f'{stored.kind.path}/{stored.id}')

    def _marker(self, wanted: Wanted, body: Body) -> Marker:
        return Marker(self.integration, wanted.name, fingerprint(wanted.kind.canonical(body)))

    def _stored(self, kind: Kind, answer: Any, marker: Marker) -> Stored:
        try:
            id, body = kind.answered(answer)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise Unclear(f'{kind.path}: {STRANGE}') from None
        return Stored(kind, id, marker, kind.title(body), body)


def _check_lasting(wanted: Wanted, now: float) -> None:
    """Raises ApiError for what has ended since it was planned: without a schedule, it would last for ever."""
    if wanted.is_over(now):
        raise ApiError(f'it is over by now: {wanted.asset.path}')


class _Page(list[Any]):
    """The entries of one page; `total` is how many there are in all, infinite where that is not told.

    One that is made meanwhile moves the others on, over the edge of a page: `new` are those not met before.
    """

    def __init__(self, entries: Sequence[Any], answer: Any, seen: set[str]) -> None:
        super().__init__(entries)
        found = {str(one['id']): one for one in entries if str(one['id']) not in seen}
        self.new = list(found.values())
        seen.update(found)
        try:
            self.total = float(answer['meta']['page']['total_filtered_count'])
        except (KeyError, TypeError, ValueError):
            self.total = math.inf


STRANGE = 'the answer is not of the form that the API documents'
