"""Values and options that several commands share, each defined once.

A function that reads a value raises ArgumentTypeError with what is expected and what was found.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from ddassets import duration
from ddassets.nearest import did_you_mean
from ddassets.output.formats import names

ENVIRONMENT = (
    'Keys: DD_API_KEY and DD_APP_KEY, or a file given by --keys-from (NAME=value lines, mode 0600). Site: DD_SITE '
    'or --site. Proxies: HTTPS_PROXY and NO_PROXY. Keys are never printed.'
)
_MAX_LENGTH = 366 * 86400


def path(text: str) -> Path:
    """Read a path. An unset shell variable would be the current folder to pathlib, so it is refused."""
    if not text:
        raise ArgumentTypeError('expected a path, found an empty text')
    return Path(text)


def count(text: str) -> int:
    """Read a whole number from 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f'expected a whole number from 1, found {text!r}')
    return int(text)


def percentage(text: str) -> float:
    """Read a number from 0 to 100."""
    value = _number(text)
    if value is None or not 0 <= value <= 100:
        raise ArgumentTypeError(f'expected 0 to 100, found {text!r}')
    return value


def seconds(limit: int) -> Callable[[str], float]:
    """Return a function that reads seconds above 0 and up to `limit`."""

    def read(text: str) -> float:
        value = _number(text)
        if value is None or not 0 < value <= limit:
            raise ArgumentTypeError(f'expected seconds above 0, at most {limit}, found {text!r}')
        return value

    return read


def length(text: str) -> int:
    """Read a length of time such as 5m or 1h30m, in seconds."""
    value = duration.parse(text)
    if value is None or not 0 < value <= _MAX_LENGTH:
        raise ArgumentTypeError(f'expected a length such as 45s, 5m, 4h or 1d, at most 366d, found {text!r}')
    return value


def words(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """Return a function that reads some of the choices, with commas between them."""

    def read(text: str) -> list[str]:
        found = [word.strip() for word in text.split(',')]
        for word in found:
            if word not in choices:
                near = did_you_mean(word, choices)
                raise ArgumentTypeError(f'expected one or more of {", ".join(choices)}; found {word!r}{near}')
        return found

    return read


def add_choice(
    parser: ArgumentParser,
    name: str,
    choices: Sequence[str],
    default: str | None,
    help: str,
    metavar: str | None = None,
) -> None:
    """Add an option that takes one of some words; another word is refused with the nearest."""

    def read(text: str) -> str:
        if text not in choices:
            raise ArgumentTypeError(f'expected {", ".join(choices)}; found {text!r}{did_you_mean(text, choices)}')
        return text

    listed = metavar or '{' + ','.join(choices) + '}'
    parser.add_argument(
        name, type=read, default=default, metavar=listed, help=f'{help} ({default})' if default else help
    )


def add_format(parser: ArgumentParser) -> None:
    """Add --format, and --json for short."""
    add_choice(parser, '--format', names(), 'text', 'output format')
    parser.add_argument(
        '--json', dest='format', action='store_const', const='json', help='print one JSON document: --format json'
    )


def add_json(parser: ArgumentParser) -> None:
    """Add --json alone, where no other format makes sense: `options.format` is text or json."""
    parser.add_argument(
        '--json', dest='format', action='store_const', const='json', default='text', help='print one JSON document'
    )


def add_limits(parser: ArgumentParser, max_cpu: int = 60, max_memory: int = 1000, verbose: bool = False) -> None:
    """Add the limits of a run on files of strangers: readable paths, processor seconds, and memory in megabytes."""
    group = parser.add_argument_group('limits')
    group.add_argument(
        '--allow-outside',
        action='store_true',
        help='allow paths and links that lead out of the Git work tree, or of the folder without Git',
    )
    group.add_argument(
        '--max-cpu',
        type=seconds(864000),
        default=float(max_cpu),
        metavar='S',
        help=f'stop after S seconds of processor time ({max_cpu})',
    )
    group.add_argument(
        '--max-memory',
        type=count,
        default=max_memory,
        metavar='MB',
        help=f'limit memory to MB megabytes ({max_memory})',
    )
    if verbose:
        group.add_argument('--verbose', action='store_true', help='show the traceback of an unexpected error')


def add_no_code(parser: ArgumentParser, what: str) -> None:
    parser.add_argument('--no-code', action='store_true', help=f'refuse {what}: it runs code from the checkout')


def refuse_code(options: Namespace) -> None:
    """After --no-code, let everything that would run code of the checkout raise UnusableInputError."""
    if options.no_code:
        from ddassets.agent.process import refuse_code as refuse

        refuse('--no-code')


def add_dry_run(parser: ArgumentParser, shown: str) -> None:
    parser.add_argument('--dry-run', action='store_true', help=f'show {shown}; needs no network and no keys')


def add_yes(parser: ArgumentParser) -> None:
    parser.add_argument('--yes', action='store_true', help='do not ask for confirmation')


def add_notify(parser: ArgumentParser, help: str) -> None:
    parser.add_argument('--notify', action='append', default=[], metavar='@HANDLE', help=f'{help}; may be repeated')


def add_narrowing(parser: ArgumentParser, narrowed: str) -> None:
    """Add --host and --tag, which restrict queries to some tags."""
    parser.add_argument('--host', action='append', default=[], metavar='NAME', help='the same as --tag host:NAME')
    parser.add_argument(
        '--tag',
        action='append',
        default=[],
        metavar='KEY:VALUE',
        help=f'restrict {narrowed} to a tag; may be repeated',
    )


def narrowing_tags(options: Namespace) -> tuple[str, ...]:
    """Return the tags of --host and --tag."""
    return (*(f'host:{name}' for name in options.host), *options.tag)


def add_connection(parser: ArgumentParser) -> None:
    """Add the options of `org.connection.Connection`."""
    group = parser.add_argument_group('connection')
    group.add_argument('--site', metavar='SITE', help='such as datadoghq.eu; DD_SITE, or datadoghq.com, by default')
    group.add_argument('--keys-from', type=path, metavar='FILE', help='read the keys from FILE, which has mode 0600')
    group.add_argument(
        '--api-url', metavar='URL', help='another address of the API, such as a gateway; DDASSETS_API_URL by default'
    )
    group.add_argument('--timeout', type=seconds(3600), default=30.0, metavar='S', help='seconds per request (30)')
    group.add_argument('--verbose', action='store_true', help='log each request to stderr')


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
