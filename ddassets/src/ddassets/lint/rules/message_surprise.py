"""A part of a message with a surprising meaning."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        for fault in reading.template.warnings if reading.template else ():
            yield reading.fault(fault.message, fault.offset)


RULE = Rule(
    id='message/surprise',
    severity=Severity.NOTE,
    reason='A part of a message may not mean what it seems to mean.',
    explanation=(
        'A state conditional without `#` prints nothing. `is_match` needs `host.name` to compare the tag `host`.'
    ),
    bad={MONITOR: {'definition': {'message': message(more='{{#is_match "host" "db"}}A database.{{/is_match}}')}}},
    good={MONITOR: {'definition': {'message': message(more='{{#is_match "host.name" "db"}}A database.{{/is_match}}')}}},
    check=check,
    semantics=('4.2', '4.5'),
)
