"""The command line: parse, call, print. Exit codes: 0 fine, 1 failed, 2 unusable input, 130 interrupted."""

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from ddassets.cli import argument
from ddassets.diagnostic import UnusableInputError
from ddassets.org.arguments import add_commands

UNUSABLE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ddassets` and return its exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except UnusableInputError as error:
        print(f'ddassets: error: {error}', file=sys.stderr)
        if error.details:
            print('\n'.join('  ' + line for line in error.details.splitlines()), file=sys.stderr)
        if getattr(options, 'json', False):
            print(json.dumps({'ok': False, 'error': str(error), 'details': error.details}, indent=2))
        return UNUSABLE
    except KeyboardInterrupt:
        print('ddassets: interrupted', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`).
        _fall_silent()
        return INTERRUPTED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _fall_silent()
        print(f'ddassets: error: cannot write: {error.strerror}', file=sys.stderr)
        return UNUSABLE


def _fall_silent() -> None:
    """Nothing more can be said on standard output, not even what is left in its buffer at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> NoReturn:
    """Leave by an exception, so that the scratch folder and the process of the check are cleaned up."""
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='ddassets', description='Prove the assets of a Datadog Agent integration.')
    parser.add_argument('--version', action=_Version, nargs=0, help='print the version and exit')
    commands = parser.add_subparsers(title='commands', required=True, metavar='COMMAND')
    check = commands.add_parser(
        'check',
        help='install a wheel by the rules of the Agent, run it, and show what the Agent would submit',
        description='Build and install an integration as `datadog-agent integration install -w` does, in a scratch '
        'environment, run its instances as the Agent does, and print what the Agent would submit.',
        epilog='exit codes: 0 fine; 1 the check failed; 2 the Agent would refuse the wheel or the configuration',
    )
    check.add_argument(
        'path', type=argument.path, metavar='PATH', help='the folder of an integration, or a wheel (.whl)'
    )
    check.add_argument(
        '--config', type=argument.path, metavar='FILE', help='use FILE as conf.yaml instead of the example'
    )
    often = check.add_mutually_exclusive_group()
    often.add_argument(
        '--times', type=argument.count, default=1, metavar='N', help='collect N times, at the real interval'
    )
    often.add_argument('--rate', action='store_true', help='collect twice, one second apart')
    check.add_argument(
        '--timeout', type=argument.seconds(86400), default=60.0, metavar='S', help='seconds that one run may take (60)'
    )
    check.add_argument('--base-version', metavar='X.Y.Z', help='the datadog-checks-base of the Agent')
    check.add_argument('--json', action='store_true', help='print one JSON document')
    check.add_argument('--verbose', action='store_true', help='show the traceback of an error')
    check.set_defaults(run=_check)
    _add_lint(commands)
    _add_rehearse(commands)
    add_commands(commands)
    return parser


def _add_lint(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    lint = commands.add_parser(
        'lint',
        help='find what cannot work in dashboards, monitors, downtimes and metadata',
        description='Read the assets of an integration, or of each in a checkout, and say what cannot work.',
        epilog='exit codes: 0 fine; 1 there are errors or warnings (see --fail-on); 2 unusable input',
    )
    severities = ('note', 'warning', 'error')
    lint.add_argument(
        'paths', type=argument.path, nargs='+', metavar='PATH', help='an integration, or a checkout of many'
    )
    lint.add_argument('--format', choices=('text', 'json', 'github', 'sarif', 'junit'), default='text')
    lint.add_argument('--severity', choices=severities, default='note', help='show findings of this severity and worse')
    lint.add_argument(
        '--fail-on', choices=(*severities, 'never'), default='warning', help='exit with 1 for this severity and worse'
    )
    lint.add_argument(
        '--emission',
        type=argument.path,
        action='append',
        default=[],
        metavar='FILE',
        help='what `ddassets check --json` printed',
    )
    lint.set_defaults(run=_lint)
    rules = commands.add_parser('rules', help='list the rules of lint')
    rules.set_defaults(run=_rules)
    explain = commands.add_parser('explain', help='explain a rule of lint')
    which = explain.add_mutually_exclusive_group(required=True)
    which.add_argument('rule', nargs='?', metavar='RULE', help='such as metric/unknown')
    which.add_argument('--all', action='store_true', help='all rules, as the page of the documentation')
    explain.set_defaults(run=_explain)


def _add_rehearse(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    rehearse = commands.add_parser(
        'rehearse',
        help='which notifications would the monitors send for this signal, under these downtimes?',
        description='Run scenarios (rehearsals/*.yaml of an integration) against its monitors and downtimes, offline.',
        epilog='exit codes: 0 fine; 1 an expectation failed; 2 unusable input, such as a monitor outside the subset',
    )
    rehearse.add_argument(
        'paths', type=argument.path, nargs='+', metavar='PATH', help='an integration, or scenario files'
    )
    rehearse.add_argument('--format', choices=('text', 'json', 'junit'), default='text')
    rehearse.add_argument('--inbox', type=argument.count, default=30, metavar='N', help='show N messages (30)')
    rehearse.add_argument(
        '--explain', metavar='INSTANT', help="say why the state is what it is, at a time of the scenario's"
    )
    rehearse.add_argument('--monitor', metavar='NAME', help='of --explain: this monitor only')
    rehearse.add_argument('--group', metavar='TAGS', help='of --explain: this group only, such as host:alpha')
    rehearse.add_argument('--write', action='store_true', help='fill the expectations in from the run, to be reviewed')
    rehearse.add_argument(
        '--min-coverage',
        type=argument.per_cent,
        metavar='N',
        help='fail where the files together reach less than N per cent',
    )
    rehearse.add_argument('--report', type=argument.path, metavar='DIR', help='write a page to look at into DIR')
    rehearse.add_argument('--open', action='store_true', help='of --report: open the page in a browser')
    rehearse.set_defaults(run=_rehearse)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f'ddassets {version("ddassets")}')
        parser.exit()


def _check(options: argparse.Namespace) -> int:
    from ddassets.agent.command import CheckOptions, check
    from ddassets.agent.environment import BASE_VERSION
    from ddassets.agent.wheel import parse_version

    base_version = options.base_version or BASE_VERSION
    if parse_version(base_version) is None:
        raise UnusableInputError(f'--base-version: expected x.y.z such as {BASE_VERSION}, found {base_version!r}')
    return check(
        CheckOptions(
            path=options.path,
            base_version=base_version,
            configuration=options.config,
            times=options.times,
            rate=options.rate,
            time_limit=options.timeout,
            as_json=options.json,
            verbose=options.verbose,
        )
    )


def _lint(options: argparse.Namespace) -> int:
    from ddassets.diagnostic import Severity
    from ddassets.lint.command import LintOptions, lint

    return lint(
        LintOptions(
            paths=options.paths,
            emissions=options.emission,
            format=options.format,
            severity=Severity[options.severity.upper()],
            fail_on=None if options.fail_on == 'never' else Severity[options.fail_on.upper()],
        )
    )


def _rules(options: argparse.Namespace) -> int:
    from ddassets.lint.command import show_rules

    return show_rules()


def _explain(options: argparse.Namespace) -> int:
    from ddassets.lint.command import show_explanation

    return show_explanation(None if options.all else options.rule)


def _rehearse(options: argparse.Namespace) -> int:
    from ddassets.rehearsal.command import RehearseOptions, run

    if options.explain is None and (options.monitor is not None or options.group is not None):
        raise UnusableInputError('--monitor and --group choose what --explain is about')
    if options.open and options.report is None:
        raise UnusableInputError('--open opens the page of --report DIR')
    if options.write and options.explain is not None:
        raise UnusableInputError('--write and --explain exclude each other')
    if options.write and options.report is not None:
        # The page would judge by what the files said before.
        raise UnusableInputError('--write and --report exclude each other: review, then ask for the page')
    if options.format != 'text' and (options.write or options.explain is not None):
        raise UnusableInputError(f'--format {options.format}: --write and --explain give text alone')
    return run(
        RehearseOptions(
            paths=options.paths,
            format=options.format,
            inbox=options.inbox,
            explain=options.explain,
            monitor=options.monitor,
            group=options.group,
            write=options.write,
            min_coverage=options.min_coverage,
            report=options.report,
            open=options.open,
        )
    )
