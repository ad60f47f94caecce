"""The command line: one module per command, imported when the command is called.

A command's module has HELP (one line), DESCRIPTION, EPILOG, `add_options(parser)` and `run(options)`, which returns
the exit code.
"""

import argparse
import errno
import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import copy_context
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from ddassets import boundary, budget
from ddassets.budget import BudgetExceeded
from ddassets.cli.exit_code import INTERRUPTED, UNUSABLE
from ddassets.cli.parser import Parser
from ddassets.diagnostic import UnusableInputError
from ddassets.extras import missing_extra
from ddassets.nearest import did_you_mean
from ddassets.output.terminal import log, log_lines, log_unusable, write

ISSUES = 'https://github.com/my-metric-maintainers/my_metric/issues'
DESCRIPTION = (
    'Lint and rehearse Datadog monitors offline, from exported JSON, Terraform or an integration; apply an integration.'
)
#: In the order of the help text.
COMMANDS = (
    *('init', 'lint', 'rules', 'explain', 'rehearse', 'check', 'plan', 'apply', 'destroy', 'snapshot', 'doctor'),
    *('sandbox', 'completion'),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ddassets` and return its exit code. Unusable arguments raise SystemExit with code 2.

    Without `arguments`, it takes those of the process, and bounds its processor time and memory.
    """
    if sys.stderr is None:
        # Closed by the shell (2>&-).
        sys.stderr = open(os.devnull, 'w', encoding='utf-8')
    if sys.stdout is None:
        log('error: standard output is closed')
        return UNUSABLE
    if arguments is None:
        # Nearly all objects of a command live until its end, so the search for cycles finds little.
        gc.set_threshold(100_000)
    try:
        # Ctrl-C may come while a command is imported.
        name, options = _parse(list(sys.argv[1:] if arguments is None else arguments))
        with _boundary(options):
            # What a run sets for itself, such as the refusal of code, ends with it.
            return copy_context().run(_guarded, name, options, arguments is None)
    except KeyboardInterrupt:
        log('interrupted')
        return INTERRUPTED


def _guarded(name: str, options: argparse.Namespace, whole_process: bool) -> int:
    """Run a command; whatever it raises ends in a short diagnostic and an exit code."""
    seconds, megabytes = getattr(options, 'max_cpu', None), getattr(options, 'max_memory', None)
    try:
        signal.signal(signal.SIGTERM, _terminate)
        if whole_process and seconds and megabytes:
            budget.enforce(seconds, megabytes)
        code: int = command_module(name).run(options)
        sys.stdout.flush()
        return code
    except UnusableInputError as error:
        return _refuse(error, name, options)
    except BudgetExceeded:
        budget.stop()
        return _refuse(
            UnusableInputError(f'stopped after {seconds:g} s of processor time; see --max-cpu'), name, options
        )
    except MemoryError:
        budget.stop()
        limit = f'of {megabytes:g} MB' if megabytes else 'of this machine'
        return _refuse(UnusableInputError(f'stopped at the memory limit {limit}; see --max-memory'), name, options)
    except BrokenPipeError:
        # The reader of the output has gone (`| head`).
        _discard_output()
        return INTERRUPTED
    except Exception as error:
        return _unexpected(error, name, options)


def _unexpected(error: Exception, name: str, options: argparse.Namespace) -> int:
    """Report a missing extra, a full disk, closed output, or a fault of ddassets itself."""
    budget.stop()
    if isinstance(error, ModuleNotFoundError) and (unusable := missing_extra(error, f'ddassets {name}')):
        return _refuse(unusable, name, options)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EBADF, errno.EIO):
        _discard_output()
        log(f'error: cannot write: {error.strerror}')
        return UNUSABLE
    if isinstance(error, RecursionError):
        return _refuse(UnusableInputError('the input is nested too deeply'), name, options)
    log(f'error: unexpected {type(error).__name__}: {error}')
    if getattr(options, 'verbose', False):
        import traceback

        log_lines(''.join(traceback.format_exception(error)))
    else:
        log('this is a fault of ddassets; --verbose shows where')
    log(f'please report it, with the input if you can share it: {ISSUES}')
    return UNUSABLE


def _boundary(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Restrict reading to the checkouts around the paths of the command line, unless --allow-outside."""
    if getattr(options, 'allow_outside', True):
        return nullcontext()
    values = vars(options)
    given = [*(values.get('paths') or ()), *([values['path']] if values.get('path') else [])]
    own = [each for value in values.values() for each in (value if isinstance(value, list) else [value])]
    return boundary.within(
        [Path() if path == boundary.STANDARD_INPUT else path for path in given],
        [each for each in own if isinstance(each, Path)],
    )


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
    parser = Parser(prog='ddassets', description=DESCRIPTION)
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
    log_unusable(error)
    if (form := getattr(options, 'format', 'text')) != 'text':
        from ddassets.output.formats import render
        from ddassets.output.report import refusal

        paths = getattr(options, 'paths', None) or [getattr(options, 'path', None) or Path('.')]
        write(render(form, refusal(error, name, paths[0])))
    return UNUSABLE


def _discard_output() -> None:
    """Redirect standard output to nowhere: not even its buffer can be written at exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> NoReturn:
    """Leave by an exception, so that the scratch folder and the process of the check are cleaned up."""
    raise SystemExit(128 + number)
