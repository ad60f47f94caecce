"""The inbox: the notifications of all monitors and the downtimes' own messages, in order of time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge

import numpy as np

from ddassets.engine.approximation import Doubt
from ddassets.engine.notification import Notification
from ddassets.engine.slo import SloMonitor
from ddassets.rehearsal.message import Message
from ddassets.rehearsal.result import DowntimeResult, GroupResult, MonitorResult, Rehearsal


@dataclass(frozen=True, eq=False)
class Mail:
    """A message of a monitor, rendered on first use."""

    monitor: MonitorResult
    group: GroupResult
    notification: Notification

    @property
    def instant(self) -> int:
        return self.notification.instant

    @property
    def muted_by(self) -> tuple[str, ...]:
        return self.notification.muted_by

    @cached_property
    def message(self) -> Message:
        return self.monitor.message(self.group.group, self.notification)

    @property
    def doubt(self) -> Doubt | None:
        """Why the message of an approximated monitor is doubtful; None if it is sure."""
        return self.group.doubt(self.notification)

    @property
    def title(self) -> str:
        return self.message.title

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.message.recipients

    @cached_property
    def burn_rates(self) -> Mapping[str, float]:
        """The burn rates of both windows, by variable; empty for another monitor."""
        if not isinstance(self.monitor.monitor, SloMonitor) or not self.monitor.monitor.burns:
            return {}
        found = self.monitor.evaluator.variables(self.group.group, self.instant)
        names = ('long_window_burn_rate', 'short_window_burn_rate')
        return {name: rate for name in names if isinstance(rate := found.get(name), float)}

    @property
    def addressees(self) -> Sequence[str]:
        """The recipients, each with the notification rules that add it."""
        routes = self.message.routes
        return [f'{one} (rule {", ".join(routes[one])})' if one in routes else one for one in self.recipients]


@dataclass(frozen=True)
class DowntimeMail:
    """A downtime's own message (rule 5.22), which is never muted."""

    downtime: DowntimeResult
    instant: int
    what: str

    muted_by: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.downtime.title(self.what)

    @property
    def text(self) -> str:
        return self.downtime.message

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.downtime.recipients

    @property
    def addressees(self) -> Sequence[str]:
        return self.recipients


def fate(rehearsal: Rehearsal, mail: Mail | DowntimeMail, limit: int | None = None) -> str:
    """Return who gets a message, or what mutes it and who would get it otherwise: at most `limit` of them."""
    everyone = mail.addressees
    if not mail.muted_by:
        return f'to {" ".join(everyone)}' if everyone else 'to nobody: the message names no handle'
    shown = everyone[:limit]
    more = f' and {len(everyone) - len(shown)} more' if len(everyone) > len(shown) else ''
    muting = ', '.join(rehearsal.downtime_labels[name] for name in mail.muted_by)
    return f'muted by {muting}, else to {" ".join(shown) or "nobody"}{more}'


def inbox(rehearsal: Rehearsal, sent_only: bool = False) -> Iterator[Mail | DowntimeMail]:
    """Yield all sent and muted messages, in order of time."""
    streams: list[Iterator[Mail | DowntimeMail]] = [
        _notifications(monitor, group, sent_only)
        for monitor in rehearsal.monitors
        for group in monitor.results.values()
    ]
    streams += [_own(downtime) for downtime in rehearsal.downtimes]
    return merge(*streams, key=lambda mail: mail.instant)


def _notifications(monitor: MonitorResult, group: GroupResult, sent_only: bool) -> Iterator[Mail]:
    due = group.notifications
    rows = np.flatnonzero(~due.muted) if sent_only else np.arange(len(due))
    return (Mail(monitor, group, due[int(row)]) for row in rows)


def _own(downtime: DowntimeResult) -> Iterator[DowntimeMail]:
    return (DowntimeMail(downtime, int(instant), what) for instant, what in downtime.messages)
