"""The query of a service-check monitor (rules 14.1 to 14.5).

>>> query = parse('"acme.can_connect".over("env:prod").exclude("host:h9").by("host").last(3).count_by_status()')
>>> query.check, query.over, query.exclude, query.by, query.last, query.percentage
('acme.can_connect', ('env:prod',), ('host:h9',), ('host',), 3, False)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from ddassets.diagnostic import Span
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.nearest import did_you_mean
from ddassets.regex import regex

MAX_RUNS = 100
STEPS = ('over', 'exclude', 'by', 'last', 'count_by_status', 'pct_by_status')
_NAME = regex(r'\s*(?P<quote>["\']?)(?P<name>[^"\'()]{0,300}?)(?P=quote)\s*(?=\.\s*\w+\s*\(|$)', re.DOTALL)
_STEP = regex(r'\s*\.\s*(?P<name>\w+)\s*\(', re.DOTALL)
_ARGUMENT = regex(r'\s*(?:"(?P<double>[^"]*)"|\'(?P<single>[^\']*)\'|(?P<bare>[^\s,()"\']+))\s*', re.DOTALL)


@dataclass(frozen=True)
class CheckQuery:
    """A parsed query.

    `by` is empty where the query has none; `last` None: likewise. `percentage`: a cluster alert (rule 14.15). `steps`
    are the places of the steps by their names. `loose` are the places of what is not in double quotes.
    """

    text: str
    check: str
    over: tuple[str, ...]
    exclude: tuple[str, ...]
    by: tuple[str, ...]
    last: int | None
    percentage: bool
    steps: Mapping[str, Span]
    loose: tuple[Span, ...] = ()


def parse(text: str) -> CheckQuery:
    """Return the query. Raises QuerySyntaxError with the column."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text.rstrip()
        self.whole = text
        self.position = 0
        self.loose: list[Span] = []

    def query(self) -> CheckQuery:
        match = _NAME.match(self.text)
        if match is None or not match['name'].strip():
            self._fail(0, ('the name of a check in double quotes',))
        if match['quote'] != '"':
            self.loose.append(Span(*match.span('name')))
        self.position = match.end()
        steps: dict[str, tuple[str, ...]] = {}
        places: dict[str, Span] = {}
        while self.position < len(self.text):
            name, start = self._step(steps)
            steps[name] = tuple(self._arguments(name))
            places[name] = Span(start, self.position)
        if 'count_by_status' not in steps and 'pct_by_status' not in steps:
            self._fail(len(self.text), ('.count_by_status()', '.pct_by_status()'))
        return CheckQuery(
            text=self.whole,
            check=match['name'].strip(),
            over=steps.get('over', ('*',)),
            exclude=steps.get('exclude', ()),
            by=steps.get('by', ()),
            last=int(steps['last'][0]) if 'last' in steps else None,
            percentage='pct_by_status' in steps,
            steps=places,
            loose=tuple(self.loose),
        )

    def _step(self, before: Mapping[str, object]) -> tuple[str, int]:
        match = _STEP.match(self.text, self.position)
        if match is None:
            self._fail(self.position, ('a step such as .by("host")',))
        name, start = match['name'], match.start('name')
        if name not in STEPS:
            close = did_you_mean(name, STEPS)
            self._refuse(start, f'{name} is not a step of a check{close}; known: {", ".join(STEPS)}')
        if name in before:
            self._refuse(start, f'{name} is there twice')
        if 'count_by_status' in before or 'pct_by_status' in before:
            self._refuse(start, f'{name} comes after the last step')
        self.position = match.end()
        return name, start

    def _arguments(self, step: str) -> Iterator[str]:
        """Yield the arguments of a step, up to its closing parenthesis."""
        start, found = self.position, 0
        while match := _ARGUMENT.match(self.text, self.position):
            value = next(value for value in match.group('double', 'single', 'bare') if value is not None).strip()
            self._check(step, value, match.start() + len(match[0]) - len(match[0].lstrip()), found)
            if match['double'] is None and step != 'last':
                self.loose.append(Span(*match.span('single' if match['bare'] is None else 'bare')))
            found += 1
            yield value
            self.position = match.end()
            if self.text[self.position : self.position + 1] != ',':
                break
            self.position += 1
        if self.text[self.position : self.position + 1] != ')':
            self._fail(self.position, ('an argument', ')') if found == 0 else (',', ')'))
        if not found and not step.endswith('_by_status'):
            self._refuse(start, f'{step} needs an argument')
        self.position += 1

    def _check(self, step: str, value: str, offset: int, before: int) -> None:
        if step.endswith('_by_status'):
            self._refuse(offset, f'{step} takes no argument')
        if step == 'last':
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0
            if before or not 1 <= number <= MAX_RUNS:
                self._refuse(offset, f'last: expected one whole number from 1 to {MAX_RUNS}, found {value[:20]!r}')
        elif not value:
            self._refuse(offset, f'{step}: found an empty text; `*` stands for everything')

    def _fail(self, offset: int, expected: tuple[str, ...]) -> NoReturn:
        rest = self.text[offset:].lstrip()
        offset = len(self.text) - len(rest)
        found = rest[:20] or 'the end'
        what = repr(found) if rest else 'the end of the query'
        wanted = ' or '.join(expected)
        raise QuerySyntaxError(self.whole, offset + 1, expected, found, f'expected {wanted}, found {what}')

    def _refuse(self, offset: int, message: str) -> NoReturn:
        raise QuerySyntaxError(self.whole, offset + 1, (), self.text[offset : offset + 20], message)
