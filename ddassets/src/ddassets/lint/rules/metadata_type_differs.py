"""A metric whose submitted type differs from metadata.csv."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, metadata
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for name, emitted in sorted(subject.emission.metrics.items() if subject.emission else ()):
        listed = subject.bundle.metrics.get(name)
        if listed and listed.type not in ('', 'counter', emitted.type):
            message = f'{name} is listed as a {listed.type}; the check submits a {emitted.type}'
            yield subject.row_fault(listed, message)


RULE = Rule(
    id='metadata/type-differs',
    severity=Severity.ERROR,
    reason='The check submits a metric with a different type than metadata.csv lists.',
    explanation=(
        'The type determines what `.as_count()`, `.as_rate()` and interpolation do. The method `rate` submits a gauge, '
        '`monotonic_count` a count. This rule needs an emission.'
    ),
    emission={'acme.queue.length': ('gauge', ['host:a'])},
    bad={METADATA: metadata('acme.queue.length,count')},
    good={METADATA: metadata('acme.queue.length,gauge')},
    check=check,
    semantics=('2.14', '2.15'),
)
