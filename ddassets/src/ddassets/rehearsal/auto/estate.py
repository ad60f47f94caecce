"""Survey every monitor of some paths, and report problems as diagnostics."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ddassets import assets
from ddassets.assets import Bundle, NotificationRule
from ddassets.assets import Downtime as DowntimeAsset
from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError
from ddassets.engine import downtime as downtimes
from ddassets.engine import kinds as types
from ddassets.engine.composite import Composite
from ddassets.engine.counted import CountedMonitor
from ddassets.engine.downtime import Downtime
from ddassets.engine.event_formula import FormulaMonitor
from ddassets.engine.monitor import AnyMonitor, Monitor
from ddassets.engine.series import Kind
from ddassets.engine.service_check import CheckMonitor
from ddassets.engine.slo import SloMonitor
from ddassets.language.query.tree import MonitorQuery
from ddassets.rehearsal.auto.answers import Survey
from ddassets.rehearsal.auto.approximated import jumps
from ddassets.rehearsal.auto.counted import survey_counted
from ddassets.rehearsal.auto.formula import survey_formula
from ddassets.rehearsal.auto.others import survey_check, survey_composite
from ddassets.rehearsal.auto.slo import survey_slo
from ddassets.rehearsal.auto.survey import survey
from ddassets.rehearsal.choice import named_downtimes
from ddassets.rehearsal.scenario import KINDS


@dataclass(frozen=True)
class Estate:
    """The surveys of all monitors in the order of the files, and the diagnostics about them and their files."""

    surveys: Sequence[Survey]
    diagnostics: Sequence[Diagnostic]

    @cached_property
    def by_object(self) -> Mapping[tuple[Path, str], Sequence[Diagnostic]]:
        """The diagnostics by the file and the name of what they are about."""
        grouped: defaultdict[tuple[Path, str], list[Diagnostic]] = defaultdict(list)
        for diagnostic in self.diagnostics:
            grouped[diagnostic.path, diagnostic.object].append(diagnostic)
        return grouped

    def diagnostics_of(self, found: Survey) -> Sequence[Diagnostic]:
        """Return the diagnostics about a surveyed monitor."""
        return self.by_object.get((found.asset.path, found.name), ())


def survey_paths(
    paths: Iterable[Path], progress: Callable[[str], None] = lambda text: None, approximate: Collection[str] = ()
) -> Estate:
    """Survey the monitors at `paths`: integrations, checkouts, or files in any supported form.

    `approximate` names functions for which the result says how large a jump alerts.
    The downtimes and rules of a path without a monitor are those of the monitors of every path.
    Raises UnusableInputError for a path with none of these, and if no path has a monitor.
    """
    surveys: list[Survey] = []
    diagnostics: list[Diagnostic] = []
    bundles: list[Bundle] = []
    beside: list[Bundle] = []
    for path in paths:
        found = list(_bundles(path))
        if any(bundle.monitors or _faults_of_files(bundle) for bundle in found):
            bundles += found
        elif any(bundle.downtimes or bundle.rules for bundle in found):
            beside += found
        else:
            raise UnusableInputError(f'{path}: no monitor found')
    if not bundles:
        raise UnusableInputError(f'{beside[0].source or beside[0].folder}: no monitor found')
    read = {id(bundle): list(_downtimes(bundle)) for bundle in (*bundles, *beside)}
    diagnostics += (found for pairs in read.values() for found in _mutes_everything(pairs))
    shared = [downtime for bundle in beside for _, downtime in read[id(bundle)]]
    shared_rules = [rule for bundle in beside for rule in _rules(bundle)]
    for bundle in bundles:
        diagnostics += _faults_of_files(bundle)
        planned = [*(downtime for _, downtime in read[id(bundle)]), *shared]
        rules = [*_rules(bundle), *shared_rules]
        for asset in bundle.monitors:
            progress(f'{asset.name}')
            # An invalid monitor is reported, not surveyed.
            diagnostics += asset.errors
            if not asset.errors:
                surveys.append(result := _approximated(_survey(asset, bundle, planned, rules), bundle, approximate))
                diagnostics += judge(result)
    return Estate(surveys, diagnostics)


def _approximated(found: Survey, bundle: Bundle, approximate: Collection[str]) -> Survey:
    if not approximate or found.unsupported:
        return found
    monitor = types.read(found.asset)
    return (
        replace(found, jumps=jumps(monitor, approximate, *declared(bundle))) if isinstance(monitor, Monitor) else found
    )


def _bundles(path: Path) -> Iterator[Bundle]:
    folders = assets.integrations(path) if path.is_dir() else []
    if folders:
        yield from map(assets.read, folders)
        return
    from ddassets import sources

    inventory = sources.read(path)
    if not inventory.form and not inventory.problems:
        raise UnusableInputError(f'{path}: expected a monitor or a downtime in a supported form')
    yield sources.as_bundle(inventory)


def _faults_of_files(bundle: Bundle) -> list[Diagnostic]:
    """Return the faults of files, including those in a form that is refused, such as a Helm template."""
    return [*bundle.problems, *(note for note in bundle.notes if note.severity is Severity.ERROR)]


def _rules(bundle: Bundle) -> list[NotificationRule]:
    # lint reports faults of rules. A part that the source does not contain may match anything, or nothing.
    return [rule for rule in bundle.rules if not rule.errors and not rule.unknown]


def _downtimes(bundle: Bundle) -> Iterator[tuple[DowntimeAsset, Downtime]]:
    for asset, name in named_downtimes(bundle):
        # lint reports faults of downtimes. A part that the source does not contain may mute anything, or nothing.
        downtime, _ = downtimes.read(asset, name)
        if downtime:
            yield asset, downtime


def _mutes_everything(pairs: Iterable[tuple[DowntimeAsset, Downtime]]) -> Iterator[Diagnostic]:
    for asset, downtime in pairs:
        if downtime.everything_always:
            message = f'the downtime {downtime.name} mutes every monitor at every time, without end'
            yield asset.diagnostic('auto/mutes-everything', Severity.WARNING, ('scope',), message)


def _survey(
    asset: MonitorAsset, bundle: Bundle, planned: Sequence[Downtime], rules: Sequence[NotificationRule]
) -> Survey:
    try:
        monitor = types.read(asset)
    except UnusableInputError as error:
        return Survey(asset, unsupported=str(error).removeprefix(f'{asset.name}: '))
    try:
        return _of_type(asset, monitor, bundle, planned, rules)
    except UnusableInputError as error:
        if isinstance(monitor, CountedMonitor | FormulaMonitor | SloMonitor):
            return Survey(asset, unsupported=str(error))
        raise


def _of_type(
    asset: MonitorAsset,
    monitor: AnyMonitor,
    bundle: Bundle,
    planned: Sequence[Downtime],
    rules: Sequence[NotificationRule],
) -> Survey:
    """Survey a monitor by its type. Raises UnusableInputError where no signal can be generated."""
    match monitor:
        case CheckMonitor():
            return survey_check(asset, monitor, planned, rules)
        case CountedMonitor():
            return survey_counted(asset, monitor, planned, rules)
        case FormulaMonitor():
            return survey_formula(asset, monitor, planned, rules)
        case SloMonitor():
            return survey_slo(asset, monitor, bundle.slos, planned, rules)
        case Composite():
            return survey_composite(asset, monitor, bundle.monitors, planned, rules)
        case Monitor(critical_query=MonitorQuery()):
            reason = 'no signal is generated for a dynamic threshold, which reads a long history'
            return Survey(asset, unsupported=reason)
        case Monitor():
            return survey(asset, monitor, planned, *declared(bundle), rules)
    return Survey(asset, unsupported=f'no signal can be generated for type {asset.type!r}')


def declared(bundle: Bundle) -> tuple[dict[str, Kind], dict[str, int]]:
    """Return the types, and the intervals in seconds, that metadata.csv declares, by metric."""
    kinds: dict[str, Kind] = {}
    for name, metric in bundle.metrics.items():
        kind = next((kind for kind in KINDS if kind == metric.type), None)
        if kind:
            kinds[name] = kind
    return kinds, {name: metric.interval for name, metric in bundle.metrics.items() if metric.interval}


def judge(found: Survey) -> Iterator[Diagnostic]:
    """Yield the problems of a monitor, the worst first."""

    for code, severity, message, place in _faults(found):
        position = found.asset.position(*_existing(found.asset, place))
        key = '.'.join(map(str, place))
        yield Diagnostic(f'auto/{code}', severity, found.asset.path, message, position, object=found.name, key=key)


def _faults(found: Survey) -> Iterator[tuple[str, Severity, str, Place]]:
    """Yield the code, severity, sentence and place of each fault."""
    error, warning, note = Severity.ERROR, Severity.WARNING, Severity.NOTE
    if found.unsupported:
        yield 'not-rehearsed', note, found.unsupported, ('query',)
        return
    if not found.alert:
        yield 'never-alerts', error, f'it can never alert: {found.alert.reason}', ('query',)
    else:
        states = (
            ('never-recovers', 'it never recovers', found.recovery, ('options',)),
            ('never-warns', 'it can never warn', found.warn, ('options', 'thresholds')),
            ('never-no-data', 'it never reports No Data', found.no_data, ('options',)),
        )
        for code, sentence, verdict, place in states:
            if not verdict:
                yield code, warning, f'{sentence}: {verdict.reason}', place
        if not any(found.notified.values()):
            yield 'notifies-nobody', warning, 'its message notifies nobody', ('message',)
    for handle in found.never:
        yield 'handle-never-notified', warning, f'no notification reaches {handle}', ('message',)
    for branch in found.unrendered:
        yield 'branch-never-rendered', note, f'no notification renders {branch}', ('message',)
    for name in found.idle_downtimes:
        yield 'idle-downtime', warning, f'the downtime {name} covers no group of this monitor', ()


def _existing(asset: MonitorAsset, place: Place) -> Place:
    """Return the existing part of a place in the body."""
    body: object = asset.body
    for number, step in enumerate(place):
        if not isinstance(body, dict) or step not in body:
            return place[:number]
        body = body[step]
    return place
