"""A message without a text for the recovery."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.engine.state import State
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_RECOVERIES = frozenset({'is_recovery', 'is_alert_recovery', 'is_warning_recovery', 'is_no_data_recovery'})


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        if not reading.template or reading.asks(_RECOVERIES) or not reading.tells_of_alerts or not reading.recovers:
            continue
        match reading.words_of(State.ALERT, State.OK):
            case 'shared':
                text = 'the recovery sends the text of the alert: there is no {{#is_recovery}}'
                yield reading.fault(text, severity=Severity.NOTE)
            case 'none':
                yield reading.fault('the notification of a recovery is empty: there is no {{#is_recovery}}')


RULE = Rule(
    id='message/no-recovery-text',
    severity=Severity.WARNING,
    reason='A message has no text for the recovery.',
    explanation=(
        'Text outside all blocks is sent on every transition, so the recovery also says "the queue is long" (a note). '
        'If all text is in blocks and no block is for the recovery, its notification is empty.'
    ),
    bad={MONITOR: {'definition': {'message': message(recovery='')}}},
    good={MONITOR: {'definition': {'message': message()}}},
    check=check,
    opinion=True,
    semantics=('4.3', '4.4'),
)
