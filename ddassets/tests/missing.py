"""What a test needs and this machine does not have."""

import os
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """Skip the test; in CI, where everything is to be there, fail it."""
    if os.environ.get('CI'):
        pytest.fail(reason)
    pytest.skip(reason)
