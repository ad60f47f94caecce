"""A custom schedule with wrong or missing options."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
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
_MESSAGE = message(recovery='')


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        options = reading.monitor.options
        if options.scheduling_options.custom_schedule and options.on_missing_data is None:
            # Responses omit `default`, but a body without it is refused.
            yield option_fault(
                reading.monitor,
                'scheduling_options',
                'on_missing_data is required with a custom schedule (400 since spring 2026)',
                hint='write on_missing_data: default, which an export omits',
            )


RULE = Rule(
    id='monitor/custom-schedule',
    severity=Severity.ERROR,
    reason='A custom schedule has an option that it does not allow, or lacks one that it requires.',
    explanation=(
        'A metric monitor needs `on_missing_data`, and `require_full_window` must be false. There is exactly one '
        'recurrence, its rule has no DTSTART, DTEND or DURATION, and evaluations are a day or longer apart: errors. '
        'Evaluations are independent, so renotification, `timeout_h` and recovery thresholds have no effect: warnings.'
    ),
    bad={MONITOR: {'definition': {'message': _MESSAGE, 'options': {**_OPTIONS, 'require_full_window': True}}}},
    good={MONITOR: {'definition': {'message': _MESSAGE, 'options': _OPTIONS}}},
    check=check,
    semantics=('2.9', '2.22', '16.12', '16.16', '16.17', '16.18', '16.19'),
)
