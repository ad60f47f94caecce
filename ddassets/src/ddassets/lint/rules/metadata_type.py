"""An invalid metric type in metadata.csv."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, metadata
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import did_you_mean

# `counter` is the old name of a count, which ddev still accepts.
TYPES = ('count', 'counter', 'distribution', 'gauge', 'rate')


def check(subject: Subject) -> Iterator[Fault]:
    for metric in subject.bundle.metrics.values():
        if metric.type not in TYPES:
            message = f'metric_type of {metric.name}: expected one of {", ".join(TYPES)}, found {metric.type!r}'
            yield subject.row_fault(metric, message + did_you_mean(metric.type, TYPES))


RULE = Rule(
    id='metadata/type',
    severity=Severity.ERROR,
    reason='A row of metadata.csv has no valid metric type.',
    explanation=(
        'Datadog stores counts, distributions, gauges and rates. A histogram of the Agent is submitted as several '
        'metrics: `.avg`, `.max` and so on are gauges, `.count` is a rate.'
    ),
    bad={METADATA: metadata('acme.queue.length,guage')},
    good={METADATA: metadata('acme.queue.length,gauge')},
    check=check,
)
