"""A dashboard or monitor that no entry of the manifest names."""

from collections.abc import Iterator
from posixpath import normpath

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, MANIFEST
from ddassets.lint.rule import Fault, Rule, Spot
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    manifest = subject.bundle.manifest
    if manifest is None:
        return
    listed = {normpath(path) for path in (*manifest.dashboards.values(), *manifest.monitors.values())}
    for file in subject.bundle.files:
        path = file.relative_to(subject.bundle.folder).as_posix()
        kind = file.parent.name
        if kind in ('dashboards', 'monitors') and path not in listed:
            yield Fault(where=Spot(file), message=f'no entry of assets.{kind} in manifest.json names {path}')


RULE = Rule(
    id='manifest/unlisted-file',
    severity=Severity.WARNING,
    reason='A dashboard or monitor is not named in the manifest.',
    explanation='Datadog ships only the files in `assets.dashboards` and `assets.monitors`. '
    'Downtimes and notification rules cannot be listed in the manifest, so they are not checked.',
    bad={MANIFEST: {'assets': {'dashboards': {'Acme Overview': None}}}},
    good={MANIFEST: {'assets': {'dashboards': {'Acme Overview': DASHBOARD}}}},
    check=check,
    semantics=('9.5',),
)
