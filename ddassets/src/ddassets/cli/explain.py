"""`ddassets explain`: explain a rule of lint, with examples."""

from argparse import ArgumentParser, Namespace

from ddassets.cli.exit_code import FINE
from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import did_you_mean

HELP = 'explain a rule of lint'
DESCRIPTION = 'Explain a rule of `ddassets lint`: why it exists, and a bad and a good example.'
EPILOG = 'exit codes: 0 fine; 2 there is no such rule'


def add_options(parser: ArgumentParser) -> None:
    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument('rule', nargs='?', metavar='RULE', help='such as metric/unknown')
    subject.add_argument('--all', action='store_true', help='all rules, as the page docs/rules.md')


def run(options: Namespace) -> int:
    """Raises UnusableInputError for a rule that does not exist."""
    from ddassets.lint.pages import explain, page
    from ddassets.lint.rules import all_rules
    from ddassets.output.terminal import printable, write

    rules = all_rules()
    if options.all:
        write(page())
    elif options.rule in rules:
        write(explain(rules[options.rule]))
    else:
        close = did_you_mean(options.rule, rules)
        raise UnusableInputError(f'there is no rule {printable(options.rule)!r}{close}; `ddassets rules` lists them')
    return FINE
