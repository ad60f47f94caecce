"""The query language: parsing, printing, and syntax errors."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from ddassets.diagnostic import Span
from ddassets.language.query import syntax, tree
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.tree import Node

QUERIES = Path(__file__).parent / 'queries'


def parse_queries(text: str) -> tuple[Node, ...]:
    return syntax.parse_queries(text)


PARSERS: dict[str, Callable[[str], tuple[Node, ...]]] = {
    'query': lambda text: (syntax.parse_query(text),),
    'queries': parse_queries,
    'formula': lambda text: (syntax.parse_formula(text),),
    'monitor': lambda text: (syntax.parse_monitor(text),),
}


def corpus() -> Iterator[ParameterSet]:
    """Each line is a query, with its canonical spelling behind `=>` where that is another one."""
    for path in sorted(QUERIES.glob('*-*.txt')):
        kind = path.stem.partition('-')[0]
        for line in path.read_text(encoding='utf-8').splitlines():
            if not line.startswith('#'):
                text, _, canonical = line.partition('    =>    ')
                yield pytest.param(kind, text, canonical or text, id=f'{path.stem}: {text}')


def test_the_corpus_covers_the_language():
    assert len(list(corpus())) >= 300


@pytest.mark.parametrize('kind, text, canonical', list(corpus()))
def test_a_query_is_printed_canonically_and_read_back_equal(kind, text, canonical):
    parse = PARSERS['queries' if kind == 'query' else kind]
    nodes = parse(text)
    printed = ', '.join(map(syntax.render, nodes))
    assert printed == canonical
    assert parse(printed) == nodes


def faults() -> Iterator[ParameterSet]:
    """Blocks of `kind | text` and below it what the error says, one blank line between them."""
    blocks = (QUERIES / 'errors.txt').read_text(encoding='utf-8').rstrip('\n').split('\n\n')
    for block in blocks:
        head, _, golden = block.partition('\n')
        kind, _, text = head.partition(' |')
        yield pytest.param(kind, text[1:], golden, id=head)


@pytest.mark.parametrize('kind, text, golden', list(faults()))
def test_an_error_shows_the_column_and_the_expected_text(kind, text, golden):
    with pytest.raises(QuerySyntaxError) as caught:
        PARSERS[kind](text)
    assert str(caught.value) == golden


@pytest.mark.parametrize(
    'text, column, found',
    [
        pytest.param('   ', 1, 'the end of the query', id='blanks'),
        pytest.param('avg:x{*} +\n', 11, 'the end of the query', id='a line break behind'),
        pytest.param('avg:x{*} +\n+ ]', 14, "']'", id='the second line'),
        pytest.param('avg:x{*}\0', 9, "'\\x00'", id='NUL'),
        pytest.param('avg:\ud800{*}', 5, "'\\ud800'", id='a lone surrogate'),
        pytest.param('avg:x\u200b{*}', 6, "'\\u200b'", id='a zero-width space'),
        pytest.param('\ufeffavg:x{*}', 1, "'\\ufeff'", id='a byte order mark'),
        pytest.param('avg:x{*} 😀', 10, "'😀'", id='beyond the basic plane'),
    ],
)
def test_an_error_counts_characters(text, column, found):
    with pytest.raises(QuerySyntaxError) as caught:
        syntax.parse_query(text)
    assert (caught.value.column, caught.value.found) == (column, found)
    str(caught.value).encode()


def test_the_caret_stays_below_its_column_in_a_long_query():
    text = ' + '.join(['avg:x{*}'] * 40) + ' ]'
    with pytest.raises(QuerySyntaxError) as caught:
        syntax.parse_query(text)
    line, caret = caught.value.caret().splitlines()
    assert line[caret.index('^')] == ']'
    assert len(line) < 120


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('abs(' * 100 + 'avg:x{*}' + ')' * 100, id='functions'),
        pytest.param('-' * 101 + 'avg:x{*}', id='signs'),
        pytest.param('avg:x{' + '!' * 100 + 'a:b}', id='negations'),
        pytest.param(' + '.join(['avg:x{*}'] * 101), id='operators'),
    ],
)
def test_the_depth_is_bounded(text):
    with pytest.raises(QuerySyntaxError, match='more than 100 functions, operators or parentheses'):
        syntax.parse_query(text)


def metric(name, scope=None, aggregator='avg', by=(), modifiers=()):
    keys = tuple(tree.GroupKey(key, span=SPAN) for key in by)
    return tree.Metric(aggregator, name, SPAN, scope, keys, tuple(modifiers), span=SPAN)


def modifier(name, *arguments):
    return tree.Modifier(name, arguments, span=SPAN)


def number(value):
    return tree.Number(value, span=SPAN)


def word(value):
    return tree.Word(value, span=SPAN)


def tag(text):
    key, colon, value = text.rpartition(':')
    return tree.TagFilter(key if colon else None, value, span=SPAN)


def all_of(*scopes, symbolic):
    return tree.And(scopes, symbolic, span=SPAN)


SPAN = Span(0, 0)
EVERYTHING = tree.Everything(span=SPAN)
X = metric('x', EVERYTHING)


@pytest.mark.rule('1.5', '1.6', '1.7', '1.10')
@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('avg:x{*}', X, id='a metric'),
        pytest.param('x', metric('x', aggregator=None), id='a bare name is a metric'),
        pytest.param('avg:a-b/c{}', metric('a-b/c', EVERYTHING), id='signs in a name'),
        pytest.param(
            'avg:a-b', tree.Binary('-', metric('a'), metric('b', aggregator=None), span=SPAN), id='signs without braces'
        ),
        pytest.param(
            'avg:x{$host, !a:b , $c.value}',
            metric(
                'x',
                all_of(
                    tree.TemplateVariable('host', span=SPAN),
                    tree.Not(tag('a:b'), True, span=SPAN),
                    tag('$c.value'),
                    symbolic=True,
                ),
            ),
            id='symbols',
        ),
        pytest.param(
            'avg:x{a:b AND c:d or not e in (f,g)}',
            metric(
                'x',
                tree.Or(
                    (
                        all_of(tag('a:b'), tag('c:d'), symbolic=False),
                        tree.Not(tree.TagIn('e', ('f', 'g'), span=SPAN), False, span=SPAN),
                    ),
                    span=SPAN,
                ),
            ),
            id='AND binds closer than OR',
        ),
        pytest.param(
            'sum:x{*}.as_count() by {b,a}.rollup(sum, 60)',
            metric(
                'x', EVERYTHING, 'sum', 'ba', [modifier('as_count'), modifier('rollup', word('sum'), number(60))]
            ),
            id='modifiers on both sides of by',
        ),
        pytest.param(
            'avg:x{*} - avg:x{*} / 2 * -3',
            tree.Binary(
                '-',
                X,
                tree.Binary('*', tree.Binary('/', X, number(2), span=SPAN), number(-3), span=SPAN),
                span=SPAN,
            ),
            id='precedence',
        ),
        pytest.param(
            '-avg:x{*} * 2',
            tree.Binary('*', tree.Negative(X, span=SPAN), number(2), span=SPAN),
            id='a sign binds closest',
        ),
        pytest.param(
            "top(avg:x{*}, 10, mean, by='a', l=[\"b\"], {c})",
            tree.Call(
                'top',
                (
                    X,
                    number(10),
                    word('mean'),
                    tree.Named('by', tree.Text('a', span=SPAN), span=SPAN),
                    tree.Named('l', tree.Tags(('b',), True, span=SPAN), span=SPAN),
                    tree.Tags(('c',), span=SPAN),
                ),
                span=SPAN,
            ),
            id='arguments of every kind',
        ),
        pytest.param(
            '(avg:x{*}).fill(0)',
            metric('x', EVERYTHING, modifiers=[modifier('fill', number(0))]),
            id='parentheses around one metric',
        ),
        pytest.param(
            '(1 + avg:x{*}).fill(0)',
            tree.Modified(tree.Binary('+', number(1), X, span=SPAN), (modifier('fill', number(0)),), span=SPAN),
            id='parentheses around arithmetic',
        ),
    ],
)  # fmt: skip
def test_the_meaning_of_a_query(text, expected):
    assert syntax.parse_query(text) == expected


def test_a_bare_name_in_a_formula_is_another_query():
    assert syntax.parse_formula('a / system.load.1 + f(b, sum, c)') == tree.Binary(
        '+',
        tree.Binary('/', tree.Reference('a', span=SPAN), metric('system.load.1', aggregator=None), span=SPAN),
        tree.Call('f', (tree.Reference('b', span=SPAN), word('sum'), tree.Reference('c', span=SPAN)), span=SPAN),
        span=SPAN,
    )


@pytest.mark.rule('1.1', '1.2', '1.3', '1.4', '1.8', '1.11')
@pytest.mark.parametrize(
    'text, aggregator, window, change, expression, threshold',
    [
        pytest.param('avg(last_5m):avg:x{*} > 80', 'avg', ('last', 5, 'm'), None, X, 80, id='threshold'),
        pytest.param('min(next_1w):avg:x{*} > -1e3', 'min', ('next', 1, 'w'), None, X, -1000, id='forecast'),
        pytest.param('sum(current_1mo):avg:x{*} > 0', 'sum', ('current', 1, 'mo'), None, X, 0, id='cumulative'),
        pytest.param(
            'percentile(last_4h):p99:x{*} > .5', 'percentile', ('last', 4, 'h'), None,
            metric('x', EVERYTHING, 'p99'), 0.5, id='percentile',
        ),
        pytest.param(
            'change(max(last_1d),5m_ago):avg:x{*} > 1', 'max', ('last', 1, 'd'), ('change', 300), X, 1, id='5m_ago'
        ),
        pytest.param(
            'pct_change(avg(last_5m),last_1h):avg:x{*} > 1', 'avg', ('last', 5, 'm'), ('pct_change', 3600), X, 1,
            id='last_1h',
        ),
        pytest.param(
            'formula("q").last("5m") > 1', 'formula', ('last', 5, 'm'), None, tree.Reference('q', span=SPAN), 1,
            id='formula',
        ),
    ],
)  # fmt: skip
def test_the_meaning_of_a_monitor_query(text, aggregator, window, change, expression, threshold):
    assert syntax.parse_monitor(text) == tree.MonitorQuery(
        aggregator=aggregator,
        window=tree.Window(*window, span=SPAN),
        change=change and tree.Change(*change, span=SPAN),
        expression=expression,
        comparator='>',
        threshold=threshold,
        span=SPAN,
        threshold_span=SPAN,
    )


def test_spans_point_into_the_text():
    text = ' avg(last_5m):100 * (sum:a.b{x:y, $z} by {k}.as_count() + top(avg:c{*}, 5)) >= -1.5'
    query = syntax.parse_monitor(text)
    written = {(type(part).__name__, text[part.span.start : part.span.end]) for part in tree.walk(query)}
    assert written >= {
        ('MonitorQuery', text.strip()),
        ('Window', 'last_5m'),
        ('Number', '100'),
        ('Metric', 'sum:a.b{x:y, $z} by {k}.as_count()'),
        ('TagFilter', 'x:y'),
        ('TemplateVariable', '$z'),
        ('GroupKey', 'k'),
        ('Modifier', '.as_count()'),
        ('Call', 'top(avg:c{*}, 5)'),
        ('Binary', '(sum:a.b{x:y, $z} by {k}.as_count() + top(avg:c{*}, 5))'),
    }
    assert [text[m.name_span.start : m.name_span.end] for m in tree.metrics(query)] == ['a.b', 'c']
    assert text[query.threshold_span.start : query.threshold_span.end] == '-1.5'


def test_the_columns_of_a_formula_in_a_monitor_are_those_of_the_monitor():
    text = 'formula("query1 / abs(query2)").last("5m") > 1'
    names = [part for part in tree.walk(syntax.parse_monitor(text)) if isinstance(part, tree.Reference)]
    assert [text[name.span.start : name.span.end] for name in names] == ['query1', 'query2']
