"""`ddassets sandbox`: a Datadog organisation on this machine."""

import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddassets.cli import option
from ddassets.cli.exit_code import FINE
from ddassets.output.terminal import log, printable, shown_path, write

if TYPE_CHECKING:
    from ddassets.sandbox.keys import NewKeys
    from ddassets.sandbox.request import Answer
    from ddassets.sandbox.server import Server

HELP = 'run a Datadog organisation on this machine, without an account'
DESCRIPTION = (
    'Run a Datadog organisation on this machine. An Agent submits metrics, runs of checks, events and the metadata of '
    'its host; plan, apply, destroy, snapshot and doctor use it. It listens on loopback alone and sends nothing to '
    'anybody. Its keys are made and shown at the first start.'
)
EPILOG = 'exit codes: 0 ended by Ctrl-C; 2 unusable input'
PORT = 9700


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        '--data',
        type=option.path,
        metavar='DIR',
        help='the folder of the organisation, made if it is missing; one in the user\'s data by default',
    )
    parser.add_argument('--port', type=_port, default=PORT, metavar='N', help=f'port; 0 takes a free one ({PORT})')
    parser.add_argument(
        '--listen',
        default='127.0.0.1',
        metavar='ADDRESS',
        help='address to listen on (127.0.0.1); with another one, others reach the organisation, without encryption',
    )
    parser.add_argument(
        '--name',
        action='append',
        default=[],
        metavar='HOST',
        help='accept requests to this name of the machine too; may be repeated',
    )
    parser.add_argument(
        '--webhook', default='', metavar='URL', help='call this address on this machine for each notification'
    )
    parser.add_argument('--new-keys', action='store_true', help='replace the keys and show the new ones')
    parser.add_argument('--quiet', action='store_true', help='do not show requests')
    parser.add_argument('--verbose', action='store_true', help='show the traceback of an unexpected error')


def run(options: Namespace) -> int:
    """Serve until Ctrl-C. Raises UnusableInputError for a folder or a port that cannot be used."""
    from ddassets.sandbox.keys import open_keys
    from ddassets.sandbox.mailbox import Mailbox
    from ddassets.sandbox.sandbox import Sandbox
    from ddassets.sandbox.server import Server, is_loopback
    from ddassets.sandbox.store import Store
    from ddassets.sandbox.webhook import Webhook

    folder = options.data or _default_folder()
    with Store(folder) as store:
        keys, new = open_keys(store, options.new_keys)
        mailbox = Mailbox(store, folder / 'mail', Webhook(options.webhook) if options.webhook else None)
        server = Server(
            Sandbox(store, keys, mailbox=mailbox), options.port, options.listen, options.name, _show(options.quiet)
        )
        if not is_loopback(options.listen):
            log(f'warning: {options.listen} can be reached from other machines, without encryption')
        with server:
            _welcome(server, folder, new)
            ended = threading.Event()
            signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
            try:
                while not ended.wait(1):
                    pass
            except KeyboardInterrupt:
                write('\n')
    return FINE


def _default_folder() -> Path:
    data = os.environ.get('XDG_DATA_HOME') or Path.home() / '.local' / 'share'
    return Path(data) / 'ddassets' / 'sandbox'


def _welcome(server: 'Server', folder: Path, new: 'NewKeys | None') -> None:
    write(f'A Datadog organisation at {server.url}, kept in {printable(shown_path(folder))}.\n\n')
    if new:
        write('Its keys, which are not shown again (--new-keys replaces them). In another terminal:\n\n')
        write(f'  export DDASSETS_API_URL={server.url} DD_API_KEY={new.api_key} DD_APP_KEY={new.app_key}\n')
    else:
        write('Its keys are those of the first start (--new-keys replaces them). In another terminal:\n\n')
        write(f'  export DDASSETS_API_URL={server.url}\n')
    write('  ddassets apply my_metric\n\nUntil Ctrl-C, the requests:\n')
    sys.stdout.flush()


def _show(quiet: bool) -> Any:
    def show(method: str, path: str, answer: 'Answer') -> None:
        if not quiet:
            instant = time.strftime('%H:%M:%S')
            why = answer.note
            if answer.status >= 400 and isinstance(answer.body, dict):
                why = '; '.join(map(str, answer.body.get('errors', ())))
            write(f'  {instant}  {method:<6} {printable(path)[:120]}  {answer.status}  {printable(why)[:300]}'.rstrip())
            write('\n')
            sys.stdout.flush()

    return show


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise ArgumentTypeError(f'expected a port of 0 to 65535, found {text!r}')
    return int(text)
