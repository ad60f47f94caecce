"""The content of a Datadog organisation, and its responses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

API_KEY = 'a' * 32
APP_KEY = 'b' * 40
AUTHOR = 'frog@datadoghq.com'
USER = '3ad549bf-eba0-11e9-a77a-0705486660d0'

type Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A response: `body` is None for no content; bytes are sent unchanged, anything else as JSON."""

    status: int
    body: Any = None
    content_type: str = 'application/json'


class Refusal(Exception):
    def __init__(self, status: int, text: str, content_type: str = 'application/json') -> None:
        super().__init__(text)
        self.answer = Answer(status, {'errors': [text]}, content_type)


@dataclass(frozen=True)
class Request:
    """`id` is the last part of the path, empty where it has none. `now` is when the server acts."""

    query: Mapping[str, Sequence[str]]
    body: Any
    id: str
    now: datetime

    def one(self, name: str, default: str = '') -> str:
        return self.query.get(name, [default])[0]


@dataclass
class Stored:
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # Where pictures are served; the loopback server sets it.
    pictures_url: str = 'http://127.0.0.1'
    api_keys: set[str] = field(default_factory=lambda: {API_KEY})
    app_keys: set[str] = field(default_factory=lambda: {APP_KEY})
    dashboards: dict[str, Json] = field(default_factory=dict)
    deleted_dashboards: dict[str, Json] = field(default_factory=dict)
    monitors: dict[int, Json] = field(default_factory=dict)
    downtimes: dict[str, Json] = field(default_factory=dict)
    notification_rules: dict[str, Json] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    # By path of the picture: how often it has been asked for. It is rendered from the third time on.
    pictures: dict[str, int] = field(default_factory=dict)
    renders_after: int = 2
    # By name of the metric: (seconds since the epoch, value).
    series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _count: int = 0

    def next_number(self) -> int:
        self._count += 1
        return self._count


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
