"""An ignore without a reason."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.configuration import ConfigurationUse
from ddassets.lint.example import CONFIGURATION, METADATA, metadata
from ddassets.lint.rule import Fault, Rule, Spot

_TWICE = metadata('acme.queue.length,gauge', 'acme.queue.length,gauge')
_IGNORE = 'ignore:\n  - rule: metadata/duplicate\n    file: metadata.csv\n'


def check(use: ConfigurationUse) -> Iterator[Fault]:
    for ignore in use.configuration.ignores:
        if not ignore.reason:
            yield Fault(
                where=Spot(use.configuration.path, ignore.position),
                message=f'the ignore of {ignore.rule} has no reason',
                object=ignore.object or '',
            )


RULE = Rule(
    id='config/ignore-without-reason',
    severity=Severity.WARNING,
    reason='An entry of `ignore` has no reason.',
    explanation='The reason tells later readers whether the entry is still needed.',
    bad={CONFIGURATION: _IGNORE, METADATA: _TWICE},
    good={CONFIGURATION: _IGNORE + '    reason: both rows are the same\n', METADATA: _TWICE},
    check=check,
)
