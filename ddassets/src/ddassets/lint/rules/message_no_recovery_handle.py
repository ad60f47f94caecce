"""A handle that is notified of the problem but not of the recovery."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.engine.state import State
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        for reach in reading.reach if reading.recovers else ():
            heard = reach.always | reach.sometimes
            called = any(edge.target != State.OK and edge.source != edge.target for edge in heard)
            if called and not any(edge.target == State.OK for edge in heard):
                yield reading.fault(
                    f'{reach.handle} is not notified of the recovery', reach.offsets[0], len(reach.handle)
                )


RULE = Rule(
    id='message/no-recovery-handle',
    severity=Severity.WARNING,
    reason='A handle is notified of the problem, but not of the recovery.',
    explanation=(
        'A handle inside `{{#is_alert}}` is notified only of that transition. A paging service then never closes the '
        'incident. Put the handle outside all blocks, or also into `{{#is_recovery}}`.'
    ),
    bad={MONITOR: {'definition': {'message': message(alert='The queue is long. @team-acme', handle='')}}},
    good={MONITOR: {'definition': {'message': message()}}},
    check=check,
    semantics=('4.4',),
)
