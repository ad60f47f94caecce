"""Attributes of a host in a monitor that does not group by host."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        if not reading.template or reading.keys is None or 'host' in reading.group_keys:
            continue
        for use in reading.template.variables():
            if use.parts[0] == 'host' and use.parts[1:] not in ((), ('name',)):
                yield reading.fault(f'{{{{{use}}}}} is empty: the query does not group by host', use.offset)


RULE = Rule(
    id='message/host-variable',
    severity=Severity.WARNING,
    reason='A message prints the address or metadata of a host, but the monitor does not group by host.',
    explanation=(
        '`{{host.ip}}` and `{{host.metadata_…}}` come from the Agent of a single host, so the query must group `by '
        '{host}`.'
    ),
    bad={
        MONITOR: {
            'definition': {
                'query': 'avg(last_5m):avg:acme.queue.length{*} by {queue} > 100',
                'message': message(alert='{{host.ip}} is long.'),
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100',
                'message': message(alert='{{host.ip}} is long.'),
            }
        }
    },
    check=check,
    semantics=('4.9',),
)
