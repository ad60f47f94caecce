"""A warning threshold that is passed after the critical one."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        warning = reading.thresholds.get('warning')
        if reading.query is None or warning is None:
            continue
        critical, comparator = reading.query.threshold, reading.query.comparator
        if comparator in ('>', '>=') and warning >= critical:
            message = f'with {comparator} the warning has to be below the critical {critical:g}, found {warning:g}'
        elif comparator in ('<', '<=') and warning <= critical:
            message = f'with {comparator} the warning has to be above the critical {critical:g}, found {warning:g}'
        else:
            continue
        yield reading.threshold_fault('warning', message)


RULE = Rule(
    id='monitor/warning-side',
    severity=Severity.ERROR,
    reason='The warning threshold lies on the wrong side of the critical one.',
    explanation=(
        'A value on its way up to an alert has to pass the warning first, and one on its way down likewise. The '
        'API refuses any other order.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 120}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80}}}}},
    check=check,
    semantics=('3.2',),
)
