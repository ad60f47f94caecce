"""Options about missing data that exclude each other."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, walk
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_number


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        options = reading.monitor.options
        choice = options.get('on_missing_data')
        if not isinstance(choice, str):
            continue
        timeout = options.get('timeout_h')
        if options.get('notify_no_data') is True:
            yield reading.option_fault('on_missing_data', f'on_missing_data {choice!r} beside notify_no_data')
        if choice == 'resolve' and is_number(timeout) and timeout != 0:
            yield reading.option_fault('timeout_h', f"on_missing_data 'resolve' needs timeout_h 0, found {timeout:g}")
        if choice != 'default' and reading.query:
            for node in walk(reading.query.expression):
                if isinstance(node, Call) and node.name == 'default_zero':
                    message = (
                        f"default_zero() leaves no data missing; on_missing_data has to be 'default', found {choice!r}"
                    )
                    yield reading.fault(message, node.span, severity=Severity.WARNING)
                    break


RULE = Rule(
    id='monitor/no-data-conflict',
    severity=Severity.ERROR,
    reason='Options about missing data exclude each other.',
    explanation=(
        '`on_missing_data` replaces `notify_no_data` and `no_data_timeframe`: the API refuses both together. With '
        '`resolve`, `timeout_h` has to be 0. `default_zero()` fills what is missing, so that only `default` makes '
        'sense.'
    ),
    bad={MONITOR: {'definition': {'options': {'on_missing_data': 'show_and_notify_no_data'}}}},
    good={
        MONITOR: {
            'definition': {
                'options': {
                    'on_missing_data': 'show_and_notify_no_data',
                    'notify_no_data': None,
                    'no_data_timeframe': None,
                }
            }
        }
    },
    check=check,
    semantics=('3.14', '3.17'),
)
