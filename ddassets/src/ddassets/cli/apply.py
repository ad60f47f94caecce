"""`ddassets apply`: show the plan, ask, and carry it out."""

from argparse import ArgumentParser, Namespace

from ddassets.cli import option, plan

HELP = 'create or update the assets in a Datadog organisation'
DESCRIPTION = (
    'Show the plan, ask, and create, update or delete objects until the organisation matches the files. A second apply '
    'changes nothing. After an '
    'interruption, run it again.'
)
EPILOG = (
    f'{option.ENVIRONMENT} Exit codes: 0 done; 1 something failed or was left alone; 2 unusable input, nothing was '
    'changed'
)


def add_options(parser: ArgumentParser) -> None:
    plan.add_options(parser)
    option.add_yes(parser)


def run(options: Namespace) -> int:
    """Return 1 if something failed, was left alone or was declined.

    Raises UnusableInputError before anything is changed.
    """
    from ddassets.cli.organisation import carry_out_plan, check_answerable, dry_run, plan_options, planned, source_of
    from ddassets.org.comparison import refuse_source

    wanted = plan_options('apply', options)
    if source := source_of(wanted.path):
        refuse_source(source, 'apply')
    if wanted.dry_run:
        return dry_run(wanted)
    check_answerable(wanted)
    organisation, changes = planned(wanted)
    return carry_out_plan(wanted, organisation, changes, 'Apply this?')
