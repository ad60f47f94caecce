"""An entry of the manifest whose file does not exist."""

import os
from collections.abc import Iterator
from posixpath import dirname, isabs, normpath

from ddassets.assets.source import Place
from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST, MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import closest


def check(subject: Subject) -> Iterator[Fault]:
    manifest, folder = subject.bundle.manifest, subject.bundle.folder
    if manifest is None:
        return
    entries: list[tuple[Place, str]] = [
        (('assets', kind, title), path)
        for kind, paths in (
            ('dashboards', manifest.dashboards),
            ('monitors', manifest.monitors),
            ('saved_views', manifest.saved_views),
        )
        for title, path in paths.items()
    ]
    if manifest.metadata_path:
        entries.append((('assets', 'integration', 'metrics', 'metadata_path'), manifest.metadata_path))
    for place, path in entries:
        if isabs(path) or normpath(path).split('/')[0] == '..':
            yield Fault(where=manifest, place=place, message=f'{path} is outside the integration')
            continue
        if '\0' not in path and os.path.isfile(folder / path):
            continue
        beside = [found.relative_to(folder).as_posix() for found in subject.bundle.files]
        # Suggest only files of the same kind.
        near = closest(path, [found for found in beside if dirname(found) == dirname(path)])
        yield Fault(
            where=manifest,
            place=place,
            message=f'there is no file {path}',
            hint=f'did you mean {near}?' if near else '',
        )


RULE = Rule(
    id='manifest/missing-file',
    severity=Severity.ERROR,
    reason='An entry of the manifest names a file that does not exist.',
    explanation=(
        'Paths in `assets` are relative to the manifest and must be below its folder. If the file does not exist or is '
        'outside the integration, nothing is shipped.'
    ),
    bad={MANIFEST: {'assets': {'monitors': {'Workers are gone': 'assets/monitors/workers_are_gone.json'}}}},
    good={MANIFEST: {'assets': {'monitors': {'Queue is long': MONITOR}}}},
    check=check,
    semantics=('9.5',),
)
