"""The conformance corpus: the results that Datadog documents, and notifications that users received."""

from collections import Counter
from dataclasses import replace

import conformance
import pytest
import semantics
from conformance import CONFLICT, EQUAL, OUTSIDE

EXAMPLES = conformance.examples()


@pytest.mark.parametrize('example', [pytest.param(example, id=example.id) for example in EXAMPLES])
def test_the_verdict_of_an_example_holds(example):
    assert (failure := conformance.failure(example)) is None, failure


def test_there_are_enough_examples():
    counts = Counter(example.verdict for example in EXAMPLES)
    assert len(EXAMPLES) >= 150
    assert counts[EQUAL] >= 120


def test_examples_cite_known_rules():
    known = {*semantics.RULES, *semantics.VECTORS, *semantics.ASSUMPTIONS}
    assert sorted({number for example in EXAMPLES for number in example.rules} - known) == []


def test_the_page_is_current():
    assert conformance.PAGE.read_text(encoding='utf-8') == conformance.page(), 'run `make conformance`'


def example(verdict, expect, **more):
    case = {'query': 'max(last_1m):avg:acme.x{*} > 5', 'series': {'acme.x': '7'}, 'length': '1m'}
    return replace(EXAMPLES[0], verdict=verdict, case=case, expect=expect, other={}, construct='', **more)


PERCENTILE = {'query': 'percentile(last_5m):p95:acme.x{*} > 5', 'series': {'acme.x': '7'}, 'length': '1m'}


@pytest.mark.parametrize(
    'wrong',
    [
        pytest.param(example(EQUAL, {'value': 8}), id='another value'),
        pytest.param(example(EQUAL, {'refused': 'acme'}), id='not refused'),
        pytest.param(replace(example(EQUAL, {'value': 7}), case=PERCENTILE), id='refused'),
        pytest.param(replace(example(CONFLICT, {'value': 7}), other={'value': 7}), id='no conflict'),
        pytest.param(replace(example(CONFLICT, {'value': 8}), other={'value': 9}), id='neither'),
        pytest.param(replace(example(OUTSIDE, {'value': 7}), construct='percentile'), id='evaluated'),
        pytest.param(
            replace(example(OUTSIDE, {'value': 7}), case=PERCENTILE, construct='composite'), id='refused as another'
        ),
    ],
)
def test_a_verdict_that_does_not_hold_fails(wrong):
    assert conformance.failure(wrong)
