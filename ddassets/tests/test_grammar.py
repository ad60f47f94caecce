"""The tables of the grammars are current, and the parser that reads them agrees with lark's own."""

import json
import random

import grammars
import pytest
import scale
from lark import Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from ddassets.language import grammar

TEXTS = {
    'metrics': (
        'avg(last_5m):100 * sum:a.b{env:prod AND (host:x OR host:y)} by {host}.as_count() / default_zero(sum:c{*}) > 3',
        "change(max(last_1h),last_5m_ago):p99.9:a{$host,!b:'c d'}.rollup(avg, 60) >= -1e3",
        'formula("query1 + 2").last("5m") < .5',
        "avg:a.by{by:by} by {by}, count(v: v>10):a{x NOT IN (y, z)}.fill(zero), top(a{*}, 10, 'mean', 'desc')",
        "anomalies(avg:a{*}, 'agile', 2, direction='both', seasonality=\"weekly\", x={a,b}, y=[1, 2h])",
    ),
    'expression': ('round(value * 100) - -2 ^ 3 % host.name', 'max([a.b].name, "x") + .5e3 / (1 + service.links[Run])'),
    'notification_scope': ('team:a AND NOT env:(b OR "c d") OR NOT (x:* y:z)', 'ANDREW:NOTE OR ORK:1'),
    'downtime_scope': ('env:(prod OR staging) AND -host:web*', '-team:(a or "b c") x:y AND (z:1 z:2)'),
}
PARTS = [pytest.param(path, id=path.stem) for path in grammars.GRAMMARS]


@pytest.mark.parametrize('path', PARTS)
def test_the_tables_are_those_of_the_grammar(path):
    assert path.with_suffix('.json').read_text() == grammars.render(grammars.compute(path)), 'run `make grammars`'


def mutants(stem, count):
    """Yield the texts, and texts with characters dropped, doubled, exchanged and cut off."""
    yield from TEXTS[stem]
    drawn = random.Random(f"{scale.SEED} {stem}")
    alphabet = sorted(set(''.join(TEXTS[stem])) | set('é\n\t\'"@;'))
    for _ in range(count):
        text = list(drawn.choice(TEXTS[stem]))
        for _ in range(drawn.randint(1, 3)):
            at = drawn.randrange(len(text))
            text[at : at + drawn.randint(0, 4)] = drawn.choices(alphabet, k=drawn.randint(0, 2))
            text = text or ['x']
        yield ''.join(text[: drawn.choice([None, None, drawn.randrange(len(text)) + 1])])


def plain(node):
    """Return a tree of either parser as tuples."""
    if isinstance(node, Tree | grammar.Tree):
        return node.data, [plain(child) for child in node.children]
    assert isinstance(node, Token | grammar.Token)
    return node.type, str(node), node.start_pos, node.end_pos


def by_lark(lark, text, start):
    try:
        return plain(lark.parse(text, start))
    except UnexpectedToken as error:
        position = len(text) if error.token.type == '$END' else error.token.start_pos
        return position, str(error.token), error.interactive_parser.accepts()
    except UnexpectedInput as error:
        return error.pos_in_stream, None, error.interactive_parser.accepts()


def by_tables(parser, text, start):
    try:
        return plain(parser.parse(text, start))
    except grammar.UnexpectedInput as error:
        return error.position, error.token, error.accepts


@pytest.mark.parametrize('path', PARTS)
def test_the_parser_agrees_with_lark(path):
    lark, parser = grammars.build(path), grammar.Parser(path.with_suffix('.json'))
    outcomes = set()
    for text in mutants(path.stem, scale.runs(150)):
        for start in grammars.GRAMMARS[path]:
            expected = by_lark(lark, text, start)
            assert by_tables(parser, text, start) == expected, text
            outcomes.add(type(expected[1]))
    assert {list, str} <= outcomes


def test_another_table_is_another_parser(tmp_path):
    """Canary of the comparison."""
    [path] = [path for path in grammars.GRAMMARS if path.stem == 'expression']
    tables = json.loads(path.with_suffix('.json').read_text())
    tables['terminals']['SIGN'] = '[+]'
    broken = tmp_path / 'broken.json'
    broken.write_text(json.dumps(tables))
    text = TEXTS['expression'][0]
    assert by_tables(grammar.Parser(broken), text, 'start') != by_lark(grammars.build(path), text, 'start')
