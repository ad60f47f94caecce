"""`ddassets check`: from a folder or a wheel to what the Agent would submit."""

import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ddassets.agent.collection import Collector, Instance, LoadError, collect
from ddassets.agent.configuration import copy_configuration, enable_configuration, read_schedules
from ddassets.agent.environment import build_wheel, create_environment, find_project, install_wheel
from ddassets.agent.printing import failure_lines, runs_text, succeeded, summary_document, summary_text
from ddassets.agent.wheel import read_wheel

FAILED = 1


@dataclass(frozen=True)
class CheckOptions:
    """What to check and how. `time_limit` is in seconds, for the load and for each run."""

    path: Path
    base_version: str
    configuration: Path | None = None
    times: int = 1
    rate: bool = False
    time_limit: float = 60
    as_json: bool = False
    verbose: bool = False


def check(options: CheckOptions) -> int:
    """Run the command. Returns 0 when every run was fine and 1 when the check failed.

    Raises UnusableInputError for what the Agent would refuse.
    """
    with _scratch_folder() as scratch:
        # The cheap judgements come first: nothing is installed for a wheel or a file that is refused anyway.
        if options.configuration:
            read_schedules(options.configuration, str(options.configuration))
        if options.path.suffix == '.whl':
            path = options.path
        else:
            project = find_project(options.path)
            _progress(f'building the wheel of {project}')
            path = build_wheel(project, scratch)
        wheel = read_wheel(path, options.base_version)
        _progress(f'installing {path.name} beside datadog-checks-base {options.base_version}')
        environment = create_environment(scratch, options.base_version)
        install_wheel(environment, path)
        data = environment.site_packages / 'datadog_checks' / wheel.integration / 'data'
        directory = scratch / 'conf.d' / f'{wheel.integration}.d'
        for warning in copy_configuration(data, directory):
            _progress(f'warning: {warning}')
        configuration = enable_configuration(directory, options.configuration)
        shown = str(options.configuration or f'{path.name}: data/conf.yaml.example')
        schedules = read_schedules(configuration, shown)
        try:
            with Collector(environment, wheel.integration, configuration, schedules, options.time_limit) as collector:
                return _run(collector, options)
        except LoadError as error:
            print(f'{wheel.integration}: the check failed:', file=sys.stderr)
            print('\n'.join(failure_lines(error.failure, options.verbose)), file=sys.stderr)
            if options.as_json:
                document = {'integration': wheel.integration, 'ok': False, 'error': error.failure.message}
                print(json.dumps(document, indent=2))
            return FAILED


def _run(collector: Collector, options: CheckOptions) -> int:
    times, interval = (2, 1.0) if options.rate else (options.times, None)
    for runs in collect(collector, times, interval, _wait):
        if not options.as_json:
            print(runs_text(runs, times), flush=True)
    if options.as_json:
        print(json.dumps(summary_document(collector), indent=2, ensure_ascii=False))
    else:
        print(summary_text(collector, options.verbose), end='')
    return 0 if succeeded(collector) else FAILED


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix='ddassets-'))
    try:
        yield folder
    finally:
        # More than once: after an interrupt, the last file of a program that was just ended may still appear.
        for _ in range(20):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(0.1)


def _progress(text: str) -> None:
    print(f'ddassets: {text}', file=sys.stderr, flush=True)


def _wait(moment: float, instances: list[Instance]) -> None:
    named = ', '.join(str(instance.index + 1) for instance in instances)
    subject = f'instance {named}' if len(instances) == 1 else f'instances {named}'
    with _countdown(f'next run of {subject} in') as show:
        while (left := moment - time.monotonic()) > 0:
            show(left)
            # Wake up at whole seconds before the moment, so that the countdown counts.
            time.sleep(left % 1 or 1)


@contextlib.contextmanager
def _countdown(text: str) -> Iterator[Callable[[float], None]]:
    if not sys.stderr.isatty():
        shown = False

        def once(left: float) -> None:
            nonlocal shown
            if not shown:
                _progress(f'{text} {left:.0f} s')
            shown = True

        yield once
        return

    def every(left: float) -> None:
        print(f'\r\033[K{text} {left:.0f} s', end='', file=sys.stderr, flush=True)

    try:
        yield every
    finally:
        print('\r\033[K', end='', file=sys.stderr, flush=True)
