"""A handle with a full stop or comma behind it."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        for mention in reading.mentions:
            if mention.doubtful:
                text = f'{mention.name} is followed by a mark that may be taken for a part of it'
                yield reading.fault(text, mention.offset, len(mention.name), hint='put a space behind the handle')


RULE = Rule(
    id='message/handle-punctuation',
    severity=Severity.NOTE,
    reason='A full stop or comma touches a handle.',
    explanation=(
        'Whether Datadog takes the mark for a part of the handle is not documented. If it does, nobody is notified.'
    ),
    bad={MONITOR: {'definition': {'message': message(handle='Tell @team-acme.')}}},
    good={MONITOR: {'definition': {'message': message(handle='Tell @team-acme .')}}},
    check=check,
    semantics=('4.12',),
)
