"""Every rule that is called implemented or refused has a test, and the page lists it."""

import re
from pathlib import Path

import pytest
import semantics
from semantics import IMPLEMENTED, REFUSED, RULES, VECTORS

import ddassets
from ddassets.engine.assumptions import ASSUMPTIONS

KNOWN = {*RULES, *VECTORS, *ASSUMPTIONS}
CITED = semantics.citations()


def test_every_implemented_rule_is_cited_by_a_test():
    claimed = [number for number, (status, _) in RULES.items() if status in (IMPLEMENTED, REFUSED)]
    assert [number for number in (*claimed, *VECTORS, *ASSUMPTIONS) if number not in CITED] == []


def test_rules_cited_by_tests_are_known():
    assert sorted(set(CITED) - KNOWN) == []


def test_rules_cited_by_the_code_are_known():
    texts = [path.read_text(encoding='utf-8') for path in Path(ddassets.__file__).parent.rglob('*.py')]
    found = {
        number
        for text in texts
        for cited in re.findall(r'\brules? ((?:\d+\.\d+(?:, | and | to )?)+)', text)
        for number in re.findall(r'\d+\.\d+', cited)
    }
    assert len(found) > 50
    assert sorted(found - KNOWN) == []


def test_the_page_is_up_to_date():
    assert semantics.PAGE.read_text(encoding='utf-8') == semantics.page(), 'run `make semantics`'


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param("@pytest.mark.rule('2.1', 'A1')\ndef test_x(): ...", {'2.1', 'A1'}, id='a decorator'),
        pytest.param(
            "@pytest.mark.parametrize('x', [pytest.param(1, marks=rule('2.2'))])\ndef test_x(x): ...",
            {'2.2'},
            id='a parameter',
        ),
        pytest.param("@rule('2.3')\ndef helper(): ...", set(), id='no test'),
        pytest.param("def test_x():\n    rule('2.4')", set(), id='no decorator'),
    ],
)
def test_citations(tmp_path, text, expected):
    (tmp_path / 'test_some.py').write_text(text)
    assert set(semantics.citations(tmp_path)) == expected
