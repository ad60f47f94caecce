"""An attribute of an event that a message prints without `attributes`."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.counted import PRODUCTS, is_counted
from ddassets.lint.example import MONITOR, message
from ddassets.lint.queries import keys_of_searches
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

# Attributes of an event that have attributes themselves (rules 15.11 and 15.13).
_NESTED = ('attributes', 'tags', 'host')


def check(subject: Subject) -> Iterator[Fault]:
    families = {*PRODUCTS.values()}
    for reading in subject.messages:
        monitor = reading.monitor
        if not reading.template or not (is_counted(monitor.query) or keys_of_searches(monitor)):
            continue
        for use in reading.template.variables():
            first, *rest = '.'.join(use.parts).split('.')
            if first in families and len(rest) > 1 and rest[0] not in _NESTED and rest[-1] != 'name':
                hint = f'{first}.attributes.{".".join(rest)}'
                reason = f'there is no such variable; write {{{{{hint}}}}}'
                yield reading.fault(f'{{{{{use}}}}} is empty: {reason}', use.offset)


def _monitor(variable: str) -> dict[str, object]:
    query = 'ci-tests("@test.status:fail").rollup("count").by("@test.full_name").last("5m") > 0'
    return {
        'definition': {
            'type': 'ci-tests alert',
            'query': query,
            'message': message(alert=f'{{{{{variable}}}}}'),
            'options': {'thresholds': {'critical': 0}},
        }
    }


RULE = Rule(
    id='message/event-variable',
    severity=Severity.WARNING,
    reason='A message prints an attribute of an event without `attributes`.',
    explanation="""\
The reserved fields of an event are variables by themselves, such as `{{log.message}}` and `{{log.service}}`. Its other
attributes stand below `attributes`: `{{citest.attributes.error.message}}`. Without it the variable prints nothing.""",
    bad={MONITOR: _monitor('citest.error.message')},
    good={MONITOR: _monitor('citest.attributes.error.message')},
    check=check,
    semantics=('15.11',),
)
