"""The options of plan, apply, destroy, snapshot and doctor. Nothing heavy is imported before a command runs."""

import argparse
from typing import TYPE_CHECKING

from ddassets.cli import argument

if TYPE_CHECKING:
    from ddassets.org.command import Connection, PlanOptions

ENVIRONMENT = (
    'Keys: DD_API_KEY and DD_APP_KEY, or a file that --keys-from names (NAME=value lines, mode 0600). Site: DD_SITE '
    'or --site. Proxies: HTTPS_PROXY and NO_PROXY. Keys are never printed.'
)


def add_commands(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    plan = commands.add_parser(
        'plan',
        help='say what applying the assets to a Datadog organisation would change',
        description="Compare an integration's dashboards, monitors and downtimes with what an organisation holds.",
        epilog=f'{ENVIRONMENT} Exit codes: 0 nothing to do; 1 there are changes; 2 unusable input, or no answer',
    )
    _add_plan_options(plan)
    plan.set_defaults(run=_plan, yes=False)
    apply = commands.add_parser(
        'apply',
        help='bring the assets into a Datadog organisation',
        description='Show the plan, ask, and make the organisation hold what the files say. Applying twice does no '
        'more than applying once; after an interruption, run it again.',
        epilog=f'{ENVIRONMENT} Exit codes: 0 done; 1 something failed or was left alone; 2 unusable input, nothing was '
        'changed',
    )
    _add_plan_options(apply)
    apply.add_argument('--yes', action='store_true', help='do not ask')
    apply.set_defaults(run=_apply)
    destroy = commands.add_parser(
        'destroy',
        help='take the assets out of a Datadog organisation',
        description="Delete what bears the marker of the integration, and nothing else.",
        epilog=f'{ENVIRONMENT} Exit codes: 0 done; 1 something failed or was left alone; 2 unusable input, nothing was '
        'changed',
    )
    destroy.add_argument('path', type=argument.path, metavar='PATH', help='the folder of the integration')
    _add_choice(destroy)
    destroy.add_argument('--yes', action='store_true', help='do not ask')
    destroy.set_defaults(run=_destroy, notify=[], redirect=None, host=[], tag=[])
    _add_snapshot(commands)
    _add_doctor(commands)


MENTIONS = (
    'A mention in the text of an event sends mail, or a message to Slack or a webhook: so says a page of the '
    'documentation that is marked as a draft, and the reference of the API speaks of the notation of events as known. '
    'Whether it is so on each site is not documented: look once whether it arrives.'
)


def _add_snapshot(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    snapshot = commands.add_parser(
        'snapshot',
        help="post a picture of a widget's graph as an event, and mention whoever has to see it",
        description="Draw a widget's query over the past minutes by Datadog's snapshot API, wait for the picture to be "
        f'really there, and post an event that carries it. {MENTIONS}',
        epilog=f'{ENVIRONMENT} Exit codes: 0 posted; 1 the picture or the event did not come about; 2 unusable input',
    )
    snapshot.add_argument('path', type=argument.path, metavar='PATH', help='the folder of an integration')
    snapshot.add_argument(
        '--widget', metavar='TITLE', help='the title of the widget; without it, the titles are listed'
    )
    snapshot.add_argument('--dashboard', metavar='NAME', help='the dashboard that has it, by title or file name')
    snapshot.add_argument(
        '--last', type=argument.length, default=300, metavar='LENGTH', help='such as 5m (default), 4h or 1d'
    )
    snapshot.add_argument(
        '--notify', action='append', default=[], metavar='@HANDLE', help='mention someone; may be repeated'
    )
    _add_narrowing(snapshot, "narrow the widget's query to a tag; may be repeated")
    snapshot.add_argument(
        '--wait', type=argument.seconds(3600), default=60.0, metavar='S', help='seconds to wait for the picture (60)'
    )
    snapshot.add_argument('--dry-run', action='store_true', help='show query and event; needs no network and no keys')
    snapshot.add_argument('--json', action='store_true', help='print one JSON document')
    add_connection(snapshot)
    snapshot.set_defaults(run=_snapshot)


def _add_doctor(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    doctor = commands.add_parser(
        'doctor',
        help='examine the way to Datadog: keys, site, clock, the metric, the monitors',
        description='One line for each link, with what to do where it is broken. Where a site does not know the API '
        "key, Datadog's other sites are asked, so that a wrong site is told from a wrong key.",
        epilog=f'{ENVIRONMENT} Exit codes: 0 no link is broken; 1 one is; 2 unusable input',
    )
    doctor.add_argument(
        'path',
        type=argument.path,
        nargs='?',
        metavar='PATH',
        help='an integration, whose metric and monitors are examined too',
    )
    doctor.add_argument('--metric', metavar='NAME', help="another metric than that of the manifest's check")
    _add_narrowing(doctor, "look at the metric's series with this tag alone; may be repeated")
    doctor.add_argument('--json', action='store_true', help='print one JSON document')
    add_connection(doctor)
    doctor.set_defaults(run=_doctor)


def _add_narrowing(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument('--host', action='append', default=[], metavar='NAME', help='the same as --tag host:NAME')
    parser.add_argument('--tag', action='append', default=[], metavar='KEY:VALUE', help=help)


def _add_plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('path', type=argument.path, metavar='PATH', help='the folder of an integration')
    parser.add_argument(
        '--notify',
        action='append',
        default=[],
        metavar='@HANDLE',
        help="add a recipient to the monitors' and downtimes' messages; may be repeated",
    )
    parser.add_argument(
        '--redirect',
        metavar='@HANDLE',
        help='put one handle in place of all in the messages, so that a trial wakes nobody',
    )
    _add_narrowing(
        parser, "narrow the monitors' queries, the downtimes' scopes and the dashboards to a tag; may be repeated"
    )
    _add_choice(parser)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--only',
        action='append',
        default=[],
        metavar='WHICH',
        help='a kind (monitors), a name (spool_full) or both (monitors/spool_*); may be repeated',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='go over what was changed by hand in Datadog since it was applied'
    )
    parser.add_argument('--dry-run', action='store_true', help='show what would be sent; needs no network and no keys')
    parser.add_argument('--json', action='store_true', help='print one JSON document')
    add_connection(parser)


def add_connection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('connection')
    group.add_argument('--site', metavar='SITE', help='such as datadoghq.eu; DD_SITE, or datadoghq.com, by default')
    group.add_argument(
        '--keys-from', type=argument.path, metavar='FILE', help='read the keys from FILE, which has mode 0600'
    )
    group.add_argument(
        '--api-url', metavar='URL', help='another address of the API, such as a gateway; DDASSETS_API_URL by default'
    )
    group.add_argument(
        '--timeout', type=argument.seconds(3600), default=30.0, metavar='S', help='seconds for one request (30)'
    )
    group.add_argument('--verbose', action='store_true', help='tell each request on standard error')


def _connection(options: argparse.Namespace) -> 'Connection':
    from ddassets.org.command import Connection

    return Connection(options.site, options.api_url, options.keys_from, options.timeout, options.verbose)


def _options(options: argparse.Namespace) -> 'PlanOptions':
    from ddassets.org.command import PlanOptions
    from ddassets.org.wanted import Changes, Selection

    return PlanOptions(
        path=options.path,
        connection=_connection(options),
        selection=Selection(options.only),
        changes=Changes(options.notify, options.redirect, _tags(options)),
        overwrite=options.overwrite,
        as_json=options.json,
        dry_run=options.dry_run,
        yes=options.yes,
    )


def _plan(options: argparse.Namespace) -> int:
    from ddassets.org.command import plan

    return plan(_options(options))


def _apply(options: argparse.Namespace) -> int:
    from ddassets.org.command import apply

    return apply(_options(options))


def _destroy(options: argparse.Namespace) -> int:
    from ddassets.org.command import destroy

    return destroy(_options(options))


def _snapshot(options: argparse.Namespace) -> int:
    from ddassets.org.snapshot import SnapshotOptions, snapshot
    from ddassets.org.wanted import Changes

    return snapshot(
        SnapshotOptions(
            path=options.path,
            widget=options.widget,
            connection=_connection(options),
            dashboard=options.dashboard,
            last=options.last,
            changes=Changes(options.notify, tags=_tags(options)),
            wait=options.wait,
            as_json=options.json,
            dry_run=options.dry_run,
        )
    )


def _doctor(options: argparse.Namespace) -> int:
    from ddassets.org.doctor import DoctorOptions, doctor

    return doctor(DoctorOptions(options.path, _connection(options), options.metric, _tags(options), options.json))


def _tags(options: argparse.Namespace) -> tuple[str, ...]:
    return (*(f'host:{name}' for name in options.host), *options.tag)
