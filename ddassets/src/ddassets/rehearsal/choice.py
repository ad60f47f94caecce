"""Which monitors and downtimes a scenario is about."""

import json
from collections.abc import Iterable, Iterator, Sequence

from ddassets import assets as bundles
from ddassets.assets import Asset, Bundle
from ddassets.assets.document import load_document
from ddassets.assets.refusal import line, refuse
from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError
from ddassets.engine import downtime as downtimes
from ddassets.nearest import did_you_mean
from ddassets.rehearsal.entry import Entry, EntrySource, listed
from ddassets.rehearsal.scenario import Choice, Scenario


def choose_monitors(scenario: Scenario, bundle: Bundle) -> list[bundles.Monitor]:
    """Return the monitors of a scenario.

    Raises UnusableInputError for a monitor that does not exist, and with every error of those that do.
    """
    found: list[bundles.Monitor] = []
    faults: list[Diagnostic] = []
    for chosen in _chosen(scenario.monitors, bundle, bundle.monitors, 'monitor', [one.name for one in bundle.monitors]):
        found.append(chosen if isinstance(chosen, bundles.Monitor) else bundles.read_monitor(*_body(chosen, faults)))
    paths = {asset.path for asset in found} | {bundle.metadata_path}
    faults += (one for one in bundle.problems if one.path in paths)
    if not scenario.monitors.named and not scenario.monitors.without:
        faults += _unread(bundle, 'monitors')
    faults += (fault for asset in found for fault in asset.errors)
    shipped = {id(one) for one in bundle.monitors}
    _refuse(faults, 'monitors', [one.name or one.path.stem for one in found if one.errors and id(one) in shipped])
    if not found:
        where = bundle.folder / 'assets' / 'monitors'
        (scenario.monitors.entry or scenario.top).refuse(f'there is no monitor to rehearse; looked in {where}')
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise UnusableInputError(f'{scenario.path}: two monitors have the name {name!r}')
    return found


def choose_downtimes(scenario: Scenario, bundle: Bundle) -> list[downtimes.Downtime]:
    """Return the downtimes of a scenario, each called by the name of its file.

    Raises UnusableInputError for a downtime that does not exist, and with every error of those that do.
    """
    found: list[downtimes.Downtime] = []
    faults: list[Diagnostic] = []
    refused: list[str] = []
    for number, chosen in enumerate(_chosen(scenario.downtimes, bundle, bundle.downtimes, 'downtime', [])):
        name = ''
        if isinstance(chosen, bundles.Downtime):
            asset = chosen
            faults += (one for one in bundle.problems if one.path == asset.path)
        else:
            asset = bundles.read_downtime(*_body(chosen, faults))
            name = f'downtime {number + 1}' if chosen.kind == 'mapping' else ''
        downtime, diagnostics = downtimes.read(asset, name)
        faults += diagnostics
        if downtime:
            found.append(downtime)
        elif asset is chosen:
            refused.append(asset.path.stem)
    if scenario.downtimes.named is None and not scenario.downtimes.without:
        faults += _unread(bundle, 'downtimes')
    _refuse(faults, 'downtimes', refused)
    return found


def _chosen[T: Asset](
    choice: Choice, bundle: Bundle, assets: Sequence[T], kind: str, names: Sequence[str]
) -> Iterator[T | Entry]:
    """The assets that are named, and the entries that hold a body or name a file."""
    if choice.named is None:
        without = {id(_find(entry, bundle, assets, kind, names)) for entry in choice.without}
        yield from (asset for asset in assets if id(asset) not in without)
        return
    for entry in choice.named:
        if entry.kind == 'mapping' or (entry.kind == 'scalar' and '/' in entry.text()):
            yield entry
        else:
            yield _find(entry, bundle, assets, kind, names)


def _find[T: Asset](entry: Entry, bundle: Bundle, assets: Sequence[T], kind: str, names: Sequence[str]) -> T:
    wanted = entry.text()
    known = [*names, *(asset.path.stem for asset in assets)]
    for index, asset in enumerate(assets):
        if wanted in (asset.path.stem, asset.path.name) or (index < len(names) and wanted == names[index]):
            return asset
    unread = ''.join(f'; {line(fault)}' for fault in _unread(bundle, f'{kind}s'))
    close = did_you_mean(wanted, known)
    entry.refuse(f'there is no {kind} {entry.shown()}{close}; there are: {listed(set(known))}{unread}')


def _body(entry: Entry, faults: list[Diagnostic]) -> tuple[bundles.Source, dict[str, object]]:
    """A body that the scenario holds, or that of the file that it names."""
    if entry.kind == 'mapping':
        return EntrySource(entry), entry.data()
    path = entry.path.parent / entry.text()
    document = load_document(path, faults)
    if document is None or not isinstance(document.data, dict):
        _refuse(faults)
        entry.refuse(f'{path}: expected an object')
    return document, document.data


def _refuse(faults: Iterable[Diagnostic], kind: str = '', names: Sequence[str] = ()) -> None:
    """Refuse what has errors; `names` are the assets that the scenario may leave out."""
    if errors := [one for one in faults if one.severity is Severity.ERROR]:
        leave = f'`{kind}: {{except: {json.dumps([*names], ensure_ascii=False)}}}`'
        refuse(dict.fromkeys(errors), f'to rehearse without it: {leave}' if names else '')


def _unread(bundle: Bundle, kind: str) -> Iterator[Diagnostic]:
    """Where all of a kind are rehearsed, a file that could not be read is missing."""
    folder = bundle.folder / 'assets' / kind
    return (one for one in bundle.problems if folder in (one.path, one.path.parent) and one.severity is Severity.ERROR)
