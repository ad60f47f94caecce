"""`--explain`: the input of an evaluation, and the reason for a group's state."""

import math
from collections.abc import Iterator

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import did_you_mean
from ddassets.output.terminal import printable
from ddassets.rehearsal.entry import listed
from ddassets.rehearsal.result import GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.scenario import Scenario
from ddassets.rehearsal.times import TimeFault, read_instant, shown_time

# With more groups, --group is required.
MAX_GROUPS = 10
# Maximum of shown points of a window, and how many of them are the last.
MAX_POINTS = 60


def instant_in(scenario: Scenario, when: str) -> int | None:
    """Return the instant of `when` in the scenario's time zone, in seconds; None if it is outside the rehearsal.

    Raises UnusableInputError if it is not a time.
    """
    try:
        instant = read_instant(when, scenario.zone)
    except TimeFault as fault:
        raise UnusableInputError(f'--explain: {fault}, found {when!r}') from None
    return instant if scenario.start <= instant < scenario.end else None


def explained(rehearsal: Rehearsal, instant: int, monitor: str | None, group: str | None) -> str:
    """Return the text. Raises UnusableInputError for a monitor or a group that does not exist."""
    lines: list[str] = []
    for one in _monitors(rehearsal, monitor):
        for result in _groups(one, group):
            # Names, tags and queries may contain control characters.
            lines += [*map(printable, _explained(rehearsal, one, result, instant)), '']
    return '\n'.join(lines) + '\n'


def _monitors(rehearsal: Rehearsal, wanted: str | None) -> list[MonitorResult]:
    found = [one for one in rehearsal.monitors if wanted in (None, one.name, one.asset.path.stem)]
    if not found:
        names = [one.name for one in rehearsal.monitors]
        close = did_you_mean(wanted or '', names)
        raise UnusableInputError(f'--monitor: {wanted!r} is not rehearsed{close}; available: {listed(names)}')
    return found


def _groups(monitor: MonitorResult, wanted: str | None) -> list[GroupResult]:
    names = [one.name for one in monitor.results.values()]
    found = [one for one in monitor.results.values() if wanted in (None, one.name)]
    if wanted is not None and not found:
        close = did_you_mean(wanted, names)
        raise UnusableInputError(f'--group: {monitor.name} has no group {wanted!r}{close}; available: {listed(names)}')
    if len(found) > MAX_GROUPS:
        raise UnusableInputError(f'--group: {monitor.name} has {len(found)} groups, pass one of them: {listed(names)}')
    return found


def _explained(rehearsal: Rehearsal, monitor: MonitorResult, group: GroupResult, instant: int) -> Iterator[str]:
    zone = rehearsal.zone
    found = monitor.explain(group.group, instant)
    yield f'{monitor.name}, {group.name} at {shown_time(instant, zone)}: {found.state}'
    yield f'  query: {monitor.asset.query}'
    over = ' to '.join(shown_time(bound, zone) for bound in found.window or ())
    yield f'  evaluated at {shown_time(found.tick, zone)}{f", over {over}" if over else ""}'
    operand = None
    left = found.points[MAX_POINTS // 2 : -MAX_POINTS // 2] if len(found.points) > MAX_POINTS else ()
    for index, (name, time, value) in enumerate(found.points):
        if name != operand:
            operand = name
            yield f'    {name}'
        if left and index == MAX_POINTS // 2:
            yield f'      … {len(left)} more points'
        if not left or not MAX_POINTS // 2 <= index < len(found.points) - MAX_POINTS // 2:
            yield f'      {shown_time(time, zone)}  {"no value" if math.isnan(value) else f"{value:.10g}"}'
    if found.window and not found.points:
        yield '    no points'
    if found.window:
        yield f'  value: {"nothing" if math.isnan(found.value) else repr(found.value)}'
    yield from (f'  {reason}' for reason in found.reasons)
    yield from _notified(rehearsal, group, found.tick, instant)


def _notified(rehearsal: Rehearsal, group: GroupResult, tick: int, instant: int) -> Iterator[str]:
    """Return the notifications at the evaluation, and the downtimes that mute at the instant."""
    due = group.notifications
    for row in np.flatnonzero((due.instants >= tick) & (due.instants <= instant)).tolist():
        one = due[row]
        fate = f'muted by {", ".join(one.muted_by)}' if one.muted_by else 'sent'
        yield f'  notification at {shown_time(one.instant, rehearsal.zone)}: {one.target}, {one.reason}, {fate}'
    muting = [mute for mute in group.mutes if mute.start <= instant < mute.end]
    for mute in muting:
        end = 'for ever' if math.isinf(mute.end) else f'until {shown_time(mute.end, rehearsal.zone)}'
        yield f'  the downtime {mute.downtime} mutes {end}'
    if not muting:
        yield '  no downtime is active'
