"""A metric prefix or name of the manifest that is not in metadata.csv."""

from collections.abc import Iterator

from ddassets.assets.source import Place
from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST
from ddassets.lint.nearest import nearest
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_METRICS: Place = ('assets', 'integration', 'metrics')


def check(subject: Subject) -> Iterator[Fault]:
    manifest, metrics = subject.bundle.manifest, subject.bundle.metrics
    if manifest is None or not metrics:
        return
    for prefix in manifest.metric_prefixes:
        if not any(name.startswith(prefix.rstrip('.') + '.') or name == prefix for name in metrics):
            yield Fault(
                where=manifest,
                place=(*_METRICS, 'prefix'),
                message=f'no metric in metadata.csv begins with the prefix {prefix}',
            )
    if manifest.check and not subject.knows(manifest.check) and (near := nearest(manifest.check, metrics)):
        yield Fault(
            where=manifest,
            place=(*_METRICS, 'check'),
            message=f'{manifest.check} is not in metadata.csv',
            hint=f'nearest: {", ".join(near)}',
        )


RULE = Rule(
    id='manifest/metrics',
    severity=Severity.WARNING,
    reason='The prefix or the checked metric of the manifest matches no metric in metadata.csv.',
    explanation=(
        'Datadog considers an integration installed when it receives the metric `check`, and finds its metrics by '
        '`prefix`. A misspelt name matches nothing.'
    ),
    bad={MANIFEST: {'assets': {'integration': {'metrics': {'check': 'acme.wrokers'}}}}},
    good={MANIFEST: {'assets': {'integration': {'metrics': {'check': 'acme.workers'}}}}},
    check=check,
)
