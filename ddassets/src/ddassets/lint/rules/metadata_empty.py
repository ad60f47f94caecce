"""Queries of an integration's own metrics with an empty metadata.csv."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST, METADATA, metadata
from ddassets.lint.rule import Fault, Rule, Spot
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    if subject.bundle.metrics:
        return
    for reading in subject.queries:
        for metric in reading.metrics:
            if metric.name.partition('.')[0] in subject.own_prefixes:
                yield Fault(
                    where=Spot(subject.bundle.metadata_path),
                    message=f'metadata.csv lists no metric, but the assets query {metric.name}',
                )
                return


RULE = Rule(
    id='metadata/empty',
    severity=Severity.WARNING,
    reason='The assets query metrics of the integration, but metadata.csv lists none.',
    explanation='Without listed metrics, `metric/unknown` cannot check this integration.',
    bad={METADATA: None, MANIFEST: {'assets': {'integration': {'metrics': {'metadata_path': None}}}}},
    good={METADATA: metadata('acme.queue.length,gauge')},
    check=check,
)
