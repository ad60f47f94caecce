"""The rules and vectors of the semantics that a test, or a row of its table, checks."""

import pytest


def rule(*numbers: str) -> pytest.MarkDecorator:
    return pytest.mark.rule(*numbers)
