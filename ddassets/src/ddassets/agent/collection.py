"""Run the instances of an integration at the Agent's intervals, in a collector process."""

import contextlib
import heapq
import json
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ddassets.agent.configuration import Schedule
from ddassets.agent.environment import Environment
from ddassets.agent.process import end_group, start
from ddassets.agent.sampler import DEFAULT_SETTINGS, Sample, Sampler, Series, Settings

_COLLECTOR = Path(__file__).with_name('collector.py')


@dataclass(frozen=True)
class Failure:
    """An error of the check: its own text, and the traceback (may be empty)."""

    message: str
    traceback: str = ''


class LoadError(Exception):
    """The check could not be loaded, or the collector process ended."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True)
class Run:
    """The result of one run of one instance. `seconds` is the execution time of the base class's `run()`."""

    instance: int
    number: int
    seconds: float
    samples: int
    series: list[Series]
    events: list[Any]
    service_checks: list[dict[str, Any]]
    warnings: list[str]
    errors: list[Failure]


@dataclass
class Instance:
    """One instance of the configuration file and its runs so far. `index` counts from 0."""

    index: int
    schedule: Schedule
    sampler: Sampler
    load_failure: Failure | None = None
    runs: list[Run] = field(default_factory=list)


class Collector:
    """The process in the scratch environment that runs the check; as a context manager, it ends the process.

    `time_limit` (seconds) bounds the load and each run. Raises LoadError when the check cannot be loaded.
    """

    def __init__(
        self,
        environment: Environment,
        name: str,
        configuration: Path,
        schedules: list[Schedule],
        time_limit: float,
        settings: Settings = DEFAULT_SETTINGS,
    ) -> None:
        self.name = name
        self.host = socket.gethostname()
        self.version = ''
        self.class_name = ''
        self.instances = [
            Instance(index, schedule, Sampler(self.host, settings)) for index, schedule in enumerate(schedules)
        ]
        self._time_limit = time_limit
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._process = start(
            [str(environment.python), '-I', '-u', str(_COLLECTOR), name, str(configuration), self.host],
            code=f'the check {name}',
            cwd=configuration.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._read, daemon=True).start()
        try:
            loaded = self._answer('loading the check')
            if 'error' in loaded:
                raise LoadError(Failure(**loaded['error']))
        except BaseException:
            self._end()
            raise
        self.version = loaded['version']
        self.class_name = loaded['class']
        for instance, error in zip(self.instances, loaded['instances'], strict=True):
            instance.load_failure = Failure(**error) if error else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(self, instance: Instance) -> Run:
        """Run an instance once, keep the run with the instance, and return it."""
        assert self._process.stdin
        # If the process has ended, reading its answer fails.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({'instance': instance.index}).encode() + b'\n')
            self._process.stdin.flush()
        answer = self._answer(f'run {len(instance.runs) + 1} of instance {instance.index + 1}')
        samples = [Sample(**{**sample, 'tags': tuple(sample['tags'])}) for sample in answer['samples']]
        series, warnings = instance.sampler.commit(samples, answer['timestamp'])
        if answer['histogram_buckets']:
            warnings.append(
                f'{answer["histogram_buckets"]} histogram buckets: the Agent sends a distribution, not series'
            )
        run = Run(
            instance=instance.index,
            number=len(instance.runs) + 1,
            seconds=answer['seconds'],
            samples=len(samples),
            series=series,
            events=answer['events'],
            service_checks=[{**item, 'host': item['host'] or self.host} for item in answer['service_checks']],
            warnings=answer['warnings'] + warnings,
            errors=[Failure(error['message'], error.get('traceback', '')) for error in answer['errors']],
        )
        instance.runs.append(run)
        return run

    def _read(self) -> None:
        assert self._process.stdout
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._answers.put(line)
        self._answers.put(b'')

    def _answer(self, what: str) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=self._time_limit)
        except queue.Empty:
            raise LoadError(Failure(f'{what} did not finish within {self._time_limit:g} s')) from None
        if not line:
            code = self._process.wait()
            raise LoadError(Failure(f'the process of the check ended with exit code {code} during {what}'))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        """End the process and its children, by their process group."""
        end_group(self._process)
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def collect(
    collector: Collector, times: int, interval: float | None, wait: Callable[[float, list[Instance]], None]
) -> Iterator[list[Run]]:
    """Run every loaded instance `times` times, each at its own interval, and yield the runs of each instant.

    `interval` (seconds) replaces the intervals of the instances. `wait` is called with the time of the next runs (on
    the clock of `time.monotonic`, seconds) and the instances that are due then.
    """
    start = time.monotonic()
    due = [(start, instance.index) for instance in collector.instances if not instance.load_failure]
    heapq.heapify(due)
    while due:
        moment = due[0][0]
        now = []
        while due and due[0][0] == moment:
            now.append(collector.instances[heapq.heappop(due)[1]])
        if moment > start:
            wait(moment, now)
        runs = []
        for instance in now:
            runs.append(collector.run(instance))
            if len(instance.runs) < times:
                heapq.heappush(due, (moment + (interval or instance.schedule.interval), instance.index))
        yield runs
