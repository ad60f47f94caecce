"""Bounds processor time and memory of a process that reads files of strangers."""

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
    """The processor time is used up. No `except Exception` on the way may swallow it."""


def enforce(seconds: float, megabytes: float) -> None:
    """Let this process fail after so much processor time (BudgetExceeded) or memory (MemoryError).

    Where the system has no such limits, there is none.
    """
    # Each thread of the linear algebra library reserves memory; nothing here gains by them.
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
    if hasattr(signal, 'setitimer'):
        signal.signal(signal.SIGPROF, _exceeded)
        # Again and again, since a handler of the first one may be in progress.
        signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    if resource is not None:
        _limit(resource.RLIMIT_CPU, int(seconds) + GRACE)
        _limit(resource.RLIMIT_DATA, int(megabytes * MEGABYTE))


def stop() -> None:
    """Raise BudgetExceeded no more, so that the failure can be reported."""
    if hasattr(signal, 'setitimer'):
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or value < hard:
        # The hard limit stays: `stop` raises the limit again, and children have their own work to do.
        resource.setrlimit(kind, (value, hard))


def _exceeded(number: int, frame: FrameType | None) -> NoReturn:
    raise BudgetExceeded
