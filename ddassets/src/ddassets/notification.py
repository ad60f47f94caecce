"""From the states of a group to what is sent: muting, first recoveries, ends of downtimes and renotification.

States never depend on any of it (rule 5.16), so it is a second step.
"""

from dataclasses import dataclass
from typing import Literal

from ddassets.state import Kind, State

type Reason = Literal['transition', 'renotify', 'downtime end']
REASONS: tuple[Reason, ...] = ('transition', 'renotify', 'downtime end')


@dataclass(frozen=True, slots=True)
class Mute:
    """One active interval of one downtime that covers the group, [start, end) in seconds; infinite without a bound.

    `downtime` is its name. `end_states` are the states (OK never among them) for which its end sends a notification:
    none where the way it ends is not in notify_end_types (rule 5.18).
    """

    start: float
    end: float
    downtime: str
    mute_first_recovery: bool = False
    end_states: frozenset[State] = frozenset()


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification that was due. `muted_by` names the downtimes that held it back; empty means that it was sent.

    `kind` is what it tells: alert, warn, no data or recovery; `reason` is why: a transition, a renotification, or the
    end of a downtime (rules 3.8, 3.21, 5.18). `source` and `target` are the states before and after a transition, and
    both the current one otherwise. The rest is as in `timeline.Transition`, at this instant.
    """

    instant: int
    kind: Kind
    reason: Reason
    source: State
    target: State
    value: float
    muted_by: tuple[str, ...]
    first_triggered_at: int | None
    last_triggered_at: int | None

    @property
    def sent(self) -> bool:
        return not self.muted_by

    @property
    def triggered_duration(self) -> int | None:
        """Seconds since the group left OK (rule 4.7)."""
        return None if self.first_triggered_at is None else self.instant - self.first_triggered_at
