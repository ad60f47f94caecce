"""Parsing many numbers at once, compared with Python's float()."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddassets.engine import decimals

PLAIN = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.from_regex(r'-?(\d{1,9}\.\d{0,6}|\.\d{1,15}|\d{1,15})', fullmatch=True, alphabet=st.characters(codec='ascii')),
)


@given(rows=st.lists(st.tuples(PLAIN, PLAIN), max_size=30), ended=st.booleans(), part=st.sampled_from([40, 1 << 18]))
@example(rows=[('0.1', '123456789012345'), ('-0', '.3')], ended=False, part=1 << 18)
def test_each_number_equals_that_of_python(rows, ended, part):
    text = '\n'.join(','.join(row) for row in rows) + ('\n' if ended and rows else '')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decimals, '_PART', part)
        found = decimals.read(text, ',\n')
    assert found is not None
    expected = [float(cell) for row in rows for cell in row]
    assert found.tolist() == expected
    assert np.signbit(found).tolist() == np.signbit(np.array(expected, dtype=float)).tolist()


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('1,2,3\n', id='three in a row'),
        pytest.param('1\n2,3\n', id='one in a row'),
        pytest.param('1,2\n3', id='half a row at the end'),
        pytest.param('1,\n', id='nothing'),
        pytest.param('1,2\n\n', id='an empty row'),
        pytest.param('1,-\n', id='a sign alone'),
        pytest.param('1,.\n', id='a point alone'),
        pytest.param('1,-.\n', id='a sign and a point'),
        pytest.param('1,1.2.3\n', id='two points'),
        pytest.param('1,1-2\n', id='a sign inside'),
        pytest.param('1,--2\n', id='two signs'),
        pytest.param('1, 2\n', id='a space'),
        pytest.param('1,+2\n', id='plus'),
        pytest.param('1,1e3\n', id='an exponent'),
        pytest.param('1,nan\n', id='a word'),
        pytest.param('1,1234567890123456\n', id='16 digits'),
        pytest.param('1,2\r\n', id='carriage return'),
        pytest.param('1,٣\n', id='digits of another script'),
    ],
)
def test_texts_that_it_does_not_parse(text):
    assert decimals.read(text, ',\n') is None


@pytest.mark.parametrize('text', [pytest.param('7,' + '1' * 600_000, id='digits'), pytest.param('x' * 600_000, id='x')])
def test_a_long_word_is_not_parsed(text):
    assert decimals.read(text, ',\n') is None
