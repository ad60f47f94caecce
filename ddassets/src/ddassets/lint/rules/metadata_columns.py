"""A row of metadata.csv with more fields than columns."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, METADATA_HEADER
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for metric in subject.bundle.metrics.values():
        if metric.surplus:
            columns = len(metric.row)
            message = f'the row of {metric.name} has {columns + metric.surplus} fields, expected {columns}'
            yield subject.row_fault(metric, message, 'put a description with a comma or a quote in double quotes')


RULE = Rule(
    id='metadata/columns',
    severity=Severity.ERROR,
    reason='A row of metadata.csv has more fields than columns.',
    explanation=(
        'A comma in an unquoted description ends the field: the rest of the description becomes the next columns, so '
        'orientation and integration are wrong.'
    ),
    bad={METADATA: f'{METADATA_HEADER}\nacme.queue.length,gauge,,,,One, two,0,acme,length,more\n'},
    good={METADATA: f'{METADATA_HEADER}\nacme.queue.length,gauge,,,,"One, two",0,acme,length\n'},
    check=check,
)
