"""A monitor that queries no metric of its integration."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    if not subject.bundle.metrics:
        return
    for reading in subject.monitors:
        names = [metric.name for metric in reading.metrics]
        if names and not any(subject.is_own(name) or subject.knows(name) for name in names):
            listed = ', '.join(dict.fromkeys(names))
            yield reading.fault(f'the monitor queries only {listed}, no metric of the integration')


RULE = Rule(
    id='monitor/foreign-metric',
    severity=Severity.NOTE,
    reason='A monitor queries no metric of its integration.',
    explanation="""\
A recommended monitor is for its integration. A query of only a metric of the Agent or of another integration is often a
leftover of the editor or of a copied monitor. If it is intended, list the metric under `companions`.""",
    bad={MONITOR: {'definition': {'query': 'avg(last_5m):avg:system.load.1{*} by {host} > 100'}}},
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} / avg:system.cpu.num_cores{*} by {host} > 100'
            }
        }
    },
    check=check,
)
