"""Run an integration's check on a simulated clock, to get the series that an Agent would have sent."""

import contextlib
import importlib
import importlib.util
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import IO, Any

from ddassets import boundary
from ddassets.agent import simulator
from ddassets.agent.agent_yaml import as_handed_over
from ddassets.agent.cache import Installed, installed
from ddassets.agent.configuration import read_document, schedules
from ddassets.agent.environment import BASE_VERSION, find_project, project_name
from ddassets.agent.process import end_group, permit_code, start
from ddassets.agent.recording import Source, join, to_series
from ddassets.agent.sampler import DEFAULT_SETTINGS, Settings
from ddassets.agent.simulator import Period
from ddassets.agent.wheel import integration_name
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.column import Floats
from ddassets.engine.series import Series

# A JSON line of the process, and the columns after it.
type Answer = tuple[dict[str, Any], list[bytes]]

_EXAMPLE = 'conf.yaml.example'
_SIMULATOR = Path(simulator.__file__)
# Bytes of the check's output in an error.
_TAIL = 4000


class SimulationError(UnusableInputError):
    """The check failed, used the network or did not return. The text names the instance, the run and its instant.

    `traceback` is the check's own, or empty.
    """

    def __init__(self, message: str, traceback: str = '') -> None:
        super().__init__(message)
        self.traceback = traceback


@dataclass(frozen=True)
class Conditions:
    """When and where the Agent runs. Instants are in seconds since the epoch, periods are half open.

    The Agent runs in [start, end) on `host` (no tag `host:` if empty). Each run starts up to `jitter` seconds late,
    drawn from `seed`, which also seeds the check's own `random`. In `down` the Agent is stopped: it starts again at the
    end of the period, with new check objects. Points arrive `late` seconds later; in `cut_off` the Agent has no
    network, and sends its stored points at the end of the period.

    Raises UnusableInputError for an invalid time or length.
    """

    start: float
    end: float
    host: str = ''
    jitter: float = 0
    seed: int = 0
    down: tuple[Period, ...] = ()
    late: float = 0
    cut_off: tuple[Period, ...] = ()

    def __post_init__(self) -> None:
        for name in ('jitter', 'late'):
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0):
                raise UnusableInputError(f'{name}: found {value!r}, expected seconds, 0 or more')
        for name, spans in (('start, end', [(self.start, self.end)]), ('down', self.down), ('cut_off', self.cut_off)):
            for begin, stop in spans:
                if not (isfinite(begin) and isfinite(stop) and begin < stop):
                    raise UnusableInputError(
                        f'{name}: found {begin!r} to {stop!r}, expected an instant and a later instant'
                    )

    def arrivals(self, times: Floats) -> Floats | None:
        """Return when points of these times arrive; None if immediately."""
        if not (self.late or self.cut_off):
            return None
        seen = times + self.late
        for begin, stop in sorted(self.cut_off):
            seen[(seen >= begin) & (seen < stop)] = stop
        return seen


@dataclass(frozen=True)
class Simulated:
    """The series of all instances, and a sentence for each kind of sample that the Agent drops or changes."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...]


def simulate(
    integration: Path,
    conditions: Conditions,
    configuration: Path | Mapping[str, Any] | None = None,
    uncommented: Sequence[str] = (),
    base_version: str = BASE_VERSION,
    time_limit: float = 60,
    settings: Settings = DEFAULT_SETTINGS,
    isolated: bool = False,
) -> Simulated:
    """Run every instance of an integration (folder or wheel), each at its own interval, on a simulated clock.

    `configuration` is a file, or its content (a mapping with `instances`); None is the example. `uncommented` are
    commented-out options to enable. If the integration's package can be imported from this folder, it runs in this
    process, or with `isolated` in a child process; otherwise in a scratch environment, installed by the Agent's rules.
    `time_limit` (real seconds) bounds the load and each run. `settings` are those of datadog.yaml.

    Every clock shows the simulated instant, in UTC. `time.sleep` advances it immediately; a run that sleeps past the
    next run replaces it. There is no network: an attempt to use it is an error.

    Raises UnusableInputError, or SimulationError if the check fails.
    """
    environment: Installed | None = None
    code = f'the check of {integration}'
    # Before the first import, because the search for a package may run code too.
    permit_code(code)
    name = '' if integration.suffix == '.whl' else integration_name(project_name(find_project(integration)))
    if name and is_importable(name, integration):
        data = integration / 'datadog_checks' / name / 'data'
    else:
        environment = installed(integration, base_version)
        name, data = environment.integration, environment.data
        boundary.admit(data / _EXAMPLE)
    document, shown = _document(configuration, data / _EXAMPLE, uncommented)
    intervals = [schedule.interval for schedule in schedules(document, shown)]
    job = simulator.Job(
        name=name,
        document=document,
        intervals=intervals,
        host=conditions.host,
        start=conditions.start,
        end=conditions.end,
        jitter=conditions.jitter,
        seed=conditions.seed,
        down=list(conditions.down),
        time_limit=time_limit,
    )
    try:
        batches = _Batches()
        if environment is not None:
            python = _Python(environment.environment.python, [str(environment.clock)])
            _simulate_there(job, python, code, batches)
        elif isolated:
            _simulate_there(job, _Python(Path(sys.executable), sys.path), code, batches)
        else:
            # Imported before the clock is replaced, so that no module keeps the replacements. An error of the
            # import is reported by the simulation.
            with contextlib.suppress(Exception, SystemExit):
                importlib.import_module(f'datadog_checks.{name}')
            simulator.simulate(
                job, lambda tape: batches.add(tape.contexts, [bytes(column) for column in tape.columns()])
            )
    except simulator.Failure as failure:
        raise _error(name, failure) from None
    added = _AddedTags(document, conditions.host)
    columns, runs = join(batches.columns)
    sources = [added.with_host(source) for source in batches.sources]
    series, warnings = to_series(sources, columns, runs, intervals, added, settings)
    return Simulated(tuple(replace(item, arrivals=conditions.arrivals(item.times)) for item in series), tuple(warnings))


def is_importable(name: str, integration: Path) -> bool:
    """Return whether this process imports the package from this folder, and has the complete base package.

    The base package can be installed without its dependencies, which are its extra `deps`.
    """
    try:
        spec = importlib.util.find_spec(f'datadog_checks.{name}')
        if spec is None or spec.origin is None or not Path(spec.origin).resolve().is_relative_to(integration.resolve()):
            return False
        importlib.import_module('datadog_checks.base')
    except ImportError:
        return False
    return True


def _document(
    configuration: Path | Mapping[str, Any] | None, example: Path, uncommented: Sequence[str]
) -> tuple[dict[str, Any], str]:
    """Return the content of the configuration, and its name in errors."""
    if isinstance(configuration, Mapping):
        return dict(configuration), 'the configuration'
    path = configuration or example
    shown = str(configuration or f'data/{example.name}')
    return as_handed_over(read_document(path, shown, uncommented)), shown


class _AddedTags:
    """Tags that the Agent adds to a source: `host:`, and `service:` from the configuration."""

    def __init__(self, document: Mapping[str, Any], host: str) -> None:
        shared = (document.get('init_config') or {}).get('service')
        self._hosts = []
        self._services = []
        for instance in document['instances']:
            options = instance or {}
            service = options.get('service') or shared
            self._hosts.append('' if options.get('empty_default_hostname') else host)
            self._services.append((f'service:{service}',) if service else ())

    def with_host(self, source: Source) -> Source:
        """Return the source, with the Agent's host if the check gave none."""
        return source if source.host else replace(source, host=self._hosts[source.instance])

    def __call__(self, source: Source) -> tuple[str, ...]:
        return *source.tags, *self._services[source.instance], *((f'host:{source.host}',) if source.host else ())


class _Batches:
    """The contexts and columns recorded so far."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.columns: list[bytes] = []

    def add(self, contexts: list[Any], columns: list[bytes]) -> None:
        self.sources += [
            Source(instance, period, kind, name, tuple(tags), host)
            for instance, period, kind, name, tags, host in contexts
        ]
        self.columns += columns


@dataclass(frozen=True)
class _Python:
    """An interpreter, and its additional import folders."""

    executable: Path
    folders: list[str]


def _simulate_there(job: simulator.Job, python: _Python, code: str, batches: _Batches) -> None:
    """Like `simulator.simulate`, in a separate process, which is ended with its children."""
    process = start(
        [str(python.executable), '-I', '-u', str(_SIMULATOR)],
        code=code,
        cwd=python.executable.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin and process.stdout and process.stderr
    output = bytearray()
    answers: queue.Queue[Answer] = queue.Queue()
    threads = [
        threading.Thread(target=_listen, args=(process.stderr, output), daemon=True),
        threading.Thread(target=_read, args=(process.stdout, answers), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        # If the process has ended, reading its answer fails.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({'folders': python.folders, 'job': asdict(job)}).encode() + b'\n')
            process.stdin.flush()
        ending = _collect(answers, job, batches)
    finally:
        end_group(process)
        for thread in threads:
            thread.join(1)
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                stream.close()
    match ending:
        case {'end': True}:
            return
        case {'failure': failure}:
            raise simulator.Failure(**failure)
        case {'error': error}:
            problem = SimulationError(f'{job.name}: {error["message"]}', error['traceback'])
        case {'silent': seconds}:
            problem = SimulationError(f'{job.name}: the process of the check did not answer for {seconds:g} s')
        case _:
            problem = SimulationError(f'{job.name}: the process of the check ended with exit code {process.returncode}')
    problem.details = output.decode('utf-8', 'replace').strip()
    raise problem


def _collect(answers: 'queue.Queue[Answer]', job: simulator.Job, batches: _Batches) -> dict[str, Any]:
    """Read batches until the last answer, and return it; empty if the process ended without an answer."""
    # The process enforces the time limit itself; this is for a process that cannot.
    patience = 2 * job.time_limit + 30
    while True:
        try:
            header, columns = answers.get(timeout=patience)
        except queue.Empty:
            return {'silent': patience}
        if 'samples' not in header:
            return header
        batches.add(header['contexts'], columns)


def _listen(stream: IO[bytes], output: bytearray) -> None:
    """Store the last bytes of the output and logs of the check."""
    while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]
        output += chunk
        del output[:-_TAIL]


def _read(stream: IO[bytes], answers: 'queue.Queue[Answer]') -> None:
    while line := stream.readline():
        header = json.loads(line)
        sizes = [header.get('samples', 0) * width for width in simulator.SAMPLE_WIDTHS]
        sizes += [header.get('runs', 0) * width for width in simulator.RUN_WIDTHS]
        columns = [stream.read(size) for size in sizes]
        if any(len(column) < size for column, size in zip(columns, sizes, strict=True)):
            break
        answers.put((header, columns))
    answers.put(({}, []))


def _error(name: str, failure: simulator.Failure) -> SimulationError:
    parts = [name]
    if failure.instance:
        parts.append(f'instance {failure.instance}')
    if failure.run:
        precision = 'seconds' if float(failure.instant).is_integer() else 'milliseconds'
        parts[-1] += f', run {failure.run} at {datetime.fromtimestamp(failure.instant, UTC).isoformat("T", precision)}'
    else:
        parts.append('the check could not be loaded')
    return SimulationError(f'{": ".join(parts)}: {" ".join(failure.message.split())}', failure.traceback)
