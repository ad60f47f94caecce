"""A custom schedule with wrong or missing options."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import option_fault
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
    for reading in subject.single_queries:
        options = reading.monitor.options
        if options.scheduling_options.custom_schedule and options.on_missing_data is None:
            # The API omits `default` in responses, so an export does not show whether it was set.
            yield option_fault(
                reading.monitor,
                'scheduling_options',
                'a custom schedule needs on_missing_data',
                hint='an export omits the value default',
                severity=Severity.NOTE,
            )


RULE = Rule(
    id='monitor/custom-schedule',
    severity=Severity.ERROR,
    reason='A custom schedule has an option that it does not allow, or lacks one that it requires.',
    explanation=(
        '`require_full_window` must be false: an error. `on_missing_data` must be set: a note, because an export omits '
        'the value `default`.'
    ),
    bad={MONITOR: {'definition': {'options': {**_OPTIONS, 'require_full_window': True}}}},
    good={MONITOR: {'definition': {'options': _OPTIONS}}},
    check=check,
    semantics=('2.9', '2.22'),
)
