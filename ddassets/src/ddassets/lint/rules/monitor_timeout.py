"""A time-out outside of 0 to 24 hours."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_number


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        hours = reading.monitor.options.get('timeout_h')
        if is_number(hours) and not 0 <= hours <= 24:
            yield reading.option_fault('timeout_h', f'timeout_h: expected 0 to 24 hours, found {hours:g}')


RULE = Rule(
    id='monitor/timeout',
    severity=Severity.ERROR,
    reason='timeout_h is not between 0 and 24 hours.',
    explanation=(
        'After `timeout_h` hours without data a group recovers by itself; 0 is never. Longer than a day is not taken.'
    ),
    bad={MONITOR: {'definition': {'options': {'timeout_h': 48}}}},
    good={MONITOR: {'definition': {'options': {'timeout_h': 24}}}},
    check=check,
    semantics=('3.19',),
)
