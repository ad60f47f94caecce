"""The result of `ddassets rehearse --auto` as a report."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ddassets import duration
from ddassets.assets.monitor_type import COUNTED, SLO
from ddassets.diagnostic import Severity
from ddassets.output.formats.text import diagnostic_lines
from ddassets.output.report import Case, Report, Rule, diagnostic_document
from ddassets.output.terminal import Paint, Screen, count, printable, shorten, shown_path
from ddassets.rehearsal.auto.answers import Survey, Verdict
from ddassets.rehearsal.auto.estate import Estate

_RULES = (
    Rule('auto/never-alerts', Severity.ERROR, 'no signal that was tried makes the monitor alert'),
    Rule('auto/never-recovers', Severity.WARNING, 'no signal that was tried makes the monitor recover'),
    Rule('auto/never-warns', Severity.WARNING, 'no signal that was tried makes the monitor warn'),
    Rule('auto/never-no-data', Severity.WARNING, 'the monitor never reports No Data although its options ask for it'),
    Rule('auto/notifies-nobody', Severity.WARNING, 'no notification of the monitor has a recipient'),
    Rule('auto/handle-never-notified', Severity.WARNING, 'no notification reaches a handle of the message'),
    Rule('auto/branch-never-rendered', Severity.NOTE, 'a branch of the message is never rendered'),
    Rule('auto/idle-downtime', Severity.WARNING, 'a downtime of the monitor covers none of its groups'),
    Rule('auto/mutes-everything', Severity.WARNING, 'a downtime mutes every monitor, always'),
    Rule('auto/not-rehearsed', Severity.NOTE, 'the monitor is outside the supported subset'),
)
# Up to so many monitors have a block each; more are a table.
_FEW = 3
_HANDLES = 12
_LABEL = 8
_RECOVERY = 'recovery from '
_NAME = 38
_MARKS = {'yes': 'yes', 'no': 'NO', 'not set': '-'}


def report(estate: Estate) -> Report:
    """Return what every monitor does, for every output format."""
    summary = '\n'.join(summary_lines(estate))
    return Report(
        command='rehearse --auto',
        summary=summary,
        text=lambda paint: _text(estate, paint),
        document={
            'ok': not failed(estate),
            'monitors': [_document(found) for found in estate.surveys],
            'diagnostics': [diagnostic_document(diagnostic) for diagnostic in estate.diagnostics],
        },
        diagnostics=estate.diagnostics,
        cases=list(_cases(estate)) or [Case('ddassets rehearse --auto', summary)],
        rules=lambda: _RULES,
    )


def failed(estate: Estate) -> bool:
    """Whether there is an error or a warning."""
    return any(diagnostic.severity > Severity.NOTE for diagnostic in estate.diagnostics)


def summary_lines(estate: Estate) -> Iterator[str]:
    """Yield one line about all monitors, and what to do next."""
    rehearsed = [found for found in estate.surveys if not found.unsupported]
    fine = sum(bool(found.alert and found.warn and found.no_data and found.recovery) for found in rehearsed)
    parts = [f'{count(len(estate.surveys), "monitor")}: {fine} can reach every state that the options allow']
    if silent := sum(not found.alert for found in rehearsed):
        parts.append(f'{silent} can never alert')
    if outside := len(estate.surveys) - len(rehearsed):
        parts.append(f'{outside} not rehearsed')
    yield ', '.join(parts)


def _text(estate: Estate, paint: Paint) -> str:
    lines: list[str] = []
    if len(estate.surveys) <= _FEW:
        screen = Screen(paint, Screen.of_output().width)
        for found in estate.surveys:
            lines += ['', *_block(found, screen)]
    else:
        lines.append(paint('1', f'{"":{_NAME}}  Alert  Warn  Recovery  No Data  page after'))
        lines += [_row(found, paint) for found in estate.surveys]
        lines += ['', 'page after: from the first bad point to the notification of Alert']
        lines += _recipients(estate.surveys)
    return (
        '\n'.join([*lines, *diagnostic_lines(estate.diagnostics, paint), '', *summary_lines(estate)]).lstrip('\n')
        + '\n'
    )


def _block(found: Survey, screen: Screen) -> Iterator[str]:
    """Yield the states of a monitor, with their delays and recipients."""
    yield screen.paint('1', shorten(printable(found.name), screen.width))
    if found.unsupported:
        yield f'  {screen.paint("2", "not rehearsed")}'
        return
    unset = []
    states = list(_states(found))
    width = max(len(when) for _, _, when, _ in states)
    for name, verdict, when, recipients in states:
        if verdict.answer == 'not set':
            unset.append(name)
            continue
        label = f'{name:<{_LABEL}}'
        text = f'{when:<{width}}  {recipients}' if verdict else 'NO'
        first, *more = screen.wrapped(f'{label}  {text}', 2, _LABEL + 2)
        yield first.replace(label, screen.paint('32' if verdict else '31', label), 1)
        yield from more
    if found.paces:
        yield from screen.wrapped(f'{"Pace":<{_LABEL}}  {found.pace}', 2, _LABEL + 2)
    if again := found.renotified:
        often = '' if again.occurrences is None else f', {count(again.occurrences, "time")} at most'
        when = f'every {duration.write(again.interval)} in {" and ".join(again.states)}{often}'
        yield from screen.wrapped(
            f'{"Renotify":<{_LABEL}}  {when:<{width}}  {_handles(again.recipients)}', 2, _LABEL + 2
        )
    else:
        unset.append('renotification')
    if found.jumps:
        yield from screen.wrapped(found.jumps, 2)
    if unset:
        yield f'  {screen.paint("2", f"{'not set':<{_LABEL}}  {', '.join(unset)}")}'


def _states(found: Survey) -> Iterator[tuple[str, Verdict, str, str]]:
    """Yield each state, its verdict, when it is reached and who is notified."""
    noun = 'event' if found.asset.type in COUNTED else 'run' if found.asset.type == 'service check' else 'point'
    noun = 'minute' if found.asset.type in SLO else noun
    delays = {
        'Alert': (found.page_after, f'the first bad {noun}'),
        'No Data': (found.no_data_after, f'the last {noun}'),
        'Recovery': (found.recovery_after, f'the first good {noun}'),
    }
    verdicts = {'Alert': found.alert, 'Warn': found.warn, 'No Data': found.no_data, 'Recovery': found.recovery}
    for name, verdict in verdicts.items():
        seconds, since = delays.get(name, (None, ''))
        when = '' if seconds is None else f'{duration.write(seconds)} after {since}'
        if when and name == 'Alert' and found.error_share is not None:
            when += f', at {found.error_share:.3g} % errors'
        recipients = _recoveries(found) if name == 'Recovery' else _handles(found.notified.get(name, ()))
        yield name, verdict, when, verdict.reason or recipients


def _recoveries(found: Survey) -> str:
    """Return who is notified of a recovery; if that depends on the state before, of each."""
    by_handles: dict[str, list[str]] = {}
    for kind, handles in found.notified.items():
        if kind.startswith(_RECOVERY):
            by_handles.setdefault(_handles(handles), []).append(kind.removeprefix(_RECOVERY))
    if len(by_handles) < 2:
        return next(iter(by_handles), _handles(()))
    return '; '.join(f'from {" and ".join(states)}: {handles}' for handles, states in by_handles.items())


def _handles(handles: Sequence[str]) -> str:
    more = [f'and {len(handles) - _HANDLES} more'] if len(handles) > _HANDLES else []
    return ' '.join([*map(printable, handles[:_HANDLES]), *more]) or 'nobody'


def _row(found: Survey, paint: Paint) -> str:
    name = shorten(printable(found.name), _NAME)
    if found.unsupported:
        return f'{name:<{_NAME}}  {paint("2", "not rehearsed")}'
    cells = (
        _cell(found.alert, 5, paint),
        _cell(found.warn, 4, paint),
        _cell(found.recovery, 8, paint),
        _cell(found.no_data, 7, paint),
    )
    page = '-' if found.page_after is None else duration.write(found.page_after)
    return f'{name:<{_NAME}}  {"  ".join(cells)}  {page}'


def _cell(verdict: Verdict, width: int, paint: Paint) -> str:
    colour = {'yes': '32', 'no': '31', 'not set': '2'}[verdict.answer]
    return paint(colour, f'{_MARKS[verdict.answer]:<{width}}')


def _recipients(surveys: Sequence[Survey]) -> Iterator[str]:
    """List the recipients, those of most monitors first."""
    counts = Counter(
        handle for found in surveys for handle in {h for handles in found.notified.values() for h in handles}
    )
    if not counts:
        yield 'Notified: nobody'
    else:
        shown = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:12]
        listed = ', '.join(f'{printable(handle)} by {count(number, "monitor")}' for handle, number in shown)
        more = f', and {len(counts) - 12} more' if len(counts) > 12 else ''
        yield f'Notified: {listed}{more}'


def _document(found: Survey) -> dict[str, Any]:
    verdicts = {'alert': found.alert, 'warn': found.warn, 'recovery': found.recovery, 'no_data': found.no_data}
    return {
        'name': found.name,
        'file': shown_path(found.asset.path),
        'not_rehearsed': found.unsupported,
        **{key: {'answer': verdict.answer, 'reason': verdict.reason} for key, verdict in verdicts.items()},
        'page_after': found.page_after,
        'recovery_after': found.recovery_after,
        'no_data_after': found.no_data_after,
        'notified': {kind: list(handles) for kind, handles in found.notified.items()},
        'renotified': asdict(found.renotified) if found.renotified else None,
        'never_notified': dict(found.never),
        'never_rendered': list(found.unrendered),
        'idle_downtimes': list(found.idle_downtimes),
        'stub': found.stubbed,
        **({'approximation': found.jumps} if found.jumps else {}),
        **_slo(found),
        'assumptions': list(found.assumptions),
    }


def _slo(found: Survey) -> dict[str, Any]:
    """Return what only the survey of an SLO alert has."""
    if not found.paces:
        return {}
    return {'error_share': found.error_share, 'paces': {f'{share:g}': pace for share, pace in found.paces.items()}}


def _cases(estate: Estate) -> Iterator[Case]:
    """One case for each monitor, and one for each fault that belongs to none."""
    names = {(found.asset.path, found.name) for found in estate.surveys}
    for found in estate.surveys:
        own = estate.diagnostics_of(found)
        bad = [diagnostic.message for diagnostic in own if diagnostic.severity > Severity.NOTE]
        yield Case(
            str(found.asset.path),
            found.name,
            'failed' if bad else 'passed',
            '; '.join(bad),
            '\n'.join(one.message for one in own),
        )
    for diagnostic in estate.diagnostics:
        if (diagnostic.path, diagnostic.object) not in names:
            yield Case(str(diagnostic.path), diagnostic.object or 'can be read', 'error', diagnostic.message)
