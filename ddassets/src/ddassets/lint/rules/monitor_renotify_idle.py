"""Options of repeated notifications that are disabled."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import option_fault
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

KEYS = ('escalation_message', 'renotify_statuses', 'renotify_occurrences')


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        options = monitor.options
        if not options.renotify_interval:
            for key in KEYS:
                if getattr(options, key):
                    yield option_fault(monitor, key, f'{key} has no effect: renotify_interval is not set')
        elif options.renotify_occurrences == 0:
            message = 'renotify_occurrences is 0, so nothing is repeated in spite of renotify_interval'
            hint = 'leave it out to repeat without a limit; Terraform takes 0 for absence'
            yield option_fault(monitor, 'renotify_occurrences', message, hint)


RULE = Rule(
    id='monitor/renotify-idle',
    severity=Severity.NOTE,
    reason='An option of repeated notifications is set, but notifications are not repeated.',
    explanation=(
        '`escalation_message`, `renotify_statuses` and `renotify_occurrences` need a `renotify_interval`. '
        'With a `renotify_occurrences` of 0 nothing is repeated, although Terraform treats 0 as absent.'
    ),
    bad={MONITOR: {'definition': {'options': {'escalation_message': 'Still long.'}}}},
    good={MONITOR: {'definition': {'options': {'escalation_message': 'Still long.', 'renotify_interval': 60}}}},
    check=check,
    semantics=('1.15', '3.21', '3.23'),
)
