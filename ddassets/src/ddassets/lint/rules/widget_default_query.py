"""A widget with the default query of Datadog's editor."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_DEFAULT = 'avg:system.cpu.user{*}'


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.widget_queries:
        if ''.join(reading.text.split()) == _DEFAULT and not subject.knows('system.cpu.user'):
            yield reading.fault(f'{_DEFAULT} is the default query of a new widget')


RULE = Rule(
    id='widget/default-query',
    severity=Severity.NOTE,
    reason="A widget has the default query of Datadog's editor.",
    explanation=(
        'Every new graph starts with `avg:system.cpu.user{*}`. A widget that still has it was probably added by '
        'mistake or not finished.'
    ),
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}'), widget(_DEFAULT, title='Work')]}},
    good={
        DASHBOARD: {
            'widgets': [widget('avg:acme.queue.length{$host}'), widget('avg:system.cpu.user{$host}', title='Work')]
        }
    },
    check=check,
)
