"""A notification grouped by a key that the query does not group by."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/notify-by',
    severity=Severity.ERROR,
    reason='notify_by names a key that the query does not group by.',
    explanation=(
        '`notify_by` needs keys from the `by {}` of the query, or `["*"]` for a single notification of all groups.'
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
    check=reported,
    semantics=('2.20',),
)
