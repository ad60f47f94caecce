"""The objects of an organisation, in memory and in its store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ddassets.sandbox.request import Json
from ddassets.sandbox.store import Change, Store

AUTHOR = 'frog@datadoghq.com'
USER = '3ad549bf-eba0-11e9-a77a-0705486660d0'


class Objects[Key](dict[Key, Json]):
    """Objects of a kind by id, in the order of their creation. It notes which are set and deleted.

    To change an object, set it: a change within a body is not noted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.touched: set[Key] = set()

    def __setitem__(self, key: Key, value: Json) -> None:
        self.touched.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: Key) -> None:
        self.touched.add(key)
        super().__delitem__(key)


@dataclass
class Stored:
    """`url` is the address of the organisation. `pictures` has, by path, how often each was asked for."""

    store: Store = field(default_factory=Store)
    url: str = 'http://127.0.0.1'
    dashboards: Objects[str] = field(default_factory=Objects)
    deleted_dashboards: Objects[str] = field(default_factory=Objects)
    monitors: Objects[int] = field(default_factory=Objects)
    downtimes: Objects[str] = field(default_factory=Objects)
    notification_rules: Objects[str] = field(default_factory=Objects)
    slos: Objects[str] = field(default_factory=Objects)
    pictures: dict[str, int] = field(default_factory=dict)
    # The states of a monitor's groups, by its id.
    groups_of: Callable[[int], Json] = field(default=lambda id: {})
    # A picture is complete after it was asked for so often.
    renders_after: int = 0
    _count: int = 0

    def next_number(self) -> int:
        self._count += 1
        return self._count

    def kinds(self) -> Mapping[str, Objects[Any]]:
        """Return the objects by the name of their kind in the store."""
        return {
            'dashboard': self.dashboards,
            'deleted dashboard': self.deleted_dashboards,
            'monitor': self.monitors,
            'downtime': self.downtimes,
            'notification rule': self.notification_rules,
            'slo': self.slos,
        }

    def load(self) -> None:
        """Read the objects of the store."""
        self._count = self.store.fact('objects', 0)
        for kind, objects in self.kinds().items():
            for id, body in self.store.objects(kind).items():
                objects[int(id) if kind == 'monitor' else id] = body
            objects.touched.clear()

    def persist(self) -> None:
        """Write to the store what has changed, in one transaction."""
        changed = {kind: objects for kind, objects in self.kinds().items() if objects.touched}
        if not changed:
            return

        def write(change: Change) -> None:
            change.put_fact('objects', self._count)
            for kind, objects in changed.items():
                for key in objects.touched:
                    if key in objects:
                        change.put_object(kind, key, objects[key])
                    else:
                        change.delete_object(kind, key)

        self.store.write(write)
        for objects in changed.values():
            objects.touched.clear()


def author_of(created: str) -> tuple[Json, Json]:
    """Return the author of an object: the reference, and the included object."""
    attributes = {
        **{'name': None, 'handle': AUTHOR, 'email': AUTHOR, 'icon': '', 'title': None, 'status': 'Active'},
        **{'verified': True, 'service_account': False, 'disabled': False, 'allowed_login_methods': []},
        **{'created_at': created, 'modified_at': created},
    }
    who = {'type': 'users', 'id': USER}
    return who, {**who, 'attributes': attributes}


def text_of(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec='microseconds')
