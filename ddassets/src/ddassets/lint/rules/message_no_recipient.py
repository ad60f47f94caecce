"""A monitor that notifies nobody."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.engine.routing import may_route
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        # An asset in an envelope is a template: its users add the recipients.
        if not reading.template or reading.monitor.place or reading.mentions:
            continue
        if not may_route(subject.bundle.rules, reading.monitor.tags, reading.monitor.group_keys):
            yield reading.fault(
                'the message names no recipient, so the monitor notifies nobody',
                hint='add an @-handle, or pass --notify @HANDLE to ddassets apply',
            )


_BODY = {
    'name': 'Queue is long',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100',
    'tags': ['integration:acme'],
    'options': {'thresholds': {'critical': 100}, 'notify_no_data': True, 'no_data_timeframe': 10},
    # Remove the envelope of the example.
    **dict.fromkeys(('definition', 'version', 'title', 'description', 'created_at', 'last_updated_at')),
}
RULE = Rule(
    id='message/no-recipient',
    severity=Severity.NOTE,
    reason='The message of a monitor names no recipient.',
    explanation=(
        'The monitor notifies nobody when its state changes, unless a notification rule of the organisation routes it. '
        'Monitors that an integration ships as templates (with a `definition`) are not checked.'
    ),
    bad={MONITOR: {**_BODY, 'message': message(handle='')}},
    good={MONITOR: {**_BODY, 'message': message()}},
    check=check,
    semantics=('4.4',),
)
