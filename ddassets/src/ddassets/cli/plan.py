"""`ddassets plan`: print what `apply` would change."""

from argparse import ArgumentParser, Namespace

from ddassets.cli import option
from ddassets.cli.exit_code import FAILED, FINE

HELP = 'show what applying the assets to a Datadog organisation would change'
DESCRIPTION = (
    "Compare an integration's dashboards, monitors, downtimes and notification rules with what an organisation holds."
)
EPILOG = f'{option.ENVIRONMENT} Exit codes: 0 nothing to do; 1 there are changes; 2 unusable input, or no answer'


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'path',
        type=option.path,
        metavar='PATH',
        help='the folder of an integration; plan compares a source, too: a Terraform state, an export',
    )
    option.add_notify(parser, "add a recipient to the monitors' and downtimes' messages")
    parser.add_argument(
        '--redirect', metavar='@HANDLE', help='replace every @-handle in messages with this one, for trials'
    )
    parser.add_argument(
        '--timezone', metavar='ZONE', help='the time zone of every downtime, such as Europe/Berlin, in place of its own'
    )
    option.add_narrowing(parser, "the monitors' queries, the downtimes' scopes and the dashboards")
    add_selection(parser)


def add_selection(parser: ArgumentParser) -> None:
    """Add the options that apply and destroy have too: the selection of assets, and the connection."""
    parser.add_argument(
        '--only',
        action='append',
        default=[],
        metavar='WHICH',
        help='a kind (monitors), a name (spool_full) or both (monitors/spool_*); may be repeated',
    )
    parser.add_argument('--overwrite', action='store_true', help='overwrite manual changes made since the last apply')
    option.add_dry_run(parser, 'what would be sent')
    option.add_format(parser)
    option.add_connection(parser)
    option.add_limits(parser)


def run(options: Namespace) -> int:
    """Return 1 if there is something to do. Raises UnusableInputError."""
    from ddassets.cli.organisation import compared, dry_run, plan_options, planned, show, source_of
    from ddassets.org.plan import Action

    wanted = plan_options('plan', options)
    source = source_of(wanted.path)
    if wanted.dry_run and source is None:
        return dry_run(wanted)
    organisation, plan = planned(wanted) if source is None else compared(wanted, source)
    show(wanted, organisation, plan)
    return FAILED if plan.changes or plan.of(Action.REFUSE) else FINE
