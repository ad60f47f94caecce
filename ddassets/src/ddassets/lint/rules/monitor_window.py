"""An evaluation window that is too long."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

MONTH = 2592000


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        query = reading.query
        if query and query.window.seconds > MONTH:
            message = f'a window of {query.window.seconds / 86400:g} days; the longest is a month'
            yield reading.fault(message, query.window.span)
    for counted in subject.counted:
        yield from counted.faults('window')


RULE = Rule(
    id='monitor/window',
    severity=Severity.WARNING,
    reason='The evaluation window is longer than Datadog allows.',
    explanation=(
        'The documentation states a maximum of a month, or 730 hours; the API reference states less. '
        'Monitors of logs, events and the like have windows of 1 minute to 48 hours.'
    ),
    bad={
        MONITOR: {
            'definition': {
                'query': 'avg(last_3mo):avg:acme.queue.length{*} by {host} > 100',
                'options': {
                    'notify_no_data': False,
                    'no_data_timeframe': None,
                    'on_missing_data': 'show_and_notify_no_data',
                },
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(last_1mo):avg:acme.queue.length{*} by {host} > 100',
                'options': {
                    'notify_no_data': False,
                    'no_data_timeframe': None,
                    'on_missing_data': 'show_and_notify_no_data',
                },
            }
        }
    },
    check=check,
    semantics=('1.3', '15.3'),
)
