"""The id of the organisation that a monitor was exported from."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    # In what an account answered, or a state holds, the id is where it belongs.
    if subject.bundle.source and subject.bundle.manifest is None:
        return
    for monitor in subject.bundle.monitors:
        if 'id' in monitor.body:
            yield Fault(where=monitor, place=('id',), message='the id belongs to the organisation it was exported from')


RULE = Rule(
    id='monitor/id',
    severity=Severity.NOTE,
    reason='A monitor carries the id of the organisation that it was exported from.',
    explanation='The id means nothing in another organisation. The validator for monitor assets used to refuse it.',
    bad={MONITOR: {'definition': {'id': 4711}}},
    good={MONITOR: {'definition': {'id': None}}},
    check=check,
    semantics=('9.3',),
)
