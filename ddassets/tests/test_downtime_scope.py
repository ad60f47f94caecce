"""Which groups the scope of a downtime covers."""

import contextlib

import pytest
from counting import steps
from hypothesis import given, settings
from hypothesis import strategies as st
from test_downtime import EVENINGS, body

from ddassets.engine.downtime import parse
from ddassets.language.downtime_scope import ScopeFault, parse_scope

HOST = ['env:prod', 'host:web-1', 'service:shop', 'image:nginx:1.2']


@pytest.mark.rule('5.14', '5.15')
@pytest.mark.parametrize(
    'text, tags, expected',
    [
        pytest.param('*', [], True, id='5.14 every group, a simple alert too'),
        pytest.param('env:prod', HOST, True, id='5.15 more tags do no harm'),
        pytest.param('env:prod', [], False, id='5.15 a simple alert without the tag'),
        pytest.param('-env:staging', [], False, id='5.15 a simple alert and a negation'),
        pytest.param('-env:staging', HOST, True, id='5.14 negation'),
        pytest.param('-env:prod', HOST, False, id='5.14 negation of what is there'),
        pytest.param('-team:db', HOST, True, id='5.14 negation of an absent key'),
        pytest.param('env:prod AND service:shop', HOST, True, id='5.14 AND'),
        pytest.param('env:prod AND service:till', HOST, False, id='5.14 AND, one fails'),
        pytest.param('env:(staging OR prod)', HOST, True, id='5.14 one of two values'),
        pytest.param('env:(staging OR test)', HOST, False, id='5.14 none of two values'),
        pytest.param('-env:(staging OR test)', HOST, True, id='5.14 neither value'),
        pytest.param('env:staging OR env:prod', HOST, True, id='5.14 OR within one key'),
        pytest.param('service:shop AND (env:staging OR env:prod)', HOST, True, id='5.14 nested'),
        pytest.param('service:shop AND (env:prod AND -host:db)', HOST, True, id='5.14 negation in parentheses'),
        pytest.param('-env(staging OR test)', HOST, True, id='5.14 negated group without colon'),
        pytest.param('-env(staging OR prod)', HOST, False, id='5.14 negated group without colon, one is there'),
        pytest.param('env:(prod AND prod*)', HOST, True, id='5.14 AND within a group'),
        pytest.param('env:prod and (host:b or host:web*)', HOST, True, id='5.14 A91 small letters'),
        pytest.param('env:"prod"', HOST, True, id='5.14 quotes'),
        pytest.param('(service:till AND env:prod)', HOST, False, id='5.14 AND binds in parentheses'),
        pytest.param('env:* -env:staging', HOST, True, id='5.14 a space is AND'),
        pytest.param('env:prod (host:b OR host:web*)', HOST, True, id='5.14 a space before parentheses'),
        pytest.param('env:* -env:prod', HOST, False, id='5.14 a space is AND, one fails'),
        pytest.param('host:web*', HOST, True, id='5.14 prefix'),
        pytest.param('host:*-1', HOST, True, id='5.14 suffix'),
        pytest.param('host:w*b*1', HOST, True, id='5.14 infix'),
        pytest.param('host:web-1*1', HOST, False, id='5.14 pieces do not overlap'),
        pytest.param('host:*a*', HOST, False, id='5.14 piece that is not there'),
        pytest.param('team:*', HOST, False, id='5.14 any value, absent key'),
        pytest.param('image:nginx:1.2', HOST, True, id='5.14 colon in a value'),
        pytest.param('image:("nginx:1.2" OR b)', HOST, True, id='5.14 quoted colon in parentheses'),
        pytest.param('env:Prod', HOST, False, id='5.15 case counts'),
    ],
)
def test_scope(text, tags, expected):
    assert parse(body(EVENINGS, scope=text), 'some').matches_group(tags) is expected


@pytest.mark.rule('5.14')
@pytest.mark.parametrize(
    'text, column, words',
    [
        pytest.param('env:prod OR service:shop', 1, 'between different keys (env, service)', id='5.14 OR across keys'),
        pytest.param('a:1 AND (b:1 OR (c:1 AND d:(x OR y)))', 28, 'more than 2 levels', id='5.14 three levels'),
        pytest.param('env:prod AND prod', 14, 'must have a key', id='5.14 keyless'),
        pytest.param('env:pro?', 1, 'wildcard `?`', id='5.14 question mark'),
        pytest.param(
            'a:1 AND (env:prod OR b:1)', 10, 'between different keys (b, env)', id='5.14 OR across keys, inside'
        ),
        pytest.param('a:1 AND b:1 OR a:2', 1, 'between different keys (a, b)', id='5.14 OR across keys, after AND'),
        pytest.param('env:(a OR -b)', 11, 'write `-env:b`', id='5.14 negation within a group'),
        pytest.param('env:(-a OR -b)', 6, 'write `-env:a`', id='5.14 negations within a group'),
        pytest.param('-env:(a AND b)', 9, 'write `-env:a AND -env:b`', id='5.14 negated AND'),
        pytest.param('-env:(a AND b OR c)', 9, 'AND within `-env:( )`', id='5.14 negated AND beside OR'),
        pytest.param('-env(a b)', 8, 'between two values', id='5.14 negated group without operator'),
        pytest.param('-env:(a b)', 9, 'between two values', id='5.14 values without an operator'),
        pytest.param('env(a OR b)', 1, 'expected `key:(a OR b)`', id='5.14 group without colon'),
        pytest.param('env:(a OR b:(c))', 11, 'a group within `env:( )`', id='5.14 group in a group'),
        pytest.param('!env:prod', 1, 'a key begins', id='5.14 exclamation mark'),
        pytest.param('-(env:prod)', 1, 'a key begins', id='5.14 negated parentheses'),
        pytest.param('env:prod,host:a', 1, 'write AND', id='5.14 comma'),
        pytest.param('a:b (c)', 6, 'must have a key', id='5.14 keyless in parentheses'),
        pytest.param('env:', 5, 'a value of', id='5.14 no value'),
        pytest.param('env:(a', 7, 'expected `)`', id='5.14 not closed'),
        pytest.param('env:a)', 6, 'the end of the scope', id='5.14 not opened'),
        pytest.param('env:a AND', 10, 'expected `key:value`, found the end', id='5.14 ends early'),
        pytest.param('en&v:prod', 1, 'a key begins', id='5.14 key'),
        pytest.param('env:(a:b OR c)', 6, 'needs quotes', id='5.14 key inside'),
        pytest.param('env:"a', 5, 'quote is not closed', id='5.14 quote'),
    ],
)
def test_refuses_scope(text, column, words):
    with pytest.raises(ScopeFault, match=f'^column {column}: ') as caught:
        parse_scope(text)
    assert words in str(caught.value)


@pytest.mark.rule('5.14')
@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(['a:b', '-', '(', ')', ' ', 'AND', 'OR', 'a:', '*', '"', '?', ',']) | st.text(max_size=3),
        max_size=20,
    )
)
def test_any_text_is_a_scope_or_a_fault_with_its_column(pieces):
    text = ''.join(pieces)
    try:
        parse_scope(text).matches(['a:b'])
    except ScopeFault as fault:
        column = int(str(fault).partition(':')[0].removeprefix('column '))
        assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize(
    'text',
    ['a:b AND ' * 10_000 + 'a:b', '(' * 50_000, 'a:' + '*x' * 50_000, 'a:"' * 20_000, 'a:(' + 'b OR ' * 20_000 + 'c)'],
)
def test_a_long_scope_is_read_and_matched_in_linear_time(text):
    def read() -> None:
        with contextlib.suppress(ScopeFault):
            parse_scope(text).matches(['a:' + 'x' * 10_000])

    assert steps(read) < 100 * len(text)
