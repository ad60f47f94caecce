"""A variable that is empty, because the query does not provide it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.nearest import one_letter_apart
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import did_you_mean

if TYPE_CHECKING:
    from ddassets.lint.messages import MessageReading


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.messages:
        if not reading.template or reading.keys is None:
            continue
        for use in reading.template.variables():
            if reason := _reason(use.parts, reading):
                yield reading.fault(f'{{{{{use}}}}} is empty: {reason}', use.offset)


def _reason(parts: tuple[str, ...], reading: 'MessageReading') -> str:
    from ddassets.engine.message import BARE_VARIABLES

    keys = reading.keys or frozenset()
    if len(parts) == 1:
        if parts[0] in BARE_VARIABLES or parts[0] in keys or parts[0].startswith('is_'):
            return ''
        return f'there is no such variable{did_you_mean(parts[0], BARE_VARIABLES)}'
    if parts[-1] != 'name':
        # Attributes of hosts, events and so on: message/host-variable checks those of hosts.
        return ''
    if len(parts) > 2:
        key = '.'.join(parts[:-1])
        return f'a key with dots needs brackets, {{{{[{key}].name}}}}' if key in keys else ''
    if parts[0] in keys:
        return ''
    # With `by {host}`, every tag of the host exists; the tags are not known here, but a misspelt key is.
    if 'host' in reading.group_keys and not any(one_letter_apart(parts[0], key) for key in keys):
        return ''
    return f'the query neither groups nor filters by {parts[0]}{did_you_mean(parts[0], keys)}'


RULE = Rule(
    id='message/unknown-variable',
    severity=Severity.WARNING,
    reason='A message prints a variable that its query does not provide.',
    explanation="""\
`{{key.name}}` exists if the query groups by `key` or its filter fixes the value; other variables print nothing. If the
query groups by `host`, each tag of the host is a variable too, so such variables are not reported, unless
they differ in one letter from a key of the query.""",
    bad={
        MONITOR: {
            'definition': {
                'query': 'avg(last_5m):avg:acme.queue.length{*} by {queue} > 100',
                'message': message(alert='{{qeue.name}} holds {{value}}.'),
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(last_5m):avg:acme.queue.length{*} by {queue} > 100',
                'message': message(alert='{{queue.name}} holds {{value}}.'),
            }
        }
    },
    check=check,
    semantics=('4.6', '4.8'),
)
