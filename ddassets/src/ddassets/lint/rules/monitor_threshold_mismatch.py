"""The critical threshold, written twice with two numbers."""

import math
from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        critical = reading.thresholds.get('critical')
        if reading.query and critical is not None:
            number = reading.query.threshold
            if not math.isclose(number, critical, rel_tol=1e-9):
                message = f'the query compares with {number:g}, thresholds.critical is {critical:g}'
                yield reading.fault(message, reading.query.threshold_span)


RULE = Rule(
    id='monitor/threshold-mismatch',
    severity=Severity.ERROR,
    reason='The critical threshold differs from the number in the query.',
    explanation='The number stands in the query and in `options.thresholds.critical`. The API refuses two that differ.',
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 90}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100.0}}}}},
    check=check,
    semantics=('3.1',),
)
