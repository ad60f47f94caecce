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
    """A request is answered with one or more errors."""

    def __init__(self, status: int, *texts: str, content_type: str = 'application/json') -> None:
        super().__init__(*texts)
        self.answer = Answer(status, {'errors': [*texts]}, content_type)


@dataclass(frozen=True)
class Request:
    """`id` is the variable part of the path, empty where it has none. `now` is when the server acts."""

    query: Mapping[str, Sequence[str]]
    body: Any
    id: str
    now: datetime

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number of the query. Raises Refusal where it is none, or missing without a default."""
        text = self.one(name)
        if not text and default is not None:
            return default
        if not (text.isascii() and text.isdecimal()) or len(text) > 15:
            raise Refusal(400, f'{name}: found {text[:40]!r}, expected a whole number')
        return int(text)

    def one(self, name: str, default: str = '') -> str:
        return self.query.get(name, [default])[0]
