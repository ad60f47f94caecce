"""What `ddassets rehearse` prints for people: a table for each monitor, the inbox, and what was assumed."""

from collections.abc import Iterator, Sequence
from itertools import islice

from ddassets.assumptions import ASSUMPTIONS
from ddassets.rehearsal.coverage import possible_states
from ddassets.rehearsal.inbox import DowntimeMail, Mail, inbox
from ddassets.rehearsal.run import MonitorResult, Rehearsal
from ddassets.rehearsal.words import shown_time, write_length
from ddassets.state import State


def text(rehearsal: Rehearsal, most: int = 30) -> str:
    """The whole of one rehearsal; of the inbox the first `most` messages."""
    lines = [_title(rehearsal), *(f'  {line}' for line in rehearsal.description.splitlines())]
    for monitor in rehearsal.monitors:
        lines += ['', *_table(monitor)]
    lines += ['', *_inbox(rehearsal, most)]
    lines += [*_assumptions(rehearsal)]
    return '\n'.join(lines) + '\n'


def _title(rehearsal: Rehearsal) -> str:
    start, end = (shown_time(instant, rehearsal.zone) for instant in (rehearsal.start, rehearsal.end))
    length = write_length(rehearsal.end - rehearsal.start)
    return f'{rehearsal.scenario.path}: {start} to {end} ({rehearsal.zone.key}), {length}'


def _table(monitor: MonitorResult) -> Iterator[str]:
    states = [*possible_states(monitor.monitor)]
    codes = {code for group in monitor.results.values() for code in group.states.tolist()}
    states += [state for state in (State.NO_DATA, State.WARN) if state in codes and state not in states]
    rows = [['', *map(str, states), 'sent', 'muted']]
    for group in monitor.results.values():
        lengths = [write_length(group.seconds_in(state)) for state in states]
        rows.append([group.name, *lengths, str(group.sent), str(group.muted)])
    yield f'  {monitor.name}'
    yield from _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [f'{cell:>{width}}' for cell, width in zip(rest, widths[1:], strict=True)]
        yield '    ' + '  '.join([f'{first:<{widths[0]}}', *cells])


def _inbox(rehearsal: Rehearsal, most: int) -> Iterator[str]:
    groups = [group for monitor in rehearsal.monitors for group in monitor.results.values()]
    own = sum(len(downtime.messages) for downtime in rehearsal.downtimes)
    sent, muted = sum(group.sent for group in groups), sum(group.muted for group in groups)
    yield f'  Inbox: {sent} sent, {muted} muted' + (f', {own} about downtimes' if own else '')
    for mail in islice(inbox(rehearsal), most):
        yield f'    {_mail(rehearsal, mail)}'
    if sent + muted + own > most:
        yield f'    … and {sent + muted + own - most:,} more'


def _mail(rehearsal: Rehearsal, mail: Mail | DowntimeMail) -> str:
    to = ' '.join(mail.recipients) or 'nobody: the message names no handle'
    fate = f'muted by {", ".join(mail.muted_by)}' if mail.muted_by else f'to {to}'
    return f'{shown_time(mail.instant, rehearsal.zone)}  {mail.title}  {fate}'


def _assumptions(rehearsal: Rehearsal) -> Iterator[str]:
    assumed = rehearsal.assumptions
    if assumed:
        yield ''
        yield '  Assumed, where the documentation is silent:'
    for name, choice in assumed.items():
        yield f'    {name:<4} {ASSUMPTIONS[name].question}: {choice}'
