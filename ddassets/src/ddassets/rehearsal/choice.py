"""Which monitors and downtimes a scenario is about."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from ddassets import assets as bundles
from ddassets.assets import Asset, Bundle
from ddassets.assets.document import Document, Problem, load_document
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import downtime as downtimes
from ddassets.nearest import did_you_mean
from ddassets.rehearsal.entry import Entry, listed
from ddassets.rehearsal.scenario import Choice, Scenario

# Faults of a file after which its content may not be what was meant. A byte order mark changes nothing.
_HARMLESS = ('byte-order-mark', 'folder')


def choose_monitors(scenario: Scenario, bundle: Bundle) -> list[bundles.Monitor]:
    """Return the monitors of a scenario. Raises UnusableInputError for one that is not there or cannot be read."""
    found: list[bundles.Monitor] = []
    for chosen in _chosen(scenario.monitors, bundle, bundle.monitors, 'monitor', [one.name for one in bundle.monitors]):
        if isinstance(chosen, bundles.Monitor):
            found.append(chosen)
            continue
        problems: list[Problem] = []
        found.append(bundles.read_monitor(_document(chosen, problems), problems))
        if chosen.kind == 'mapping' and problems:
            # Their positions are those in JSON that nobody wrote.
            chosen.refuse(problems[0].message)
        _refuse(problems)
    _refuse(one for one in bundle.problems if one.path in {asset.path for asset in found})
    _refuse(one for one in bundle.problems if one.path == bundle.metadata_path)
    if not scenario.monitors.named and not scenario.monitors.without:
        _refuse_unread(bundle, 'monitors')
    if not found:
        where = bundle.folder / 'assets' / 'monitors'
        (scenario.monitors.entry or scenario.top).refuse(f'there is no monitor to rehearse; looked in {where}')
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise UnusableInputError(f'{scenario.path}: two monitors have the name {name!r}')
    return found


def choose_downtimes(scenario: Scenario, bundle: Bundle) -> list[downtimes.Downtime]:
    """Return the downtimes of a scenario, each called by its file's name.

    Raises UnusableInputError for one that is not there or that the API would refuse.
    """
    found: list[downtimes.Downtime] = []
    for number, chosen in enumerate(_chosen(scenario.downtimes, bundle, bundle.downtimes, 'downtime', [])):
        if isinstance(chosen, Asset):
            _refuse(one for one in bundle.problems if one.path == chosen.path)
            found.append(downtimes.parse(chosen.body, _stem(chosen.path)))
            continue
        problems: list[Problem] = []
        document = _document(chosen, problems)
        _refuse(problems)
        name = f'downtime {number + 1}' if chosen.kind == 'mapping' else _stem(document.path)
        found.append(chosen.within(downtimes.parse, document.data, name))
    if scenario.downtimes.named is None and not scenario.downtimes.without:
        _refuse_unread(bundle, 'downtimes')
    return found


def _chosen[T: Asset](
    choice: Choice, bundle: Bundle, assets: Sequence[T], kind: str, names: Sequence[str]
) -> Iterator[T | Entry]:
    """The assets that are named, and the entries that hold one or name a file."""
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
    known = [*names, *(_stem(asset.path) for asset in assets)]
    for index, asset in enumerate(assets):
        if wanted in (_stem(asset.path), asset.path.name) or (index < len(names) and wanted == names[index]):
            return asset
    unread = ''.join(f'; {_described(problem)}' for problem in _unread(bundle, f'{kind}s'))
    close = did_you_mean(wanted, known)
    entry.refuse(f'there is no {kind} {entry.shown()}{close}; there are: {listed(set(known))}{unread}')


def _document(entry: Entry, problems: list[Problem]) -> Document:
    """A body that the scenario holds, or that of the file that it names."""
    if entry.kind == 'mapping':
        data = entry.data()
        return Document(entry.path, json.dumps(data), data)
    path = entry.path.parent / entry.text()
    document = load_document(path, problems)
    if document is None or not isinstance(document.data, dict):
        _refuse(problems)
        entry.refuse(f'{path}: expected an object')
    return document


def _refuse(problems: 'Iterator[Problem] | Sequence[Problem]') -> None:
    for problem in problems:
        if problem.kind not in _HARMLESS:
            raise UnusableInputError(_described(problem))


def _described(problem: Problem) -> str:
    place = f':{problem.position.line}:{problem.position.column}' if problem.position else ''
    return f'{problem.path}{place}: {problem.message}'


def _refuse_unread(bundle: Bundle, kind: str) -> None:
    """Where all of a kind are rehearsed, a file that could not be read is one that is missing."""
    _refuse(_unread(bundle, kind))


def _unread(bundle: Bundle, kind: str) -> Iterator[Problem]:
    folder = bundle.folder / 'assets' / kind
    return (one for one in bundle.problems if folder in (one.path, one.path.parent) and one.kind not in _HARMLESS)


def _stem(path: Path) -> str:
    return path.stem
