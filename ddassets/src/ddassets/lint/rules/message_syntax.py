"""A message whose template is broken."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        for fault in reading.faults:
            yield reading.fault(fault.message, fault.offset)


RULE = Rule(
    id='message/syntax',
    severity=Severity.ERROR,
    reason='The template language of a message is broken.',
    explanation=(
        'A block that is not closed swallows the rest of the message, or shows its braces to whoever is on call.'
    ),
    bad={MONITOR: {'definition': {'message': '{{#is_alert}}The queue is long.{{/is_alrt}} @team-acme'}}},
    good={MONITOR: {'definition': {'message': message()}}},
    check=check,
    semantics=('4.1', '4.2'),
)
