"""Run the instances of a check on a simulated clock, and record what they submit in columns.

Uses only the standard library, the base package and time_machine: `simulation.py` calls it in its own process, or
starts it as a script in a scratch environment, where ddassets cannot be imported. The script reads a JSON line from
standard input: `folders`, additional import folders (that of time_machine), and `job`, the fields of `Job`. It writes
batches to standard output: a JSON line with the numbers of samples and of runs and the new contexts, then the raw
columns of `Tape`. The last JSON line has `end`, `failure` (the fields of `Failure`) or `error`.
"""

import contextlib
import copy
import heapq
import importlib
import importlib.util
import itertools
import json
import os
import queue  # noqa: F401  it and threading wait with the real clock, so import them before it is replaced
import random
import signal
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from ddassets.agent import collector
else:
    _beside = importlib.util.spec_from_file_location('collector', Path(__file__).with_name('collector.py'))
    collector = importlib.util.module_from_spec(_beside)
    _beside.loader.exec_module(collector)

type Period = tuple[float, float]

_BATCH = 1 << 16
# Real seconds after which a batch is sent, full or not.
_PATIENCE = 5
# time_machine replaces the wall clock. The clocks for durations return the same simulated instant.
_DURATIONS = {
    'monotonic': time.time,
    'perf_counter': time.time,
    'monotonic_ns': time.time_ns,
    'perf_counter_ns': time.time_ns,
}
# Audit events of the standard library for network use, as a client or as a server.
_NETWORK = frozenset(
    f'socket.{call}'
    for call in 'bind connect getaddrinfo gethostbyaddr gethostbyname getnameinfo sendmsg sendto'.split()
)
SAMPLE_WIDTHS = (4, 4, 8, 8, 1)
RUN_WIDTHS = (4, 4, 8)
"""Bytes per row of the columns of `Tape`, for samples and for runs."""
_real_monotonic = time.monotonic


@dataclass(frozen=True)
class Job:
    """What to run. Instants in seconds since the epoch, everything else in seconds; periods are half open.

    `document` is the content of conf.yaml, `intervals` are those of its instances. `time_limit` is in real seconds, for
    the load and for each run.
    """

    name: str
    document: dict[str, Any]
    intervals: list[int]
    host: str
    start: float
    end: float
    jitter: float
    seed: int
    down: list[Period]
    time_limit: float

    def due(self, index: int, number: int, period: Period) -> Iterator[tuple[float, int]]:
        """Yield the instants at which instance `index` runs in the period of this number, each with the index."""
        seed = f'{self.seed} {self.host} {index} {number}'
        return ((instant, index) for instant in instants(self.intervals[index], period, self.jitter, seed))


@dataclass
class Failure(Exception):
    """The check failed. `instance` and `run` count from 1, 0 if unknown; `instant` is on the simulated clock."""

    instance: int
    run: int
    instant: float
    message: str
    traceback: str = ''


class _Interruption(BaseException):
    """Ends a run from inside; not an Exception, so that `except Exception` in the check does not catch it."""


def periods(start: float, end: float, down: list[Period]) -> Iterator[Period]:
    """Yield the periods of [start, end) in which the Agent runs, in order."""
    begin = start
    for off, on in [*sorted(down), (end, end)]:
        if begin < (stop := min(off, end)):
            yield begin, stop
        begin = max(begin, on)


def instants(interval: int, period: Period, jitter: float, seed: str) -> Iterator[float]:
    """Yield the instants at which the Agent starts an instance.

    These are the start of the period and each interval after it, up to `jitter` seconds late (in whole milliseconds).

    A run that the next run overtakes is omitted: the Agent does not start a run while the last is running, and Datadog
    keeps one point per second.
    """
    draws = random.Random(seed)
    last = float('-inf')
    for number in itertools.count():
        planned = period[0] + number * interval
        if planned >= period[1]:
            return
        instant = planned + round(draws.random() * jitter, 3) if jitter else planned
        if last < instant // 1 and instant < period[1]:
            last = instant // 1
            yield instant


@dataclass
class Tape(collector.Recorder):
    """The submissions in columns: one row per sample, and one row per run, in batches.

    `contexts` are the new contexts of the batch: instance (from 0), period, kind, name, tags, host. For each sample:
    `sources` is its index into all contexts so far, `runs` into all runs so far, `stamps` its instant. For each
    completed run: `instances`, `periods`, and `ends`, the instant of the end.
    """

    kinds: dict[int, str]
    contexts: list[tuple[int, int, str, str, tuple[str, ...], str]] = field(default_factory=list)
    sources: 'array[int]' = field(default_factory=lambda: array('i'))
    runs: 'array[int]' = field(default_factory=lambda: array('i'))
    stamps: 'array[float]' = field(default_factory=lambda: array('d'))
    values: 'array[float]' = field(default_factory=lambda: array('d'))
    firsts: 'array[int]' = field(default_factory=lambda: array('b'))
    instances: 'array[int]' = field(default_factory=lambda: array('i'))
    periods: 'array[int]' = field(default_factory=lambda: array('i'))
    ends: 'array[float]' = field(default_factory=lambda: array('d'))
    histogram_buckets: int = 0
    instance: int = 0
    period: int = 0
    _known: dict[Any, int] = field(default_factory=dict)
    _run: int = 0
    _committed: int = 0

    def columns(self) -> tuple['array[Any]', ...]:
        return *self._of_samples(), self.instances, self.periods, self.ends

    def _of_samples(self) -> tuple['array[Any]', ...]:
        return self.sources, self.runs, self.stamps, self.values, self.firsts

    def metric(
        self,
        check: object,
        check_id: str,
        kind: int,
        name: str,
        value: float,
        tags: list[str] | None,
        host: str | None,
        flush_first_value: bool = False,
    ) -> None:
        context = (self.instance, self.period, kind, name, tuple(tags or ()), host)
        source = self._known.get(context)
        if source is None:
            source = self._known[context] = len(self._known)
            self.contexts.append((self.instance, self.period, self.kinds[kind], name, context[4], host or ''))
        self.sources.append(source)
        self.runs.append(self._run)
        self.stamps.append(time.time())
        self.values.append(value)
        self.firsts.append(bool(flush_first_value))

    def service_check(self, *arguments: object, **named: object) -> None:
        pass

    def event(self, *arguments: object, **named: object) -> None:
        pass

    def commit(self, instant: float) -> None:
        """End the current run at `instant`."""
        self.instances.append(self.instance)
        self.periods.append(self.period)
        self.ends.append(instant)
        self._run += 1
        self._committed = len(self.values)

    def drop(self) -> None:
        """Discard the samples of the current, incomplete run."""
        for column in self._of_samples():
            del column[self._committed :]

    def clear(self) -> None:
        """Start a new batch."""
        self.contexts.clear()
        for column in self.columns():
            del column[:]
        self._committed = 0


@dataclass
class _Place:
    """The position of the simulation: as in Failure, and `steps`, which changes with each run."""

    instance: int
    run: int
    instant: float
    steps: int = 0

    def move(self, instance: int, run: int, instant: float) -> None:
        self.instance, self.run, self.instant = instance, run, instant
        self.steps += 1

    def failure(self, message: str, traceback: str = '') -> Failure:
        return Failure(self.instance, self.run, self.instant, message, traceback)


def simulate(job: Job, emit: Callable[[Tape], None]) -> None:
    """Run the job; `emit` receives each batch before the tape is cleared. Raises Failure if the check fails."""
    stubs = importlib.import_module('datadog_checks.base.stubs')
    tape = Tape({number: kind for kind, number in stubs.aggregator.METRIC_ENUM_MAP.items()})
    place = _Place(0, 0, job.start)
    network: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(_replaced(stubs.aggregator, **tape.methods()))
        # The Agent keeps the cache on disk, so it survives a restart; each simulation has its own cache.
        stack.enter_context(_replaced(stubs.datadog_agent, _hostname=job.host, _cache={}))
        stack.enter_context(_random_from(job.seed))
        stack.enter_context(_in_utc())
        clock = stack.enter_context(_simulated_clock(job.start))
        stack.enter_context(_without_network(network))
        stack.enter_context(_watched(job.time_limit, place))
        try:
            _run(job, clock, tape, place, network, emit)
        except _Interruption as interruption:
            raise place.failure(str(interruption)) from None
        except Failure:
            raise
        # Otherwise sys.exit() in a check would end the rehearsal.
        except (Exception, SystemExit) as error:
            described = collector.describe(error)
            raise place.failure(described['message'], described['traceback']) from None
    emit(tape)


def _run(job: Job, clock: Any, tape: Tape, place: _Place, network: list[str], emit: Callable[[Tape], None]) -> None:
    instances = range(len(job.intervals))
    runs = [0 for _ in instances]
    found = collector.find_class(
        collector.find_module(job.name), importlib.import_module('datadog_checks.base').AgentCheck
    )
    handed_over = _real_monotonic()
    for number, period in enumerate(periods(job.start, job.end, job.down)):
        tape.period = number
        clock.move_to(period[0])
        checks = []
        for index in instances:
            place.move(index + 1, 0, period[0])
            checks.append(collector.build(found, job.name, copy.deepcopy(job.document), index))
        # The whole second of the last point of each instance.
        last = [float('-inf') for _ in instances]
        for instant, index in heapq.merge(*(job.due(index, number, period) for index in instances)):
            if instant // 1 <= last[index]:
                continue
            runs[index] += 1
            place.move(index + 1, runs[index], instant)
            tape.instance = index
            clock.move_to(instant)
            report = checks[index].run()
            if network:
                # A thread of the check used the network, or the check caught the interruption.
                raise _Interruption(network[0])
            if report:
                error = json.loads(report)[0]
                raise place.failure(error['message'], error.get('traceback', ''))
            ended = time.time()
            last[index] = ended // 1
            if ended < period[1]:
                tape.commit(ended)
            else:
                tape.drop()
            if len(tape.values) >= _BATCH or _real_monotonic() - handed_over > _PATIENCE:
                emit(tape)
                tape.clear()
                handed_over = _real_monotonic()


@contextlib.contextmanager
def _replaced(holder: Any, **attributes: Any) -> Iterator[None]:
    """Temporarily replace attributes of an object or module."""
    missing = object()
    before = {name: vars(holder).get(name, missing) for name in attributes}
    for name, value in attributes.items():
        setattr(holder, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is missing:
                delattr(holder, name)
            else:
                setattr(holder, name, value)


@contextlib.contextmanager
def _random_from(seed: int) -> Iterator[None]:
    """Seed `random`, so that a check draws the same values in each simulation."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextlib.contextmanager
def _in_utc() -> Iterator[None]:
    """Set the time zone to UTC, so that local time is the same on every machine."""
    if not hasattr(time, 'tzset'):
        yield
        return
    before = os.environ.get('TZ')
    os.environ['TZ'] = 'UTC'
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ['TZ']
        else:
            os.environ['TZ'] = before
        time.tzset()


@contextlib.contextmanager
def _simulated_clock(instant: float) -> Iterator[Any]:
    """Stop every clock at `instant`; only `time.sleep` advances it, immediately."""
    from time_machine import travel

    really_sleep = time.sleep
    with travel(instant, tick=False) as clock:
        standing = True

        def sleep(seconds: float) -> None:
            # A module that was imported while the clock was stopped may still use this function.
            if not standing:
                really_sleep(seconds)
            elif seconds < 0:
                raise ValueError('sleep length must be non-negative')
            else:
                clock.shift(float(seconds))

        substitutes: dict[str, Any] = {**_DURATIONS, 'sleep': sleep}
        by_original = {getattr(time, name): substitute for name, substitute in substitutes.items()}
        with contextlib.ExitStack() as stack:
            # Also in modules of the integration that imported the function itself (`from time import sleep`).
            for name, module in list(sys.modules.items()):
                if name.startswith('datadog_checks.'):
                    held = {
                        key: by_original[value]
                        for key, value in vars(module).items()
                        if callable(value) and getattr(value, '__module__', '') == 'time' and value in by_original
                    }
                    stack.enter_context(_replaced(module, **held))
            stack.enter_context(_replaced(time, **substitutes))
            try:
                yield clock
            finally:
                standing = False


_listener: list[str] | None = None
_hooked = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _listener is not None and event in _NETWORK:
        shown = ', '.join(repr(item) for item in arguments if isinstance(item, (str, int, tuple)))
        _listener.append(f'the check used the network: {event}({shown}); a simulated run has none')
        raise _Interruption(_listener[0])


@contextlib.contextmanager
def _without_network(attempts: list[str]) -> Iterator[None]:
    """End the run at an attempt to use the network, and add a sentence about it to `attempts`."""
    global _listener, _hooked
    if not _hooked:
        # An audit hook cannot be removed; outside a simulation it does nothing.
        sys.addaudithook(_audit)
        _hooked = True
    _listener = attempts
    try:
        yield
    finally:
        _listener = None


@contextlib.contextmanager
def _watched(time_limit: float, place: _Place) -> Iterator[None]:
    """End a run that takes more than `time_limit` real seconds, if the system supports alarms."""
    ours = hasattr(signal, 'setitimer') and threading.current_thread() is threading.main_thread()
    # An existing alarm is the time limit of a test.
    if not ours or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    looks = 4
    seen = [place.steps, 0]

    def look(number: int, frame: object) -> None:
        seen[1] = seen[1] + 1 if place.steps == seen[0] else 0
        seen[0] = place.steps
        if seen[1] > looks:
            raise _Interruption(
                f'not finished within {time_limit:g} s; only time.sleep uses the simulated clock, other waiting is real'
            )

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, time_limit / looks, time_limit / looks)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main() -> None:
    requests, answers = collector.take_standard_streams()
    request = json.loads(requests.readline())
    # Last, so that they do not hide modules that the check imports.
    sys.path += [folder for folder in request['folders'] if folder not in sys.path]

    def answer(document: dict[str, Any]) -> None:
        answers.write(json.dumps(document) + '\n')
        answers.flush()

    def emit(tape: Tape) -> None:
        answer({'samples': len(tape.values), 'runs': len(tape.ends), 'contexts': tape.contexts})
        for column in tape.columns():
            answers.buffer.write(column)
        answers.buffer.flush()

    try:
        simulate(Job(**request['job']), emit)
    except Failure as failure:
        answer({'failure': asdict(failure)})
    except Exception as error:
        answer({'error': collector.describe(error)})
    else:
        answer({'end': True})


if __name__ == '__main__':
    main()
