"""A recovery threshold inside what triggers."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_PAIRS = (('critical_recovery', 'critical'), ('warning_recovery', 'warning'))


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        if reading.query is None:
            continue
        comparator = reading.query.comparator
        for key, triggered_by in _PAIRS:
            recovery = reading.thresholds.get(key)
            trigger = reading.query.threshold if triggered_by == 'critical' else reading.thresholds.get(triggered_by)
            if recovery is None or trigger is None:
                continue
            if (comparator in ('>', '>=') and recovery > trigger) or (comparator in ('<', '<=') and recovery < trigger):
                message = f'{key} {recovery:g} lies where {comparator} {trigger:g} still triggers'
                yield reading.threshold_fault(key, message)


RULE = Rule(
    id='monitor/recovery-side',
    severity=Severity.ERROR,
    reason='A recovery threshold lies inside what triggers.',
    explanation=(
        'The monitor would be to recover while it still triggers. For `>` the recovery threshold is at most the '
        'one that triggers, for `<` at least.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 110}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 90}}}}},
    check=check,
    semantics=('3.4',),
)
