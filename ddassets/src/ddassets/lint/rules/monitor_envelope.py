"""A version-2 monitor asset with a missing key."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

KEYS = ('version', 'created_at', 'last_updated_at', 'title', 'description', 'tags')


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        if not monitor.envelope:
            continue
        missing = [key for key in KEYS if key not in monitor.envelope]
        if missing:
            message = f'the asset lacks {", ".join(missing)}'
            yield Fault(where=monitor.outer, message=message, object=monitor.name)
        elif monitor.envelope['version'] != 2:
            found = monitor.envelope['version']
            yield Fault(
                where=monitor.outer,
                place=('version',),
                message=f'version: expected 2, found {str(found)[:40]}',
                object=monitor.name,
            )


RULE = Rule(
    id='monitor/envelope',
    severity=Severity.ERROR,
    reason='A monitor asset lacks a key that Datadog requires beside the definition.',
    explanation=(
        'An asset of version 2 has the keys `version`, `created_at`, `last_updated_at`, `title`, `description` and '
        '`tags` beside the `definition`. A plain monitor, in the form of the API, has no envelope and is not checked.'
    ),
    bad={MONITOR: {'created_at': None}},
    good={MONITOR: {'created_at': '2026-01-05'}},
    check=check,
    semantics=('9.1', '9.2'),
)
