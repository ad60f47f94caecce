"""A group that is to alert because it has few events, and is not evaluated when it has none."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.counted:
        query = reading.query
        if query and query.by and query.counts and query.comparator in ('<', '<='):
            keys = ', '.join(query.by)
            message = f'a {keys} without any event does not alert while another has events'
            yield reading.fault(message, hint='use a monitor without .by() for what must never be silent')


def _monitor(query: str) -> dict[str, object]:
    definition = {'type': 'log alert', 'query': query, 'message': message(), 'options': {'thresholds': {'critical': 1}}}
    return {'definition': definition}


RULE = Rule(
    id='monitor/silent-group',
    severity=Severity.NOTE,
    reason='A group of events that falls silent does not alert.',
    explanation=(
        'The monitor groups events and alerts below a number. Datadog evaluates a group only while it has events, or '
        'when no group has any: a service that stops to log is not reported. A monitor of its own for each such '
        'service, without groups, reports it.'
    ),
    bad={MONITOR: _monitor('logs("env:prod").index("*").rollup("count").by("service").last("10m") < 1')},
    good={MONITOR: _monitor('logs("env:prod service:pay").index("*").rollup("count").last("10m") < 1')},
    check=check,
    semantics=('15.8',),
)
