"""`ddassets rehearse`: from scenario files to tables, verdicts and an exit code."""

import os
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ddassets import assets as bundles
from ddassets.assets import Bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.series import Series
from ddassets.output.terminal import printable, write
from ddassets.rehearsal import printing, writing
from ddassets.rehearsal.explaining import explained, instant_in
from ddassets.rehearsal.formats import as_json, junit
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.outcome import Outcome, Run
from ddassets.rehearsal.parsing import read
from ddassets.rehearsal.result import Rehearsal
from ddassets.rehearsal.run import rehearse
from ddassets.rehearsal.scenario import Check, Scenario
from ddassets.rehearsal.words import shown_time

FOLDER = 'rehearsals'
_FORMATS: dict[str, Callable[[Run], str]] = {'json': as_json, 'junit': junit}


@dataclass(frozen=True)
class RehearseOptions:
    """What to rehearse and how to tell. `inbox` is how many messages are shown; `min_coverage` is in per cent.

    `explain` is an instant in the scenario's words, `report` the folder of the page. `write` fills expectations in.
    """

    paths: Sequence[Path]
    format: str = 'text'
    inbox: int = 30
    explain: str | None = None
    monitor: str | None = None
    group: str | None = None
    write: bool = False
    min_coverage: float | None = None
    report: Path | None = None
    open: bool = False


def run(options: RehearseOptions) -> int:
    """Run the command. Returns 1 where an expectation failed and 2 where a scenario could not be used."""
    if options.explain is not None:
        _explain(find(options.paths), options.explain, options.monitor, options.group)
        return 0
    found = Run([_outcome(path, options) for path in find(options.paths)], options.min_coverage)
    _progress('')
    if options.format in _FORMATS:
        write(_FORMATS[options.format](found))
    elif not options.write:
        write(printing.summary(found))
    if options.report and not found.unusable:
        _report(found, options.report, options.open)
    return found.code


def _outcome(path: Path, options: RehearseOptions) -> Outcome:
    """Rehearse one file and tell of it at once, where people read."""
    try:
        rehearsal = _rehearsed(read(path), keep=options.report is not None)
        if options.write:
            return _written(rehearsal)
        judgement = Judgement(rehearsal)
        _ = judgement.verdicts  # refuses here, as an error of this file, what nothing could meet
        if options.format == 'text':
            text = printing.text(judgement, options.inbox)
            _progress('')
            write(f'{text}\n')
        return Outcome(path, judgement)
    except UnusableInputError as error:
        _progress('')
        first, *more = str(error).split('\n')
        for line in (f'ddassets: error: {first}', *more, *(f'  {line}' for line in error.details.split('\n') if line)):
            print(printable(line), file=sys.stderr)
        return Outcome(path, None, error=error)


def _rehearsed(scenario: Scenario, keep: bool = False) -> Rehearsal:
    path = scenario.path
    bundle = _bundle(integration_of(path))
    return rehearse(scenario, bundle, simulate, lambda text: _progress(f'{path}: {text}'), keep=keep)


def _explain(paths: Sequence[Path], when: str, monitor: str | None, group: str | None) -> None:
    """Explain an instant in each scenario that it is in."""
    scenarios = [read(path) for path in paths]
    inside = [(one, instant) for one in scenarios if (instant := instant_in(one, when)) is not None]
    if not inside:
        spans = (
            f'{one.path}: {shown_time(one.start, one.zone)} to {shown_time(one.end, one.zone)}' for one in scenarios
        )
        raise UnusableInputError(f'--explain: {when} is outside of what is rehearsed', '\n'.join(spans))
    for scenario, instant in inside:
        text = explained(_rehearsed(scenario), instant, monitor, group)
        _progress('')
        write(text)


@cache
def _bundle(folder: Path) -> Bundle:
    return bundles.read(folder)


def _written(rehearsal: Rehearsal) -> Outcome:
    path = rehearsal.scenario.path
    if rehearsal.scenario.properties and rehearsal.scenario.expectations is None:
        write(f'{path}: states properties, left alone\n')
        return Outcome(path, Judgement(rehearsal), judged=False)
    text, count = writing.write(rehearsal)
    if text == rehearsal.scenario.text:
        write(f'{path}: unchanged, {count} expectations\n')
    else:
        writing.save(rehearsal, text)
        write(f'{path}: wrote {count} expectations. Review them: they say what happens, not what should.\n')
    return Outcome(path, Judgement(rehearsal), judged=False)


def _report(found: Run, folder: Path, opened: bool) -> None:
    from ddassets import report

    judgements = [outcome.judgement for outcome in found.outcomes if outcome.judgement]
    folders = {judgement.rehearsal.bundle.folder for judgement in judgements}
    if len(folders) > 1:
        raise UnusableInputError(f'--report: one page is about one integration, found {len(folders)}')
    page = report.write(judgements[0].rehearsal.bundle, judgements, folder, _progress)
    _progress('')
    print(f'ddassets: the page is {page}', file=sys.stderr)
    if opened:
        webbrowser.open(page.resolve().as_uri())


def find(paths: Sequence[Path]) -> list[Path]:
    """The scenario files at some paths: a file itself, those of an integration, or those of a folder of them.

    Raises UnusableInputError for a path that is not there or holds none.
    """
    found: list[Path] = []
    for path in paths:
        if os.path.isfile(path):
            found.append(path)
            continue
        if not os.path.isdir(path):
            raise UnusableInputError(f'{path}: no such file or folder')
        folder = path / FOLDER if os.path.isdir(path / FOLDER) else path
        try:
            files = sorted(file for file in folder.iterdir() if file.suffix in ('.yaml', '.yml'))
        except OSError as error:
            raise UnusableInputError(f'{folder}: {error.strerror}') from None
        if not files:
            raise UnusableInputError(f'{path}: found no scenario; expected {FOLDER}/*.yaml in an integration')
        found += files
    # One file may be meant by several paths.
    by_place: dict[str, Path] = {}
    for path in found:
        by_place.setdefault(os.path.abspath(path), path)
    return list(by_place.values())


def integration_of(scenario: Path) -> Path:
    """The folder of the integration around a scenario: the nearest above it with a manifest or monitors, or its own."""
    for folder in _above(scenario):
        if os.path.isfile(folder / 'manifest.json') or os.path.isdir(folder / 'assets' / 'monitors'):
            return folder
    return scenario.parent


def _above(scenario: Path) -> Iterator[Path]:
    # As the path was given, as far as that goes: messages then name files as the user did.
    yield scenario.parent
    yield from scenario.parent.parents
    if not scenario.is_absolute():
        yield from Path(os.path.abspath(scenario)).parents


def simulate(folder: Path, check: Check, end: int) -> tuple[Sequence[Series], Sequence[str]]:
    """Run the integration's check on a simulated clock. The only thing here that may start a process."""
    from ddassets.agent.simulation import Conditions
    from ddassets.agent.simulation import simulate as run_check

    conditions = Conditions(
        check.start, end, check.host, check.jitter, check.seed, check.down, check.late, check.cut_off
    )
    found = run_check(folder, conditions, check.configuration, check.uncommented)
    return found.series, found.warnings


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f'\r\033[K{printable(text)[:79]}', end='', file=sys.stderr, flush=True)
