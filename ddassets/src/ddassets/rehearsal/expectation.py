"""Compare the expected timeline with what happened, entry by entry."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ddassets.engine.message import mentions
from ddassets.engine.notification import REASONS, Notification, Reason
from ddassets.engine.state import State
from ddassets.nearest import did_you_mean
from ddassets.rehearsal.coverage import possible_edges
from ddassets.rehearsal.entry import Entry, listed
from ddassets.rehearsal.message import Message
from ddassets.rehearsal.result import GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.scenario import Expectation
from ddassets.rehearsal.times import shown_time, write_instant
from ddassets.rehearsal.verdict import Moment, Verdict

# Values are compared to about as many digits as `--write` writes.
_CLOSE = 1e-5
# Maximum of unexpected events that are listed.
MAX_LISTED = 20


type Key = tuple[str, str, int, Reason]


@dataclass(frozen=True, eq=False)
class Event:
    """A transition with its notification, if any; or a notification without a transition."""

    monitor: MonitorResult
    group: GroupResult
    at: int
    reason: Reason
    source: State
    target: State
    value: float
    notification: Notification | None

    @property
    def key(self) -> Key:
        return self.monitor.name, self.group.name, self.at, self.reason

    @property
    def fate(self) -> str:
        """Return sent, muted or none."""
        if self.notification is None:
            return 'none'
        return 'sent' if self.notification.sent else 'muted'

    @cached_property
    def message(self) -> Message | None:
        return self.monitor.message(self.group.group, self.notification) if self.notification else None

    @property
    def moment(self) -> Moment:
        return Moment(self.monitor.name, self.group.name, self.at)

    @property
    def muting(self) -> str:
        """Return which downtimes muted it, each with its file and line where they are known."""
        names = self.notification.muted_by if self.notification else ()
        by_name = {one.name: one for one in self.monitor.muting}
        return ', '.join(f'{name}{by_name[name].place}' if name in by_name else name for name in names)

    def __str__(self) -> str:
        change = f'{self.source} to {self.target}' if self.reason == 'transition' else f'{self.target}, {self.reason}'
        fate = {'none': 'no notification'}.get(self.fate, self.fate)
        if self.notification and self.notification.muted_by:
            fate += f' by {", ".join(self.notification.muted_by)}'
        return f'{self.monitor.name}, {self.group.name}: {change} ({fate})'


def events(rehearsal: Rehearsal) -> Iterator[Event]:
    """Yield all events, by monitor and group, in order of time within a group."""
    for monitor in rehearsal.monitors:
        for group in monitor.results.values():
            yield from _events(monitor, group)


def _events(monitor: MonitorResult, group: GroupResult) -> Iterator[Event]:
    due = group.notifications
    own = due.reasons == REASONS.index('transition')
    about = dict(zip(due.instants[own].tolist(), np.flatnonzero(own).tolist(), strict=True))
    found = [
        Event(
            monitor,
            group,
            change.instant,
            'transition',
            change.source,
            change.target,
            change.value,
            due[about[change.instant]] if change.instant in about else None,
        )
        for change in group.transitions
    ]
    for index in np.flatnonzero(~own).tolist():
        one = due[index]
        found.append(Event(monitor, group, one.instant, one.reason, one.source, one.target, one.value, one))
    yield from sorted(found, key=lambda event: event.at)


class Finder:
    """Looks up what a scenario refers to, and refuses what does not exist or cannot happen."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal

    def monitor(self, entry: Entry) -> MonitorResult:
        wanted = entry.text()
        for monitor in self.rehearsal.monitors:
            if wanted in (monitor.name, monitor.asset.path.stem):
                return monitor
        names = [monitor.name for monitor in self.rehearsal.monitors]
        entry.refuse(
            f'no monitor {entry.shown()} is rehearsed{did_you_mean(wanted, names)}; available: {listed(names)}'
        )

    def only_monitor(self, entry: Entry) -> MonitorResult:
        if len(self.rehearsal.monitors) > 1:
            names = [monitor.name for monitor in self.rehearsal.monitors]
            entry.refuse(f'monitor is missing, but there are several: {listed(names)}')
        return self.rehearsal.monitors[0]

    def group(self, monitor: MonitorResult, entry: Entry) -> GroupResult:
        wanted = entry.text()
        by_name = {group.name: group for group in monitor.results.values()}
        for name, group in by_name.items():
            if wanted == name or sorted(wanted.replace(' ', '').split(',')) == sorted(name.split(',')):
                return group
        known = f'available: {listed(by_name)}' if by_name else f'it has none: {monitor.evaluator.absence}'
        entry.refuse(f'{monitor.name} has no group {entry.shown()}{did_you_mean(wanted, by_name)}; {known}')

    def only_group(self, monitor: MonitorResult, entry: Entry) -> GroupResult:
        groups = list(monitor.results.values())
        if not groups:
            entry.refuse(f'{monitor.name} has no group: {monitor.evaluator.absence}')
        if len(groups) > 1:
            entry.refuse(f'group is missing, but there are several: {listed([group.name for group in groups])}')
        return groups[0]

    def recipient(self, monitor: MonitorResult, entry: Entry, wanted: str) -> None:
        """Refuse a recipient that no message of the monitor can notify."""
        if monitor.messages.may_reach(wanted):
            return
        names = {mention.name for template in monitor.messages.templates for mention in mentions(template)}
        known = f'its recipients: {listed(names)}' if names else 'it names no recipient; `notify` adds one'
        entry.refuse(f'the message of {monitor.name} never notifies {wanted!r}{did_you_mean(wanted, names)}; {known}')

    def downtime(self, entry: Entry, wanted: str, monitor: MonitorResult | None = None) -> None:
        """Refuse a downtime that does not exist or does not cover the monitor."""
        names = [downtime.name for downtime in self.rehearsal.downtimes]
        if wanted not in names:
            entry.refuse(
                f'no downtime {wanted!r} is rehearsed{did_you_mean(wanted, names)}; available: {listed(names)}'
            )
        if monitor and wanted not in [one.name for one in monitor.muting]:
            entry.refuse(f'the downtime {wanted} does not cover the monitor {monitor.name}')

    def state(self, monitor: MonitorResult, entry: Entry, state: State) -> None:
        """Refuse a state that the monitor's options exclude."""
        reasons = {
            State.WARN: 'it has no warning threshold',
            State.NO_DATA: 'its options never show it',
            State.UNKNOWN: 'only a service check with an unknown threshold can be',
            State.ABSENT: 'the removal of a group is not a transition',
        }
        if state not in monitor.monitor.states:
            entry.refuse(f'{monitor.name} is never in {state}: {reasons[state]}')

    def require_data_until(self, group: GroupResult, entry: Entry, until: int, what: str) -> None:
        """Refuse expectations later than the end of the data."""
        if group.data_end < until:
            end = 'nowhere' if math.isinf(group.data_end) else shown_time(group.data_end, self.rehearsal.zone)
            entry.refuse(
                f'the series of {group.name} end at {end}, before {what}: {shown_time(until, self.rehearsal.zone)}; '
                'add values, `_x20` for 20 missing points, or `until` for a CSV file'
            )


def judge(rehearsal: Rehearsal) -> Iterator[Verdict]:
    """Yield a verdict on each expectation, and one on all unexpected events.

    Raises UnusableInputError for an expectation that cannot be met.
    """
    if rehearsal.scenario.expectations is None:
        return
    wanted = keyed(rehearsal)
    if not wanted:
        _refuse_emptiness(rehearsal)
    happened: dict[Key, Event] = {}
    unexpected: list[Event] = []
    for event in events(rehearsal):
        if event.key in wanted:
            happened[event.key] = event
        else:
            unexpected.append(event)
    for key, expectation in wanted.items():
        yield _verdict(rehearsal, key, expectation, happened.get(key))
    unexpected.sort(key=lambda event: event.at)
    details = tuple(f'{shown_time(event.at, rehearsal.zone)} {event}' for event in unexpected[:MAX_LISTED])
    if len(unexpected) > MAX_LISTED:
        details = (*details, f'and {len(unexpected) - MAX_LISTED:,} more')
    entry = rehearsal.scenario.top.keys['expect']
    moment = unexpected[0].moment if unexpected else None
    yield Verdict('nothing else happens', not unexpected, details, entry.line, moment)


def _refuse_emptiness(rehearsal: Rehearsal) -> None:
    """Refuse `expect: []` if the data ends early: then it would be meaningless."""
    entry = rehearsal.scenario.top.keys['expect']
    groups = [group for monitor in rehearsal.monitors for group in monitor.results.values()]
    latest = max(groups, key=lambda group: group.data_end, default=None)
    if latest is None or math.isinf(latest.data_end) and latest.data_end < 0:
        reasons = '; '.join(f'{one.name}: {one.evaluator.absence}' for one in rehearsal.monitors[:3])
        entry.refuse(f'nothing can ever happen: {reasons}')
    Finder(rehearsal).require_data_until(
        latest, entry, rehearsal.end, 'the end of the rehearsal, until which no event is expected'
    )


def keyed(rehearsal: Rehearsal) -> Mapping[Key, Expectation]:
    """Return the scenario's expectations by their event. Raises UnusableInputError if one cannot be met."""
    finder = Finder(rehearsal)
    found: dict[Key, Expectation] = {}
    for one in rehearsal.scenario.expectations or ():
        monitor = finder.monitor(one.monitor) if one.monitor else finder.only_monitor(one.entry)
        group = finder.group(monitor, one.group) if one.group else finder.only_group(monitor, one.entry)
        _refuse_impossible(finder, monitor, group, one)
        key = (monitor.name, group.name, one.at, one.reason)
        if key in found:
            one.entry.refuse(f'already expected in line {found[key].entry.line}')
        found[key] = one
    return found


def _refuse_impossible(finder: Finder, monitor: MonitorResult, group: GroupResult, one: Expectation) -> None:
    keys = one.entry.keys
    _refuse_instant(finder.rehearsal, monitor, group, one)
    finder.require_data_until(group, keys['at'], one.at, 'the expectation')
    _refuse_states(finder, monitor, one)
    if one.notification in ('sent', 'muted'):
        if monitor.monitor.draft:
            keys['notification'].refuse(f'{monitor.name} is a draft and notifies nobody')
        if one.target is State.NO_DATA and monitor.monitor.silent_no_data:
            keys['notification'].refuse(f'{monitor.name} shows No Data but does not notify')
    for name in one.muted_by or ():
        finder.downtime(keys['muted_by'], name, monitor)
    for handle in one.recipients or ():
        finder.recipient(monitor, keys['recipients'], handle)


def _refuse_states(finder: Finder, monitor: MonitorResult, one: Expectation) -> None:
    keys = one.entry.keys
    if one.target is not None:
        finder.state(monitor, keys['to'], one.target)
    # A group that does not start in OK was absent before.
    if one.source is not None and one.source is not State.ABSENT:
        finder.state(monitor, keys['from'], one.source)
    if one.source is State.ABSENT and one.target is State.OK:
        keys['to'].refuse('a group that starts in OK has no transition')
    if one.reason == 'renotify':
        renotified = {edge.target for edge in possible_edges(monitor.monitor) if edge.source == edge.target}
        if not renotified or (one.target is not None and one.target not in renotified):
            keys['reason'].refuse(f'{monitor.name} does not renotify {one.target if renotified else "at all"}')


def _refuse_instant(rehearsal: Rehearsal, monitor: MonitorResult, group: GroupResult, one: Expectation) -> None:
    entry = one.entry.keys['at']
    if not rehearsal.start <= one.at < rehearsal.end:
        start, end = (shown_time(instant, rehearsal.zone) for instant in (rehearsal.start, rehearsal.end))
        entry.refuse(f'found {entry.shown()}, outside the rehearsal: {start} to {end}')
    if one.reason == 'downtime end':
        if one.at not in (mute.end for mute in group.mutes):
            entry.refuse(f'no downtime of {group.name} ends at {entry.shown()}')
        return
    ticks = monitor.evaluator.ticks
    index = int(np.searchsorted(ticks, one.at))
    if index == ticks.size or ticks[index] != one.at:
        near = ' and '.join(write_instant(tick, rehearsal.zone) for tick in ticks[max(0, index - 1) : index + 1])
        entry.refuse(f'found {entry.shown()}, when {monitor.name} is not evaluated; the nearest evaluations: {near}')


def _verdict(rehearsal: Rehearsal, key: Key, one: Expectation, event: Event | None) -> Verdict:
    monitor, group, at, reason = key
    change = f'{_stated(one.source)} to {_stated(one.target)}' if reason == 'transition' else reason
    name = f'{write_instant(at, rehearsal.zone)} {monitor}, {group}: {change}'
    line, moment = one.entry.line, Moment(monitor, group, at)
    if event is None:
        return Verdict(name, False, (_instead(rehearsal, key),), line, moment)
    details = tuple(_differences(one, event))
    return Verdict(name, not details, details, line, moment, cause='; '.join(details))


def _stated(state: State | None) -> str:
    return '…' if state is None else str(state)


def _instead(rehearsal: Rehearsal, key: Key) -> str:
    """Return what the group did at that time instead."""
    name, group_name, at, _ = key
    monitor = next(one for one in rehearsal.monitors if one.name == name)
    group = next(one for one in monitor.results.values() if one.name == group_name)
    row = int(np.searchsorted(group.starts, at, side='right')) - 1
    if row < 0:
        return 'did not happen: the group was not evaluated yet'
    since = shown_time(group.starts[row], rehearsal.zone)
    return f'did not happen: {State(group.states[row])} since {since}'


def _differences(one: Expectation, event: Event) -> Iterator[str]:
    muted_by = listed(event.notification.muted_by if event.notification else ())
    for key, expected, found in (
        ('from', one.source, event.source),
        ('to', one.target, event.target),
        ('notification', one.notification, event.fate),
        ('muted_by', None if one.muted_by is None else listed(one.muted_by), muted_by),
    ):
        if expected is not None and expected != found:
            by = f' by {event.muting}' if key == 'notification' and event.muting else ''
            yield f'{key}: expected {expected}, found {found}{by}'
    if one.value is not None and not math.isclose(one.value, event.value, rel_tol=_CLOSE, abs_tol=1e-9):
        yield f'value: expected {one.value:g}, found {"nothing" if math.isnan(event.value) else f"{event.value:.6g}"}'
    if one.recipients is not None or one.message:
        yield from _message_differences(one, event.message)


def _message_differences(one: Expectation, message: Message | None) -> Iterator[str]:
    if message is None:
        yield 'no notification was due'
        return
    if one.recipients is not None and set(one.recipients) != set(message.recipients):
        yield f'recipients: expected {listed(one.recipients)}, found {listed(message.recipients)}'
    for fragment in one.message:
        if fragment not in message.title and fragment not in message.text:
            yield f'message: {fragment!r} is missing; the message is: {_shortened(message)}'


def _shortened(message: Message) -> str:
    text = ' '.join(f'{message.title} | {message.text}'.split())
    return repr(text if len(text) <= 300 else f'{text[:300]}…')
