"""`ddassets rules`: list the rules of lint."""

from argparse import ArgumentParser, Namespace

from ddassets.cli.exit_code import FINE

HELP = 'list the rules of lint'
DESCRIPTION = 'List every rule of `ddassets lint`: id, severity, reason.'
EPILOG = 'exit code: 0'


def add_options(parser: ArgumentParser) -> None:
    """It has none."""


def run(options: Namespace) -> int:
    from ddassets.lint.rules import all_rules
    from ddassets.output.terminal import write

    rules = all_rules().values()
    width = max(len(rule.id) for rule in rules)
    write(''.join(f'{rule.id:<{width}}  {rule.severity!s:<7}  {rule.reason}\n' for rule in rules))
    return FINE
