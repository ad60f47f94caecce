"""`ddassets check`: install an integration as the Agent does, run it, and print what the Agent would submit."""

import contextlib
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ddassets.cli import option
from ddassets.cli.exit_code import FAILED, FINE
from ddassets.diagnostic import UnusableInputError
from ddassets.output.formats import render
from ddassets.output.terminal import log, log_lines, write

if TYPE_CHECKING:
    from ddassets.agent.collection import Collector, Instance
    from ddassets.cli.check_output import Installation
    from ddassets.cli.check_sending import Sender

HELP = 'install a wheel by the rules of the Agent, run its code, and show what the Agent would submit'
DESCRIPTION = (
    'Build and install an integration as `datadog-agent integration install -w` does, in a scratch environment, run '
    'its instances as the Agent does, and print what the Agent would submit. Building and running execute code from '
    'the checkout.'
)
EPILOG = 'exit codes: 0 fine; 1 the check failed; 2 the Agent would refuse the wheel or the configuration'


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'path', type=option.path, metavar='PATH', help='the folder of an integration, or a wheel (.whl)'
    )
    parser.add_argument(
        '--config', type=option.path, metavar='FILE', help='use FILE as conf.yaml instead of the example'
    )
    parser.add_argument(
        '--datadog-yaml',
        type=option.path,
        metavar='FILE',
        help="the Agent's datadog.yaml: its histogram_aggregates, histogram_percentiles and check_sampler_* are used",
    )
    parser.add_argument(
        '--confd',
        type=option.path,
        metavar='DIR',
        help="a host's conf.d: list its files that the installation overwrites or keeps",
    )
    parser.add_argument(
        '--constraints',
        type=option.path,
        metavar='FILE',
        help="the Agent's final_constraints-py3.txt, used as pip's constraints",
    )
    repetition = parser.add_mutually_exclusive_group()
    repetition.add_argument(
        '--times', type=option.count, default=1, metavar='N', help='collect N times, at the real interval (1)'
    )
    repetition.add_argument('--rate', action='store_true', help='collect twice, one second apart')
    parser.add_argument(
        '--timeout', type=option.seconds(86400), default=60.0, metavar='S', help='time limit of one run in seconds (60)'
    )
    parser.add_argument(
        '--send',
        nargs='?',
        const='',
        metavar='URL',
        help='send what is collected to the organisation at URL, or at DDASSETS_API_URL, with the key of DD_API_KEY: '
        '`ddassets sandbox` starts one',
    )
    parser.add_argument('--base-version', metavar='X.Y.Z', help='the datadog-checks-base of the Agent')
    option.add_format(parser)
    option.add_no_code(parser, 'the whole command')
    parser.add_argument('--verbose', action='store_true', help='show the traceback of an error')


def run(options: Namespace) -> int:
    """Return 0 if every run succeeded and 1 if the check failed.

    Raises UnusableInputError for what the Agent would refuse.
    """
    from ddassets.agent import agent_yaml, conf_files
    from ddassets.agent.collection import Collector, LoadError
    from ddassets.agent.configuration import read_document, read_schedules, schedules, unknown_keys
    from ddassets.agent.environment import BASE_VERSION, build_wheel, create_environment, find_project, install_wheel
    from ddassets.agent.sampler import DEFAULT_SETTINGS
    from ddassets.agent.settings import read_settings
    from ddassets.agent.wheel import parse_version, read_wheel
    from ddassets.cli.check_output import Installation, failure_lines, load_report
    from ddassets.cli.check_sending import sender_to

    option.refuse_code(options)
    base_version = options.base_version or BASE_VERSION
    if parse_version(base_version) is None:
        raise UnusableInputError(f'--base-version: expected x.y.z such as {BASE_VERSION}, found {base_version!r}')
    sender = sender_to(options.send)
    with _scratch_folder() as scratch:
        # The cheap judgements come first: nothing is installed for a wheel or a file that is refused anyway.
        if options.config:
            read_schedules(options.config, str(options.config))
        settings = DEFAULT_SETTINGS
        if options.datadog_yaml:
            settings, warnings = read_settings(options.datadog_yaml)
            for warning in warnings:
                log(f'warning: {warning}')
        if options.path.suffix == '.whl':
            path = options.path
        else:
            project = find_project(options.path)
            log(f'building the wheel of {project}')
            path = build_wheel(project, scratch)
        wheel = read_wheel(path, base_version)
        log(f'installing {path.name} beside datadog-checks-base {base_version}')
        environment = create_environment(scratch, base_version)
        install_wheel(environment, path, options.constraints)
        data = environment.site_packages / 'datadog_checks' / wheel.integration / 'data'
        name = f'{wheel.integration}.d'
        directory = scratch / 'conf.d' / name
        conf_files.copy(data, directory)
        files = conf_files.plan(data, (options.confd or scratch / 'none') / name)
        configuration = conf_files.enable(directory, options.config)
        shown = str(options.config or f'{path.name}: data/conf.yaml.example')
        document = read_document(configuration, shown)
        plan = schedules(document, shown)
        warnings = [*unknown_keys(document), *(schedule.warning for schedule in plan if schedule.warning)]
        warnings += [f'data/{file.path}: {file.note}' for file in files if file.note]
        if not wheel.named.accepted:
            warnings.append(f'as a published integration the Agent would refuse this wheel: {wheel.named.reason}')
        for warning in warnings:
            log(f'warning: {warning}')
        configuration.write_text(agent_yaml.dump(document), encoding='utf-8')
        try:
            with Collector(environment, wheel.integration, configuration, plan, options.timeout, settings) as collector:
                return _collect(collector, Installation(wheel, files), options, sender)
        except LoadError as error:
            log(f'{wheel.integration}: the check failed:')
            log_lines('\n'.join(failure_lines(error.failure, options.verbose)))
            if options.format != 'text':
                write(render(options.format, load_report(wheel.integration, error.failure, options.path)))
            return FAILED


def _collect(collector: 'Collector', installation: 'Installation', options: Namespace, sender: 'Sender | None') -> int:
    from ddassets.agent.collection import collect
    from ddassets.cli.check_output import report, runs_text, succeeded

    times, interval = (2, 1.0) if options.rate else (options.times, None)
    for runs in collect(collector, times, interval, _wait):
        if options.format == 'text':
            write(f'{runs_text(runs, times)}\n')
            sys.stdout.flush()
        if sender:
            sender.send(runs, int(time.time()))
    write(render(options.format, report(collector, installation, options.path, options.verbose)))
    return FINE if succeeded(collector) and not (sender and sender.failed) else FAILED


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


def _wait(moment: float, instances: 'list[Instance]') -> None:
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
                log(f'{text} {left:.0f} s')
            shown = True

        yield once
        return

    def every(left: float) -> None:
        print(f'\r\033[K{text} {left:.0f} s', end='', file=sys.stderr, flush=True)

    try:
        yield every
    finally:
        print('\r\033[K', end='', file=sys.stderr, flush=True)
