"""The result of a rehearsal: groups, monitors and downtimes. `judgement` compares it with the expectations."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from ddassets.assets import Bundle, Slo
from ddassets.assets import Monitor as MonitorAsset
from ddassets.engine.approximation import Agreement, Doubt, ParameterSet
from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.column import Flags
from ddassets.engine.composite import CompositeEvaluator
from ddassets.engine.downtime import Downtime
from ddassets.engine.explanation import Explanation
from ddassets.engine.folding import unfolded
from ddassets.engine.graph import Line, draw
from ddassets.engine.message import FLAGS, Branch, Edge, Unheard, find_handles
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.notification import Mute, Notification, Notifications
from ddassets.engine.protocol import Evaluator
from ddassets.engine.series import SeriesSet
from ddassets.engine.state import State
from ddassets.engine.timeline import Codes, Group, GroupTimeline, Instants, MonitorTimeline, Transitions
from ddassets.language.query import tree
from ddassets.output.terminal import shorten
from ddassets.rehearsal.message import Message, Messages
from ddassets.rehearsal.scenario import Scenario
from ddassets.rehearsal.signal import Signal
from ddassets.rehearsal.times import shown_time

# Maximum of characters of a downtime's subject.
MAX_SUBJECT = 30


@dataclass(frozen=True, eq=False)
class GroupResult:
    """The result of one group. Without timelines, a year of a hundred groups fits into memory.

    `timeline` contains every evaluation, or is None if it was not kept. `starts` and `states` are the periods of equal
    state, including absence, in columns; the last period ends at `end`.
    """

    group: Group
    tags: frozenset[str]
    starts: Instants = field(repr=False)
    states: Codes = field(repr=False)
    end: int
    transitions: Transitions = field(repr=False)
    mutes: Sequence[Mute] = field(repr=False)
    notifications: Notifications = field(repr=False)
    # The end of its data, in seconds since the epoch.
    data_end: float
    # Whether at least one evaluation had data.
    has_data: bool
    timeline: GroupTimeline | None = field(default=None, repr=False)
    # The evaluations that are decided within a sketch's error (rule 17.20); None for a query without percentiles.
    uncertain: Instants | None = field(default=None, repr=False)
    # For an approximated monitor: what is sure.
    agreement: Agreement | None = field(default=None, repr=False)

    def doubt(self, notification: Notification) -> Doubt | None:
        """Return why a notification of an approximated monitor is doubtful; None if it is sure."""
        if self.agreement is None:
            return None
        due = self.notifications
        first = int(np.searchsorted(due.instants, notification.instant))
        last = int(np.searchsorted(due.instants, notification.instant, side='right'))
        wanted = notification.source, notification.target, notification.reason
        for row in range(first, last):
            if (due[row].source, due[row].target, due[row].reason) == wanted:
                return self.agreement.notifications[row]
        return None

    @property
    def name(self) -> str:
        """`host:a,env:prod`, or `*`."""
        return ','.join(self.group) or '*'

    def seconds_in(self, state: State) -> int:
        """Return how long the group was in the state."""
        lengths = np.diff(self.starts, append=self.end)
        return int(lengths[self.states == state].sum())

    def evaluations_in(self, state: State, ticks: Instants) -> int:
        """Return how many of its evaluations, at `ticks`, left the group in the state."""
        counts = np.diff(np.searchsorted(ticks, self.starts), append=ticks.size)
        return int(counts[self.states == state].sum())

    def is_uncertain(self, instant: int) -> bool | None:
        """Return whether the evaluation at an instant is decided within a sketch's error; None without percentiles."""
        return None if self.uncertain is None else bool(np.isin(instant, self.uncertain))

    @property
    def visited(self) -> frozenset[State]:
        """The states of the group."""
        return frozenset(map(State, (np.flatnonzero(np.bincount(self.states + 1)) - 1).tolist()))

    @property
    def sent(self) -> int:
        return len(self.notifications) - self.muted

    @property
    def muted(self) -> int:
        return int(np.count_nonzero(self.notifications.muted))

    @property
    def first_of_each_kind(self) -> list[int]:
        """Return the rows of the first notification of each transition and reason."""
        kinds = self.notifications.kinds
        return sorted(int(np.argmax(kinds == kind)) for kind in np.flatnonzero(np.bincount(kinds)))


@dataclass(frozen=True, eq=False)
class DowntimeResult:
    """A downtime: when it was active in the rehearsal, and its own messages (rule 5.22).

    A message is (instant, event). The message that it was scheduled is not included, because it was sent earlier.
    """

    downtime: Downtime
    message: str
    recipients: tuple[str, ...]
    windows: tuple[tuple[float, float], ...]
    messages: tuple[tuple[float, str], ...]
    # The ids of the assumptions on which its active times and ends rely.
    assumptions: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.downtime.name

    @property
    def place(self) -> str:
        """` (assets/downtimes/nights.json:1)`; empty where the file is not known."""
        file, line = self.downtime.file, self.downtime.line
        return f' ({file}:{line})' if file and line else ''

    def title(self, event: str) -> str:
        """Return the title of the message about an event."""
        return f'Downtime {event}: {self.name}'

    @property
    def subject(self) -> str:
        """The first line of its own message without handles, shortened; empty if there is none."""
        for line in self.message.splitlines():
            for handle in reversed(find_handles(line)):
                line = f'{line[: handle.start]} {line[handle.end :]}'
            if words := ' '.join(line.split()).rstrip(' .,:;!-'):
                return shorten(words, MAX_SUBJECT)
        return ''

    @property
    def scope(self) -> str:
        return self.downtime.scope.text

    @property
    def zone(self) -> str:
        return self.downtime.zone.key


@dataclass(frozen=True, eq=False)
class Approximation:
    """The sets of parameters of an approximated monitor, the default first, and the evaluator under each."""

    sets: Sequence[ParameterSet]
    evaluators: Sequence[Evaluator]


class MonitorResult:
    """The result of one monitor. `results` are those of the groups, in order of name, computed on first use."""

    def __init__(
        self,
        asset: MonitorAsset,
        monitor: AnyMonitor,
        evaluator: Evaluator,
        messages: Messages,
        muting: Sequence[DowntimeResult],
        make: Callable[[], Mapping[Group, GroupResult]],
        approximation: Approximation | None = None,
    ) -> None:
        self.asset = asset
        self.monitor = monitor
        self.evaluator = evaluator
        self.messages = messages
        self.muting = muting
        self._make = make
        self.approximation = approximation
        self._recipients: dict[tuple[Group, Edge], tuple[str, ...]] = {}
        self._headings: dict[tuple[Group, Edge], Message] = {}

    @property
    def name(self) -> str:
        return self.asset.name

    @property
    def composite(self) -> CompositeEvaluator | None:
        """What evaluates a composite, with its members; None for another monitor."""
        evaluator = unfolded(self.evaluator)
        return evaluator if isinstance(evaluator, CompositeEvaluator) else None

    @property
    def relied_on(self) -> frozenset[str]:
        """The ids of the assumptions that the result relied on so far."""
        return frozenset(self.evaluator.assumptions.relied_on)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences, including those about rendered messages."""
        return (*self.evaluator.warnings, *(f'message: {problem}' for problem in self.messages.warnings))

    @cached_property
    def results(self) -> Mapping[Group, GroupResult]:
        made = self._make()
        self._decisive = frozenset(self.evaluator.assumptions.relied_on)
        return made

    @property
    def decisive(self) -> frozenset[str]:
        """The ids of the assumptions that states and notifications rely on; the others affect only texts."""
        _ = self.results
        return self._decisive

    def reworded(self, scenario: Scenario) -> 'MonitorResult':
        """Return the same states and notifications with the messages for another scenario's assumptions."""
        assumptions = Assumptions(scenario.assumptions)
        messages = Messages(self.asset, self.monitor, self.evaluator, scenario, assumptions)
        return MonitorResult(
            self.asset, self.monitor, self.evaluator, messages, self.muting, lambda: self.results, self.approximation
        )

    @property
    def windows(self) -> int:
        """The number of evaluated windows: one per evaluation and group."""
        return int(self.evaluator.ticks.size) * len(self.evaluator.groups)

    @cached_property
    def timeline(self) -> MonitorTimeline:
        """All evaluations of all groups: the kept ones, or evaluated again."""
        evaluator = self.evaluator
        groups = {group: one.timeline or evaluator.timeline(group) for group, one in self.results.items()}
        start, end = evaluator.start, evaluator.end
        return MonitorTimeline(self.name, start, end, groups, self.relied_on, evaluator.warnings)

    @property
    def mutes(self) -> Mapping[Group, Sequence[Mute]]:
        return {group: result.mutes for group, result in self.results.items()}

    @property
    def notifications(self) -> Mapping[Group, Notifications]:
        return {group: result.notifications for group, result in self.results.items()}

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the state of a group. Raises UnusableInputError for an instant before the first evaluation."""
        return self.evaluator.explain(group, instant)

    def message(self, group: Group, notification: Notification) -> Message:
        """Render a notification (section 4 of the semantics)."""
        return self.messages.render(group, self.results[group].tags, notification)

    def unheard(self, group: Group, notification: Notification) -> Sequence[Unheard]:
        """Return the handles of the monitor's messages that a notification does not reach, and why."""
        return self.messages.unheard(group, self.results[group].tags, notification)

    def heading(self, group: Group, notification: Notification) -> Message:
        """Return the message without its text, rendered once per transition of a group if nothing else differs."""
        key = (group, self.messages.edge(notification))
        if self.messages.varies or self.messages.titled_apart or key not in self._headings:
            self._headings[key] = replace(self.message(group, notification), text='')
        return self._headings[key]

    def recipients(self, group: Group, notification: Notification) -> tuple[str, ...]:
        """Return the recipients, rendered once per transition of a group if only numbers differ."""
        key = (group, self.messages.edge(notification))
        if self.messages.varies or key not in self._recipients:
            self._recipients[key] = self.message(group, notification).recipients
        return self._recipients[key]

    def notified(self, result: GroupResult, handle: str, among: Flags) -> Flags:
        """Return which of a group's notifications `among` some of them notify a recipient."""
        due, found = result.notifications, np.zeros_like(among)
        if self.messages.varies:
            rows = np.flatnonzero(among)
            found[rows] = [handle in self.recipients(result.group, due[row]) for row in rows.tolist()]
            return found
        # Only numbers differ within a kind, so one message is enough.
        kinds = due.kinds
        for kind in np.flatnonzero(np.bincount(kinds[among])):
            alike = among & (kinds == kind)
            found |= alike & (handle in self.recipients(result.group, due[int(np.argmax(alike))]))
        return found

    @cached_property
    def reached(self) -> frozenset[Branch]:
        """Return the rendered branches: from one message of each kind, and from more only if numbers decide."""
        every = frozenset(self.messages.body.branches())
        tested = any(literal.condition.name not in FLAGS for branch in every for literal in branch.path)
        reached: frozenset[Branch] = frozenset()
        seen: set[tuple[object, ...]] = set()
        for group, one in self.results.items():
            for row in one.first_of_each_kind:
                due = one.notifications[row]
                key = (group if tested else (), self.messages.edge(due))
                if key not in seen:
                    seen.add(key)
                    reached |= self.message(group, due).reached
        if self.messages.varies:
            for group, due in ((group, due) for group, one in self.results.items() for due in one.notifications):
                if reached == every:
                    break
                reached |= self.message(group, due).reached
        return reached


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """The result of a scenario, for the page, the command and the tests."""

    scenario: Scenario
    bundle: Bundle
    signal: Signal
    monitors: tuple[MonitorResult, ...]
    downtimes: tuple[DowntimeResult, ...]
    # Values that the sources of the monitors do not contain.
    notes: tuple[str, ...] = ()
    slos: tuple[Slo, ...] = ()

    @property
    def name(self) -> str:
        return self.scenario.name

    @property
    def description(self) -> str:
        return self.scenario.description

    @property
    def start(self) -> int:
        return self.scenario.start

    @property
    def end(self) -> int:
        return self.scenario.end

    @property
    def zone(self) -> ZoneInfo:
        return self.scenario.zone

    @property
    def inactive(self) -> list[str]:
        """The names of the downtimes whose whole time is outside that of the scenario."""
        return [one.name for one in self.downtimes if not one.windows]

    @property
    def series(self) -> SeriesSet:
        return self.signal.series

    @cached_property
    def downtime_labels(self) -> Mapping[str, str]:
        """What identifies each downtime for a reader, by name: its subject in quotes, else its name."""
        subjects = Counter(one.subject for one in self.downtimes)
        return {
            one.name: f'"{one.subject}"{f" ({one.name})" if subjects[one.subject] > 1 else ""}'
            if one.subject
            else one.name
            for one in self.downtimes
        }

    @property
    def assumptions(self) -> Mapping[str, str]:
        """The choice for each assumption that the result relied on, including the texts of messages."""
        self._render_each_kind()
        relied = set().union(*(one.relied_on for one in self.monitors))
        chosen = Assumptions(self.scenario.assumptions).choices
        return {name: chosen[name] for name in ASSUMPTIONS if name in relied}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences, each with its monitor."""
        self._render_each_kind()
        own = [f'{one.name}: {warning}' for one in self.monitors for warning in one.warnings]
        groups = [group for one in self.monitors for group in one.results.values()]
        silent = (
            () if any(group.has_data for group in groups) else ('no evaluation had data: this rehearsal tests nothing',)
        )
        return (*dict.fromkeys(self.signal.warnings), *self.notes, *own, *self._downtime_warnings(), *silent)

    def _downtime_warnings(self) -> Iterator[str]:
        """Yield warnings about downtimes that mute nothing, and about ambiguous numbered weekdays (rule 5.9)."""
        every_monitor = self.scenario.monitors.named is None and not self.scenario.monitors.without
        for result in self.downtimes:
            downtime, name = result.downtime, result.name
            muted = [monitor for monitor in self.monitors if result in monitor.muting]
            if muted and not any(downtime.matches_group(group.tags) for one in muted for group in one.results.values()):
                monitors = ', '.join(monitor.name for monitor in muted)
                yield f'{name}: the downtime mutes nothing: its scope {result.scope} covers no group of {monitors}'
            elif not muted and every_monitor:
                yield f'{name}: the downtime mutes nothing: it covers none of the monitors'
            if ordinals := downtime.daily_ordinals:
                more = downtime.ordinal_differences(self.start, self.end)
                shown = ', '.join(
                    f'{shown_time(start, downtime.zone)} to {shown_time(end, downtime.zone)}' for start, end in more[:3]
                )
                also = (
                    f'also mute {shown}{f" and {len(more) - 3} more" if len(more) > 3 else ""}'
                    if more
                    else 'mute nothing else'
                )
                yield (
                    f'{name}: {", ".join(ordinals)} with FREQ=DAILY is read as that weekday of the month; '
                    f'if it meant every week, it would {also}'
                )

    def _render_each_kind(self) -> None:
        """Render a message of each kind, to record the assumptions that it relies on."""
        for monitor in self.monitors:
            _ = monitor.reached

    def lines(self, expression: tree.Expression, start: int, end: int) -> Sequence[Line]:
        """Return the points of a graph of the expression over [start, end). Raises Unsupported."""
        return draw(expression, self.series, start, end, self.scenario.assumptions)

    def edges(self, expression: tree.Expression, start: int, end: int) -> tuple[Sequence[Line], Sequence[Line]]:
        """Return the lower and the upper edge of an expression's band; no lines without a band. Raises Unsupported."""
        return self.signal.bands.edges(expression, start, end, self.scenario.assumptions)
