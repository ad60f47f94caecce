"""What `ddassets rehearse` prints for people: a table for each monitor, the inbox, verdicts, and what was assumed."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.state import State
from ddassets.output.terminal import count, printable, shown_path
from ddassets.rehearsal.coverage import percentage, possible_states
from ddassets.rehearsal.inbox import DowntimeMail, Mail, inbox
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.outcome import Run
from ddassets.rehearsal.result import MonitorResult, Rehearsal
from ddassets.rehearsal.unmatched import no_series
from ddassets.rehearsal.verdict import Verdict
from ddassets.rehearsal.words import shown_time, write_length

# So many groups of one monitor are listed, those that notified most first.
MAX_GROUPS = 40


def text(judgement: Judgement, most: int = 30) -> str:
    """All about one rehearsal; of the inbox the first `most` messages."""
    rehearsal = judgement.rehearsal
    lines = [_title(rehearsal), *(f'  {line}' for line in rehearsal.description.splitlines())]
    for monitor in rehearsal.monitors:
        lines += ['', *_table(rehearsal, monitor)]
    lines += [
        '',
        *_inbox(rehearsal, most),
        '',
        *_verdicts(judgement.verdicts),
        *_assumptions(rehearsal),
        *_warnings(rehearsal),
    ]
    return '\n'.join(printable(line) for line in lines) + '\n'


def summary_lines(run: Run) -> list[str]:
    """The coverage of each integration, and a line of figures."""
    lines = []
    for folder, monitors in run.coverage.items():
        lines.append(f'Coverage of {shown_path(folder)}: {percentage(monitors):.4g} %')
        for name, items in monitors.items():
            missing = [item for item, done in items if not done]
            gaps = f'; not reached: {", ".join(missing)}' if missing else ''
            lines.append(f'  {name}: {len(items) - len(missing)} of {len(items)}{gaps}')
        if folder in run.coverage_verdicts and not run.coverage_verdicts[folder].holds:
            lines.append(f'  FAILED: {run.coverage_verdicts[folder].name}')
    unusable = sum(outcome.error is not None for outcome in run.outcomes)
    failed = sum(outcome.failed for outcome in run.outcomes)
    counted = {'passed': len(run.outcomes) - unusable - failed, 'failed': failed, 'unusable': unusable}
    figures = ', '.join(f'{count} {word}' for word, count in counted.items() if count)
    return [*map(printable, lines), f'{len(run.outcomes)} rehearsed: {figures}']


def _title(rehearsal: Rehearsal) -> str:
    start, end = (shown_time(instant, rehearsal.zone) for instant in (rehearsal.start, rehearsal.end))
    length = write_length(rehearsal.end - rehearsal.start)
    return f'{shown_path(rehearsal.scenario.path)}: {start} to {end} ({rehearsal.zone.key}), {length}'


def _table(rehearsal: Rehearsal, monitor: MonitorResult) -> Iterator[str]:
    states = [*possible_states(monitor.monitor)]
    visited = frozenset().union(*(group.visited for group in monitor.results.values()))
    states += [state for state in (State.NO_DATA,) if state in visited and state not in states]
    groups = sorted(monitor.results.values(), key=lambda group: -group.sent)[:MAX_GROUPS]
    rows = [['', *map(str, states), 'sent', 'muted']]
    for group in sorted(groups, key=lambda group: group.group):
        lengths = [write_length(group.seconds_in(state)) for state in states]
        rows.append([group.name, *lengths, str(group.sent), str(group.muted)])
    yield f'  {monitor.name}'
    if not monitor.results:
        yield f'    no group: {no_series(rehearsal, monitor)}'
        return
    yield from _aligned(rows)
    if len(monitor.results) > MAX_GROUPS:
        left = count(len(monitor.results) - MAX_GROUPS, 'more group')
        yield f'    … and {left}, which sent no more than these'


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [f'{cell:>{width}}' for cell, width in zip(rest, widths[1:], strict=True)]
        yield '    ' + '  '.join([f'{first:<{widths[0]}}', *cells])


def _inbox(rehearsal: Rehearsal, most: int) -> Iterator[str]:
    """All messages where they are no more than `most`, else the first of those that were sent."""
    groups = [group for monitor in rehearsal.monitors for group in monitor.results.values()]
    own = sum(len(downtime.messages) for downtime in rehearsal.downtimes)
    sent, muted = sum(group.sent for group in groups), sum(group.muted for group in groups)
    every = sent + muted + own
    about = f', {own:,} about downtimes' if own else ''
    yield f'  Inbox: {sent:,} sent, {muted:,} muted{about}'
    rows = [_mail(rehearsal, mail) for mail in islice(inbox(rehearsal, sent_only=every > most), most)]
    wide = [min(80, max((len(row[column]) for row in rows), default=0)) for column in (1, 2)]
    for time, title, value, fate in rows:
        yield f'    {time}  {title:<{wide[0]}}  {value:>{wide[1]}}  {fate}'
    if every > most:
        left = [f'{sent + own - len(rows):,} more'] if sent + own > len(rows) else []
        left += [f'{muted:,} that were muted'] if muted else []
        yield f'    … and {" and ".join(left)} (--inbox {every} shows all)'


def _mail(rehearsal: Rehearsal, mail: Mail | DowntimeMail) -> tuple[str, str, str, str]:
    """Return instant, title, value with its condition, and who gets it or what mutes it."""
    to = f'to {" ".join(mail.recipients)}' if mail.recipients else 'to nobody: the message names no handle'
    fate = f'muted by {", ".join(mail.muted_by)}' if mail.muted_by else to
    if isinstance(mail, Mail) and mail.notification.reason == 'downtime end':
        fate += ', at the end of a downtime'
    value = mail.notification.value if isinstance(mail, Mail) else math.nan
    shown = '' if math.isnan(value) else f'{value:.6g}'
    if shown and isinstance(mail, Mail):
        shown = f'{shown} {mail.message.delivery.trigger.brief}'
    return shown_time(mail.instant, rehearsal.zone), mail.title, shown, fate


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[str]:
    failed = [verdict for verdict in verdicts if not verdict.holds]
    if not verdicts:
        yield '  Nothing is expected: `expect` or `properties` would make it a test; --write fills expectations in'
    elif failed:
        yield f'  FAILED: {len(failed)} of {count(len(verdicts), "expectation")}'
        for verdict in failed:
            yield from _failure(verdict)
    else:
        yield f'  Passed: {count(len(verdicts), "expectation")}'


def _failure(verdict: Verdict) -> Iterator[str]:
    yield f'    line {verdict.line}: {verdict.name}' if verdict.line else f'    {verdict.name}'
    yield from (f'      {detail}' for detail in verdict.details)


def _assumptions(rehearsal: Rehearsal) -> Iterator[str]:
    assumed = rehearsal.assumptions
    if assumed:
        yield ''
        yield '  Assumed, where the documentation is silent:'
    for name, choice in assumed.items():
        yield f'    {name:<4} {ASSUMPTIONS[name].question}: {choice}'


def _warnings(rehearsal: Rehearsal) -> Iterator[str]:
    if rehearsal.warnings:
        yield ''
    yield from (f'  Warning: {warning}' for warning in rehearsal.warnings)
