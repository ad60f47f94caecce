"""`--explain`: the input of an evaluation, and the reason for a group's state."""

import math
from collections.abc import Iterator

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import did_you_mean
from ddassets.output.terminal import printable
from ddassets.rehearsal.doubts import explained_sets
from ddassets.rehearsal.entry import listed
from ddassets.rehearsal.inbox import Mail, fate
from ddassets.rehearsal.result import GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.scenario import Scenario
from ddassets.rehearsal.times import TimeFault, read_instant, read_time_of_day, shown_time, write_instant

# With more groups, --group is required.
MAX_GROUPS = 10
# Maximum of shown points of a window, and how many of them are the last.
MAX_POINTS = 60


def instant_in(scenario: Scenario, when: str) -> int | None:
    """Return the instant of `when` in the scenario's time zone, in seconds; None if it is outside the rehearsal.

    A time of day, such as 03:06, is an instant if the rehearsal covers it once. Raises UnusableInputError if it covers
    it more often, or if `when` is not a time.
    """
    if (instants := read_time_of_day(when, scenario.zone, scenario.start, scenario.end)) is not None:
        if len(instants) > 1:
            shown = listed([write_instant(one, scenario.zone) for one in instants])
            raise UnusableInputError(
                f'--explain: {scenario.path} covers {when} {len(instants)} times, pass one of them: {shown}'
            )
        return instants[0] if instants else None
    try:
        instant = read_instant(when, scenario.zone)
    except TimeFault as fault:
        raise UnusableInputError(f'--explain: {fault}, found {when!r}') from None
    return instant if scenario.start <= instant < scenario.end else None


def explained(rehearsal: Rehearsal, instant: int, monitor: str | None, group: str | None) -> str:
    """Return the text. Raises UnusableInputError for a monitor or a group that does not exist."""
    lines: list[str] = []
    for one in _monitors(rehearsal, monitor):
        groups = _groups(one, group)
        if not groups:
            lines += [printable(f'{one.name}: no group: {one.evaluator.absence}'), '']
        for result in groups:
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
    """Return the groups with all of the `wanted` tags. Raises UnusableInputError if there are none, or too many."""
    groups = [*monitor.results.values()]
    names = [one.name for one in groups]
    if wanted is None:
        found = groups
    else:
        tags = set(wanted.replace(' ', '').split(','))
        found = [one for one in groups if wanted == one.name] or [one for one in groups if tags <= {*one.group}]
        if not found:
            known = f'available: {listed(names)}' if names else f'it has none: {monitor.evaluator.absence}'
            close = did_you_mean(wanted, names)
            raise UnusableInputError(f'--group: {monitor.name} has no group {wanted!r}{close}; {known}')
    if len(found) > MAX_GROUPS:
        names = [one.name for one in found]
        which = '' if wanted is None else f' with {wanted}'
        raise UnusableInputError(
            f'--group: {monitor.name} has {len(found)} groups{which}, pass one of them: {listed(names)}'
        )
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
        yield f'    {found.nothing}'
    if found.window:
        yield f'  value: {"nothing" if math.isnan(found.value) else repr(found.value)}'
    yield from (f'  {reason}' for reason in found.reasons)
    yield from (f'  {line}' for line in explained_sets(monitor, group, found.tick))
    yield from _notified(rehearsal, monitor, group, found.tick, instant)


def _notified(
    rehearsal: Rehearsal, monitor: MonitorResult, group: GroupResult, tick: int, instant: int
) -> Iterator[str]:
    """Return the notifications at the evaluation, else the last before it, and the downtimes that mute."""
    due = group.notifications
    rows = np.flatnonzero((due.instants >= tick) & (due.instants <= instant)).tolist()
    if not rows:
        rows = np.flatnonzero(due.instants < tick).tolist()[-1:]
        yield f'  no notification at this evaluation; {"the last one:" if rows else "none before"}'
    for row in rows:
        yield from _notification(rehearsal, Mail(monitor, group, due[row]))
    muting = [mute for mute in group.mutes if mute.start <= instant < mute.end]
    for mute in muting:
        end = 'for ever' if math.isinf(mute.end) else f'until {shown_time(mute.end, rehearsal.zone)}'
        yield f'  the downtime {_identified(rehearsal, mute.downtime)} mutes {end}'
    if not muting:
        yield '  no downtime is active'


def _notification(rehearsal: Rehearsal, mail: Mail) -> Iterator[str]:
    """Return who is notified, and why the other handles of the monitor's messages are not."""
    one = mail.notification
    sent = '' if mail.muted_by else 'sent '
    yield (
        f'  notification at {shown_time(one.instant, rehearsal.zone)}: {one.target}, {one.reason}, '
        f'{sent}{fate(rehearsal, mail)}'
    )
    for handle, reasons in mail.monitor.unheard(mail.group.group, one):
        yield f'    {handle} not notified: {"; ".join(reasons)}'


def _identified(rehearsal: Rehearsal, name: str) -> str:
    """Return the label of a downtime, with its name, scope and id."""
    downtime = next(one for one in rehearsal.downtimes if one.name == name)
    about = [name] if downtime.subject else []
    about.append(f'scope {downtime.scope}')
    about += [f'id {downtime.downtime.id}'] if downtime.downtime.id else []
    label = f'"{downtime.subject}"' if downtime.subject else name
    return f'{label} ({", ".join(about)})'
