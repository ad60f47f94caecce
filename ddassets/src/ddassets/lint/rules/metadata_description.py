"""A metric without a description in metadata.csv."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, METADATA_HEADER
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for metric in subject.bundle.metrics.values():
        # metadata/columns reports a row with shifted columns.
        if not metric.surplus and 'description' in metric.row and not metric.row['description'].strip():
            yield subject.row_fault(metric, f'{metric.name} has no description')


RULE = Rule(
    id='metadata/description',
    severity=Severity.NOTE,
    reason='A row of metadata.csv has no description.',
    explanation=(
        'Datadog shows the description beside the metric. `ddev validate metadata --show-warnings` reports how many '
        'rows have none. `ddassets lint --fix` does not know the description of a metric whose row it adds.'
    ),
    bad={METADATA: f'{METADATA_HEADER}\nacme.queue.length,gauge,,item,,,0,acme,length\n'},
    good={METADATA: f'{METADATA_HEADER}\nacme.queue.length,gauge,,item,,Length.,0,acme,length\n'},
    check=check,
)
