"""An id from the organisation that a monitor was exported from."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    # An export of an account and a Terraform state contain the id rightly.
    if subject.bundle.form:
        return
    for monitor in subject.bundle.monitors:
        if 'id' in monitor.body:
            yield Fault(
                where=monitor, place=('id',), message='the id is valid only in the organisation it was exported from'
            )


RULE = Rule(
    id='monitor/id',
    severity=Severity.NOTE,
    reason='A monitor has an id of the organisation that it was exported from.',
    explanation='The id has no meaning in another organisation. Earlier validators for monitor assets refused it.',
    bad={MONITOR: {'definition': {'id': 4711}}},
    good={MONITOR: {'definition': {'id': None}}},
    check=check,
    semantics=('9.3',),
)
