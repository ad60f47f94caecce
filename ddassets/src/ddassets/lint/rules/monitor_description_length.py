"""A description that is too long."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

MAX_LENGTH = 300


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        description = monitor.envelope.get('description')
        if isinstance(description, str) and len(description) > MAX_LENGTH:
            yield Fault(
                where=monitor.outer,
                place=('description',),
                message=f'the description has {len(description)} characters; at most {MAX_LENGTH} are allowed',
                object=monitor.name,
            )


RULE = Rule(
    id='monitor/description-length',
    severity=Severity.ERROR,
    reason='The description of a monitor asset is longer than 300 characters.',
    explanation='The validator for monitor assets has this limit.',
    bad={MONITOR: {'description': 'Work waits in the queue. ' * 13}},
    good={MONITOR: {'description': 'Work waits in the queue.'}},
    check=check,
    semantics=('9.3',),
)
