"""`ddassets doctor`: diagnose the connection to Datadog, one line for each link."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ddassets.cli import option
from ddassets.cli.exit_code import FAILED, FINE
from ddassets.output.formats.json import dump
from ddassets.output.terminal import Paint, Screen, bounded, write

if TYPE_CHECKING:
    from ddassets.org.doctor import Finding

HELP = 'diagnose the connection to Datadog: keys, site, clock, metric, monitors, notification rules'
DESCRIPTION = (
    'Print one line for each link, with advice if it is broken. If the site does not know the API key, doctor asks '
    "Datadog's other sites, to distinguish a wrong site from a wrong key."
)
EPILOG = f'{option.ENVIRONMENT} Exit codes: 0 no link is broken; 1 a link is broken; 2 unusable input'
# The width of the column of subjects, and the column where texts begin.
_SUBJECT = len('notification rule')
_TEXT = _SUBJECT + 8


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'path',
        type=option.path,
        nargs='?',
        metavar='PATH',
        help='an integration, to check its metric, monitors and notification rules too',
    )
    parser.add_argument('--metric', metavar='NAME', help="the metric to check, instead of the manifest's")
    option.add_narrowing(parser, "the metric's series")
    option.add_json(parser)
    option.add_connection(parser)
    option.add_limits(parser)


def run(options: Namespace) -> int:
    """Return 1 if a link is broken. Raises UnusableInputError for unusable input."""
    from ddassets.cli.organisation import connection
    from ddassets.org.changes import Changes, check_handles
    from ddassets.org.desired import read_assets
    from ddassets.org.doctor import DoctorOptions, examine

    tags = option.narrowing_tags(options)
    check_handles(Changes(tags=tags))
    assets = read_assets(options.path) if options.path else None
    link = connection(options)
    account = link.account()
    findings = []
    paint = Paint.of_output()
    for finding in examine(DoctorOptions(options.path, link, options.metric, tags), account, assets):
        findings.append(finding)
        if options.format == 'text':
            write(bounded(_line(finding, paint)))
    failed = any(finding.level == 'fail' for finding in findings)
    if options.format == 'json':
        document = {'ok': not failed, 'site': account.site, 'findings': [vars(finding) for finding in findings]}
        write(dump(document))
    return FAILED if failed else FINE


def _line(finding: 'Finding', paint: Paint) -> str:
    colour = {'ok': '32', 'warn': '33', 'fail': '31'}[finding.level]
    screen = Screen.of_output()
    first, *more = screen.wrapped(f'{finding.level:<4}  {finding.subject:<{_SUBJECT}}  {finding.text}', 0, _TEXT)
    lines = [first.replace(finding.level, paint(colour, finding.level), 1), *more]
    if finding.advice:
        lines += screen.wrapped(finding.advice, _TEXT, 0)
    return ''.join(f'{line}\n' for line in lines)
