"""A time frame for No Data that is too short or too long."""

from collections.abc import Iterator

from ddassets.assets.monitor_checks import MAX_NO_DATA_TIMEFRAME
from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        options = reading.monitor.options
        minutes = options.no_data_timeframe
        if not options.notify_no_data or options.on_missing_data is not None:
            continue
        if minutes is None:
            message = 'notify_no_data without no_data_timeframe: the documentation states two different defaults'
            yield reading.option_fault('notify_no_data', message, severity=Severity.NOTE)
        elif reading.query is None or reading.query.window.kind == 'current':
            # A cumulative window is short after each boundary, whatever its longest extent is.
            continue
        elif minutes <= MAX_NO_DATA_TIMEFRAME and minutes * 60 < 2 * reading.query.window.seconds:
            window = reading.query.window.seconds / 60
            message = f'no_data_timeframe {minutes} is less than twice the window of {window:g} minutes'
            yield reading.option_fault('no_data_timeframe', message)


RULE = Rule(
    id='monitor/no-data-timeframe',
    severity=Severity.WARNING,
    reason='The time without data until No Data is too short or too long.',
    explanation=(
        'Datadog recommends at least two evaluation windows: otherwise a late point causes No Data. Above 24 hours the '
        'group disappears before the time is over: an error. Without a number the documentation states two different '
        'defaults: a note.'
    ),
    bad={MONITOR: {'definition': {'options': {'no_data_timeframe': 5}}}},
    good={MONITOR: {'definition': {'options': {'no_data_timeframe': 10}}}},
    check=check,
    semantics=('3.10', '3.11'),
)
