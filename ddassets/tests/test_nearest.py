"""The name that a message suggests: a near misspelling, or none."""

import pytest

from ddassets.nearest import closest, did_you_mean, joined, misspelt, suggestion

UNITS = ('byte', 'page', 'second', 'item', 'query', 'write', 'block', 'session')


@pytest.mark.parametrize(
    ('name', 'known', 'expected'),
    [
        pytest.param('bytez', UNITS, 'byte', id='extra'),
        pytest.param('itme', UNITS, 'item', id='swapped'),
        pytest.param('agv', ('avg', 'sum'), 'avg', id='swapped-in-a-short-word'),
        pytest.param('Secnd', UNITS, 'second', id='case'),
        pytest.param('host:one', ('host:one,env:prod', 'host:two,env:test'), 'host:one,env:prod', id='the-beginning'),
        pytest.param('gauge', UNITS, None, id='letters-in-common'),
        pytest.param('bool', UNITS, None, id='half-a-word'),
        pytest.param('write', ('rate',), None, id='the-nearest-and-not-near'),
        pytest.param('x' * 1000, UNITS, None, id='long'),
        pytest.param('', UNITS, None, id='empty'),
        pytest.param('byte', (), None, id='nothing-known'),
    ],
)
def test_only_a_near_name_is_suggested(name, known, expected):
    assert closest(name, known) == expected
    assert suggestion(name, known) == (f'did you mean {expected}?' if expected else '')
    assert did_you_mean(name, known) == (f'; did you mean {expected}?' if expected else '')


@pytest.mark.parametrize(
    ('word', 'expected'),
    [
        pytest.param('secnd', 'second', id='missing'),
        pytest.param('second', None, id='known'),
        pytest.param('sceon', None, id='two'),
        pytest.param('pag', None, id='short'),
        pytest.param('ewma_40', None, id='digits'),
    ],
)
def test_a_misspelt_word_differs_in_one_letter(word, expected):
    assert misspelt(word, {*UNITS, 'ewma_20'}) == expected


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        pytest.param(['a', 'b', 'c'], 'a, b or c', id='three'),
        pytest.param(['a', 'b'], 'a or b', id='two'),
        pytest.param([1], '1', id='one'),
        pytest.param([], '', id='none'),
    ],
)
def test_names_are_joined_by_the_last_word(names, expected):
    assert joined(names, 'or') == expected
    assert joined(names) == expected.replace(' or ', ' and ')
