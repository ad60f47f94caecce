"""Requirements of a test that this machine lacks."""

import os
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """Skip the test; fail it in CI, where all requirements must be met."""
    if os.environ.get('CI'):
        pytest.fail(reason)
    pytest.skip(reason)
