"""The query of an SLO alert (rule 18.1).

>>> query = parse('burn_rate("abc").over("30d").long_window("1h").short_window("5m") >= 14.4')
>>> query.kind, query.slo, query.timeframe, query.long_window, query.short_window, query.comparator, query.threshold
('burn_rate', 'abc', '30d', 3600, 300, '>=', 14.4)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from ddassets.diagnostic import Span
from ddassets.duration import parse as parse_duration
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.nearest import did_you_mean
from ddassets.regex import regex

type Kind = Literal['error_budget', 'burn_rate']

#: The timeframes of an SLO that can be queried, in seconds (rule 18.1).
TIMEFRAMES = {'7d': 7 * 86400, '30d': 30 * 86400, '90d': 90 * 86400}
#: The calls after the SLO, by the function at the beginning of the query; all but `by` are required. How an alert by
#: group is written is not published: `by` as in the queries of other products (rule 18.16).
CALLS: Mapping[Kind, Sequence[str]] = {
    'error_budget': ('over', 'by'),
    'burn_rate': ('over', 'long_window', 'short_window', 'by'),
}
COMPARATORS = ('>', '>=')
# Rule 18.7, in seconds.
MIN_LONG_WINDOW = 3600
MAX_LONG_WINDOW = 48 * 3600

_HEAD = regex(r'\s*(\w+)\s*\(')
_CALL = regex(r'\s*\.\s*(\w+)\s*\(')
_TEXTS = regex(r"""\s*(?:"[^"]*"|'[^']*')\s*(?:,\s*(?:"[^"]*"|'[^']*')\s*)*\)""")
_QUOTED = regex(r"""["']([^"']*)["']""")
_TEXT = regex(r"""\s*(?:"([^"]*)"|'([^']*)')\s*\)""")
_COMPARATOR = regex(r'\s*([<>=!]+)')
_NUMBER = regex(r'\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*$')


@dataclass(frozen=True, slots=True)
class SloQuery:
    """A parsed query. The windows are in seconds, None for an error budget.

    `calls` are the places of the arguments by the names of their calls, `slo_span` is that of the SLO's id.
    """

    kind: Kind
    slo: str
    timeframe: str
    comparator: Literal['>', '>=']
    threshold: float
    long_window: int | None = None
    short_window: int | None = None
    by: tuple[str, ...] = ()
    slo_span: Span = field(default=Span(0, 0), compare=False, repr=False)
    calls: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    threshold_span: Span = field(default=Span(0, 0), compare=False, repr=False)

    @property
    def seconds(self) -> int:
        """The length of the timeframe."""
        return TIMEFRAMES[self.timeframe]


def parse(text: str) -> SloQuery:
    """Return the query. Raises QuerySyntaxError with the column."""
    kind, position = _head(text)
    slo, span, position = _argument(text, position, 'the id of an SLO in double quotes')
    if not slo.strip():
        _refuse(text, span.start, 'expected the id of an SLO, found an empty text')
    found, position = _calls(text, position, kind)
    timeframe, place = found['over']
    if timeframe not in TIMEFRAMES:
        near = did_you_mean(timeframe, TIMEFRAMES)
        _refuse(text, place.start, f'over: found {timeframe!r}{near}; allowed: {", ".join(TIMEFRAMES)}')
    long_window = _long_window(text, *found['long_window']) if 'long_window' in found else None
    short_window = None if long_window is None else _short_window(text, *found['short_window'], long_window)
    comparator, position = _comparator(text, position)
    number = _NUMBER.match(text, position)
    # Rule 18.7 for burn rates; a consumed share is not negative either (rule 18.3).
    if number is None or not 0 <= float(number[1]) < float('inf') or (kind == 'burn_rate' and not float(number[1])):
        _fail(text, position, 'a number above 0' if kind == 'burn_rate' else 'a number of per cent, 0 or more')
    return SloQuery(
        kind=kind,
        slo=slo.strip(),
        timeframe=timeframe,
        comparator=comparator,
        threshold=float(number[1]),
        long_window=long_window,
        short_window=short_window,
        by=tuple(dict.fromkeys(found['by'][0].split(','))) if 'by' in found else (),
        slo_span=span,
        calls={name: place for name, (_, place) in found.items()},
        threshold_span=Span(number.start(1), number.end(1)),
    )


def _head(text: str) -> tuple[Kind, int]:
    match = _HEAD.match(text)
    for kind in CALLS:
        if match is not None and match[1] == kind:
            return kind, match.end()
    near = did_you_mean(match[1], CALLS) if match else ''
    _refuse(text, match.start(1) if match else 0, f'expected error_budget("…") or burn_rate("…"){near}')


def _calls(text: str, position: int, kind: Kind) -> tuple[dict[str, tuple[str, Span]], int]:
    """Return the argument of each call with its place, and the position after the last call."""
    found: dict[str, tuple[str, Span]] = {}
    while match := _CALL.match(text, position):
        name, start = match[1], match.start(1)
        if name not in CALLS[kind]:
            near = did_you_mean(name, CALLS[kind])
            known = ', '.join(f'.{one}()' for one in CALLS[kind])
            _refuse(text, start, f'.{name}() is not part of {kind}(){near}; allowed: {known}')
        if name in found:
            _refuse(text, start, f'.{name}() is repeated')
        if name == 'by':
            value, span, position = _keys(text, match.end())
        else:
            value, span, position = _argument(text, match.end(), 'a length such as "1h" in double quotes')
        found[name] = value.strip(), span
    for name in CALLS[kind]:
        if name not in found and name != 'by':
            _fail(text, position, f'.{name}("{"7d" if name == "over" else "1h" if name == "long_window" else "5m"}")')
    return found, position


def _argument(text: str, position: int, expected: str) -> tuple[str, Span, int]:
    match = _TEXT.match(text, position)
    if match is None:
        _fail(text, position, expected)
    group = 1 if match[1] is not None else 2
    return match[group], Span(*match.span(group)), match.end()


def _keys(text: str, position: int) -> tuple[str, Span, int]:
    """Return the keys of groups, joined by commas."""
    match = _TEXTS.match(text, position)
    keys = [key.strip() for one in _QUOTED.findall(match[0]) for key in one.split(',')] if match else []
    if match is None or not all(keys):
        _fail(text, position, 'keys such as "env" in double quotes')
    return ','.join(keys), Span(position, match.end() - 1), match.end()


def _long_window(text: str, written: str, place: Span) -> int:
    seconds = parse_duration(written)
    if seconds is None or not MIN_LONG_WINDOW <= seconds <= MAX_LONG_WINDOW:
        _refuse(text, place.start, f'long_window: expected 1h to 48h (rule 18.7), found {written!r}')
    return seconds


def _short_window(text: str, written: str, place: Span, long_window: int) -> int:
    seconds = parse_duration(written)
    if seconds is None or not 60 <= seconds < long_window:
        # Datadog's editor takes a twelfth of the long window.
        _refuse(
            text,
            place.start,
            f'short_window: expected 1m to less than the long window (rule 18.7), such as {long_window // 720}m, '
            f'found {written!r}',
        )
    return seconds


def _comparator(text: str, position: int) -> tuple[Literal['>', '>='], int]:
    match = _COMPARATOR.match(text, position)
    if match is None:
        _fail(text, position, '> or >= with a number')
    if match[1] == '>':
        return '>', match.end()
    if match[1] == '>=':
        return '>=', match.end()
    _refuse(text, match.start(1), f'found the comparison {match[1]!r}; allowed: {", ".join(COMPARATORS)}')


def _fail(text: str, offset: int, expected: str) -> NoReturn:
    rest = text[offset:].lstrip()
    offset = len(text) - len(rest)
    what = repr(rest[:20]) if rest else 'the end of the query'
    raise QuerySyntaxError(text, offset + 1, (expected,), rest[:20], f'expected {expected}, found {what}')


def _refuse(text: str, offset: int, message: str) -> NoReturn:
    raise QuerySyntaxError(text, offset + 1, (), text[offset : offset + 20], message)
