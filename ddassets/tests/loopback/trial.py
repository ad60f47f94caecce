"""Run a command of `ddassets` against the loopback API: normally, with faults, or killed halfway."""

import contextlib
import io
import os
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from ddassets import cli
from ddassets.org import client
from ddassets.org.concurrency import map_concurrently
from loopback.keys import API_KEY, APP_KEY
from loopback.server import Exchange, FakeDatadog, FaultKind, Moment


class SkippingClock(client.Clock):
    """A clock that advances the loopback organisation's clock instead of waiting. Clients may share one."""

    def __init__(self, fake: Any) -> None:
        # Another fake of the tests has no organisation.
        self._organisation: Callable[[], Any] = lambda: getattr(fake, 'organisation', self)
        self.skipped = 0.0

    def now(self) -> float:
        return time.monotonic() + float(self._organisation().skipped)

    def sleep(self, seconds: float) -> None:
        self._organisation().skipped += seconds


# Seconds that a request may take. A disturbed run hits it often, an undisturbed one must never do.
SHORT, LONG = 0.15, 20.0
KEYS = {'DD_API_KEY': API_KEY, 'DD_APP_KEY': APP_KEY}


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Place:
    """One request of a run: the `turn`th, from 1, of those with this name."""

    name: str
    turn: int

    def __str__(self) -> str:
        return f'{self.name} #{self.turn}' if self.turn > 1 else self.name


def run(
    fake: FakeDatadog,
    *arguments: object,
    timeout: float = LONG,
    attempts: int | None = None,
    environment: Mapping[str, str | None] | None = None,
) -> Outcome:
    """Run a command in this process, with the keys in the environment and a clock that skips all waiting.

    With a number of `attempts`, the rate limit is not waited for. `environment` is set besides; a variable of None is
    removed.
    """
    (outcome,) = run_together(fake, arguments, timeout=timeout, attempts=attempts, environment=environment)
    return outcome


def run_together(
    fake: FakeDatadog,
    *commands: Sequence[object],
    timeout: float = LONG,
    attempts: int | None = None,
    environment: Mapping[str, str | None] | None = None,
) -> list[Outcome]:
    """Run commands at the same time, one thread each. Their output is common: each outcome contains all of it."""
    variables = KEYS | {'DDASSETS_API_URL': fake.url} | dict(environment or {})
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {name: value for name, value in variables.items() if value is not None}),
        mock.patch.object(client, 'Clock', lambda: SkippingClock(fake)),
        mock.patch.object(client, 'PAUSES', client.PAUSES[: attempts - 1] if attempts else client.PAUSES),
        mock.patch.object(client, 'MAX_WAIT', 1.0 if attempts else client.MAX_WAIT),
        mock.patch.object(signal, 'signal'),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        for name in [name for name, value in variables.items() if value is None]:
            os.environ.pop(name, None)
        words = [[*map(str, arguments), '--timeout', str(timeout)] for arguments in commands]
        codes = [_code(words[0])] if len(words) == 1 else map_concurrently(_code, words)
    return [Outcome(code, out.getvalue(), err.getvalue()) for code in codes]


def _code(words: list[str]) -> int:
    try:
        return cli.main(words)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 2


def places(exchanges: Sequence[Exchange]) -> list[Place]:
    """Return the requests of a run by name, sorted, because threads send them in any order."""
    return sorted(
        (
            Place(name, turn)
            for name, count in Counter(one.name for one in exchanges).items()
            for turn in range(1, count + 1)
        ),
        key=str,
    )


@contextlib.contextmanager
def disturbed(fake: FakeDatadog, place: Place, kind: FaultKind, from_then_on: bool = False) -> Iterator[list[Place]]:
    """Let the request at `place` meet a fault, and all that come after it, too, where that is asked.

    Yields a list that has the place in it once it was reached.
    """
    turns: Counter[str] = Counter()
    met: list[Place] = []

    def fault(exchange: Exchange) -> FaultKind | None:
        turns[exchange.name] += 1
        here = Place(exchange.name, turns[exchange.name]) == place
        if here:
            met.append(place)
        return kind if here or (met and from_then_on) else None

    calm, fake.fault_of = fake.fault_of, fault
    try:
        yield met
    finally:
        fake.fault_of = calm


def killed(fake: FakeDatadog, place: Place, moment: Moment, *arguments: object) -> None:
    """Run in a separate process, which is killed (SIGKILL) when the request at `place` arrives."""
    turns: Counter[str] = Counter()
    met = False
    begin, let_begin = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings():
        # This process has the threads of the server; the other one needs none of their locks.
        warnings.simplefilter('ignore', DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.read(begin, 1)
            run(fake, *arguments)
        finally:
            os._exit(0)

    def watch(exchange: Exchange, at: Moment) -> None:
        nonlocal met
        if at == 'arrived':
            turns[exchange.name] += 1
        if not met and at == moment and Place(exchange.name, turns[exchange.name]) == place:
            met = True
            os.kill(pid, signal.SIGKILL)

    before, fake.watch = fake.watch, watch
    try:
        os.write(let_begin, b'.')
        _, status = os.waitpid(pid, 0)
    finally:
        fake.watch = before
        os.close(begin)
        os.close(let_begin)
    fake.settle()
    assert met and os.WTERMSIG(status) == signal.SIGKILL, f'{place} was not reached'
