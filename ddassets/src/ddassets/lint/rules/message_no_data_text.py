"""A message without a text for No Data."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.engine.state import State
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, notifies_no_data


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        if not notifies_no_data(reading.monitor) or not reading.template or reading.asks({'is_no_data'}):
            continue
        if not reading.tells_of_alerts:
            continue
        match reading.words_of(State.OK, State.NO_DATA):
            case 'shared':
                text = 'No Data sends the text of the alert: there is no {{#is_no_data}}'
                yield reading.fault(text, severity=Severity.NOTE)
            case 'none':
                yield reading.fault('the notification of No Data is empty: there is no {{#is_no_data}}')


RULE = Rule(
    id='message/no-data-text',
    severity=Severity.WARNING,
    reason='The monitor notifies of No Data, but its message has no text for it.',
    explanation=(
        'Recipients cannot distinguish a stopped Agent from a full queue. If the notification contains other text, '
        'this is a note.'
    ),
    bad={MONITOR: {'definition': {'message': message(no_data='')}}},
    good={MONITOR: {'definition': {'message': message()}}},
    check=check,
    semantics=('3.10', '3.15', '4.3'),
)
