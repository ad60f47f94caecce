"""Which rules and vectors of the semantics a test, or a row of its table, holds the code to."""

import pytest


def rule(*numbers: str) -> pytest.MarkDecorator:
    return pytest.mark.rule(*numbers)
