"""The command line: parse, call, print. Exit codes: 0 fine, 1 failed, 2 unusable input, 130 interrupted."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from ddassets.errors import UnusableInputError

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
        # The reader of our output has gone (`| head`); nothing more can be said to it, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


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
    check.add_argument('path', type=Path, metavar='PATH', help='the folder of an integration, or a wheel (.whl)')
    check.add_argument('--config', type=Path, metavar='FILE', help='use FILE as conf.yaml instead of the example')
    often = check.add_mutually_exclusive_group()
    often.add_argument('--times', type=_count, default=1, metavar='N', help='collect N times, at the real interval')
    often.add_argument('--rate', action='store_true', help='collect twice, one second apart')
    check.add_argument('--timeout', type=_seconds, default=60.0, metavar='S', help='seconds that one run may take (60)')
    check.add_argument('--base-version', metavar='X.Y.Z', help='the datadog-checks-base of the Agent')
    check.add_argument('--json', action='store_true', help='print one JSON document')
    check.add_argument('--verbose', action='store_true', help='show the traceback of an error')
    check.set_defaults(run=_check)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
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


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'expected a whole number from 1, found {text!r}')
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f'expected seconds above 0, at most 86400, found {text!r}')
    return value
