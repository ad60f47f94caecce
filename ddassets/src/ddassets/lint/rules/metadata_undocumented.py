"""A submitted metric that metadata.csv does not list."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, metadata
from ddassets.lint.nearest import nearest
from ddassets.lint.rule import Fault, Rule, Spot
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    if subject.emission is None:
        return
    for name in sorted(subject.emission.metrics):
        if name not in subject.bundle.metrics and not name.startswith('datadog.'):
            near = nearest(name, subject.bundle.metrics)
            yield Fault(
                where=Spot(subject.bundle.metadata_path),
                message=f'the check submits {name}, which is not listed',
                hint=f'nearest: {", ".join(near)}' if near else '',
                object=name,
                fix=subject.metadata_row(name, subject.emission.metrics[name].type),
            )


RULE = Rule(
    id='metadata/undocumented',
    severity=Severity.ERROR,
    reason='The check submits a metric that metadata.csv does not list.',
    explanation=(
        'This rule needs an emission: `ddassets lint PATH --emission FILE`, where FILE is the output of '
        '`ddassets check PATH --json`.'
    ),
    emission={'acme.queue.length': ('gauge', ['host:a'])},
    bad={METADATA: metadata('acme.workers,gauge')},
    good={METADATA: metadata('acme.workers,gauge', 'acme.queue.length,gauge')},
    check=check,
)
