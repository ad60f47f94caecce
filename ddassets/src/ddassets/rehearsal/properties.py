"""Check properties of a whole timeline: the number of notifications of a kind, and the time in a state."""

from collections.abc import Iterator, Sequence

import numpy as np

from ddassets import duration
from ddassets.engine.column import Flags
from ddassets.engine.notification import REASONS
from ddassets.engine.state import State
from ddassets.engine.timeline import Instants
from ddassets.rehearsal.coverage import possible_edges
from ddassets.rehearsal.entry import Entry
from ddassets.rehearsal.expectation import Finder
from ddassets.rehearsal.result import DowntimeResult, GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.scenario import Property
from ddassets.rehearsal.times import shown_time
from ddassets.rehearsal.verdict import Moment, Verdict

# Maximum of counted notifications that are listed.
_MAX_LISTED = 5


def judge(rehearsal: Rehearsal) -> Iterator[Verdict]:
    """Yield a verdict on each property. Raises UnusableInputError for a property that always or never holds."""
    finder = Finder(rehearsal)
    for one in rehearsal.scenario.properties:
        line = one.entry.line
        moments: list[Moment] = []
        if one.downtime is not None:
            details = tuple(_of_downtime(finder, one))
        else:
            chosen = _chosen(finder, one)
            if one.time_in is not None:
                details = tuple(_of_states(one, chosen))
            else:
                moments, details = _of_notifications(finder, one, chosen)
        first = min(moments, key=lambda moment: moment.at, default=None)
        yield Verdict(_described(one), not details, details, line, first)


def _described(one: Property) -> str:
    """Return the property on one line, as in the file."""
    return '; '.join(f'{key} {_worded(entry)}' for key, entry in one.entry.keys.items()).replace('_', ' ')


def _worded(entry: Entry) -> str:
    match entry.kind:
        case 'mapping':
            return ', '.join(f'{key} {value.text()}' for key, value in entry.keys.items())
        case 'sequence':
            return ' or '.join(entry.texts())
    return entry.text()


def _chosen(finder: Finder, one: Property) -> list[tuple[MonitorResult, list[GroupResult]]]:
    """Return the monitors and groups of a property, whose data must last to the end."""
    rehearsal = finder.rehearsal
    monitors = [finder.monitor(one.monitor)] if one.monitor else list(rehearsal.monitors)
    if one.group:
        monitor = monitors[0] if one.monitor else finder.only_monitor(one.entry)
        chosen = [(monitor, [finder.group(monitor, one.group)])]
    else:
        chosen = [(monitor, list(monitor.results.values())) for monitor in monitors]
    for monitor, groups in chosen:
        if not groups:
            one.entry.refuse(f'{monitor.name} has no group: {monitor.evaluator.absence}')
        last = max(groups, key=lambda group: group.data_end)
        finder.require_data_until(last, one.entry, rehearsal.end, 'the end of the rehearsal, which a property covers')
    return chosen


def _of_states(one: Property, chosen: Sequence[tuple[MonitorResult, list[GroupResult]]]) -> Iterator[str]:
    """Check the time in a state: each group must be within the bounds."""
    assert one.time_in is not None
    for monitor, groups in chosen:
        if one.time_in not in _reachable(monitor):
            one.entry.keys['time_in'].refuse(f'{monitor.name} is never in {one.time_in}')
        for group in groups:
            seconds = group.seconds_in(one.time_in)
            if seconds < one.least or (one.most is not None and seconds > one.most):
                yield f'{monitor.name}, {group.name}: found {duration.write(seconds)}'


def _reachable(monitor: MonitorResult) -> set[State]:
    found = {edge.target for edge in possible_edges(monitor.monitor)} | {State.OK}
    # No Data is also possible without data, and before the first evaluation of a simple alert.
    return found | {State.NO_DATA} if monitor.monitor.on_missing_data or not monitor.evaluator.by else found


def _of_notifications(
    finder: Finder, one: Property, chosen: Sequence[tuple[MonitorResult, list[GroupResult]]]
) -> tuple[list[Moment], tuple[str, ...]]:
    """Check the number of notifications; returns the first counted ones and the fault."""
    _refuse_impossible(finder, one, [monitor for monitor, _ in chosen])
    count = 0
    moments: list[Moment] = []
    examples: list[tuple[int, str]] = []
    for monitor, groups in chosen:
        for group in groups:
            rows = np.flatnonzero(_counted(finder.rehearsal, one, monitor, group))
            count += rows.size
            for row in rows[:_MAX_LISTED].tolist():
                due = group.notifications[row]
                examples.append((due.instant, f'{monitor.name}, {group.name}: {due.target}'))
                moments.append(Moment(monitor.name, group.name, due.instant))
    missed = list(_missed(finder.rehearsal, one, chosen)) if count < one.least else []
    return moments, (*_judged(finder.rehearsal, one, count, examples), *missed)


def _missed(
    rehearsal: Rehearsal, one: Property, chosen: Sequence[tuple[MonitorResult, list[GroupResult]]]
) -> Iterator[str]:
    """Yield sentences about notifications that the property does not count only for their recipient or for a mute."""
    missed: dict[str, list[int]] = {}
    for monitor, groups in chosen:
        for group in groups:
            due, alike = group.notifications, _alike(rehearsal, one, group)
            reached = monitor.notified(group, one.recipient.text(), alike) if one.recipient else alike
            for row in np.flatnonzero(alike & ~(reached & (due.muted == one.muted))).tolist():
                instant = int(due.instants[row])
                muting = ', '.join(rehearsal.downtime_labels[name] for name in due.muting.downtimes(instant))
                what = f'muted by {muting}' if due.muted[row] else 'sent'
                missed.setdefault(what if reached[row] else f'{what} without this recipient', []).append(instant)
    for what, instants in missed.items():
        first = shown_time(min(instants), rehearsal.zone)
        yield f'{len(instants):,} {what}{", the first" if len(instants) > 1 else ""} at {first}'


def _judged(rehearsal: Rehearsal, one: Property, count: int, examples: list[tuple[int, str]]) -> Iterator[str]:
    if one.least <= count and (one.most is None or count <= one.most):
        return
    yield f'found {count:,}'
    for instant, what in sorted(examples)[:_MAX_LISTED]:
        yield f'{shown_time(instant, rehearsal.zone)} {what}'
    if examples and count > _MAX_LISTED:
        yield f'and {count - _MAX_LISTED:,} more'


def _counted(rehearsal: Rehearsal, one: Property, monitor: MonitorResult, group: GroupResult) -> Flags:
    """Return which notifications of a group the property counts."""
    counted: Flags = _alike(rehearsal, one, group) & (group.notifications.muted == one.muted)
    if one.recipient is not None:
        counted &= monitor.notified(group, one.recipient.text(), counted)
    return counted


def _alike(rehearsal: Rehearsal, one: Property, group: GroupResult) -> Flags:
    """Return which notifications of a group have the state, the reason and the time, whoever gets them."""
    due = group.notifications
    counted = np.ones(len(due), dtype=np.bool_)
    if one.states is not None:
        counted &= np.isin(due.targets, one.states)
    if one.reason is not None:
        counted &= due.reasons == REASONS.index(one.reason)
    counted &= _in_time(rehearsal, one, due.instants)
    return counted


def _in_time(rehearsal: Rehearsal, one: Property, instants: Instants) -> Flags:
    counted = np.ones(instants.size, dtype=np.bool_)
    if one.inside:
        counted &= one.inside.covers(instants, rehearsal.zone)
    if one.outside:
        counted &= ~one.outside.covers(instants, rehearsal.zone)
    return counted


def _refuse_impossible(finder: Finder, one: Property, monitors: Sequence[MonitorResult]) -> None:
    """Refuse a property about something impossible, which would always or never hold."""
    keys = one.entry.keys
    edges = {edge for monitor in monitors for edge in possible_edges(monitor.monitor)}
    for state in one.states or ():
        if state not in {edge.target for edge in edges}:
            keys['state'].refuse(f'no notification about {state} is possible: the options of the monitor exclude it')
    if one.reason == 'renotify' and not any(edge.source == edge.target for edge in edges):
        keys['reason'].refuse('no rehearsed monitor renotifies')
    # Without a downtime, "none is muted" holds: it guards against a later downtime.
    if one.least and not any(monitor.muting for monitor in monitors):
        if one.muted:
            keys['muted'].refuse('no rehearsed downtime covers the monitor')
        if one.reason == 'downtime end':
            keys['reason'].refuse('no rehearsed downtime covers the monitor')
    if one.recipient is not None:
        if len(monitors) == 1:
            finder.recipient(monitors[0], one.recipient, one.recipient.text())
        elif not any(monitor.messages.may_reach(one.recipient.text()) for monitor in monitors):
            one.recipient.refuse(f'no message notifies {one.recipient.shown()}')


def _of_downtime(finder: Finder, one: Property) -> Iterator[str]:
    """Check the number of a downtime's own messages (rule 5.22)."""
    assert one.downtime is not None
    name = one.downtime.text()
    finder.downtime(one.downtime, name)
    downtime = next(found for found in finder.rehearsal.downtimes if found.name == name)
    if not downtime.recipients:
        one.downtime.refuse(f'the message of {name} has no recipient')
    if one.recipient is not None and one.recipient.text() not in downtime.recipients:
        one.recipient.refuse(f'the message of {name} never notifies {one.recipient.shown()}')
    instants = np.array([int(instant) for instant, _ in downtime.messages], dtype=np.int64)
    rows = np.flatnonzero(_in_time(finder.rehearsal, one, instants)).tolist()
    examples = [(int(instants[row]), _shown(downtime, row)) for row in rows[:_MAX_LISTED]]
    yield from _judged(finder.rehearsal, one, len(rows), examples)


def _shown(downtime: DowntimeResult, row: int) -> str:
    return f'{downtime.name}: {downtime.messages[row][1]}'
