"""Properties of the query language: a printed query parses to an equal one, and any text is a query or a
QuerySyntaxError.
"""

import random
from pathlib import Path

import pytest
from counting import steps
from hypothesis import given, settings
from hypothesis import strategies as st
from scale import SEED, runs

from ddassets.diagnostic import Span
from ddassets.language.query import syntax, tree
from ddassets.language.query.errors import QuerySyntaxError

QUERIES = Path(__file__).parent / 'queries'
NOWHERE = Span(0, 0)
RUNS = runs(50_000)


def node(type_, *args, **kwargs):
    return st.builds(type_, *args, span=st.just(NOWHERE), **kwargs)


# Scopes. The words of the language are values and keys too, where nothing else can stand.
keys = st.from_regex(r'[a-z@_][a-z0-9_.\-/]{0,8}', fullmatch=True).filter(
    lambda key: key.lower() not in ('and', 'or', 'not', 'in')
)
values = st.from_regex(r'[a-z0-9*$é指][a-zA-Z0-9_.:/*\-]{0,10}', fullmatch=True)
variables = st.from_regex(r'[a-z][a-z0-9_]{0,8}', fullmatch=True)
tags = st.one_of(
    node(tree.Everything),
    node(tree.TagFilter, keys, st.one_of(values, st.just(''), st.just('"a, b"'))),
    node(tree.TagFilter, st.none(), keys),
    node(tree.TemplateVariable, variables),
)
symbolic_scopes = st.recursive(
    tags,
    lambda inner: st.one_of(
        node(tree.Not, inner, st.just(True)),
        node(tree.And, st.lists(inner, min_size=2, max_size=4).map(tuple), st.just(True)),
    ),
    max_leaves=8,
)
worded_scopes = st.recursive(
    st.one_of(tags, node(tree.TagIn, keys, st.lists(values, min_size=1, max_size=3).map(tuple))),
    lambda inner: st.one_of(
        node(tree.Not, inner, st.just(False)),
        node(tree.And, st.lists(inner, min_size=2, max_size=4).map(tuple), st.just(False)),
        node(tree.Or, st.lists(inner, min_size=2, max_size=4).map(tuple)),
    ),
    max_leaves=8,
)

# Expressions.
numbers = node(tree.Number, st.floats(allow_nan=False, allow_infinity=False))
words = st.sampled_from(['sum', 'avg', 'null', 'linear', 'daily', '60s', '1h'])
names = st.from_regex(r'[a-z][a-z0-9_]{0,8}(\.[a-z0-9][a-z0-9_\-/]{0,6}){0,3}', fullmatch=True)
options = st.one_of(
    numbers,
    node(tree.Text, st.text(max_size=8)),
    node(tree.Word, words),
    node(tree.Tags, st.lists(keys, max_size=3).map(tuple), st.just(False)),
    node(tree.Tags, st.lists(st.text(max_size=5), max_size=3).map(tuple), st.just(True)),
)
named = node(tree.Named, st.sampled_from(['direction', 'interval', 'by', 'and']), options)
modifier = node(
    tree.Modifier,
    st.sampled_from(['as_count', 'rollup', 'fill', 'unheard_of']),
    st.lists(st.one_of(options, named), max_size=3).map(tuple),
)
modifiers = st.lists(modifier, max_size=2).map(tuple)
functions = st.sampled_from(['abs', 'top', 'anomalies', 'unheard_of'])
metrics = node(
    tree.Metric,
    aggregator=st.sampled_from(['avg', 'sum', 'p95', 'p99.9', 'count_nonzero', 'count(v: v>10)']),
    name=st.one_of(names, st.sampled_from(['sum', 'by', 'and', 'p95', 'as_count'])),
    name_span=st.just(NOWHERE),
    scope=st.one_of(symbolic_scopes, worded_scopes),
    by=st.lists(node(tree.GroupKey, keys), max_size=3).map(tuple),
    modifiers=modifiers,
)


def larger(inner):
    arithmetic = st.one_of(
        node(tree.Binary, st.sampled_from('+-*/'), inner, inner),
        node(tree.Negative, inner.filter(lambda operand: not isinstance(operand, tree.Number))),
    )
    return st.one_of(
        arithmetic,
        node(tree.Modified, arithmetic, st.tuples(modifier)),
        node(
            tree.Call,
            functions,
            st.tuples(inner, st.lists(st.one_of(inner, options, named), max_size=3)).map(lambda a: (a[0], *a[1])),
            modifiers,
        ),
    )


references = node(tree.Reference, variables, modifiers)
expressions = st.recursive(st.one_of(metrics, numbers), larger, max_leaves=6)
formulas = st.recursive(st.one_of(metrics, numbers, references), larger, max_leaves=6)
windows = node(
    tree.Window,
    st.sampled_from(['last', 'next', 'current']),
    st.integers(1, 99999),
    st.sampled_from(['m', 'h', 'd', 'w', 'mo']),
)
shifts = st.integers(1, 100_000).map(lambda minutes: minutes * 60)
monitors = node(
    tree.MonitorQuery,
    aggregator=st.sampled_from(['avg', 'sum', 'min', 'max', 'percentile']),
    window=windows,
    change=st.one_of(st.none(), node(tree.Change, st.sampled_from(['change', 'pct_change']), shifts)),
    expression=expressions,
    comparator=st.sampled_from(['<', '<=', '>', '>=', '==', '!=']),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    threshold_span=st.just(NOWHERE),
)
formula_monitors = node(
    tree.MonitorQuery,
    aggregator=st.just('formula'),
    window=windows.filter(lambda window: window.kind == 'last'),
    change=st.none(),
    expression=formulas,
    comparator=st.sampled_from(['<', '>']),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    threshold_span=st.just(NOWHERE),
)


@given(expressions)
@settings(max_examples=100)
def test_a_printed_query_is_read_back_equal(expression):
    assert syntax.parse_query(syntax.render(expression)) == expression


@given(formulas)
@settings(max_examples=60)
def test_a_printed_formula_is_read_back_equal(expression):
    assert syntax.parse_formula(syntax.render(expression)) == expression


@given(st.one_of(monitors, formula_monitors))
@settings(max_examples=60)
def test_a_printed_monitor_query_is_read_back_equal(query):
    assert syntax.parse_monitor(syntax.render(query)) == query
    assert [*tree.walk(syntax.parse_monitor(syntax.render(query)))] == [*tree.walk(query)]


@given(st.one_of(expressions, monitors))
@settings(max_examples=60)
def test_every_node_has_its_source_text(expression):
    text = syntax.render(expression)
    read = syntax.parse_monitor(text) if isinstance(expression, tree.MonitorQuery) else syntax.parse_query(text)
    for part in tree.walk(read):
        for child in tree.children(part):
            assert part.span.start <= child.span.start < child.span.end <= part.span.end or isinstance(
                child, tree.Window | tree.Change
            )
        if isinstance(part, tree.Metric):
            assert text[part.name_span.start : part.name_span.end] == part.name
            assert syntax.parse_query(text[part.span.start : part.span.end]) == part
        elif isinstance(part, tree.Modifier | tree.GroupKey | tree.TemplateVariable | tree.TagIn):
            written = text[part.span.start : part.span.end]
            assert written.replace('NOT IN', 'IN') == syntax.render(part)


def seeds():
    for path in sorted(QUERIES.glob('*-*.txt')):
        for line in path.read_text(encoding='utf-8').splitlines():
            if not line.startswith('#'):
                yield path.stem.partition('-')[0], line.partition('    =>    ')[0]


PIECES = [
    *'(){}[],.:!$*+-/<>=\'"\\ \n\t\0é指😀_0159aZ%;|&',
    '\ud800',
    '\u200b',
    'avg:',
    'by ',
    ' AND ',
    ' OR ',
    'NOT ',
    ' IN (',
    '.as_count()',
    'last_5m',
    'avg(',
    'change(',
    'formula("',
    '.last("5m")',
    '1e999',
    "'a'",
    '{*}',
    ' > 5',
    'count(v:',
]


def mutated(text, chance):
    if chance.random() < 0.2:
        return ''.join(chance.choices(PIECES, k=chance.randrange(12)))
    for _ in range(chance.randrange(1, 4)):
        at, to = sorted((chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)))
        match chance.randrange(4):
            case 0:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + 1 :]
            case 2:
                text = text[:at] + chance.choice(PIECES) + text[at + 1 :]
            case _:
                text = text[:at] + text[at : min(to, at + 20)] * 2 + text[at:]
    return text


def test_any_text_is_a_query_or_a_syntax_error():
    """100,000 texts; each that is read is printed and read again, and each error that is raised can be shown."""
    chance = random.Random(20261124 + SEED)
    source = list(seeds())
    parsers = {
        'queries': syntax.parse_queries,
        'query': syntax.parse_query,
        'formula': syntax.parse_formula,
        'monitor': syntax.parse_monitor,
    }
    read = refused = 0
    for run in range(RUNS):
        kind, text = chance.choice(source)
        text = mutated(text, chance)
        # Past the memory of what was read, which would be no test of reading.
        parse = parsers[kind].__wrapped__
        try:
            result = parse(text)
        except QuerySyntaxError as error:
            refused += 1
            assert 1 <= error.column <= len(text) + 1, text
            if run % 10 == 0:
                str(error).encode()
        else:
            read += 1
            if run % 10 == 0:
                results = result if isinstance(result, tuple) else (result,)
                again = parse(', '.join(map(syntax.render, results)))
                assert again == result, text
    assert read > RUNS / 10
    assert refused > RUNS / 10


@pytest.mark.parametrize('length', [2_000, 90_000, 1_000_000])
@pytest.mark.parametrize(
    'unit',
    ['(', 'f(', '-', '1+', 'NOT ', '!', '{', 'avg:x{', '"', "'a", 'a.', 'a ', 'count(v:', 'a{b:{', '\0', 'é', 'a: '],
)
def test_a_long_text_is_read_or_refused_in_linear_time(unit, length):
    long = unit * (length // len(unit))
    for text in (long, f'avg:x{{{long}', f'avg:{long}{{*}}', f'f({long}'):
        assert steps(lambda text=text: read_or_refuse(text)) < 400 * len(text)


def read_or_refuse(text: str) -> None:
    try:
        syntax.parse_query.__wrapped__(text)
    except QuerySyntaxError as error:
        assert len(str(error)) < 1000
