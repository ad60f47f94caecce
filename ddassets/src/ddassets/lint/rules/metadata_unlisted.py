"""A metric that the integration contains but metadata.csv does not list."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, METADATA, metadata, widget
from ddassets.lint.rule import Fault, Rule, Spot
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    if not subject.bundle.metrics:
        return
    seen = set()
    for reading in subject.queries:
        for metric in reading.metrics:
            name = metric.name
            if name in seen or subject.knows(name):
                continue
            seen.add(name)
            mention = subject.mention(name)
            if mention is not None:
                place = mention.path.relative_to(subject.bundle.folder)
                yield Fault(
                    where=Spot(subject.bundle.metadata_path),
                    message=f'metadata.csv lacks {name}, which {place} names and {reading.asset.path.name} queries',
                    hint=f'add a row for it; see {place}:{mention.line}',
                    object=name,
                )


RULE = Rule(
    id='metadata/unlisted',
    severity=Severity.WARNING,
    reason='metadata.csv lacks a metric that the integration contains and an asset queries.',
    explanation="""\
The query works: the integration's own sources, tests, fixtures, metric maps or README contain the name. But without a
row, Datadog shows neither unit nor description, and does not list the metric for the integration.""",
    bad={
        DASHBOARD: {'widgets': [widget('avg:acme.store.size{$host} by {host}')]},
        'datadog_checks/acme/metrics.py': "METRICS = {'acme_store_size': 'store.size'}\n",
    },
    good={
        DASHBOARD: {'widgets': [widget('avg:acme.store.size{$host} by {host}')]},
        'datadog_checks/acme/metrics.py': "METRICS = {'acme_store_size': 'store.size'}\n",
        METADATA: metadata('acme.queue.length,gauge', 'acme.store.size,gauge', 'acme.workers,gauge'),
    },
    check=check,
)
