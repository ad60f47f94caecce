"""A tag key that the check does not submit."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.known_tags import comes_with_the_host
from ddassets.lint.nearest import nearest
from ddassets.lint.queries import keys_used
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading, variables in subject.with_variables:
        for metric in reading.metrics:
            emitted = subject.emission.metrics.get(metric.name) if subject.emission else None
            if not emitted:
                continue
            for key, span in keys_used(metric, variables):
                if key in emitted.keys or comes_with_the_host(key):
                    continue
                near = nearest(key, emitted.keys, most=1)
                yield reading.fault(
                    f'no series of {metric.name} has the tag key {key}',
                    span,
                    hint=f'did you mean {near[0]}?' if near else 'if it is a tag of the host, this is correct',
                    severity=Severity.WARNING if near else Severity.NOTE,
                )


RULE = Rule(
    id='tag/unknown',
    severity=Severity.WARNING,
    reason='A query filters or groups by a tag key that the check does not submit.',
    explanation=(
        'A filter by such a key matches nothing, and grouping by it drops every series from a monitor. Hosts add '
        'their own tags, which a run of the check does not show: a key that resembles no emitted key is a note. This '
        'rule needs an emission.'
    ),
    emission={'acme.queue.length': ('gauge', ['queue:in', 'host:a'])},
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} by {queues}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} by {queue}')]}},
    check=check,
    semantics=('1.7',),
)
