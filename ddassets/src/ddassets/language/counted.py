"""Read the queries of monitors that count what a search finds: logs, events, spans, RUM and the like (rule 15.1)."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from ddassets.diagnostic import Span
from ddassets.duration import parse as parse_duration
from ddassets.language.formula import displayed
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.tree import Comparator
from ddassets.nearest import did_you_mean, joined
from ddassets.regex import regex

#: The first variable of a message about each product's events, by the function that a query begins with (15.11).
PRODUCTS = {
    'logs': 'log',
    'events': 'event',
    'rum': 'rum',
    'trace-analytics': 'span',
    'spans': 'span',
    'ci-pipelines': 'cipipeline',
    'ci-tests': 'citest',
    'audits': 'audit',
    'audit': 'audit',
    'error-tracking': 'issue',
    'error-tracking-rum': 'issue',
    'error-tracking-logs': 'issue',
    'error-tracking-traces': 'issue',
    'database-monitoring': 'databasemonitoring',
    'network-performance': 'networkperformance',
    'network-path': 'networkpath',
}
#: What a rollup returns (rule 15.2); all but `count` take a measure or facet.
METHODS = ('count', 'cardinality', 'avg', 'sum', 'min', 'max', 'median', 'pc75', 'pc90', 'pc95', 'pc98', 'pc99')
_WITHOUT_ARGUMENT = ('new', 'regressed', 'impact')
_CALLS = ('index', 'source', 'rollup', 'by', 'last', *_WITHOUT_ARGUMENT)
# Rule 15.3.
MAX_WINDOW = 48 * 3600
MAX_KEYS = 4

_HEAD = regex(r'\s*([a-z][a-z-]*)\s*\(')
_CALL = regex(r'\s*\.\s*(\w+)\s*\(')
_TEXT = regex(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*([,)])""")
_CLOSE = regex(r'\s*\)')
_END = regex(r'\s*(<=|>=|==|!=|<|>)\s*([+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*$', re.IGNORECASE)


#: What a fault is about. `call`: a function after the search that is not known; `cumulative`: a window of that kind.
type About = Literal['syntax', 'call', 'argument', 'window', 'cumulative']


class CountedSyntaxError(QuerySyntaxError):
    """A text that is not a query of counted events, and what the fault is about."""

    def __init__(self, text: str, column: int, message: str, about: About) -> None:
        super().__init__(text, column, (), '', message)
        self.about = about


@dataclass(frozen=True, slots=True)
class CountedQuery:
    """`product("search").rollup("method", "measure").by("keys").last("window") comparator threshold`.

    `window` is in seconds. `measure` is None for a count. `search` is not interpreted (rule 15.17).
    """

    product: str
    search: str
    method: str
    measure: str | None
    by: tuple[str, ...]
    window: int
    comparator: Comparator
    threshold: float
    modifiers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    search_span: Span = field(default=Span(0, 0), compare=False, repr=False)

    @property
    def counts(self) -> bool:
        """Whether the value is a number of events."""
        return self.method == 'count'


def is_counted(query: str) -> bool:
    """Whether a query begins as those of counted events do."""
    head = _HEAD.match(query)
    return head is not None and head[1] in PRODUCTS


def parse_counted(text: str) -> CountedQuery:
    """Read a query of counted events. Raises QuerySyntaxError with the column at fault."""
    head = _HEAD.match(text)
    if head is None or head[1] not in PRODUCTS:
        raise _fault(text, 0, f'expected a product such as logs("…"){did_you_mean(head[1] if head else "", PRODUCTS)}')
    (search, span), position = _one_text(text, head.end())
    calls: list[tuple[str, tuple[str, ...], int]] = []
    while match := _CALL.match(text, position):
        name, start = match[1], match.start(1)
        if name == 'current':
            raise _fault(text, start, '.current(): cumulative windows are not evaluated, only .last()', 'cumulative')
        if name not in _CALLS:
            # A name that resembles none may be a function that this version does not know.
            near = did_you_mean(name, _CALLS)
            raise _fault(text, start, f'.{name}() is not known here{near}', 'syntax' if near else 'call')
        arguments, position = _texts(text, match.end())
        if any(name == other for other, _, _ in calls):
            raise _fault(text, start, f'.{name}() is repeated')
        calls.append((name, arguments, start))
    end = _END.match(text, position)
    if end is None:
        raise _fault(text, position, 'expected a comparison with a number, such as > 10')
    found = {name: (arguments, start) for name, arguments, start in calls}
    if 'rollup' not in found and (formula := displayed(search)):
        raise _fault(text, span.start, _of_the_page(formula, text[position:].strip(), found.get('last')))
    _require(text, position, found)
    method, measure = _rollup(text, *found['rollup'])
    threshold = float(end[2])
    if not math.isfinite(threshold):
        raise _fault(text, end.start(2), 'expected a finite number')
    return CountedQuery(
        product=head[1],
        search=search,
        method=method,
        measure=measure,
        by=_keys(text, *found['by']) if 'by' in found else (),
        window=_window(text, *found['last']),
        comparator=end[1],  # type: ignore[arg-type]
        threshold=threshold,
        modifiers=tuple((name, arguments) for name, arguments, _ in calls if name not in ('rollup', 'by', 'last')),
        search_span=span,
    )


def _require(text: str, position: int, found: Collection[str]) -> None:
    for name in ('rollup', 'last'):
        if name not in found:
            raise _fault(text, position, f'expected .{name}("…") before the comparison')


def _of_the_page(formula: tuple[str, list[str]], comparison: str, last: tuple[tuple[str, ...], int] | None) -> str:
    """Return the message for a query that was copied from the page of a monitor (rule 17.1)."""
    text, names = formula
    window = f'.last("{last[0][0]}")' if last and last[0] else '.last("5m")'
    return (
        f'this is the text that the page of a monitor displays, not the query that the API takes: '
        f'formula("{text}"){window} {comparison} with the {"variables" if len(names) > 1 else "variable"} '
        f'{joined(names)} in options.variables'
    )


def _rollup(text: str, arguments: tuple[str, ...], start: int) -> tuple[str, str | None]:
    method, *rest = arguments or ('',)
    # Rule 15.2: a facet without a method counts its distinct values.
    if method.startswith('@') and not rest:
        return 'cardinality', method
    if method not in METHODS:
        raise _fault(
            text,
            start,
            f'.rollup(): found {method!r}{did_you_mean(method, METHODS)}; allowed: {", ".join(METHODS)}',
            'argument',
        )
    if len(rest) > 1 or (method == 'count') == bool(rest and rest[0]):
        wanted = 'no measure' if method == 'count' else 'one measure or facet'
        raise _fault(text, start, f'.rollup(): {method} takes {wanted}', 'argument')
    return method, rest[0] if rest and rest[0] else None


def _keys(text: str, arguments: tuple[str, ...], start: int) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key.strip() for argument in arguments for key in argument.split(',') if key.strip()))
    if len(keys) > MAX_KEYS:
        raise _fault(text, start, f'.by(): {len(keys)} keys, allowed are {MAX_KEYS} (rule 15.6)', 'argument')
    return keys


def _window(text: str, arguments: tuple[str, ...], start: int) -> int:
    written = arguments[0] if len(arguments) == 1 else ''
    seconds = parse_duration(written)
    if seconds is None or not 60 <= seconds <= MAX_WINDOW:
        about: About = 'cumulative' if written.startswith('current_') else 'window'
        raise _fault(text, start, f'.last(): expected 1m to 48h (rule 15.3), found {written!r}', about)
    return seconds


def _one_text(text: str, position: int) -> tuple[tuple[str, Span], int]:
    match = _TEXT.match(text, position)
    if match is None or match[3] != ')':
        raise _fault(text, position, 'expected one quoted search')
    group = 1 if match[1] is not None else 2
    return (_unescaped(match[group]), Span(match.start(group), match.end(group))), match.end()


def _texts(text: str, position: int) -> tuple[tuple[str, ...], int]:
    if match := _CLOSE.match(text, position):
        return (), match.end()
    found = []
    while True:
        match = _TEXT.match(text, position)
        if match is None:
            raise _fault(text, position, 'expected a quoted text')
        found.append(_unescaped(match[1] if match[1] is not None else match[2]))
        position = match.end()
        if match[3] == ')':
            return tuple(found), position


def _unescaped(text: str) -> str:
    return re.sub(r'\\(.)', r'\1', text)


def _fault(text: str, offset: int, message: str, about: About = 'syntax') -> CountedSyntaxError:
    return CountedSyntaxError(text, offset + 1, message, about)
