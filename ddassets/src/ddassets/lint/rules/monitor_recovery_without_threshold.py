"""A recovery threshold of a state that the monitor never enters."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        thresholds = reading.thresholds
        for state in ('critical', 'warning'):
            if f'{state}_recovery' in thresholds and state not in thresholds:
                message = f'{state}_recovery without {state}'
                yield reading.threshold_fault(f'{state}_recovery', message)


RULE = Rule(
    id='monitor/recovery-without-threshold',
    severity=Severity.ERROR,
    reason='A recovery threshold stands without the threshold that it belongs to.',
    explanation='There is nothing to recover from. The API refuses the monitor.',
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning_recovery': 70}}}}},
    good={
        MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80, 'warning_recovery': 70}}}}
    },
    check=check,
    semantics=('3.2',),
)
