"""A monitor asset without an integration tag."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        tags = monitor.envelope.get('tags')
        if not monitor.envelope or (tags is not None and not isinstance(tags, list)):
            continue
        if not any(isinstance(tag, str) and tag.startswith('integration:') for tag in tags or ()):
            yield Fault(
                where=monitor.outer,
                place=('tags',),
                message='none of the tags is integration:<app_id>',
                object=monitor.name,
            )


RULE = Rule(
    id='tag/integration-missing',
    severity=Severity.WARNING,
    reason='A monitor asset has no integration tag.',
    explanation='Datadog requires the tag `integration:<app_id>` on the asset, and uses it to list the monitor.',
    bad={MONITOR: {'tags': ['team:acme']}},
    good={MONITOR: {'tags': ['integration:acme', 'team:acme']}},
    check=check,
    semantics=('9.2',),
)
