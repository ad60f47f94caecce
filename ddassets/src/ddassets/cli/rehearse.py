"""`ddassets rehearse`: run scenarios and print states, the inbox, verdicts and coverage."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ddassets.cli import option
from ddassets.diagnostic import UnusableInputError
from ddassets.output.terminal import Progress, Screen, bounded, count, log, log_unusable, printable, write

if TYPE_CHECKING:
    from ddassets.assets import Bundle
    from ddassets.rehearsal.auto.estate import Estate
    from ddassets.rehearsal.choice import ReadSource
    from ddassets.rehearsal.outcome import Outcome, Run
    from ddassets.rehearsal.result import Rehearsal
    from ddassets.rehearsal.scenario import Scenario

_PROGRESS = Progress()

# Messages that are shown without --inbox.
_INBOX = 30

_WRITES_ONE = '`ddassets init PATH` writes a scenario, `ddassets rehearse PATH` runs it'

type Rehearse = Callable[..., 'Rehearsal']

HELP = 'which notifications would the monitors send for this signal, under these downtimes?'
DESCRIPTION = (
    'Run scenarios (rehearsals/*.yaml) against monitors and downtimes offline: those of exported JSON, of Terraform or '
    'of an integration. --auto needs no scenario.'
)
PATHS = 'an exported monitor, Terraform files or a plan, an integration, other sources, or scenario files'
EPILOG = 'exit codes: 0 fine; 1 an expectation failed; 2 unusable input, such as a monitor outside the subset'


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument('paths', type=option.path, nargs='+', metavar='PATH', help=PATHS)
    option.add_format(parser)
    option.add_no_code(parser, 'a scenario with `check:`')
    option.add_limits(parser, max_cpu=600, max_memory=4000, verbose=True)
    parser.add_argument(
        '--auto',
        action='store_true',
        help='without a scenario: generate a signal from the query of each monitor at PATH',
    )
    parser.add_argument(
        '--approximate',
        type=option.words(('anomalies', 'forecast', 'outliers')),
        metavar='NAMES',
        help='compute these functions, whose constants Datadog does not publish, over a band of plausible constants: '
        'anomalies, forecast, outliers',
    )
    parser.add_argument('--inbox', type=option.count, metavar='N', help=f'show N messages ({_INBOX})')
    option.add_choice(
        parser,
        '--what-if',
        ('auto', 'off', 'all'),
        None,
        'switch the assumptions that the result relies on, and report which of them would change it; auto stops after '
        'twice the work of the rehearsal (auto)',
    )
    parser.add_argument('--assumptions', action='store_true', help='explain each assumption that the result relies on')
    parser.add_argument(
        '--explain',
        metavar='TIME',
        help="explain each group's state and recipients at TIME, in the scenario's time zone; 03:06 is enough if the "
        'rehearsal covers it once',
    )
    parser.add_argument('--monitor', metavar='NAME', help='with --explain: only this monitor')
    parser.add_argument('--group', metavar='TAGS', help='with --explain: only groups with these tags: host:alpha')
    parser.add_argument('--write', action='store_true', help='write the expectations from the run, for your review')
    parser.add_argument(
        '--min-coverage',
        type=option.percentage,
        metavar='N',
        help='fail if the coverage of all files together is below N per cent',
    )
    parser.add_argument(
        '--every-monitor', action='store_true', help='fail if no scenario rehearses a monitor of the sources'
    )
    parser.add_argument('--report', type=option.path, metavar='DIR', help='write an HTML page into DIR')
    parser.add_argument('--open', action='store_true', help='with --report: open the page in a browser')


def run(options: Namespace) -> int:
    """Return 1 if an expectation failed and 2 where a scenario could not be used."""
    from ddassets.cli import rehearse_text
    from ddassets.cli.rehearse_output import report
    from ddassets.output.formats import render
    from ddassets.rehearsal.choice import read_source
    from ddassets.rehearsal.discovery import assets_in, find
    from ddassets.rehearsal.outcome import Run
    from ddassets.sources import joined

    _refuse_combinations(options)
    option.refuse_code(options)
    if options.auto:
        return _auto(options)
    # Scenarios share the files that they name, and those of one integration its assets.
    read = cache(read_source)
    found = find(options.paths, read)
    read_assets = cache(
        partial(_with_sources, joined(found.sources)) if found.sources else partial(assets_in, read=read)
    )
    rehearsed = partial(_rehearsed, read_assets, read, frozenset(options.approximate or ()))
    if options.explain is not None:
        _explain(found.scenarios, rehearsed, options)
        return 0
    outcomes = [_outcome(path, rehearsed, options) for path in found.scenarios]
    complete = set(options.paths).isdisjoint(found.scenarios)
    result = Run(outcomes, options.min_coverage, complete, options.every_monitor)
    _PROGRESS.clear()
    if options.format == 'text' and not options.write:
        write(rehearse_text.summary(result, Screen.of_output()))
    elif not options.write:
        write(render(options.format, report(result)))
    if options.report and not result.unusable:
        _report(result, options.report, options.open)
    return result.code


def _with_sources(sources: 'Bundle', folder: Path) -> 'Bundle':
    from ddassets import assets
    from ddassets.rehearsal.discovery import with_sources

    return with_sources(assets.read(folder), sources)


def _auto(options: Namespace) -> int:
    from ddassets.cli.auto_output import failed, report
    from ddassets.output.formats import render
    from ddassets.output.terminal import Paint
    from ddassets.rehearsal.auto.estate import survey_paths

    estate = survey_paths(options.paths, _PROGRESS, options.approximate or ())
    _PROGRESS.clear()
    write(render(options.format, report(estate), Paint.of_output()))
    if options.report:
        _report_surveys(estate, options)
    return int(failed(estate))


def _report_surveys(estate: 'Estate', options: Namespace) -> None:
    from ddassets import report

    name = ', '.join(path.resolve().name for path in options.paths)
    _opened(report.write_surveys(estate, name, options.report), options.open)


def _refuse_combinations(options: Namespace) -> None:
    """Raise UnusableInputError for options that exclude each other or need another."""
    for refused, reason in _combinations(options):
        if refused:
            raise UnusableInputError(reason)


def _combinations(options: Namespace) -> Iterator[tuple[bool, str]]:
    """Yield whether a combination of options is refused, and why."""
    auto, write, explain = options.auto, options.write, options.explain is not None
    covered, page = options.min_coverage is not None, options.report is not None
    only = options.monitor is not None or options.group is not None
    yield only and not explain, '--monitor and --group choose what --explain is about'
    unmet = write or explain or covered
    yield auto and unmet, f'--auto has no scenario: --write, --explain and --min-coverage need one; {_WRITES_ONE}'
    yield options.open and not page, '--open opens the page of --report DIR'
    yield write and explain, '--write and --explain exclude each other'
    whole = '--every-monitor judges all scenarios: it excludes --auto, --write and --explain'
    yield options.every_monitor and (auto or write or explain), whole
    yield write and covered, '--write and --min-coverage exclude each other: review, then check the coverage'
    prints = '--explain prints one instant only: it excludes --min-coverage and --report'
    yield explain and (covered or page), prints
    # The page would judge by the expectations before the rewrite.
    yield write and page, '--write and --report exclude each other: review, then ask for the page'
    unformatted = options.format != 'text' and (write or explain)
    yield unformatted, f'--format {options.format}: --write and --explain print text only'
    for mode, given in (('--auto', auto), ('--write', write), ('--explain', explain)):
        for name in ('inbox', 'what_if', 'assumptions'):
            unused = given and bool(getattr(options, name))
            advice = f'; {_WRITES_ONE}' if mode == '--auto' else ''
            yield unused, f'{mode} shows no result of a scenario: --{name.replace("_", "-")} has no effect{advice}'


def _outcome(path: Path, rehearsed: Rehearse, options: Namespace) -> 'Outcome':
    """Rehearse one file and print its text at once."""
    from ddassets.cli import rehearse_text
    from ddassets.rehearsal import Judgement, read
    from ddassets.rehearsal.outcome import Outcome

    try:
        rehearsal = rehearsed(read(path), keep=options.report is not None)
        if options.write:
            return _written(rehearsal)
        judgement = Judgement(rehearsal, options.what_if or 'auto')
        # Raises here, as an error of this file, for an expectation that cannot be met.
        _ = judgement.verdicts
        if options.format == 'text':
            text = rehearse_text.text(judgement, options.inbox or _INBOX, Screen.of_output(), options.assumptions)
            _PROGRESS.clear()
            write(f'{bounded(text)}\n')
        return Outcome(path, judgement)
    except UnusableInputError as error:
        _PROGRESS.clear()
        log_unusable(error)
        return Outcome(path, None, error=error)


def _rehearsed(
    read_assets: Callable[[Path], 'Bundle'],
    read: 'ReadSource',
    approximate: frozenset[str],
    scenario: 'Scenario',
    keep: bool = False,
) -> 'Rehearsal':
    from dataclasses import replace

    from ddassets.agent.scenario_check import simulate
    from ddassets.rehearsal import rehearse
    from ddassets.rehearsal.discovery import integration_of

    path = scenario.path
    scenario = replace(scenario, approximate=scenario.approximate | approximate)
    bundle = read_assets(integration_of(path))
    return rehearse(scenario, bundle, simulate, lambda text: _PROGRESS(f'{path}: {text}'), keep=keep, read=read)


def _explain(paths: Sequence[Path], rehearsed: Rehearse, options: Namespace) -> None:
    """Explain an instant in each scenario that covers it."""
    from ddassets.rehearsal import read
    from ddassets.rehearsal.explaining import explained, instant_in
    from ddassets.rehearsal.times import shown_time

    scenarios = [read(path) for path in paths]
    inside = [(one, instant) for one in scenarios if (instant := instant_in(one, options.explain)) is not None]
    if not inside:
        spans = (
            f'{one.path}: {shown_time(one.start, one.zone)} to {shown_time(one.end, one.zone)}' for one in scenarios
        )
        raise UnusableInputError(f'--explain: {options.explain} is outside the rehearsal', '\n'.join(spans))
    for scenario, instant in inside:
        text = explained(rehearsed(scenario), instant, options.monitor, options.group)
        _PROGRESS.clear()
        write(text)


def _written(rehearsal: 'Rehearsal') -> 'Outcome':
    from ddassets.rehearsal import Judgement, writing
    from ddassets.rehearsal.outcome import Outcome

    path = rehearsal.scenario.path
    shown = printable(str(path))
    if rehearsal.scenario.properties and rehearsal.scenario.expectations is None:
        write(f'{shown}: states properties, left alone\n')
        return Outcome(path, Judgement(rehearsal), judged=False)
    text, number = writing.write(rehearsal)
    expectations = count(number, 'expectation')
    if text == rehearsal.scenario.text:
        write(f'{shown}: unchanged, {expectations}\n')
    else:
        writing.save(rehearsal, text)
        write(f'{shown}: wrote {expectations}. Review them: they state what happens, not what should happen.\n')
    for line in writing.warnings(rehearsal):
        write(f'{shown}: warning: {line}\n')
    return Outcome(path, Judgement(rehearsal), judged=False)


def _report(found: 'Run', folder: Path, opened: bool) -> None:
    from ddassets import report

    judgements = [outcome.judgement for outcome in found.outcomes if outcome.judgement]
    folders = {judgement.rehearsal.bundle.folder for judgement in judgements}
    if len(folders) > 1:
        raise UnusableInputError(f'--report: one page is about one integration, found {len(folders)}')
    page = report.write(judgements[0].rehearsal.bundle, judgements, folder, _PROGRESS)
    _PROGRESS.clear()
    _opened(page, opened)


def _opened(page: Path, opened: bool) -> None:
    """Log the path of the page, and open it for --open."""
    log(f'the page is {page}')
    if opened:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
