"""The query language: what is read, how it is printed, and what is said about a text that is no query."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ddassets.query import syntax
from ddassets.query.errors import QuerySyntaxError
from ddassets.query.tree import Node

QUERIES = Path(__file__).parent / 'queries'


def parse_queries(text: str) -> tuple[Node, ...]:
    return syntax.parse_queries(text)


PARSERS: dict[str, Callable[[str], tuple[Node, ...]]] = {
    'query': lambda text: (syntax.parse_query(text),),
    'queries': parse_queries,
    'formula': lambda text: (syntax.parse_formula(text),),
    'monitor': lambda text: (syntax.parse_monitor(text),),
}


def corpus() -> Iterator[pytest.param]:
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


def faults() -> Iterator[pytest.param]:
    """Blocks of `kind | text` and below it what the error says, one blank line between them."""
    blocks = (QUERIES / 'errors.txt').read_text(encoding='utf-8').rstrip('\n').split('\n\n')
    for block in blocks:
        head, _, golden = block.partition('\n')
        kind, _, text = head.partition(' |')
        yield pytest.param(kind, text[1:], golden, id=head)


@pytest.mark.parametrize('kind, text, golden', list(faults()))
def test_an_error_shows_the_column_and_what_may_stand_there(kind, text, golden):
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
