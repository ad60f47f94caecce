"""The query language: what is read, how it is printed, and what is said about a text that is no query."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ddassets.query import syntax
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
