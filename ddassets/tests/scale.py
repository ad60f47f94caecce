"""The number of random cases: that of `make test`, or ten times as many with `make test-long`."""

import os

#: Times the usual number of cases.
SCALE = int(os.environ.get('DDASSETS_TEST_SCALE', '1'))
#: Where seeds begin: another number tries other cases.
SEED = int(os.environ.get('DDASSETS_TEST_SEED', '0'))
MANY = SCALE > 1


def runs(usual: int) -> int:
    """Return the number of cases where `make test` runs `usual`."""
    return usual * SCALE
