"""A custom schedule with options that it does not take."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_SCHEDULE = {'custom_schedule': {'recurrences': [{'rrule': 'FREQ=DAILY;INTERVAL=1', 'timezone': 'Europe/Berlin'}]}}
_OPTIONS = {
    'scheduling_options': _SCHEDULE,
    'notify_no_data': None,
    'no_data_timeframe': None,
    'on_missing_data': 'show_and_notify_no_data',
}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        options = reading.monitor.options
        if options.scheduling_options.custom_schedule and options.on_missing_data is None:
            # The API leaves `default` out of its answers, so an export does not show whether it was set.
            yield reading.option_fault(
                'scheduling_options',
                'a custom schedule needs on_missing_data',
                hint='an export leaves out the value default',
                severity=Severity.NOTE,
            )


RULE = Rule(
    id='monitor/custom-schedule',
    severity=Severity.ERROR,
    reason='A custom schedule stands beside options that it does not take, or without one that it needs.',
    explanation=(
        '`require_full_window` has to be false: an error. `on_missing_data` has to be set; where it is not, it is a '
        'note, for an export leaves out the value `default`.'
    ),
    bad={MONITOR: {'definition': {'options': {**_OPTIONS, 'require_full_window': True}}}},
    good={MONITOR: {'definition': {'options': _OPTIONS}}},
    check=check,
    semantics=('2.9', '2.22'),
)
