"""Different spellings of the integration tag."""

from collections.abc import Iterator
from typing import Any

from ddassets.assets import Asset
from ddassets.assets.source import REMOVED
from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    yield from _spellings(subject)
    yield from _others(subject)


def _spellings(subject: Subject) -> Iterator[Fault]:
    """Yield tags of the integration that differ in spelling."""
    manifest = subject.bundle.manifest
    for monitor in subject.bundle.monitors:
        own: dict[str, str] = {}
        if manifest and manifest.app_id:
            own[_plain(manifest.app_id)] = manifest.app_id
        assets: list[Asset] = [monitor.outer, monitor] if monitor.wrapper else [monitor]
        for asset in assets:
            found = _integration_tags(asset.body.get('tags'))
            # The right tag may be there already.
            present = {tag for _, tag in found}
            for index, tag in found:
                name = tag.partition(':')[2]
                usual = own.setdefault(_plain(name), name)
                if name != usual:
                    right = f'integration:{usual}'
                    yield Fault(
                        where=asset,
                        place=('tags', index),
                        message=f'{tag} is spelled {right} elsewhere',
                        object=monitor.name,
                        fix=asset.edit(REMOVED if right in present else right, 'tags', index),
                    )
                    present.add(right)


def _integration_tags(tags: Any) -> list[tuple[int, str]]:
    """Return the tags that name an integration with their indices in the body: the decoded tags lack invalid ones."""
    found = enumerate(tags if isinstance(tags, list) else ())
    return [(index, tag) for index, tag in found if isinstance(tag, str) and tag.startswith('integration:')]


def _others(subject: Subject) -> Iterator[Fault]:
    """Yield tags of monitors that name only another integration."""
    manifest = subject.bundle.manifest
    if manifest is None or not manifest.app_id:
        return
    for monitor in subject.bundle.monitors:
        tags = _integration_tags(monitor.body.get('tags'))
        names = {_plain(tag.partition(':')[2]) for _, tag in tags}
        if tags and _plain(manifest.app_id) not in names:
            index, tag = tags[0]
            yield Fault(
                where=monitor,
                place=('tags', index),
                message=f'{tag} is not the tag of the integration, integration:{manifest.app_id}',
                severity=Severity.NOTE,
            )


def _plain(name: str) -> str:
    return ''.join(character for character in name.lower() if character.isalnum())


RULE = Rule(
    id='tag/integration-spelling',
    severity=Severity.WARNING,
    reason='The integration tag of a monitor is spelled in two ways.',
    explanation=(
        'For Datadog `integration:my_queue` and `integration:my-queue` are two tags: a filter by one does not match '
        'the other. The correct spelling is the `app_id` of the manifest, otherwise the first spelling in the file. A '
        'monitor whose tags name only another integration is a note.'
    ),
    bad={MONITOR: {'definition': {'tags': ['integration:ac_me']}}},
    good={MONITOR: {'definition': {'tags': ['integration:acme']}}},
    check=check,
    semantics=('9.2',),
)
