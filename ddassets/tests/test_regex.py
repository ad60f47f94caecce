"""Regular expressions are compiled on first use."""

import doctest
import re

import pytest

from ddassets import regex as module
from ddassets.regex import regex


def test_an_expression_is_compiled_once_it_is_used(monkeypatch):
    calls = []
    compiled = re.compile
    monkeypatch.setattr(re, 'compile', lambda *given: calls.append(given) or compiled(*given))
    expression = regex('a+', re.IGNORECASE)
    assert calls == []
    assert [expression.sub('-', text) for text in ('bAab', 'a')] == ['b-b', '-']
    assert calls == [('a+', re.IGNORECASE)]
    assert expression.pattern == 'a+'
    with pytest.raises(AttributeError):
        expression.nothing  # noqa: B018


def test_the_example():
    assert doctest.testmod(module) == (0, 2)
