"""Read the assets of an integration and change them by the options: recipients, restricting tags, time zone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ddassets import assets as bundle
from ddassets.assets.refusal import line
from ddassets.assets.source import dotted
from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError
from ddassets.engine import downtime
from ddassets.nearest import did_you_mean
from ddassets.org import marker
from ddassets.org.changes import ChangeError, Changes
from ddassets.org.kind import Body, Desired, Kind
from ddassets.org.kinds import KINDS, MONITORS, NOTIFICATION_RULES
from ddassets.org.notification_rules import MAX_NAME
from ddassets.output.terminal import count


@dataclass(frozen=True)
class Selection:
    """What `--only` selects: kinds (`monitors`), names or both (`monitors/spool_*`); everything without a pattern."""

    patterns: Sequence[str] = ()

    def covers(self, kind: Kind, name: str) -> bool:
        return not self.patterns or any(_fits(pattern, kind, name) for pattern in self.patterns)

    def kinds(self) -> list[Kind]:
        """Return the kinds that selected assets may have; those of a plain name may have any."""
        if not all(map(_kinds_of, self.patterns)):
            return list(KINDS)
        named = [kind for pattern in self.patterns for kind in _kinds_of(pattern)]
        return [kind for kind in KINDS if not self.patterns or kind in named]

    def check(self, present: Sequence[tuple[Kind, str]]) -> None:
        """Raise UnusableInputError for a pattern that matches none of the assets and objects `present`."""
        for pattern in self.patterns:
            if any(_fits(pattern, kind, name) for kind, name in present):
                continue
            known = sorted({f'{kind.plural}/{name}' for kind, name in present})
            hint = did_you_mean(pattern, {*known, *(kind.plural for kind in KINDS), *(name for _, name in present)})
            available = ', '.join(known) or 'none'
            raise UnusableInputError(f'--only: {pattern!r} matches nothing{hint}; available: {available}')


def _fits(pattern: str, kind: Kind, name: str) -> bool:
    kinds = (kind.plural, kind.name)
    return any(fnmatchcase(text, pattern) for text in (name, *kinds, *(f'{one}/{name}' for one in kinds)))


def _kinds_of(pattern: str) -> list[Kind]:
    """Return the kinds that a pattern names: `monitors`, `monitors/x`, `*s/x`; none for a plain name."""
    head, slash, _ = pattern.partition('/')
    kinds = [kind for kind in KINDS if fnmatchcase(kind.plural, head) or fnmatchcase(kind.name, head)]
    return kinds if slash or head in {name for kind in kinds for name in (kind.name, kind.plural)} else []


def integration_name(assets: bundle.Bundle) -> str:
    """Return the name in markers: the manifest's `app_id`, else the folder's name.

    Raises UnusableInputError if the manifest cannot be read: under the folder's name no object would be found.
    """
    manifest = assets.manifest
    for problem in assets.problems if manifest is None else ():
        if problem.path == assets.folder / 'manifest.json' and problem.code != 'manifest/missing':
            raise UnusableInputError(line(problem))
    return marker.tag_value(manifest.app_id if manifest and manifest.app_id else assets.folder.resolve().name)


def read_assets(folder: Path) -> bundle.Bundle:
    """Read an integration. Raises UnusableInputError if `folder` is not an integration."""
    try:
        found = bundle.integrations(folder)
    except OSError as error:
        raise UnusableInputError(f'{folder}: {error.strerror}') from None
    if found != [folder]:
        hint = f'; name one of those in it: {", ".join(one.name for one in found[:5])}' if found else ''
        raise UnusableInputError(f'{folder}: no manifest.json and no assets: not an integration{hint}')
    return bundle.read(folder)


def names(assets: bundle.Bundle) -> list[tuple[Kind, str]]:
    """Return the kind and the name of each asset."""
    return [(kind, marker.tag_value(asset.path.stem)) for kind, found in _by_kind(assets) for asset in found]


def _by_kind(assets: bundle.Bundle) -> list[tuple[Kind, Sequence[bundle.Asset]]]:
    return [(kind, assets.of(kind.asset)) for kind in KINDS]


def read_desired(assets: bundle.Bundle, selection: Selection, changes: Changes) -> list[Desired]:
    """Return the selected assets with the changes, all valid as far as that can be checked offline.

    Raises UnusableInputError with all faults, each with its file and place.
    """
    diagnostics = [one for one in assets.problems if one.path.suffix == '.json' and one.code in _FATAL]
    faults: list[str] = []
    desired: list[Desired] = []
    integration = integration_name(assets)
    for kind, found in _by_kind(assets):
        taken: dict[str, Path] = {}
        for asset in found:
            name = marker.tag_value(asset.path.stem)
            if name in taken:
                other = taken[name].name
                faults.append(
                    f'{asset.path}: its name in the marker, {name!r}, is also that of {other}: rename one file'
                )
            taken[name] = asset.path
            if not selection.covers(kind, name):
                continue
            body = kind.body(asset)
            if fault := _marker_fault(kind, asset, body, marker.Marker(integration, name, '0' * 12)):
                faults.append(fault)
                continue
            errors, refused = _errors(asset), list(_faults(kind, asset, body))
            diagnostics += errors
            # A fault that a diagnostic reports is not repeated in the words of the API's model.
            faults += (text for place, text in refused if not any(_covers(error, place) for error in errors))
            if errors or refused:
                # A body in a wrong form cannot be changed.
                continue
            try:
                body = kind.changed(asset, dict(body), changes)
            except ChangeError as error:
                faults.append(error.text)
                continue
            desired.append(Desired(kind, name, kind.title(body), body, asset))
    faults = [*map(line, diagnostics), *faults]
    # Bodies with faults cannot be compared.
    faults += () if faults else _duplicates(desired)
    if faults:
        raise UnusableInputError(
            f'{assets.folder}: {count(len(faults), "fault")}; nothing was sent', '\n'.join(faults), diagnostics
        )
    return desired


def _marker_fault(kind: Kind, asset: bundle.Asset, body: Body, mark: marker.Marker) -> str:
    """Return why the marker does not fit, or an empty text: Datadog would cut or refuse what is longer."""
    if kind is MONITORS and (excess := max(map(len, mark.tags())) - marker.MAX_TAG) > 0:
        too_long = f'{count(excess, "character")} too long for the tags of the marker'
        return f'{asset.path}: the name of the file or of the integration is {too_long}: shorten it'
    if kind is NOTIFICATION_RULES:
        marked = marker.name_with_marker(str(body.get('name') or ''), mark)
        if (excess := len(marked) - MAX_NAME) > 0:
            too_long = f'{count(excess, "character")} too long, because ddassets appends its marker'
            return f'{asset.where("name")}: {too_long}: shorten the name'
    return ''


# Faults after which the content of a file is not known, unlike a byte order mark or a duplicate key.
_FATAL = frozenset(('manifest/no-integration', 'file/unreadable', 'file/encoding', 'file/syntax', 'file/shape'))


def _errors(asset: bundle.Asset) -> list[Diagnostic]:
    """Return the errors of an asset, as lint and rehearse report them."""
    found = downtime.read(asset)[1] if isinstance(asset, bundle.Downtime) else asset.diagnostics
    return [one for one in found if one.severity is Severity.ERROR]


def _covers(error: Diagnostic, place: str) -> bool:
    """Whether a diagnostic is about this place, a part of it, or an object or a list that contains it."""
    return f'{place}.'.startswith(f'{error.key}.') or f'{error.key}.'.startswith(f'{place}.')


def _faults(kind: Kind, asset: bundle.Asset, body: Body) -> Iterator[tuple[str, str]]:
    """Yield what the model of the API refuses, with the dotted place; not for keys that a diagnostic names."""
    known = {one.key for one in asset.diagnostics}
    found = False
    for fault in kind.faults(body):
        place = dotted(fault.path)
        if place not in known:
            found = True
            yield place, f'{asset.where(*fault.path)}: {fault}'
    if not found:
        try:
            json.dumps(body, allow_nan=False)
        except ValueError:
            yield '', f'{asset.path}: contains a number that is too large for JSON, such as 1e999'


def _duplicates(desired: Sequence[Desired]) -> Iterator[str]:
    """Yield the assets with the same effect as another one; Datadog refuses such downtimes (rule 5.10)."""
    seen: list[Desired] = []
    for one in desired:
        same = (other for other in seen if other.kind is one.kind)
        for other in same:
            if one.kind.conflicts(one.body, other.body, 0):
                yield f'{one.asset.path}: covers the same as {other.asset.path.name}; Datadog accepts no duplicate'
        seen.append(one)
