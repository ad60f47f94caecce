"""Parse metric queries, formulas and monitor queries."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from math import nan
from pathlib import Path
from typing import Any

from ddassets.diagnostic import Span
from ddassets.language.grammar import END, Parser, UnexpectedInput
from ddassets.language.query import vocabulary
from ddassets.language.query.building import Builder, Misuse
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.printing import render
from ddassets.language.query.tree import (
    Call,
    Expression,
    Metric,
    MonitorQuery,
    Node,
    Number,
    Reference,
    Word,
    children,
    rewrite,
    walk,
)
from ddassets.nearest import closest

__all__ = [
    'QuerySyntaxError',
    'parse_formula',
    'parse_monitor',
    'parse_queries',
    'parse_query',
    'parse_threshold',
    'render',
]

# Far above any real query; they limit the time and the stack for a hostile text.
MAX_LENGTH = 100_000
MAX_DEPTH = 100


@lru_cache(4096)
def parse_queries(text: str) -> tuple[Expression, ...]:
    """Parse the queries of a dashboard's `q`, separated by commas.

    Raises:
        QuerySyntaxError: with the column of the fault.
    """
    expressions: tuple[Expression, ...] = _parse('queries', text)
    return tuple(_with_metrics(expression) for expression in expressions)


@lru_cache(4096)
def parse_query(text: str) -> Expression:
    """Parse exactly one query. A bare name is a metric.

    Raises:
        QuerySyntaxError: with the column of the fault.
    """
    expression: Expression = _parse('query', text)
    return _with_metrics(expression)


@lru_cache(4096)
def parse_formula(text: str) -> Expression:
    """Parse a formula over named queries. A bare name without a dot is a query name; metrics are allowed too.

    Raises:
        QuerySyntaxError: with the column of the fault.
    """
    return _with_references(_parse('query', text))


@lru_cache(4096)
def parse_monitor(text: str) -> MonitorQuery:
    """Parse the query of a metric monitor (rules 1.1 to 1.11).

    Raises:
        QuerySyntaxError: with the column of the fault.
    """
    result = _parse('monitor', text)
    return _with_metrics(result) if isinstance(result, MonitorQuery) else _formula_monitor(text, result)


@lru_cache(1024)
def parse_threshold(text: str) -> MonitorQuery:
    """Parse `formula("…").last("…")`, whose value is the threshold of another formula (rule 17.14).

    Raises:
        QuerySyntaxError: with the column of the fault.
    """
    return _formula_monitor(text, _parse('threshold_query', text))


@cache
def _parser() -> Parser:
    return Parser(Path(__file__).with_name('metrics.json'), Builder())


def _parse(start: str, text: str) -> Any:
    if len(text) > MAX_LENGTH:
        message = f'a query has at most {MAX_LENGTH} characters, found {len(text)}'
        raise QuerySyntaxError(text, MAX_LENGTH + 1, (), f'{len(text)} characters', message)
    try:
        result = _parser().parse(text, start)
    except UnexpectedInput as error:
        raise _unexpected(text, start, error) from None
    except Misuse as error:
        raise QuerySyntaxError(text, error.offset + 1, error.expected, error.found, error.message) from None
    if len(text) > MAX_DEPTH:
        _refuse_depth(text, result if isinstance(result, tuple) else (result,))
    return result


def _refuse_depth(text: str, results: Iterable[Any]) -> None:
    pending = [(result, 1) for result in results if isinstance(result, Node)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            message = f'more than {MAX_DEPTH} functions, operators or parentheses inside one another'
            raise QuerySyntaxError(text, node.span.start + 1, (), f'{MAX_DEPTH + 1} levels', message)
        pending.extend((child, depth + 1) for child in children(node))


def _with_metrics[T: Node](node: T) -> T:
    """Convert bare names to metrics, or to options after the first argument of a function."""
    if not any(isinstance(part, Reference) for part in walk(node)):
        return node

    def change(part: Node) -> Node:
        match part:
            case Call(arguments=(first, *others)):
                return replace(part, arguments=(first, *(_as_option(argument) for argument in others)))
            case Reference():
                return _as_metric(part)
            case _:
                return part

    return rewrite(node, change)


def _with_references(node: Expression) -> Expression:
    if not any(isinstance(part, Reference) and '.' in part.name for part in walk(node)):
        return node
    return rewrite(node, lambda part: _as_metric(part) if isinstance(part, Reference) and '.' in part.name else part)


def _as_metric(reference: Reference) -> Metric:
    start = reference.span.start
    name_span = Span(start, start + len(reference.name))
    return Metric(None, reference.name, name_span, None, (), reference.modifiers, span=reference.span)


def _as_option(argument: Any) -> Any:
    if isinstance(argument, Reference) and not argument.modifiers and '.' not in argument.name:
        return Word(argument.name, span=argument.span)
    return argument


def _formula_monitor(text: str, parts: Any) -> MonitorQuery:
    """Parse the quoted text padded with blanks, so that its columns are those of the whole query."""
    inner = ' ' * (parts.text.span.start + 1) + parts.text.value
    try:
        expression = parse_formula(inner)
    except QuerySyntaxError as error:
        column = min(error.column, parts.text.span.end)
        raise QuerySyntaxError(text, column, error.expected, error.found, error.message) from None
    threshold = parts.threshold
    return MonitorQuery(
        aggregator='formula',
        window=parts.window,
        change=None,
        expression=expression,
        comparator=parts.comparator,
        threshold=threshold.value if isinstance(threshold, Number) else nan,
        span=parts.span,
        threshold_span=threshold.span,
        rollup=parts.rollup,
        by=parts.by,
    )


# Descriptions of the grammar's terminals. An entry of several terminals is used if the parser accepts all of them; the
# first match wins.
_EXPECTED: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(terminals.split()), words)
    for terminals, words in (
        ('AGGREGATOR NAME FUNCTION NUMBER LPAR SIGN KEYWORD STRING DURATION LBRACE LBRACKET', 'an argument'),
        ('AGGREGATOR NAME FUNCTION NUMBER LPAR SIGN STRING DURATION LBRACE LBRACKET', 'a value'),
        ('AGGREGATOR NAME FUNCTION NUMBER LPAR SIGN', 'a query such as avg:metric{*}'),
        ('SIGN FACTOR', 'an operator (+ - * /)'),
        ('SIGN NUMBER NAME', 'a number to compare with'),
        ('STRING NAME NUMBER DURATION', 'a quoted tag'),
        ('TAG BANG NOT LPAR', 'a tag such as key:value'),
        ('WINDOW FUNCTION STRING', 'a window such as last_5m'),
        ('AGGREGATOR', 'an aggregator such as avg:'),
        ('METRIC', 'a metric name'),
        ('MODIFIER', 'a modifier such as .as_count()'),
        ('COMPARATOR', 'a comparison (> >= < <= == !=)'),
        ('WINDOW', 'a window such as last_5m'),
        ('TAG', 'a tag such as key:value'),
        ('GROUP', 'a tag key'),
        ('KEY', 'a tag key'),
        ('NUMBER', 'a number'),
        ('STRING', 'a quoted text'),
        ('FUNCTION', 'a time aggregation such as avg(last_5m):'),
        ('BY', "'by'"),
        ('COLON', "':'"),
        ('COMMA', "','"),
        ('EQUALS', "'='"),
        ('LPAR', "'('"),
        ('RPAR', "')'"),
        ('LBRACE', "'{'"),
        ('RBRACE', "'}'"),
        ('LBRACKET', "'['"),
        ('RBRACKET', "']'"),
        ('AND', 'AND'),
        ('OR', 'OR'),
        ('NOT IN', 'IN'),
        ('NOT', 'NOT'),
        ('IN', 'IN'),
        ('$END', 'the end of the query'),
    )
)


def _unexpected(text: str, start: str, error: UnexpectedInput) -> QuerySyntaxError:
    at_end = error.token is not None and error.token.type == END
    offset = len(text.rstrip()) if at_end else error.position
    word = '' if at_end else _word(text, offset)
    found = repr(word) if word else 'the end of the query'
    accepted = _accepted(error)
    expected = tuple(_in_words(accepted))
    message = f'expected {_either(expected)}, found {found}{_hint(start, word, accepted)}'
    return QuerySyntaxError(text, offset + 1, expected, found, message)


def _hint(start: str, word: str, accepted: set[str]) -> str:
    """Return a hint for a probable mistake."""
    if start == 'monitor' and accepted == {'FUNCTION'}:
        return '; a monitor query begins with a time aggregation'
    if start != 'monitor' and word in ('<', '>', '=', '!'):
        return '; only monitors have comparisons'
    if word in ('"', "'") and 'STRING' in accepted:
        return '; the quote is not closed'
    if word == '=' and 'COMPARATOR' in accepted:
        return "; did you mean '=='?"
    if word.lower() in vocabulary.MODIFIERS and 'MODIFIER' in accepted:
        return f"; did you mean '.{word.lower()}'?"
    keywords = [name.lower() for name in ('BY', 'AND', 'OR', 'NOT', 'IN') if name in accepted]
    likely = closest(word, keywords) if word else None
    return f'; did you mean {likely!r}?' if likely and likely != word.lower() else ''


_accepted_after: dict[tuple[int, ...], set[str]] = {}


def _accepted(error: UnexpectedInput) -> set[str]:
    """Return the terminals that may come next. Cached: this is slower than parsing, and few stacks occur."""
    accepted = _accepted_after.get(error.stack)
    if accepted is None:
        accepted = error.accepts
        if len(error.stack) < 32 and len(_accepted_after) < 4096:
            _accepted_after[error.stack] = accepted
    return accepted


def _in_words(accepted: set[str]) -> Iterable[str]:
    if accepted == {'MODIFIER'}:
        yield 'a window such as .last("5m")'
        return
    left = set(accepted)
    for terminals, words in _EXPECTED:
        if terminals <= left:
            left -= terminals
            yield words


def _either(expected: tuple[str, ...]) -> str:
    if not expected:
        return 'a query'
    return ', '.join(expected[:-1]) + ' or ' + expected[-1] if len(expected) > 1 else expected[0]


def _word(text: str, offset: int) -> str:
    """Return the word or the character at the offset."""
    end = offset
    while end < min(len(text), offset + 32) and (text[end].isalnum() or text[end] == '_'):
        end += 1
    return text[offset : max(end, offset + 1)]
