"""Two metrics in metadata.csv that differ only in case."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, metadata
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for metric in subject.bundle.metrics.values():
        other = first.setdefault(metric.name.lower(), metric.name)
        if other != metric.name:
            yield subject.row_fault(metric, f'{metric.name} and {other} differ only in case')


RULE = Rule(
    id='metadata/case',
    severity=Severity.WARNING,
    reason='Two metrics in metadata.csv differ only in upper and lower case.',
    explanation='List a metric once, as the check submits it. One of the two spellings is wrong.',
    bad={METADATA: metadata('acme.queue.length,gauge', 'acme.Queue.length,gauge')},
    good={METADATA: metadata('acme.queue.length,gauge', 'acme.queue.longest,gauge')},
    check=check,
)
