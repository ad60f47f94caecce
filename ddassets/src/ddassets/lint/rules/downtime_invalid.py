"""A downtime that the API refuses."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.downtimes:
        for fault in reading.faults:
            if not reading.is_special(fault):
                yield reading.fault(fault)


RULE = Rule(
    id='downtime/invalid',
    severity=Severity.ERROR,
    reason='A downtime has a part that the API refuses, or that means nothing.',
    explanation='The message names the key, what was found and what is allowed.',
    bad={DOWNTIME: {'data': {'attributes': {'notify_end_types': ['ended']}}}},
    good={DOWNTIME: {'data': {'attributes': {'notify_end_types': ['expired']}}}},
    check=check,
    semantics=('5.1', '5.2', '5.3', '5.4', '5.5', '5.14', '5.18'),
)
