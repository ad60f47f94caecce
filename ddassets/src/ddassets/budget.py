"""Limit processor time and memory of a process that reads untrusted files."""

import os
import signal
from types import FrameType
from typing import NoReturn

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

# Processor seconds after the budget until the system kills a process that hangs in one call of a C library.
GRACE = 30
MEGABYTE = 1_000_000


class BudgetExceeded(BaseException):
    """The processor time is used up. Not an Exception, so that `except Exception` does not catch it."""


def enforce(seconds: float, megabytes: float) -> None:
    """Limit this process to this processor time (BudgetExceeded) and memory (MemoryError).

    Systems without such limits are not limited.
    """
    # Each thread of the linear algebra library reserves memory and is not needed.
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
    if hasattr(signal, 'setitimer'):
        signal.signal(signal.SIGPROF, _exceeded)
        # Repeatedly, because a handler of the first signal may be running.
        signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    if resource is not None:
        _limit(resource.RLIMIT_CPU, int(seconds) + GRACE)
        _limit(resource.RLIMIT_DATA, int(megabytes * MEGABYTE))


def stop() -> None:
    """Stop raising BudgetExceeded, so that the failure can be reported."""
    if hasattr(signal, 'setitimer'):
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or value < hard:
        # The hard limit is kept: `stop` raises the limit again, and child processes have their own work.
        resource.setrlimit(kind, (value, hard))


def _exceeded(number: int, frame: FrameType | None) -> NoReturn:
    raise BudgetExceeded
