"""A scenario run against an integration's monitors and downtimes, group by group."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ddassets import downtime as downtimes
from ddassets import message as messages
from ddassets import monitor as monitors
from ddassets.assumptions import ASSUMPTIONS, choose
from ddassets.bundle import Bundle
from ddassets.bundle import Monitor as MonitorAsset
from ddassets.errors import Unsupported, UnusableInputError
from ddassets.evaluator import Evaluator
from ddassets.explanation import Explanation
from ddassets.graph import Line, draw
from ddassets.notification import Mute, Notification, Notifications, notifications
from ddassets.query import tree
from ddassets.rehearsal.bands import stand_in
from ddassets.rehearsal.choice import choose_downtimes, choose_monitors
from ddassets.rehearsal.scenario import Scenario
from ddassets.rehearsal.sources import Signal, Simulate, signal
from ddassets.series import Series, SeriesSet
from ddassets.state import State
from ddassets.timeline import Codes, Flags, Group, GroupTimeline, Instants, MonitorTimeline, Transitions

if TYPE_CHECKING:
    from ddassets.rehearsal.verdict import Verdict

_VARIABLE = re.compile(r'(\{\{.*?\}\})')
# A variable that is no tag of the group.
_BARE = re.compile(r'\{\{[^.}]*\}\}')
_END_STATES = {'alert': State.ALERT, 'warn': State.WARN, 'no data': State.NO_DATA}


@dataclass(frozen=True, eq=False)
class GroupResult:
    """What came of one group, without what each evaluation returned: a year of a hundred groups fits into memory.

    `starts` and `states` are its stretches of equal state, absence included, in columns; the last one ends at `end`.
    """

    group: Group
    tags: frozenset[str]
    starts: Instants = field(repr=False)
    states: Codes = field(repr=False)
    end: int
    transitions: Transitions = field(repr=False)
    mutes: Sequence[Mute] = field(repr=False)
    notifications: Notifications = field(repr=False)
    # How far its series are told, in seconds since the epoch.
    told_until: float

    @property
    def name(self) -> str:
        """`host:a,env:prod`, or `*`."""
        return ','.join(self.group) or '*'

    def seconds_in(self, state: State) -> int:
        """How long the group was in the state."""
        lengths = np.diff(self.starts, append=self.end)
        return int(lengths[self.states == state].sum())

    @property
    def visited(self) -> frozenset[State]:
        """The states in which the group was."""
        return frozenset(map(State, (np.flatnonzero(np.bincount(self.states + 1)) - 1).tolist()))

    @property
    def sent(self) -> int:
        return len(self.notifications) - self.muted

    @property
    def muted(self) -> int:
        return int(np.count_nonzero(self.notifications.muted))


@dataclass(frozen=True)
class Message:
    """A notification as its recipients would read it. `problems` are sentences about variables without a value."""

    title: str
    text: str
    recipients: tuple[str, ...]
    host: str
    ip: str
    reached: frozenset[messages.Branch]
    problems: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class DowntimeResult:
    """One downtime: when it was active in the rehearsal, and its own messages (rule 5.22).

    A message is (instant, what happened). That it was scheduled is not among them: that was before.
    """

    downtime: downtimes.Downtime
    message: str
    recipients: tuple[str, ...]
    windows: tuple[tuple[float, float], ...]
    messages: tuple[tuple[float, str], ...]
    # The ids of the assumptions that its windows and ends rely upon.
    assumptions: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.downtime.name

    @property
    def scope(self) -> str:
        return self.downtime.scope.text

    @property
    def zone(self) -> str:
        return self.downtime.zone.key


class MonitorResult:
    """One monitor's part. Nothing is computed before it is asked for; `results` holds every group afterwards."""

    def __init__(
        self,
        asset: MonitorAsset,
        scenario: Scenario,
        signal: Signal,
        muting: Sequence[DowntimeResult],
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.progress = progress
        self.asset = asset
        self.scenario = scenario
        self.signal = signal
        self.muting = tuple(one for one in muting if one.downtime.matches_monitor(_id(asset), asset.tags))
        self.choices = choose(scenario.assumptions or {})
        self.monitor = monitors.read(asset.body)
        banded = stand_in(
            self.monitor.query, signal.bands, signal.series, scenario.start, scenario.end, scenario.assumptions
        )
        self.evaluator = Evaluator(
            self.monitor,
            signal.store(asset.name, banded),
            scenario.start,
            scenario.end,
            scenario.tick_second,
            scenario.assumptions,
        )
        self.relied_on: set[str] = set()
        # What messages asked for and did not get, each a sentence, in the order of rendering.
        self._problems: dict[str, None] = {}
        self._recipients: dict[tuple[Group, messages.Edge], tuple[str, ...]] = {}
        escalation = str(asset.options.get('escalation_message') or '')
        self._body = self._template('message', asset.message, scenario.addressed)
        self._title = self._template('name', asset.name)
        self._escalation = self._template('options.escalation_message', escalation, scenario.redirected)

    def _template(self, place: str, text: str, change: Callable[[str], str] = lambda text: text) -> messages.Template:
        try:
            return messages.parse(change(text))
        except messages.MessageSyntaxError as error:
            raise UnusableInputError(f'{self.asset.name}: {place}: {error}', error.details) from None

    @property
    def name(self) -> str:
        return self.asset.name

    @property
    def query(self) -> tree.MonitorQuery:
        return self.monitor.query

    @property
    def thresholds(self) -> monitors.Thresholds:
        return self.monitor.thresholds

    @property
    def template(self) -> messages.Template:
        """The message before it is rendered."""
        return self._body

    @property
    def templates(self) -> tuple[messages.Template, ...]:
        """Everything that may name a recipient."""
        return self._body, self._escalation

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences, those about the messages that were rendered too."""
        return (*self.evaluator.warnings, *(f'message: {problem}' for problem in self._problems))

    @cached_property
    def results(self) -> Mapping[Group, GroupResult]:
        """Every group's, in the order of their names. The evaluations are let go of, group by group."""
        groups = self.evaluator.groups
        found = {}
        for number, group in enumerate(groups, 1):
            self.progress(f'{self.name}: group {number:,} of {len(groups):,}')
            found[group] = self._result(self.evaluator.timeline(group))
        return found

    @cached_property
    def timeline(self) -> MonitorTimeline:
        """Every evaluation of every group at once, as the page needs it."""
        groups = {group: self.evaluator.timeline(group) for group in self.evaluator.groups}
        scenario = self.scenario
        relied = frozenset(self.evaluator.relied_on)
        return MonitorTimeline(self.name, scenario.start, scenario.end, groups, relied, self.evaluator.warnings)

    @property
    def mutes(self) -> Mapping[Group, Sequence[Mute]]:
        return {group: result.mutes for group, result in self.results.items()}

    @property
    def notifications(self) -> Mapping[Group, Notifications]:
        return {group: result.notifications for group, result in self.results.items()}

    @cached_property
    def coverage(self) -> Sequence[tuple[str, bool]]:
        """What there is to reach, and whether it was reached."""
        from ddassets.rehearsal.coverage import coverage

        return coverage(self)

    def explain(self, group: Group, instant: int) -> Explanation:
        """Say why a group is in its state. Raises UnusableInputError for an instant before the first evaluation."""
        return self.evaluator.explain(group, instant)

    def message(self, group: Group, notification: Notification) -> Message:
        """Render one notification (section 4 of the semantics)."""
        context = self._context(group, notification)
        body = messages.render(self._body, context, self._escalation if self._escalation.text else None)
        title = messages.render_title(self._title, context, self.asset.options.get('include_tags') is not False)
        self.relied_on.update(body.assumptions, title.assumptions)
        problems = dict.fromkeys(fault.message for fault in (*title.problems, *body.problems))
        self._problems.update(problems)
        host = next((tag.removeprefix('host:') for tag in group if tag.startswith('host:')), '')
        return Message(
            title=title.text,
            text=body.text,
            recipients=body.handles,
            host=host,
            ip=context.host.ip if context.host else '',
            reached=body.reached,
            problems=tuple(problems),
        )

    def recipients(self, group: Group, notification: Notification) -> tuple[str, ...]:
        """Who is notified. Rendered once for each transition of a group, where nothing but numbers differs then."""
        key = (group, self.edge(notification))
        if self.varies or key not in self._recipients:
            self._recipients[key] = self.message(group, notification).recipients
        return self._recipients[key]

    def notified(self, result: GroupResult, handle: str, among: Flags) -> Flags:
        """Which of a group's notifications, `among` some of them, notify a recipient."""
        due, found = result.notifications, np.zeros_like(among)
        if self.varies:
            rows = np.flatnonzero(among)
            found[rows] = [handle in self.recipients(result.group, due[row]) for row in rows.tolist()]
            return found
        # Nothing but numbers differs within a kind, so one of it answers for all.
        kinds = due.kinds
        for kind in np.flatnonzero(np.bincount(kinds[among])):
            alike = among & (kinds == kind)
            found |= alike & (handle in self.recipients(result.group, due[int(np.argmax(alike))]))
        return found

    @cached_property
    def varies(self) -> bool:
        """Whether branches or recipients may differ between two notifications about one transition of one group."""
        tests = (literal.condition for one in self.templates for branch in one.branches() for literal in branch.path)
        tested = (test.arguments[0] for test in tests if test.name in ('is_match', 'is_exact_match'))
        written = (mention.name for one in self.templates for mention in messages.mentions(one))
        return any('.' not in name for name in tested) or any(_BARE.search(name) for name in written)

    def edge(self, notification: Notification) -> messages.Edge:
        """What the notification is told as: the end of a downtime as if the state were new (rule 5.21, A33)."""
        if notification.reason == 'downtime end':
            self.relied_on.add('A33')
            if self.choices['A33'] == 'a trigger':
                return messages.Edge(State.OK, notification.target)
        return messages.Edge(notification.source, notification.target)

    def may_reach(self, handle: str) -> bool:
        """Whether some message may notify this recipient; one that is built from variables may be any."""
        names = {mention.name for one in self.templates for mention in messages.mentions(one)}
        return any(re.fullmatch(''.join(map(_fitting, _VARIABLE.split(name))), handle) for name in names)

    def _context(self, group: Group, notification: Notification) -> messages.Context:
        limits = self.thresholds
        tags: dict[str, list[str]] = {}
        for tag in sorted(self.results[group].tags):
            key, colon, value = tag.partition(':')
            if colon:
                tags.setdefault(key, []).append(value)
        priority = self.asset.body.get('priority')
        by_host = 'host' in self.evaluator.plan.by
        return messages.Context(
            transition=self.edge(notification),
            values={
                'value': None if math.isnan(notification.value) else notification.value,
                'threshold': limits.critical,
                'warn_threshold': limits.warning,
                'alert_recovery_threshold': limits.critical_recovery,
                'warn_recovery_threshold': limits.warning_recovery,
                'comparator': self.query.comparator,
            },
            tags=tags,
            host=self.scenario.hosts.get(','.join(tags.get('host', ())), messages.Host()) if by_host else None,
            priority=priority if isinstance(priority, int) else None,
            now=notification.instant,
            first_triggered_at=notification.first_triggered_at,
            last_triggered_at=notification.last_triggered_at,
            choices=self.choices,
        )

    def _result(self, timeline: GroupTimeline) -> GroupResult:
        mutes = tuple(self._mutes(timeline.tags))
        due = notifications(self.monitor, timeline, mutes, self.scenario.assumptions, self.relied_on)
        first = np.flatnonzero(np.diff(timeline.states, prepend=np.int8(-2)))
        told = [self.signal.told_until(series) for series in self.evaluator.series(timeline.group)]
        return GroupResult(
            group=timeline.group,
            tags=timeline.tags,
            starts=timeline.ticks[first],
            states=timeline.states[first],
            end=timeline.end,
            transitions=timeline.transitions,
            mutes=mutes,
            notifications=due,
            told_until=max(told, default=-math.inf),
        )

    def _mutes(self, tags: frozenset[str]) -> Iterator[Mute]:
        """The active intervals that cover a group (rules 5.11 to 5.20)."""
        for one in self.muting:
            downtime = one.downtime
            if not downtime.matches_group(tags):
                continue
            cause = self._cause(downtime)
            ends = frozenset(state for word, state in _END_STATES.items() if downtime.notifies_at_end(word, cause))
            for start, end in one.windows:
                yield Mute(start, end, downtime.name, downtime.mute_first_recovery, ends)
            self.relied_on.update(one.assumptions)

    def _cause(self, downtime: downtimes.Downtime) -> str:
        return self.choices['A14'] if isinstance(downtime.schedule, downtimes.Recurring) else 'expired'


def _fitting(part: str) -> str:
    """A regular expression for a part of a handle; a variable may print anything."""
    return '.*' if part.startswith('{{') else re.escape(part)


def _id(asset: MonitorAsset) -> int | None:
    number = asset.body.get('id')
    return number if isinstance(number, int) and not isinstance(number, bool) else None


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A scenario that was run: what the page, the command and the tests read from it."""

    scenario: Scenario
    bundle: Bundle
    signal: Signal
    monitors: tuple[MonitorResult, ...]
    downtimes: tuple[DowntimeResult, ...]

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
    def series(self) -> SeriesSet:
        return self.signal.series

    @cached_property
    def verdicts(self) -> tuple['Verdict', ...]:
        """Whether what the scenario asks for holds. Raises UnusableInputError for what nothing could meet."""
        from ddassets.rehearsal.verdict import judge

        return tuple(judge(self))

    @property
    def failures(self) -> Sequence[str]:
        """What did not hold, each a sentence."""
        return [str(verdict) for verdict in self.verdicts if not verdict.holds]

    @property
    def assumptions(self) -> Mapping[str, str]:
        """The choice for each assumption that was relied on, those of the messages' wording too."""
        self._render_each_kind()
        relied = set().union(*(one.relied_on | one.evaluator.relied_on for one in self.monitors))
        chosen = choose(self.scenario.assumptions or {})
        return {name: chosen[name] for name in ASSUMPTIONS if name in relied}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences, each with the monitor that it is about."""
        self._render_each_kind()
        own = [f'{one.name}: {warning}' for one in self.monitors for warning in one.warnings]
        return (*dict.fromkeys(self.signal.warnings), *own)

    def _render_each_kind(self) -> None:
        """Render a message of each kind that was due, so that what it relies on is known."""
        for monitor in self.monitors:
            _ = monitor.coverage

    def lines(self, expression: tree.Expression, start: int, end: int) -> Sequence[Line]:
        """The points that a graph of the expression draws over [start, end). Raises Unsupported."""
        return draw(expression, self.series, start, end, self.scenario.assumptions)

    def edges(self, expression: tree.Expression, start: int, end: int) -> tuple[Sequence[Line], Sequence[Line]]:
        """The lower and the upper edge of the band about an expression; no lines without a band. Raises Unsupported."""
        return self.signal.bands.edges(expression, start, end, self.scenario.assumptions)


def rehearse(
    scenario: Scenario,
    bundle: Bundle,
    simulate: Simulate | None = None,
    progress: Callable[[str], None] = lambda text: None,
    given: Iterable[Series] = (),
) -> Rehearsal:
    """Run a scenario with the assets of an integration; `simulate` runs its check, where the scenario asks for it.

    `given` are series beside those of the scenario, each told until its last point.
    The monitors' groups are evaluated as they are asked for. Raises UnusableInputError, for a monitor outside the
    subset with its name, the column and how to leave it out.
    """
    progress('the signal')
    found = signal(scenario, bundle, simulate, given)
    results = tuple(_downtime(scenario, one) for one in choose_downtimes(scenario, bundle))
    assets = choose_monitors(scenario, bundle)
    return Rehearsal(
        scenario=scenario,
        bundle=bundle,
        signal=found,
        monitors=tuple(_monitor(asset, scenario, found, results, progress) for asset in assets),
        downtimes=results,
    )


def _monitor(
    asset: MonitorAsset,
    scenario: Scenario,
    found: Signal,
    muting: Sequence[DowntimeResult],
    progress: Callable[[str], None],
) -> MonitorResult:
    try:
        return MonitorResult(asset, scenario, found, muting, progress)
    except UnusableInputError as error:
        # The name of the monitor comes with what its body is at fault for, not with what its plan refuses.
        text = str(error) if str(error).startswith(f'{asset.name}: ') else f'{asset.name}: {error}'
        details = error.details
        if isinstance(error, Unsupported):
            given = asset.path == scenario.path
            leave = 'take it out of `monitors`' if given else f'`monitors: {{except: [{json.dumps(asset.name)}]}}`'
            details = f'{_pointed(asset, error)}to rehearse without it: {leave}'
        raise UnusableInputError(f'{asset.path}: {text}', details) from None


def _pointed(asset: MonitorAsset, error: Unsupported) -> str:
    """The query with a caret under the part that was refused."""
    if error.column is None:
        return ''
    start = max(0, error.column - 60)
    return f'{asset.query[start : error.column + 60]}\n{" " * (error.column - 1 - start)}^\n'


def _downtime(scenario: Scenario, downtime: downtimes.Downtime) -> DowntimeResult:
    choices = choose(scenario.assumptions or {})
    clock: downtimes.Clock = 'wall' if choices['A13'] == 'wall' else 'elapsed'
    windows = tuple((one.start, one.end) for one in downtime.intervals(scenario.start, scenario.end, clock))
    try:
        text = scenario.addressed(downtime.message) if downtime.message else ''
    except messages.MessageSyntaxError as error:
        raise UnusableInputError(
            f'{scenario.path}: downtime {downtime.name}: message: {error}', error.details
        ) from None
    recipients = messages.handles(text)
    ended = choices['A14'] if isinstance(downtime.schedule, downtimes.Recurring) else 'expired'
    told = sorted(
        (instant, what)
        for start, end in windows
        for instant, what in ((start, 'started'), (end, ended))
        if scenario.start <= instant < scenario.end
    )
    assumed = downtime.assumptions(scenario.start, scenario.end)
    return DowntimeResult(downtime, text, recipients, windows, tuple(told) if recipients else (), assumed)
