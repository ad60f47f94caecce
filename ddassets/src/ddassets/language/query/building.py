"""Build the tree. The parser calls one method for each rule of `metrics.lark`."""

import math
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from ddassets.diagnostic import Span
from ddassets.language.grammar import Token
from ddassets.language.query import vocabulary
from ddassets.language.query.tree import (
    And,
    Binary,
    Call,
    Change,
    Everything,
    Expression,
    GroupKey,
    Metric,
    Modified,
    Modifier,
    MonitorQuery,
    Named,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Reference,
    Scope,
    TagFilter,
    TagIn,
    Tags,
    TemplateVariable,
    Text,
    Window,
    Word,
)
from ddassets.nearest import closest, misspelt

# Tokens, and the results of the rules below.
type Children = list[Any]

_KINDS: dict[str, Literal['last', 'next', 'current']] = {'last': 'last', 'next': 'next', 'current': 'current'}
_UNITS = ('mo', 'm', 'h', 'd', 'w')


class Misuse(Exception):
    """Grammatical, but not a query: an unknown word, or operators that cannot be combined."""

    def __init__(self, offset: int, found: str, message: str, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.offset = offset
        self.found = found
        self.message = message
        self.expected = expected


class FormulaMonitor(NamedTuple):
    """`formula("…")` of a monitor; the quoted text is a formula that is not parsed yet."""

    span: Span
    text: Text
    window: Window
    rollup: str | None
    by: tuple[str, ...]
    comparator: Any
    # A number, or the word `threshold`.
    threshold: Number | Word


class _Filter(NamedTuple):
    scope: Scope
    end: int


class _By(NamedTuple):
    keys: tuple[GroupKey, ...]
    start: int
    end: int


class _Partial(NamedTuple):
    """A scope, with its first symbolic and its first word operator, which cannot be combined (rule 1.5)."""

    scope: Scope
    symbol: Token | None = None
    word: Token | None = None


class Builder:
    # Expressions.

    def queries(self, children: Children) -> tuple[Expression, ...]:
        return tuple(_nodes(children))

    def query(self, children: Children) -> Expression:
        expression: Expression = children[0]
        return expression

    def number(self, children: Children) -> Number:
        return _number(children[0])

    def binary(self, children: Children) -> Binary:
        left, operator, right = children
        return Binary(operator.value, left, right, span=Span(left.span.start, right.span.end))

    def signed(self, children: Children) -> Expression:
        sign, operand = children
        span = Span(sign.start_pos, operand.span.end)
        if isinstance(operand, Number):
            return Number(-operand.value if sign.value == '-' else operand.value, span=span)
        return Negative(operand, span=span) if sign.value == '-' else replace(operand, span=span)

    def parentheses(self, children: Children) -> Expression:
        opening, operand, closing, *modifiers = children
        span = Span(opening.start_pos, modifiers[-1].span.end if modifiers else closing.end_pos)
        return modified(operand, tuple(modifiers), span)

    def call(self, children: Children) -> Call:
        name = children[0]
        closing = next(i for i in range(1, len(children)) if _is(children[i], 'RPAR'))
        first, *others = _nodes(children[1:closing]) or [None]
        modifiers = tuple(children[closing + 1 :])
        end = modifiers[-1].span.end if modifiers else children[closing].end_pos
        return Call(
            _known(name, name.value, vocabulary.FUNCTIONS, 'function'),
            () if first is None else (first, *(_option(argument) for argument in others)),
            modifiers,
            span=Span(name.start_pos, end),
        )

    def metric(self, children: Children) -> Metric:
        aggregator = _aggregator(children.pop(0)) if children[0].type == 'AGGREGATOR' else None
        name, *rest = children
        scope = None
        end = name.end_pos
        if rest and isinstance(rest[0], _Filter):
            scope, end = rest.pop(0)
        by, modifiers, end = _postfixes(rest, end)
        start = (name if aggregator is None else aggregator).start_pos
        return Metric(
            aggregator=None if aggregator is None else aggregator.value,
            name=name.value,
            scope=scope,
            by=by,
            modifiers=modifiers,
            span=Span(start, end),
            name_span=name.span,
        )

    def name(self, children: Children) -> Metric | Reference:
        """Return a bare name: another query of a formula, a metric, or a word; `syntax` decides which."""
        name, *rest = children
        by, modifiers, end = _postfixes(rest, name.end_pos)
        span = Span(name.start_pos, end)
        if by:
            return Metric(None, name.value, name.span, None, by, modifiers, span=span)
        return Reference(name.value, modifiers, span=span)

    def by(self, children: Children) -> _By:
        keys = tuple(GroupKey(token.value, span=token.span) for token in children if token.type in ('KEY', 'GROUP'))
        return _By(keys, children[0].start_pos, children[-1].end_pos)

    def modifier(self, children: Children) -> Modifier:
        token = children[0]
        name = token.value[1:].lstrip()
        known = vocabulary.MODIFIERS | vocabulary.FUNCTIONS
        return Modifier(
            _known(token, name, known, 'modifier', offset=token.end_pos - len(name)),
            tuple(_option(argument, always=True) for argument in _nodes(children)),
            span=Span(token.start_pos, children[-1].end_pos),
        )

    def named(self, children: Children) -> Named:
        keyword, _, value = children
        return Named(keyword.value, _option(value, always=True), span=Span(keyword.start_pos, value.span.end))

    def text(self, children: Children) -> Text:
        return Text(_unquoted(children[0].value), span=children[0].span)

    def word(self, children: Children) -> Word:
        return Word(children[0].value, span=children[0].span)

    def braces(self, children: Children) -> Tags:
        return Tags(_values(children), span=Span(children[0].start_pos, children[-1].end_pos))

    def brackets(self, children: Children) -> Tags:
        return Tags(_values(children), brackets=True, span=Span(children[0].start_pos, children[-1].end_pos))

    # Scopes.

    def filter(self, children: Children) -> _Filter:
        opening, closing = children[0], children[-1]
        if len(children) == 2:
            return _Filter(Everything(span=Span(opening.start_pos, closing.end_pos)), closing.end_pos)
        return _Filter(children[1].scope, closing.end_pos)

    def listing(self, children: Children) -> _Partial:
        return _joined(children, lambda scopes, span: And(scopes, symbolic=True, span=span), symbolic=True)

    def and_(self, children: Children) -> _Partial:
        return _joined(children, lambda scopes, span: And(scopes, symbolic=False, span=span), symbolic=False)

    def or_(self, children: Children) -> _Partial:
        return _joined(children, lambda scopes, span: Or(scopes, span=span), symbolic=False)

    def not_(self, children: Children) -> _Partial:
        operator, inner = children
        symbolic = operator.type == 'BANG'
        negation = Not(inner.scope, symbolic, span=Span(operator.start_pos, inner.scope.span.end))
        return _combined(negation, [inner], operator, symbolic)

    def scope_parentheses(self, children: Children) -> _Partial:
        opening, inner, closing = children
        span = Span(opening.start_pos, closing.end_pos)
        return inner._replace(scope=replace(inner.scope, span=span))  # type: ignore[no-any-return]

    def tag(self, children: Children) -> _Partial:
        token = children[0]
        text = token.value
        span = token.span
        if text == '*':
            return _Partial(Everything(span=span))
        key, colon, value = text.partition(':')
        if colon:
            return _Partial(TagFilter(key, value.lstrip(), span=span))
        if text[0] == '$' and not text.endswith('.value') and _is_variable(text[1:]):
            return _Partial(TemplateVariable(text[1:], span=span))
        return _Partial(TagFilter(None, text, span=span))

    def tag_in(self, children: Children) -> _Partial:
        key, operator, _, *values = children
        end = children[-1].end_pos
        if ':' in key.value:
            raise Misuse(key.start_pos, repr(key.value), f'expected a tag key before IN, found {key.value!r}')
        scope = TagIn(
            key.value,
            tuple(token.value for token in values if token.type == 'TAG'),
            span=Span(key.start_pos, end),
        )
        return _Partial(scope, word=operator)

    def tag_not_in(self, children: Children) -> _Partial:
        key, negation, *rest = children
        inner = self.tag_in([key, *rest])
        return _Partial(Not(inner.scope, symbolic=False, span=inner.scope.span), word=negation)

    # Monitors.

    def monitor(self, children: Children) -> MonitorQuery:
        (aggregator, window, change), _, expression, comparator, threshold = children
        if isinstance(threshold, Word):
            message = 'expected a number to compare with: only formula("…") is compared with `threshold` (rule 17.14)'
            raise Misuse(threshold.span.start, repr(threshold.value), message, ('a number',))
        return MonitorQuery(
            aggregator=aggregator.value.lower(),
            window=window,
            change=change,
            expression=expression,
            comparator=comparator.value,
            threshold=threshold.value,
            span=Span(aggregator.start_pos if change is None else change.span.start, threshold.span.end),
            threshold_span=threshold.span,
        )

    def formula_monitor(self, children: Children) -> FormulaMonitor:
        *formula, comparator, threshold = children
        return self._formula(formula, comparator.value, threshold)

    def threshold_query(self, children: Children) -> FormulaMonitor:
        """Return a formula without a comparison, whose value is the threshold of another (rule 17.14)."""
        return self._formula(children, '>', Number(0.0, span=Span(children[-1].span.end, children[-1].span.end)))

    def _formula(self, children: Children, comparator: str, threshold: Number | Word) -> FormulaMonitor:
        name, _, string, _, *modifiers = children
        if name.value.lower() != 'formula':
            hint = _hint(closest(name.value, ['formula']))
            message = f'expected formula("…") before a modifier, found {name.value!r}{hint}'
            raise Misuse(name.start_pos, repr(name.value), message, ('formula("…")',))
        last = modifiers[-1]
        match last:
            case Modifier(name='last', arguments=(Text(value=value) | Word(value=value) as text,)):
                quoted = isinstance(text, Text)
                window = _window(f'last_{value.lower()}', value, text.span.start + quoted)
            case _:
                message = f'expected a window such as .last("5m"), found {last.name!r}'
                raise Misuse(last.span.start, repr(last.name), message, ('a window such as .last("5m")',))
        found: dict[str, tuple[str, ...]] = {}
        for modifier in modifiers[:-1]:
            if modifier.name in found:
                raise Misuse(
                    modifier.span.start, repr(modifier.name), f'expected one .{modifier.name}(), found a second'
                )
            found[modifier.name] = _formula_modifier(modifier)
        return FormulaMonitor(
            span=Span(name.start_pos, threshold.span.end),
            text=self.text([string]),
            window=replace(window, span=last.span),
            rollup=found['rollup'][0] if 'rollup' in found else None,
            by=found.get('by', ()),
            comparator=comparator,
            threshold=threshold,
        )

    def timing(self, children: Children) -> tuple[Token, Window, Change | None]:
        aggregator, _, window, _ = children
        _time_aggregator(aggregator)
        return aggregator, _window(window.value.lower(), window.value, window.start_pos), None

    def change(self, children: Children) -> tuple[Token, Window, Change | None]:
        name, _, aggregator, _, window, _, _, shift, closing = children
        kind = name.value.lower()
        if kind not in vocabulary.CHANGES:
            hint = _hint(closest(kind, vocabulary.CHANGES))
            message = f'expected change or pct_change around the time aggregation, found {name.value!r}{hint}'
            raise Misuse(name.start_pos, repr(name.value), message, vocabulary.CHANGES)
        _time_aggregator(aggregator)
        return (
            aggregator,
            _window(window.value.lower(), window.value, window.start_pos),
            Change(kind, _shift(shift), span=Span(name.start_pos, closing.end_pos)),
        )

    def threshold(self, children: Children) -> Number:
        number = _number(children[-1])
        span = Span(children[0].start_pos, number.span.end)
        return Number(-number.value if children[0].value == '-' else number.value, span=span)

    def named_threshold(self, children: Children) -> Word:
        name = children[0]
        if name.value.lower() != 'threshold':
            hint = _hint(misspelt(name.value.lower(), ['threshold']))
            message = f'expected a number to compare with, found {name.value!r}{hint}'
            raise Misuse(name.start_pos, repr(name.value), message, ('a number',))
        return Word('threshold', span=name.span)


def modified(operand: Expression, modifiers: tuple[Modifier, ...], span: Span) -> Expression:
    """Return `(operand).modifiers`; operands with their own modifiers receive them directly."""
    if not modifiers:
        return replace(operand, span=span)
    if isinstance(operand, Metric | Call | Reference | Modified):
        return replace(operand, span=span, modifiers=(*operand.modifiers, *modifiers))
    return Modified(operand, modifiers, span=span)


def _formula_modifier(modifier: Modifier) -> tuple[str, ...]:
    """Return the texts of `.rollup("sum")` or `.by("host,service")` after a formula (rule 17.1)."""
    name, start = modifier.name, modifier.span.start
    if name not in ('rollup', 'by'):
        hint = _hint(closest(name, ('rollup', 'by', 'last')))
        raise Misuse(start, repr(name), f'.{name}() is not known after formula("…"){hint}; allowed: rollup, by, last')
    texts = [argument.value for argument in modifier.arguments if isinstance(argument, Text | Word)]
    if len(texts) != len(modifier.arguments) or not texts:
        raise Misuse(start, repr(name), f'.{name}(): expected quoted texts')
    if name == 'by':
        keys = tuple(dict.fromkeys(key.strip() for text in texts for key in text.split(',') if key.strip()))
        if not keys:
            raise Misuse(start, repr(name), '.by(): expected tag keys')
        return keys
    methods = vocabulary.FORMULA_METHODS
    if len(texts) > 1 or texts[0] not in methods:
        message = f'.rollup(): expected one of {", ".join(methods)}, found {", ".join(map(repr, texts))}'
        raise Misuse(start, repr(texts[0]), f'{message}{_hint(closest(texts[0], methods))}')
    return (texts[0],)


def _is(child: Any, type_: str) -> bool:
    return isinstance(child, Token) and child.type == type_


def _nodes(children: Children) -> list[Any]:
    return [child for child in children if isinstance(child, Node)]


def _hint(word: str | None) -> str:
    return f'; did you mean {word!r}?' if word else ''


def _number(token: Token) -> Number:
    value = float(token.value)
    if not math.isfinite(value):
        shown = token.value if len(token.value) <= 20 else token.value[:19] + '…'
        raise Misuse(token.start_pos, repr(shown), f'expected a finite number, found {shown!r}', ('a finite number',))
    return Number(value, span=token.span)


def _known(token: Token, name: str, known: frozenset[str], what: str, offset: int | None = None) -> str:
    """Return the name; convert a known name in capitals, and refuse a misspelt known name."""
    lower = name.lower()
    if lower in known:
        return lower
    likely = misspelt(lower, known)
    if likely:
        start = token.start_pos if offset is None else offset
        raise Misuse(start, repr(name), f'no {what} is named {name!r}{_hint(likely)}', (f'a {what}',))
    return name


def _aggregator(token: Token) -> Token:
    written = token.value[:-1].rstrip()
    word = written.lower()
    if not vocabulary.is_aggregator(word):
        likely = closest(word, vocabulary.COMMON_AGGREGATORS)
        message = f'expected an aggregator such as avg, sum, min, max, count or p95, found {written!r}{_hint(likely)}'
        raise Misuse(token.start_pos, repr(written), message, ('an aggregator',))
    return Token(token.type, word, token.start_pos, token.end_pos)


def _time_aggregator(token: Token) -> None:
    word = token.value.lower()
    if word not in vocabulary.TIME_AGGREGATORS and not vocabulary.is_percentile(word):
        likely = closest(word, vocabulary.TIME_AGGREGATORS)
        message = f'expected a time aggregator (avg, sum, min, max, percentile), found {token.value!r}{_hint(likely)}'
        raise Misuse(token.start_pos, repr(token.value), message, ('a time aggregator',))


def _length(text: str) -> tuple[int, Any] | None:
    """Return the count and the unit of `5m`, or None."""
    for unit in _UNITS:
        count = text.removesuffix(unit)
        if count != text:
            usable = count.isascii() and count.isdigit() and len(count) <= 9 and int(count) > 0
            return (int(count), unit) if usable else None
    return None


def _window(word: str, written: str, start: int) -> Window:
    name, _, length = word.partition('_')
    kind = _KINDS.get(name)
    parsed = _length(length)
    if parsed is None or kind is None:
        zero = length[:1] == '0' and not length.strip('0mhdwo')
        why = 'a window must be longer than zero' if zero else 'expected a window such as last_5m'
        likely = None if zero else _likely_window(word, written)
        raise Misuse(start, repr(written), f'{why}, found {written!r}{_hint(likely)}', ('a window such as last_5m',))
    return Window(kind, *parsed, span=Span(start, start + len(written)))


def _likely_window(word: str, written: str) -> str | None:
    if _length(word):
        return f'last_{word}'
    likely = closest(word, vocabulary.WINDOWS)
    # `.last(` contains only the length.
    if likely and word != written.lower():
        likely = likely.removeprefix('last_')
    return likely if likely != written.lower() else None


def _shift(token: Token) -> int:
    """Return the seconds of `5m_ago` or `last_5m` (rule 1.8)."""
    written = token.value.lower()
    length = written.removesuffix('_ago') if written.endswith('_ago') else written.removeprefix('last_')
    parsed = _length(length) if length != written else None
    if parsed is None:
        hint = _hint(f'{written}_ago' if _length(written) else None)
        message = f'expected a shift such as 5m_ago, found {token.value!r}{hint}'
        raise Misuse(token.start_pos, repr(token.value), message, ('a shift such as 5m_ago',))
    return Window('last', *parsed, span=token.span).seconds


def _option(argument: Any, always: bool = False) -> Any:
    """Return a bare argument after the first as an option such as `sum`, not as the name of a query."""
    if isinstance(argument, Reference) and not argument.modifiers:
        if always or argument.name.lower() in vocabulary.OPTION_WORDS:
            return Word(argument.name, span=argument.span)
    return argument


def _postfixes(children: Children, end: int) -> tuple[tuple[GroupKey, ...], tuple[Modifier, ...], int]:
    groups = [child for child in children if isinstance(child, _By)]
    if len(groups) > 1:
        raise Misuse(groups[1].start, repr('by'), "expected one 'by {…}', found a second")
    modifiers = tuple(child for child in children if isinstance(child, Modifier))
    ends = [end, *(group.end for group in groups), *(modifier.span.end for modifier in modifiers)]
    return (groups[0].keys if groups else ()), modifiers, max(ends)


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if '\\' not in inner:
        return inner
    value = ''
    escaped = False
    for character in inner:
        if escaped and character not in '\'"\\':
            value += '\\'
        escaped = character == '\\' and not escaped
        if not escaped:
            value += character
    return value


def _values(children: Children) -> tuple[str, ...]:
    return tuple(
        _unquoted(token.value) if token.type == 'STRING' else token.value
        for token in children[1:-1]
        if token.type != 'COMMA'
    )


def _is_variable(name: str) -> bool:
    return bool(name) and all(character.isalnum() or character in '_-.' for character in name)


def _joined(children: Children, make: Any, symbolic: bool) -> _Partial:
    first: _Partial = children[0]
    if len(children) == 1:
        return first
    parts: list[_Partial] = children[::2]
    scopes = tuple(part.scope for part in parts)
    scope = make(scopes, Span(scopes[0].span.start, scopes[-1].span.end))
    return _combined(scope, parts, children[1], symbolic)


def _combined(scope: Scope, parts: list[_Partial], operator: Token, symbolic: bool) -> _Partial:
    symbol = next((part.symbol for part in parts if part.symbol), operator if symbolic else None)
    word = next((part.word for part in parts if part.word), None if symbolic else operator)
    if symbol and word:
        later = max(symbol, word, key=lambda token: token.start_pos)
        message = f"',' and '!' cannot be combined with AND, OR, NOT and IN in one filter, found {later.value!r}"
        raise Misuse(later.start_pos, repr(later.value), message)
    return _Partial(scope, symbol, word)
