"""A template variable in the title of an asset."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        title = monitor.envelope.get('title')
        if isinstance(title, str) and '{{' in title:
            yield Fault(
                where=monitor.outer,
                place=('title',),
                message='the title of an asset is shown unchanged, with the braces',
                hint='use variables in definition.name or definition.message',
                object=monitor.name,
            )


RULE = Rule(
    id='monitor/title-variable',
    severity=Severity.WARNING,
    reason='The title of a monitor asset contains a template variable.',
    explanation='The title names the asset in the list of recommended monitors, where variables are not replaced.',
    bad={MONITOR: {'title': 'Queue of {{host.name}} is long'}},
    good={MONITOR: {'title': 'Queue is long'}},
    check=check,
    semantics=('9.2',),
)
