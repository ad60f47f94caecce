"""What a test needs and this machine does not have."""

import os
import shutil
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """Skip the test; in CI, where everything is to be there, fail it."""
    if os.environ.get('CI'):
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return the path of a program, or end the test as `unavailable` does."""
    return shutil.which(name) or unavailable(f'{name} is not installed: apt-get install -y {name}')
