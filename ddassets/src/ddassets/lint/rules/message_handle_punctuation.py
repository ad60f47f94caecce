"""A handle that is followed by a full stop or comma."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        for mention in reading.mentions:
            if mention.doubtful:
                text = f'{mention.name} is followed by punctuation that may be read as part of the handle'
                yield reading.fault(text, mention.offset, len(mention.name), hint='put a space after the handle')


RULE = Rule(
    id='message/handle-punctuation',
    severity=Severity.NOTE,
    reason='A full stop or comma follows a handle without a space.',
    explanation=(
        'It is not documented whether Datadog reads it as part of the handle. If it does, nobody is notified.'
    ),
    bad={MONITOR: {'definition': {'message': message(handle='Tell @team-acme.')}}},
    good={MONITOR: {'definition': {'message': message(handle='Tell @team-acme .')}}},
    check=check,
    semantics=('4.12',),
)
