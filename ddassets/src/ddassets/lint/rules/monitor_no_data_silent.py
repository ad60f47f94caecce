"""A monitor that sends no notification when data stops."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, Metric, walk
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        options = reading.monitor.options
        choice = options.on_missing_data
        if reading.query is None or options.notify_no_data or choice == 'show_and_notify_no_data':
            continue
        if reading.monitor.unusable & {'options.notify_no_data', 'options.on_missing_data'}:
            continue
        # For a count, no data means zero events, and default_zero makes that explicit.
        if any(
            (isinstance(node, Call) and node.name == 'default_zero')
            or (isinstance(node, Metric) and any(modifier.name == 'as_count' for modifier in node.modifiers))
            for node in walk(reading.query.expression)
        ):
            continue
        found = f'on_missing_data is {choice!r}' if choice else 'notify_no_data is not set'
        yield reading.option_fault('on_missing_data', f'no notification when data stops: {found}')


RULE = Rule(
    id='monitor/no-data-silent',
    severity=Severity.NOTE,
    reason='The monitor sends no notification when data stops.',
    explanation=(
        'A stopped Agent reports no problem. Set `notify_no_data` and `no_data_timeframe`, or '
        '`on_missing_data: show_and_notify_no_data`. Counts and `default_zero()` are not reported: there, no data '
        'means zero.'
    ),
    bad={
        MONITOR: {
            'definition': {
                'message': message(no_data=''),
                'options': {'notify_no_data': False, 'no_data_timeframe': None},
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'message': message(),
                'options': {'notify_no_data': True},
            }
        }
    },
    check=check,
    opinion=True,
    semantics=('3.9', '3.15'),
)
