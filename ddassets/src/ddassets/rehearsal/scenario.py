"""The content of a scenario: signal, monitors, downtimes and expectations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ddassets.assets import NotificationRule
from ddassets.engine.message import Attributes, Host, notify, redirect
from ddassets.engine.notification import Reason
from ddassets.engine.series import KINDS as KINDS
from ddassets.engine.series import Kind
from ddassets.engine.state import State
from ddassets.rehearsal.entry import Entry
from ddassets.rehearsal.times import Week


@dataclass(frozen=True)
class Points:
    """Series of a metric in the scenario: `values` in compact notation, or the file `csv`.

    `kind` and `interval` (seconds) are None if metadata.csv gives them. `stub` is the function that the series
    replaces, instead of a metric, for `monitor` or (None) for every monitor. `start` is the instant of the first value;
    `until` declares that a file has no points between its last row and that instant. `key` is that of the values.
    """

    entry: Entry
    metric: str
    tags: frozenset[str]
    start: int
    values: str | None = None
    csv: Path | None = None
    kind: Kind | None = None
    interval: int | None = None
    stub: str | None = None
    monitor: Entry | None = None
    until: int | None = None
    key: str = 'values'


@dataclass(frozen=True)
class Check:
    """The integration's own check, run on a simulated clock from `start` on.

    `host` becomes a tag, as the Agent adds it; empty for none. `configuration` is a conf.yaml or its content; None for
    the shipped example. `uncommented` are commented-out options to enable. Runs are up to `jitter` seconds late, drawn
    from `seed`. In the periods `down`, in seconds since the epoch, the Agent is stopped; in `cut_off` it has no network
    until the end. Points arrive `late` seconds after their time.
    """

    entry: Entry
    host: str
    start: int
    configuration: Path | Mapping[str, Any] | None = None
    uncommented: tuple[str, ...] = ()
    jitter: int = 0
    seed: int = 0
    down: tuple[tuple[int, int], ...] = ()
    late: int = 0
    cut_off: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Band:
    """The bounds of anomalies() for a metric, in compact notation from `start` on; None for no bound on that side."""

    entry: Entry
    metric: str
    tags: frozenset[str]
    start: int
    interval: int | None
    lower: str | None
    upper: str | None


@dataclass(frozen=True)
class Statuses:
    """Runs of a service check, or states of a member of a composite, as words, from `start` on.

    `name` is that of the check or the monitor. `messages` are those of the runs, by status code; of several messages,
    each is for one run and the last for all later runs.
    """

    entry: Entry
    name: str
    tags: frozenset[str]
    start: int
    interval: int
    words: str
    check: bool
    messages: Mapping[int, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundEvents:
    """Events that match a search: `counts` in compact notation from `start` on, one `interval` apart, or at `instants`.

    `product` is the function of the query, such as logs; `monitor` restricts them to one monitor. All have the
    same tags, `attributes` (by name, without the @) and `fields`, such as message and service. `variables` are those of
    a formula that find them.
    """

    entry: Entry
    product: str
    tags: frozenset[str]
    start: int
    interval: int
    counts: str | None = None
    instants: tuple[int, ...] = ()
    monitor: Entry | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] | None = None


type Source = Points | Check | Band | Statuses | FoundEvents


@dataclass(frozen=True)
class Choice:
    """A selection of monitors or downtimes: those `named` (by name, file or body), or all except some."""

    entry: Entry | None = None
    named: tuple[Entry, ...] | None = None
    without: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Correction:
    """A time that an SLO leaves out, or counts as uptime, in seconds since the epoch; `end` is exclusive."""

    slo: Entry
    start: int
    end: int


@dataclass(frozen=True)
class Spent:
    """What an SLO had counted before its data begin. `group` None: in every group."""

    slo: Entry
    good: float
    total: float
    group: str | None = None


@dataclass(frozen=True)
class Expectation:
    """An expected event: a transition of a group, or a notification without a transition.

    None, and an empty list of fragments, match anything. `monitor` and `group` may be None if there is only one.
    `notification` is sent, muted or none.
    """

    entry: Entry
    at: int
    reason: Reason = 'transition'
    monitor: Entry | None = None
    group: Entry | None = None
    source: State | None = None
    target: State | None = None
    value: float | None = None
    notification: str | None = None
    muted_by: tuple[str, ...] | None = None
    recipients: tuple[str, ...] | None = None
    message: tuple[str, ...] = ()


@dataclass(frozen=True)
class Property:
    """A property of the whole timeline.

    Bounds (`least`, `most`) of the number of notifications, or, with `time_in`, of the seconds in a state. The other
    fields select notifications: None for all, `muted` False for sent ones.
    """

    entry: Entry
    least: int
    most: int | None
    time_in: State | None = None
    monitor: Entry | None = None
    group: Entry | None = None
    downtime: Entry | None = None
    states: tuple[State, ...] | None = None
    recipient: Entry | None = None
    reason: Reason | None = None
    muted: bool = False
    inside: Week | None = None
    outside: Week | None = None


@dataclass(frozen=True)
class Scenario:
    """The content of a scenario file. Instants and lengths are in seconds; `end` is exclusive."""

    path: Path
    text: str
    top: Entry
    description: str
    start: int
    end: int
    zone: ZoneInfo
    sources: tuple[Source, ...]
    hosts: Mapping[str, Host]
    monitors: Choice
    downtimes: Choice
    rules: Choice
    slos: Choice = Choice()
    corrections: tuple[Correction, ...] = ()
    before: tuple[Spent, ...] = ()
    notify: str | None = None
    redirect: str | None = None
    assumptions: Mapping[str, str] | None = None
    tick_second: int = 0
    # The functions that are approximated where no stub is given.
    approximate: frozenset[str] = frozenset()
    # None without `expect`; an empty tuple expects that nothing happens.
    expectations: tuple[Expectation, ...] | None = None
    properties: tuple[Property, ...] = ()
    min_coverage: float | None = None
    # Attributes for messages, by the keys `services`, `namespaces`, `pods` and `devices`, then by name.
    entities: Mapping[str, Mapping[str, Attributes]] = field(default_factory=dict)
    # The notification rules selected by `rules`, read at the start of the rehearsal.
    notification_rules: tuple[NotificationRule, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    def addressed(self, text: str) -> str:
        """Return a message with the scenario's `notify` or `redirect` applied. Raises MessageSyntaxError."""
        return notify(self.redirected(text), self.notify) if self.notify else self.redirected(text)

    def redirected(self, text: str) -> str:
        """Return a message with only `redirect` applied, for an additional text. Raises MessageSyntaxError."""
        return redirect(text, self.redirect) if self.redirect else text
