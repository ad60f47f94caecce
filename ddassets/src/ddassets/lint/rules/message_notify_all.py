"""A message to the whole organisation."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        for reach in reading.reach:
            if reach.handle.lower() == '@all':
                for offset in reach.offsets:
                    yield reading.fault('@all notifies every user of the organisation', offset, 4)


RULE = Rule(
    id='message/notify-all',
    severity=Severity.WARNING,
    reason='A message notifies @all.',
    explanation='Every user of every organisation that imports the monitor gets an e-mail.',
    bad={MONITOR: {'definition': {'message': message(handle='@all')}}},
    good={MONITOR: {'definition': {'message': message()}}},
    check=check,
    semantics=('4.11',),
)
