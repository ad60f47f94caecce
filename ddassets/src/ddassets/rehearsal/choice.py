"""Select the monitors, downtimes and notification rules of a scenario."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddassets import assets as bundles
from ddassets.assets import Asset, Bundle
from ddassets.assets.refusal import line, refuse
from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError
from ddassets.engine import downtime as downtimes
from ddassets.language.composite import CompositeQuery
from ddassets.language.slo import SloQuery
from ddassets.nearest import did_you_mean
from ddassets.rehearsal.entry import Entry, EntrySource, listed
from ddassets.rehearsal.keys import FILE
from ddassets.rehearsal.scenario import Choice, Scenario

type ReadSource = Callable[[Path], Bundle]


def read_source(path: Path) -> Bundle:
    """Read a file or folder that a scenario names. Raises UnusableInputError for a path that cannot be read."""
    # Imported on first use, because most scenarios name none.
    from ddassets.sources import read_bundle

    return read_bundle(path)


def identity(asset: Asset) -> tuple[object, ...]:
    """Return a value that is equal for the same asset of a file that was read twice, by itself and in its folder."""
    position = asset.position()
    if position is None:  # given as data, which was read once
        return id(asset.source), asset.place
    return os.path.abspath(asset.path), position, asset.address, asset.place


@dataclass(frozen=True)
class Chosen[T]:
    """The assets of one kind of a scenario, and sentences about values that their sources do not contain."""

    assets: Sequence[T]
    notes: Sequence[str] = ()


def choose_monitors(scenario: Scenario, bundle: Bundle, read: ReadSource = read_source) -> Chosen[bundles.Monitor]:
    """Return the monitors of a scenario, without those whose query is not known (with a note).

    Raises UnusableInputError for a monitor that does not exist, and with all errors of existing ones.
    """
    found: list[bundles.Monitor] = []
    notes: list[Diagnostic] = []
    for chosen in chosen_assets(
        scenario.monitors, bundle, bundle.monitors, 'monitor', [one.name for one in bundle.monitors]
    ):
        if isinstance(chosen, bundles.Monitor):
            found.append(chosen)
        elif is_body(chosen):
            found.append(bundles.read_monitor(EntrySource(chosen), chosen.data()))
        else:
            file, only = read_file(chosen, read)
            found += only_named(chosen, file, file.monitors, only, 'monitor')
            notes += file.notes
    known = [one for one in found if _is_known(one)]
    shipped = {id(one) for one in bundle.monitors}
    if not shipped.isdisjoint(map(id, found)):
        notes[:0] = bundle.notes
    else:
        # The scenario uses no monitor of the source, but its downtimes: a file that is not read may contain more.
        notes[:0] = [note for note in bundle.notes if note.severity is Severity.ERROR]
    _refuse(_faults(scenario, bundle, known), 'monitors', _names(one for one in known if id(one) in shipped))
    if not found:
        where = bundle.source or bundle.folder / 'assets' / 'monitors'
        (scenario.monitors.entry or scenario.top).refuse(f'no monitor to rehearse in {where}')
    if not known:
        raise UnusableInputError(
            f'{found[0].path}: no monitor can be rehearsed', '\n'.join(dict.fromkeys(map(_sentence, notes)))
        )
    return Chosen(_with_unique_names(scenario, known), [*dict.fromkeys(map(_sentence, notes))])


def _is_known(monitor: bundles.Monitor) -> bool:
    """Whether the query is known. A composite may refer to its members, and an SLO alert to its SLO, in
    the form of the source."""
    if monitor.is_withheld(('type',)):
        return False
    known = isinstance(monitor.composite, CompositeQuery) or isinstance(monitor.slo, SloQuery)
    return known or not monitor.is_withheld(('query',))


def _faults(scenario: Scenario, bundle: Bundle, monitors: Sequence[bundles.Monitor]) -> list[Diagnostic]:
    faults = [one for one in bundle.problems if one.path == bundle.metadata_path]
    faults += _problems(scenario.monitors, bundle, monitors, 'monitor')
    return faults + [fault for asset in monitors for fault in asset.errors]


def _problems(choice: Choice, bundle: Bundle, assets: Iterable[Asset], kind: str) -> Iterator[Diagnostic]:
    """Yield the problems of the files of assets and, if the scenario selects all, of files that could not be read."""
    paths = {asset.path for asset in assets}
    yield from (one for one in bundle.problems if one.path in paths)
    if choice.named is None and not choice.without:
        yield from _unread(bundle, kind)


def _names(monitors: Iterable[bundles.Monitor]) -> list[str]:
    return [one.name or one.path.stem for one in monitors if one.errors]


def _sentence(note: Diagnostic) -> str:
    return f'{note.object or note.path}: {note.message}'


def _with_unique_names(scenario: Scenario, monitors: Sequence[bundles.Monitor]) -> Sequence[bundles.Monitor]:
    """Append the address or id to equal names of monitors of a source.

    Raises UnusableInputError for other monitors with the same name.
    """
    counts = Counter(one.name for one in monitors)
    found = []
    for one in monitors:
        if counts[one.name] > 1:
            key = one.address or one.body.get('id')
            if key is None:
                raise UnusableInputError(f'{scenario.path}: two monitors have the name {one.name!r}')
            one = replace(one, body={**one.body, 'name': f'{one.name} ({key})'})
        found.append(one)
    return found


def choose_downtimes(scenario: Scenario, bundle: Bundle, read: ReadSource = read_source) -> Chosen[downtimes.Downtime]:
    """Return the downtimes of a scenario, each named by its address or its file.

    A downtime is left out, with a note, if the source does not contain what it mutes or when.
    Raises UnusableInputError for a downtime that does not exist, and with all errors of existing ones.
    """
    found: list[downtimes.Downtime] = []
    selected: list[bundles.Downtime] = []
    notes: list[str] = []
    faults: list[Diagnostic] = []
    refused: list[str] = []
    names = _names_of(bundle)
    for number, chosen in enumerate(chosen_assets(scenario.downtimes, bundle, bundle.downtimes, 'downtime', [])):
        for asset, name in _downtimes(chosen, names, number, read, notes):
            downtime, diagnostics = downtimes.read(asset, name)
            selected.append(asset)
            faults += diagnostics
            if downtime:
                found.append(downtime)
            elif asset.unknown and not asset.errors:
                notes.append(_left_out(name, asset.unknown))
            elif asset is chosen:
                refused.append(asset.path.stem)
    faults[:0] = _problems(scenario.downtimes, bundle, selected, 'downtime')
    _refuse(faults, 'downtimes', refused)
    return Chosen(found, notes)


def _left_out(name: str, unknown: Sequence[str]) -> str:
    return f'{name}: left out of the rehearsal, because its {listed(unknown)} is not known here'


def choose_rules(
    scenario: Scenario, bundle: Bundle, read: ReadSource = read_source
) -> Chosen[bundles.NotificationRule]:
    """Return the notification rules of a scenario.

    A rule is left out, with a note, if the source does not contain its filter or its recipients.
    Raises UnusableInputError for a rule that does not exist, and with all errors of existing ones.
    """
    found: list[bundles.NotificationRule] = []
    notes: list[str] = []
    names = [one.name for one in bundle.rules]
    for chosen in chosen_assets(scenario.rules, bundle, bundle.rules, 'notification rule', names):
        if isinstance(chosen, bundles.NotificationRule):
            found.append(chosen)
        elif is_body(chosen):
            found.append(bundles.read_notification_rule(EntrySource(chosen), chosen.data()))
        else:
            file, only = read_file(chosen, read)
            found += only_named(chosen, file, file.rules, only, 'notification rule', notes)
    faults = [*_problems(scenario.rules, bundle, found, 'notification rule')]
    faults += (fault for rule in found for fault in rule.errors)
    _refuse(faults, 'notification_rules', [rule.name or rule.path.stem for rule in found if rule.errors])
    return Chosen(
        [rule for rule in found if not rule.unknown],
        [*notes, *(_left_out(rule.address or rule.label, rule.unknown) for rule in found if rule.unknown)],
    )


def _downtimes(
    chosen: bundles.Downtime | Entry, names: Mapping[int, str], number: int, read: ReadSource, notes: list[str]
) -> Iterator[tuple[bundles.Downtime, str]]:
    """Return the selected downtimes, each with its name; `names` are those of the integration, by id()."""
    if isinstance(chosen, bundles.Downtime):
        yield chosen, names[id(chosen)]
    elif is_body(chosen):
        yield bundles.read_downtime(EntrySource(chosen), chosen.data()), f'downtime {number + 1}'
    else:
        file, only = read_file(chosen, read)
        names = _names_of(file)
        for asset in only_named(chosen, file, file.downtimes, only, 'downtime', notes):
            yield asset, names[id(asset)]


def _names_of(bundle: Bundle) -> dict[int, str]:
    return {id(asset): name for asset, name in named_downtimes(bundle)}


def named_downtimes(bundle: Bundle) -> Iterator[tuple[bundles.Downtime, str]]:
    """Return the downtimes, each with its name: its address, else its file, with a number if that contains several."""
    sizes = Counter(str(asset.path) for asset in bundle.downtimes)
    seen: Counter[str] = Counter()
    for asset in bundle.downtimes:
        path = str(asset.path)
        seen[path] += 1
        yield asset, asset.address or (f'{asset.path.stem} {seen[path]}' if sizes[path] > 1 else asset.path.stem)


def chosen_assets[T: Asset](
    choice: Choice, bundle: Bundle, assets: Sequence[T], kind: str, names: Sequence[str]
) -> Iterator[T | Entry]:
    """Return the selected assets, and the entries with a body or a file."""
    index = _Index(assets, names)
    if choice.named is None:
        without = {id(_find(entry, bundle, index, kind)) for entry in choice.without}
        yield from (asset for asset in assets if id(asset) not in without)
        return
    for entry in choice.named:
        if entry.kind == 'mapping' or (entry.kind == 'scalar' and '/' in entry.text()):
            yield entry
        elif entry.text() not in index.assets and names_file(entry):
            # A name may be that of a file beside the scenario.
            yield entry
        else:
            yield _find(entry, bundle, index, kind)


def names_file(entry: Entry) -> bool:
    """Whether an entry is a file or folder: with the key `file`, or as a path."""
    return entry.kind == 'mapping' or '/' in entry.text() or os.path.isfile(entry.path.parent / entry.text())


class _Index[T: Asset]:
    """Assets by name: the first with a name is used.

    The names of an asset are its file, if it contains only this asset, the address of its resource, and one of `names`,
    which are in the order of the assets, or empty.
    """

    def __init__(self, assets: Sequence[T], names: Sequence[str]) -> None:
        self.assets: dict[str, T] = {}
        self._names = names
        self._aliases: list[str] = []
        sizes = Counter(str(asset.path) for asset in assets)
        for number, asset in enumerate(assets):
            file = (asset.path.stem, asset.path.name) if sizes[str(asset.path)] == 1 else ()
            aliases = (*file, asset.address) if asset.address else file
            self._aliases += aliases[:1]
            for name in (*aliases, *names[number : number + 1]):
                self.assets.setdefault(name, asset)

    def known(self) -> set[str]:
        """Return the names for a message."""
        return {*self._names, *self._aliases}


def _find[T: Asset](entry: Entry, bundle: Bundle, index: _Index[T], kind: str) -> T:
    wanted = entry.text()
    if wanted in index.assets:
        return index.assets[wanted]
    known = index.known()
    unread = ''.join(f'; {line(fault)}' for fault in _unread(bundle, kind))
    entry.refuse(f'no {kind} {entry.shown()}{did_you_mean(wanted, known)}; available: {listed(known)}{unread}')


def is_body(entry: Entry) -> bool:
    return entry.kind == 'mapping' and 'file' not in entry.keys


def read_file(entry: Entry, read: ReadSource) -> tuple[Bundle, Sequence[Entry]]:
    """Read the file of an entry; also return the selected names, empty for all.

    Raises UnusableInputError for a file that cannot be read, or is refused.
    """
    only: Sequence[Entry] = ()
    if entry.kind == 'mapping':
        keys = entry.mapping(FILE.names, FILE.required)
        entry, only = keys['file'], keys['only'].items() if 'only' in keys else ()
    path = entry.path.parent / entry.text()
    if not os.path.exists(path):
        entry.refuse(f'{path}: No such file or directory')
    return checked(read(path)), only


def only_named[T: Asset](
    entry: Entry, file: Bundle, assets: Sequence[T], only: Sequence[Entry], kind: str, notes: list[str] | None = None
) -> Sequence[T]:
    """Return the selected assets of a file.

    Raises UnusableInputError if there are none. With `notes`, a file that contains only other assets gets a note:
    assets of this kind may be added to it later.
    """
    if not assets:
        if notes is None or only or not file.assets:
            entry.refuse(f'{file.source}: contains no {kind}')
        notes.append(f'{file.source}: contains no {kind}')
    index = _Index(assets, [asset.label for asset in assets] if only else [])
    return [_find(one, file, index, kind) for one in only] or assets


def checked(bundle: Bundle) -> Bundle:
    """Return the bundle of a source. Raises UnusableInputError if its form is unknown or not supported."""
    _refuse(bundle.problems)
    for note in bundle.notes:
        if note.severity is Severity.ERROR:
            raise UnusableInputError(f'{note.path}: {note.message}', note.hint)
    if not bundle.form:
        raise UnusableInputError(f'{bundle.source}: expected a monitor or a downtime in a supported form')
    return bundle


def _refuse(faults: Iterable[Diagnostic], kind: str = '', names: Sequence[str] = ()) -> None:
    """Raise UnusableInputError for errors; `names` are the assets that the scenario may exclude."""
    if errors := [one for one in faults if one.severity is Severity.ERROR]:
        leave = f'`{kind}: {{except: {json.dumps([*names], ensure_ascii=False)}}}`'
        refuse(dict.fromkeys(errors), f'to exclude it: {leave}' if names else '')


def _unread(bundle: Bundle, kind: str) -> Iterator[Diagnostic]:
    """Yield the errors of the files in the folder of a kind that could not be read, or of the source."""
    folder = bundle.folder / 'assets' / f'{kind.replace(" ", "_")}s'
    found = (one for one in bundle.problems if bundle.source or folder in (one.path, one.path.parent))
    return (one for one in found if one.severity is Severity.ERROR)
