"""The command line: one module per command, imported when the command is called.

A command's module has HELP (one line), DESCRIPTION, EPILOG, `add_options(parser)` and `run(options)`, which returns
the exit code.
"""

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from ddassets.cli.exit_code import INTERRUPTED, UNUSABLE
from ddassets.cli.parser import Parser
from ddassets.diagnostic import UnusableInputError
from ddassets.extras import missing_extra
from ddassets.nearest import did_you_mean
from ddassets.output.terminal import write

#: In the order of the help text.
COMMANDS = ('lint', 'rules', 'explain', 'rehearse', 'check', 'plan', 'apply', 'destroy', 'snapshot', 'doctor')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ddassets` and return its exit code. Unusable arguments raise SystemExit with code 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name, options = _parse(words)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code: int = command_module(name).run(options)
        sys.stdout.flush()
        return code
    except UnusableInputError as error:
        return _refuse(error, name, options)
    except ModuleNotFoundError as error:
        unusable = missing_extra(error, f'ddassets {name}')
        if unusable is None:
            raise
        return _refuse(unusable, name, options)
    except KeyboardInterrupt:
        print('ddassets: interrupted', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has gone (`| head`).
        _discard_output()
        return INTERRUPTED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _discard_output()
        print(f'ddassets: error: cannot write: {error.strerror}', file=sys.stderr)
        return UNUSABLE


def command_module(name: str) -> ModuleType:
    """Return the module of a command. It imports what the command needs only when it runs."""
    return importlib.import_module(f'ddassets.cli.{name}')


def command_parser(name: str) -> Parser:
    """Return the parser of one command's options."""
    module = command_module(name)
    parser = Parser(prog=f'ddassets {name}', description=module.DESCRIPTION, epilog=module.EPILOG)
    module.add_options(parser)
    return parser


def _parse(words: Sequence[str]) -> tuple[str, argparse.Namespace]:
    """Return the command's name and its options."""
    name = words[0] if words else ''
    if name in COMMANDS:
        return name, command_parser(name).parse_command(words[1:])
    parser = Parser(prog='ddassets', description='Prove the assets of a Datadog Agent integration.')
    parser.add_argument('--version', action='store_true', help='print the version and exit')
    commands = parser.add_subparsers(title='commands', metavar='COMMAND')
    if not name:
        parser.error('no command')
    if not name.startswith('-'):
        parser.error(f'unknown command {name!r}{did_you_mean(name, COMMANDS)}; commands: {", ".join(COMMANDS)}')
    if '--help'.startswith(name) or name == '-h':
        for command in COMMANDS:
            commands.add_parser(command, help=command_module(command).HELP)
    if parser.parse_command(words).version:
        from importlib.metadata import version

        print(f'ddassets {version("ddassets")}')
        raise SystemExit(0)
    parser.error('no command')


def _refuse(error: UnusableInputError, name: str, options: argparse.Namespace) -> int:
    """Report input that cannot be used: as text on standard error, and in the format that was asked for."""
    print(f'ddassets: error: {error}', file=sys.stderr)
    if error.details:
        print('\n'.join('  ' + line for line in error.details.splitlines()), file=sys.stderr)
    if (form := getattr(options, 'format', 'text')) != 'text':
        from ddassets.output.formats import render
        from ddassets.output.report import refusal

        paths = getattr(options, 'paths', None) or [getattr(options, 'path', None) or Path('.')]
        write(render(form, refusal(error, name, paths[0])))
    return UNUSABLE


def _discard_output() -> None:
    """Redirect standard output to nowhere: not even its buffer can be written at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> NoReturn:
    """Leave by an exception, so that the scratch folder and the process of the check are cleaned up."""
    raise SystemExit(128 + number)
