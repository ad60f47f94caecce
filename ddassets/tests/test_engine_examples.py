"""The examples in the docstrings of the engine run."""

import doctest
import importlib
import pkgutil

import pytest

from ddassets import engine

MODULES = [engine.__name__, *(one.name for one in pkgutil.walk_packages(engine.__path__, f'{engine.__name__}.'))]


@pytest.mark.parametrize('name', MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_engine_has_examples_from_series_to_notifications():
    entry = ('engine', 'engine.evaluator', 'engine.notification', 'engine.state_machine', 'engine.assumptions')
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in entry:
        found = finder.find(importlib.import_module(f'ddassets.{name}'))
        assert any(example.examples for example in found), name
