"""Two equal downtimes, of which the API accepts only one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME, INTEGRATION
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

if TYPE_CHECKING:
    from ddassets.engine.downtime import Downtime

_OTHER = 'assets/downtimes/more_maintenance.json'
_ATTRIBUTES = INTEGRATION[DOWNTIME]['data']['attributes']


def check(subject: Subject) -> Iterator[Fault]:
    earlier: list[Downtime] = []
    for reading in subject.downtimes:
        if reading.downtime is None:
            continue
        same = next((other for other in earlier if other.same_as(reading.downtime)), None)
        if same:
            yield reading.fault_at((), f'{same.name} mutes the same monitors at the same time')
        earlier.append(reading.downtime)


RULE = Rule(
    id='downtime/duplicate',
    severity=Severity.ERROR,
    reason='Two downtimes differ only in their texts.',
    explanation='The API refuses the second downtime as a duplicate.',
    bad={_OTHER: {'data': {'type': 'downtime', 'attributes': _ATTRIBUTES}}},
    good={_OTHER: {'data': {'type': 'downtime', 'attributes': {**_ATTRIBUTES, 'scope': 'host:a'}}}},
    check=check,
    semantics=('5.10',),
)
