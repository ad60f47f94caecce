"""Repeated notifications that omit warnings by default."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import option_fault
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        options = monitor.options
        if not options.renotify_interval or options.thresholds.warning is None:
            continue
        # An explicit list is intended.
        if not options.renotify_statuses:
            message = 'a warning is never repeated: renotify_statuses is not set, and its default is alert and no data'
            yield option_fault(monitor, 'renotify_interval', message)


RULE = Rule(
    id='monitor/renotify-warn',
    severity=Severity.NOTE,
    reason='The monitor repeats its notifications, but not those of warnings.',
    explanation='Without `renotify_statuses` only Alert and No Data are repeated. List the statuses explicitly.',
    bad={MONITOR: {'definition': {'options': {'thresholds': {'warning': 80}, 'renotify_interval': 60}}}},
    good={
        MONITOR: {
            'definition': {
                'options': {
                    'thresholds': {'warning': 80},
                    'renotify_interval': 60,
                    'renotify_statuses': ['alert', 'no data'],
                }
            }
        }
    },
    check=check,
    semantics=('3.21',),
)
