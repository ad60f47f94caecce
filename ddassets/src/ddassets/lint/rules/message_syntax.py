"""A message with a syntax error in its template."""

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
    reason='The template of a message has a syntax error.',
    explanation=('An unclosed block hides the rest of the message, or Datadog prints its braces.'),
    bad={MONITOR: {'definition': {'message': '{{#is_alert}}The queue is long.{{/is_alrt}} @team-acme'}}},
    good={MONITOR: {'definition': {'message': message()}}},
    check=check,
    semantics=('4.1', '4.2'),
)
