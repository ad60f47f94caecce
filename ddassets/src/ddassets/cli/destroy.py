"""`ddassets destroy`: delete the objects with the marker of the integration."""

from argparse import ArgumentParser, Namespace

from ddassets.cli import option, plan
from ddassets.cli.exit_code import FINE
from ddassets.diagnostic import UnusableInputError
from ddassets.output.formats import render
from ddassets.output.report import Case, Report
from ddassets.output.terminal import write

HELP = 'delete the assets from a Datadog organisation'
DESCRIPTION = 'Delete the objects with the marker of the integration, and nothing else.'
EPILOG = (
    f'{option.ENVIRONMENT} Exit codes: 0 done; 1 something failed or was left alone; 2 unusable input, nothing was '
    'changed'
)


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument('path', type=option.path, metavar='PATH', help='the folder of the integration')
    plan.add_selection(parser)
    option.add_yes(parser)


def run(options: Namespace) -> int:
    """Return 1 if something failed, was left alone or was declined. Raises UnusableInputError."""
    from ddassets.cli.organisation import carry_out_plan, check_answerable, organisation_of, plan_options, source_of
    from ddassets.org.client import ApiError
    from ddassets.org.comparison import refuse_source
    from ddassets.org.desired import integration_name, read_assets
    from ddassets.org.plan import make_removal

    wanted = plan_options('destroy', options)
    if source := source_of(wanted.path):
        refuse_source(source, 'destroy')
    integration = integration_name(read_assets(wanted.path))
    selection = wanted.selection
    if wanted.dry_run:
        kinds = ', '.join(kind.plural for kind in selection.kinds())
        text = f'destroy would look for {kinds} that carry the marker of {integration}, show them and ask.'
        document = {'integration': integration, 'dry_run': True}
        write(render(wanted.format, Report('destroy', text, document, cases=[Case(integration, 'dry run')])))
        return FINE
    check_answerable(wanted)
    organisation = organisation_of(wanted, integration)
    try:
        stored = organisation.find(selection.kinds()).stored
    except ApiError as error:
        raise UnusableInputError(str(error)) from None
    selection.check([(item.kind, item.marker.name) for item in stored])
    chosen = [item for item in stored if selection.covers(item.kind, item.marker.name)]
    removal = make_removal(integration, chosen, overwrite=wanted.overwrite)
    return carry_out_plan(wanted, organisation, removal, 'Delete this?')
