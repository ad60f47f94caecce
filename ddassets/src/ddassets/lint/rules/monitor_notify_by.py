"""A notification grouped by what the query does not group by."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import did_you_mean


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        keys = reading.monitor.options.get('notify_by')
        if reading.query is None or not isinstance(keys, list) or keys == ['*']:
            continue
        for index, key in enumerate(keys):
            if isinstance(key, str) and key not in reading.group_keys:
                yield Fault(
                    where=reading.monitor,
                    place=('options', 'notify_by', index),
                    message=f'the query does not group by {key}{did_you_mean(key, reading.group_keys)}',
                )


RULE = Rule(
    id='monitor/notify-by',
    severity=Severity.ERROR,
    reason='notify_by names a key that the query does not group by.',
    explanation=(
        'One notification for several groups needs keys of the `by {}` of the query, or `["*"]` for all groups at once.'
    ),
    bad={MONITOR: {'definition': {'options': {'notify_by': ['hots']}}}},
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(last_5m):avg:acme.queue.length{*} by {host,queue} > 100',
                'options': {'notify_by': ['host']},
            }
        }
    },
    check=check,
    semantics=('2.20',),
)
