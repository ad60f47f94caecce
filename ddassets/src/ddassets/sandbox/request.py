"""Requests and answers, without HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A response: `body` is None for no content; bytes are sent unchanged, anything else as JSON.

    `note` is for the log of the sandbox only, such as how many points were too old.
    """

    status: int
    body: Any = None
    content_type: str = 'application/json'
    note: str = ''


class Refusal(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, text: str, content_type: str = 'application/json') -> None:
        super().__init__(text)
        self.answer = Answer(status, {'errors': [text]}, content_type)


@dataclass(frozen=True)
class Request:
    """`id` is the variable part of the path, empty where it has none. `now` is when the server acts."""

    query: Mapping[str, Sequence[str]]
    body: Any
    id: str
    now: datetime

    def one(self, name: str, default: str = '') -> str:
        return self.query.get(name, [default])[0]
