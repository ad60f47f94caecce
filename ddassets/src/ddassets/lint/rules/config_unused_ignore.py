"""An ignore that matches nothing."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.configuration import ConfigurationUse
from ddassets.lint.example import CONFIGURATION
from ddassets.lint.rule import Fault, Rule, Spot


def check(use: ConfigurationUse) -> Iterator[Fault]:
    for ignore in use.configuration.ignores:
        if ignore not in use.used and not any(map(ignore.names, use.silent)):
            where = f' in {ignore.file}' if ignore.file else ''
            yield Fault(
                where=Spot(use.configuration.path, ignore.position),
                message=f'there is no finding of {ignore.rule}{where} to ignore',
                hint='delete the entry',
                object=ignore.object or '',
            )


RULE = Rule(
    id='config/unused-ignore',
    severity=Severity.WARNING,
    reason='An entry of `ignore` matches no finding.',
    explanation=(
        'The fault was fixed, or the entry never matched. If it stays, it may hide a future finding. An entry in '
        'the configuration of a whole checkout is checked only when the whole checkout is linted.'
    ),
    bad={CONFIGURATION: 'ignore:\n  - rule: metadata/duplicate\n    reason: both rows are the same\n'},
    good={CONFIGURATION: 'ignore: []\n'},
    check=check,
)
