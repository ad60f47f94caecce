"""The SLOs of a scenario, and what it says about each: corrections, and what was counted before its data."""

from collections.abc import Iterable, Sequence

from ddassets import assets as bundles
from ddassets.assets import Bundle, Slo
from ddassets.assets.refusal import refuse
from ddassets.assets.slo_reference import find_slo
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.slo_account import Before, Intervals
from ddassets.language.slo import SloQuery
from ddassets.nearest import did_you_mean, listed
from ddassets.rehearsal.choice import (
    ReadSource,
    chosen_assets,
    identity,
    is_body,
    names_file,
    only_named,
    read_file,
)
from ddassets.rehearsal.entry import EntrySource
from ddassets.rehearsal.scenario import Scenario


def choose_slos(
    scenario: Scenario, bundle: Bundle, monitors: Iterable[bundles.Monitor], read: ReadSource
) -> tuple[Slo, ...]:
    """Return the SLOs of a scenario: by default those of the integration, and of the files of its monitors.

    Raises UnusableInputError for an SLO that does not exist. Faults of others than the used ones do not matter.
    """
    named = (*(one.slo for one in scenario.corrections), *(one.slo for one in scenario.before))
    if not any(monitor.slo for monitor in monitors):
        for entry in named:
            entry.refuse('no monitor of this scenario is an SLO alert')
        return ()
    found: list[Slo] = []
    for chosen in chosen_assets(scenario.slos, bundle, bundle.slos, 'SLO', [one.name for one in bundle.slos]):
        if isinstance(chosen, Slo):
            found.append(chosen)
        elif is_body(chosen):
            found.append(bundles.read_slo(EntrySource(chosen), chosen.data()))
        else:
            file, only = read_file(chosen, read)
            found += only_named(chosen, file, file.slos, only, 'SLO')
    for entry in scenario.monitors.named or () if scenario.slos.named is None else ():
        if names_file(entry) and not is_body(entry):
            found += read_file(entry, read)[0].slos
    slos = tuple({identity(one): one for one in found}.values())
    for entry in named:
        if not any(_named(one, entry.text()) for one in slos):
            entry.refuse(f'no SLO {entry.shown()}{_hint(entry.text(), slos)}')
    return slos


def subject_slo(alert: bundles.Monitor, query: SloQuery, slos: Sequence[Slo]) -> Slo:
    """Return the SLO that an alert names. Raises UnusableInputError for one that is not there, or that has errors."""
    try:
        slo = find_slo(alert, query, slos)
    except UnusableInputError as error:
        raise UnusableInputError(f'{error}; an SLO may also be given under `slos`', error.details) from None
    if slo.errors:
        refuse(slo.errors)
    if withheld := slo.withheld_among(('type', 'thresholds', 'query', 'sli_specification', 'monitor_ids')):
        raise UnusableInputError(f'SLO {slo.name}: its {listed(withheld)} is not known here')
    return slo


def _named(slo: Slo, text: str) -> bool:
    return text in (slo.id, slo.name, slo.address)


def _hint(wanted: str, slos: Sequence[Slo]) -> str:
    known = [slo.id or slo.name for slo in slos]
    return f'{did_you_mean(wanted, known)}; there are: {listed(known)}'


def corrections(scenario: Scenario, slo: Slo) -> Intervals:
    """Return the corrections of an SLO."""
    return [(one.start, one.end) for one in scenario.corrections if _named(slo, one.slo.text())]


def before(scenario: Scenario, slo: Slo) -> Sequence[Before]:
    """Return what an SLO counted before its data begin."""
    return [Before(one.good, one.total, one.group) for one in scenario.before if _named(slo, one.slo.text())]
