"""Simple searches for events: `service:pay -@http.status_code:5* (env:prod OR env:qa)` (rule 15.17)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ddassets.regex import regex

#: Returns the values of a tag, facet or field of an event, by key.
type Lookup = Callable[[str], Sequence[str]]

_TOKEN = regex(
    r'\s*(\(|\)|-(?=[^\s])|(?:AND|OR|NOT)(?![^\s()])|\*(?::\*)?(?=[\s)]|$)|[^\s()":]+:(?:"[^"]*"|[^\s()"]+))'
)
_OPERATORS = ('AND', 'OR', ')')
# A value that compares numbers, a range, or a single character: they are not run.
_OTHER = regex(r'[<>\[{?\\]')


@dataclass(frozen=True, slots=True)
class Search:
    """A search that can be run: `any` of alternatives, `all` of conditions, or one term, possibly `negated`."""

    key: str = ''
    value: str = ''
    negated: bool = False
    any: tuple['Search', ...] = ()
    all: tuple['Search', ...] = ()

    def matches(self, lookup: Lookup) -> bool:
        """Whether an event matches."""
        if self.any:
            found = any(one.matches(lookup) for one in self.any)
        elif self.key:
            pattern = '.*'.join(map(re.escape, self.value.split('*')))
            found = any(re.fullmatch(pattern, value, re.DOTALL) for value in lookup(self.key))
        else:
            found = all(one.matches(lookup) for one in self.all)
        return found is not self.negated


def parse_search(text: str) -> Search | None:
    """Parse a search of terms `key:value` with `*`, `-`, NOT, AND, OR and parentheses; None for any other search.

    >>> parse_search('service:pay -status:ok').matches(lambda key: {'service': ['pay']}.get(key, []))
    True
    >>> parse_search('timeout') is None
    True
    """
    tokens: list[str] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        tokens.append(match[1])
        position = match.end()
    reader = _Reader(tokens)
    try:
        found = reader.either()
    except (IndexError, ValueError):
        return None
    return None if reader.left else found


class _Reader:
    """Reads tokens. Raises ValueError or IndexError for an unexpected one."""

    def __init__(self, tokens: list[str]) -> None:
        self.left = tokens

    def either(self) -> Search:
        found = [self.both()]
        while self.left[:1] == ['OR']:
            self.left.pop(0)
            found.append(self.both(required=True))
        return found[0] if len(found) == 1 else Search(any=tuple(found))

    def both(self, required: bool = False) -> Search:
        found: list[Search] = []
        while self.left and self.left[0] not in ('OR', ')'):
            if self.left[0] == 'AND' and found:
                self.left.pop(0)
            found.append(self.one())
        if required and not found:
            raise ValueError
        return found[0] if len(found) == 1 else Search(all=tuple(found))

    def one(self) -> Search:
        token = self.left.pop(0)
        if token in ('-', 'NOT'):
            return Search(all=(self.one(),), negated=True)
        if token == '(':
            found = self.either()
            if self.left.pop(0) != ')':
                raise ValueError
            return found
        if token in _OPERATORS:
            raise ValueError
        if token in ('*', '*:*'):
            return Search()
        key, _, value = token.partition(':')
        quoted = value[:1] == '"'
        if not quoted and _OTHER.search(value):
            raise ValueError
        return Search(key, value.strip('"') if quoted else value)
