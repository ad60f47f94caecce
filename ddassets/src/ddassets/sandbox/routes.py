"""Which function answers which request, who may send it, and how large it may be."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ddassets.sandbox.request import Answer, Request

# The variable part of a path, by its name there.
_PARTS = {'id': '[^/]+', 'number': '[0-9]{1,18}', 'path': '.+'}
type Act = Callable[[Request], Answer]
#: `app`: API key and application key. `api`: the API key alone. `none`: no key.
type Need = Literal['app', 'api', 'none']

#: Limits of the public API, in bytes: as it is sent, and decompressed.
MAX_BODY, MAX_UNPACKED = 3_200_000, 62_914_560


@dataclass(frozen=True)
class Route:
    """`path` has `{id}`, `{number}` or `{path}` for its variable part: without a slash, digits alone, anything.

    `name` is the operationId. `raw`: the function gets the bytes of the body as they came, without a look at them.
    """

    method: str
    path: str
    name: str
    act: Act
    need: Need = 'app'
    max_body: int = MAX_BODY
    max_unpacked: int = MAX_UNPACKED
    raw: bool = False
    expression: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = re.escape(self.path)
        for name, part in _PARTS.items():
            text = text.replace(rf'\{{{name}\}}', f'(?P<id>{part})')
        object.__setattr__(self, 'expression', re.compile(text))


class Routes:
    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._variable: list[Route] = []
        self.add(routes)

    def add(self, routes: Iterable[Route]) -> None:
        for route in routes:
            if '{' in route.path:
                self._variable.append(route)
            else:
                self._exact[route.method, route.path] = route

    def __iter__(self) -> Iterator[Route]:
        return iter([*self._exact.values(), *self._variable])

    def find(self, method: str, path: str) -> tuple[Route, str] | None:
        """Return the route of a request and the variable part of its path."""
        if route := self._exact.get((method, path)):
            return route, ''
        for route in self._variable:
            if route.method == method and (match := route.expression.fullmatch(path)):
                return route, match['id']
        return None

    def methods(self, path: str) -> list[str]:
        """Return the methods that a path allows."""
        return sorted(
            {method for method, exact in self._exact if exact == path}
            | {route.method for route in self._variable if route.expression.fullmatch(path)}
        )
