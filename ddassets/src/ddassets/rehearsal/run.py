"""Run a scenario with monitors and downtimes, group by group."""

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ddassets.assets import Bundle, Slo
from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets.members import find_member
from ddassets.assets.monitor_type import METRIC
from ddassets.assets.slo_reference import monitor_of, plain
from ddassets.diagnostic import Excerpt, Unsupported, UnusableInputError
from ddassets.engine import kinds
from ddassets.engine import message as messages
from ddassets.engine.approximation import ParameterSet, agreement, approximated_call
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.composite import Source
from ddassets.engine.counted import EventMonitor
from ddassets.engine.downtime import Calendar, Clock, Downtime, Recurring, touching
from ddassets.engine.folding import unfolded
from ddassets.engine.given import PREFIX as GIVEN
from ddassets.engine.given import GivenStates
from ddassets.engine.monitor import AnyMonitor, Monitor
from ddassets.engine.notification import Mute, notifications
from ddassets.engine.protocol import Evaluator
from ddassets.engine.series import Series
from ddassets.engine.slo_account import Member as SloMember
from ddassets.engine.slo_account import Subject
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.composite import Member
from ddassets.language.slo import SloQuery
from ddassets.rehearsal.bands import anomaly_stub
from ddassets.rehearsal.choice import ReadSource, choose_downtimes, choose_monitors, choose_rules, identity, read_source
from ddassets.rehearsal.message import Messages
from ddassets.rehearsal.result import Approximation, DowntimeResult, GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.scenario import Scenario
from ddassets.rehearsal.signal import Signal, Simulate, signal
from ddassets.rehearsal.slos import before, choose_slos, corrections, subject_slo

_END_STATES = {'alert': State.ALERT, 'warn': State.WARN, 'no data': State.NO_DATA}


def rehearse(
    scenario: Scenario,
    bundle: Bundle,
    simulate: Simulate | None = None,
    progress: Callable[[str], None] = lambda text: None,
    given: Iterable[Series] = (),
    keep: bool = False,
    read: ReadSource = read_source,
) -> Rehearsal:
    """Run a scenario with the assets of an integration; `simulate` runs its check if the scenario uses it.

    `given` are additional series; their data ends at the last point. `keep`: store every evaluation for the page, 9
    bytes each (50 million for a year of a hundred groups). `read` reads the files that the scenario names.
    Groups are evaluated on first use. Raises UnusableInputError; for an unsupported monitor with its name, the column
    and how to exclude it.
    """
    # Before the signal, which may run a check: faults of assets are found quickly.
    downtimes, rules = choose_downtimes(scenario, bundle, read), choose_rules(scenario, bundle, read)
    results = tuple(_downtime(scenario, one) for one in downtimes.assets)
    scenario = replace(scenario, notification_rules=tuple(rules.assets))
    chosen = choose_monitors(scenario, bundle, read)
    slos = choose_slos(scenario, bundle, chosen.assets, read)
    progress('the signal')
    found = signal(scenario, bundle, simulate, given)
    run = _Run(scenario, found, results, progress, keep, (*chosen.assets, *bundle.monitors), slos)
    return Rehearsal(
        scenario=scenario,
        bundle=bundle,
        signal=found,
        monitors=tuple(map(run.result, chosen.assets)),
        downtimes=results,
        slos=slos,
        notes=(*chosen.notes, *downtimes.notes, *rules.notes),
    )


def again(rehearsal: Rehearsal, scenario: Scenario, names: Collection[str]) -> Rehearsal:
    """Rehearse some monitors again with a scenario that differs only in its assumptions.

    Raises UnusableInputError if the assumptions refuse a monitor or a downtime.
    """
    downtimes = tuple(_downtime(scenario, one.downtime) for one in rehearsal.downtimes)
    pool = (*(one.asset for one in rehearsal.monitors), *rehearsal.bundle.monitors)
    run = _Run(scenario, rehearsal.signal, downtimes, lambda text: None, False, pool, rehearsal.slos, False)
    return Rehearsal(
        scenario=scenario,
        bundle=rehearsal.bundle,
        signal=rehearsal.signal,
        monitors=tuple(run.result(one.asset) for one in rehearsal.monitors if one.name in names),
        downtimes=downtimes,
        slos=rehearsal.slos,
        notes=(),
    )


@dataclass
class _Run:
    """The monitors of a run. `pool` contains the possible members of composites and SLOs, each object once."""

    scenario: Scenario
    signal: Signal
    downtimes: Sequence[DowntimeResult]
    progress: Callable[[str], None]
    keep: bool
    pool: Sequence[MonitorAsset]
    slos: Sequence[Slo] = ()
    # Whether approximations are evaluated under every set of parameters, not only under the default set.
    every_set: bool = True

    def __post_init__(self) -> None:
        # Selected monitors come first, because their name may differ from that in the bundle.
        self.pool = list({identity(one): one for one in reversed(self.pool)}.values())[::-1]
        self._ready: dict[int, _Monitor] = {}

    def result(self, asset: MonitorAsset) -> MonitorResult:
        """Return the result of one monitor. Raises UnusableInputError with its file and name."""
        try:
            return self.monitor(asset).result()
        except UnusableInputError as error:
            # Errors of a body contain the name of the monitor, errors of a plan do not.
            text = str(error) if str(error).startswith(f'{asset.name}: ') else f'{asset.name}: {error}'
            details = error.details
            if isinstance(error, Unsupported):
                given = asset.path == self.scenario.path
                leave = 'remove it from `monitors`' if given else f'`monitors: {{except: [{json.dumps(asset.name)}]}}`'
                details = f'{_pointed(asset, error)}to exclude it: {leave}'
            raise UnusableInputError(f'{asset.path}: {text}', details) from None

    def monitor(self, asset: MonitorAsset) -> '_Monitor':
        """Return a prepared monitor, shared by all composites that contain it."""
        if id(asset) not in self._ready:
            self._ready[id(asset)] = _Monitor(asset, self)
        return self._ready[id(asset)]

    def member(self, composite: MonitorAsset, member: Member) -> Source:
        """Find a member of a composite. Raises UnusableInputError if it does not exist or is not supported."""
        scenario = self.scenario
        if held := self._given(member.text, scenario.start):
            return Source(member.text, held.monitor, held)
        asset = find_member(composite, member, self.pool)
        if self.signal.series.of(GIVEN + asset.name):
            return self.member(composite, replace(member, text=asset.name))
        try:
            found = self.monitor(asset)
        except UnusableInputError as error:
            hint = f'or give its states: `monitor: {member.text}` and `states` under `series`'
            details = '\n'.join(filter(None, [error.details, hint]))
            raise UnusableInputError(f'member {asset.name}: {error}', details) from None
        # A composite uses the evaluated groups: notify_by affects only notifications.
        return Source(asset.name, found.monitor, unfolded(found.evaluator))

    def subject(self, asset: MonitorAsset, query: SloQuery) -> Subject:
        """Return the SLO of an alert. Raises UnusableInputError if it does not exist or is not supported."""
        slo = subject_slo(asset, query, self.slos)
        scenario = self.scenario
        return Subject(
            slo=slo,
            members=lambda start: self._slo_members(slo, start),
            corrections=corrections(scenario, slo),
            before=before(scenario, slo),
        )

    def _slo_members(self, slo: Slo, start: int) -> list[SloMember]:
        """Return the monitors of an SLO, evaluated from an instant on; a scenario may give their states instead."""
        members = []
        for number, reference in enumerate(slo.fields.monitor_ids):
            name = plain(str(reference))
            if held := self._given(name, start):
                members.append(SloMember(name, held.monitor, held))
                continue
            try:
                asset = monitor_of(slo, number, self.pool)
            except UnusableInputError as error:
                hint = f"give the monitor, or its states with `monitor: '{name}'` and `states` under `series`"
                raise UnusableInputError(f'SLO {slo.name}: {error}', hint) from None
            held = self._given(asset.name, start)
            members.append(SloMember(name, held.monitor, held) if held else self._slo_member(slo, asset, start))
        return members

    def _given(self, name: str, start: int) -> GivenStates | None:
        """Return the given states of a monitor."""
        scenario = self.scenario
        if not (states := self.signal.series.of(GIVEN + name)):
            return None
        assumptions = Assumptions(scenario.assumptions)
        return GivenStates(name, states, start, scenario.end, scenario.tick_second, assumptions)

    def _slo_member(self, slo: Slo, asset: MonitorAsset, start: int) -> SloMember:
        """Evaluate a monitor of an SLO from an instant on (rules 18.11 and 18.16)."""
        name, assumptions = slo.name or slo.id, Assumptions(self.scenario.assumptions)
        if asset.type not in METRIC:
            reason = f'is a {asset.type}: alerts on SLOs of monitors are for metric monitors only (rule 18.16)'
            raise UnusableInputError(f'SLO {name}: {asset.name} {reason}')
        try:
            monitor = kinds.read(asset)
            if monitor.timeout:
                # What resolves by timeout_h stays down in the SLO (A98).
                assumptions.rely_on(Assumptions.resolved_member)
                monitor = replace(monitor, timeout=0)
            evaluator = self.evaluator(asset, monitor, assumptions, start)
        except UnusableInputError as error:
            raise UnusableInputError(f'SLO {name}: monitor {asset.name}: {error}', error.details) from None
        return SloMember(asset.name, evaluator.monitor, unfolded(evaluator))

    def evaluator(self, asset: MonitorAsset, monitor: AnyMonitor, assumptions: Assumptions, start: int) -> Evaluator:
        """Return the evaluator of a monitor over [start, end of the scenario)."""
        return self.evaluators(asset, monitor, assumptions, start)[1][0]

    def evaluators(
        self, asset: MonitorAsset, monitor: AnyMonitor, assumptions: Assumptions, start: int
    ) -> tuple[Sequence[ParameterSet], Sequence[Evaluator]]:
        """Return the parameter sets of an approximated monitor, the default first, and the evaluator under each.

        Another monitor has no parameters and one evaluator.
        """
        scenario, signal = self.scenario, self.signal
        banded: Iterable[Series] = ()
        if isinstance(monitor, Monitor):
            banded = anomaly_stub(monitor.query, signal.bands, signal.series, start, scenario.end, scenario.assumptions)
        inputs = kinds.Inputs(
            store=signal.store(asset.name, banded),
            start=start,
            end=scenario.end,
            tick_second=scenario.tick_second,
            assumptions=assumptions,
            events=signal.events,
            member=lambda member: self.member(asset, member),
            subject=lambda query: self.subject(asset, query),
        )
        if isinstance(monitor, Monitor) and (call := approximated_call(monitor)):
            if call.name in scenario.approximate and call.name not in inputs.store.metrics:
                return kinds.variants(asset, monitor, inputs)
        return (), (kinds.evaluator(asset, monitor, inputs),)


class _Monitor:
    """A monitor of a run. Raises UnusableInputError for a body that cannot be rehearsed."""

    def __init__(self, asset: MonitorAsset, run: _Run) -> None:
        self.asset = asset
        self.scenario = scenario = run.scenario
        self.signal = run.signal
        self.progress = run.progress
        self.keep = run.keep
        self.muting = tuple(one for one in run.downtimes if one.downtime.matches_monitor(asset.fields.id, asset.tags))
        self.assumptions = Assumptions(scenario.assumptions)
        self.sets, self.variants = run.evaluators(asset, kinds.read(asset), self.assumptions, scenario.start)
        self.evaluator = self.variants[0]
        if not run.every_set:
            self.sets = ()
        self.monitor = self.evaluator.monitor

    def result(self) -> MonitorResult:
        texts = Messages(self.asset, self.monitor, self.evaluator, self.scenario, self.assumptions)
        approximation = Approximation(self.sets, self.variants) if self.sets else None
        return MonitorResult(self.asset, self.monitor, self.evaluator, texts, self.muting, self._groups, approximation)

    def _groups(self) -> Mapping[Group, GroupResult]:
        """Return the results of all groups; evaluations are dropped group by group unless they are kept."""
        groups = self.evaluator.groups
        found = {}
        for number, group in enumerate(groups, 1):
            self.progress(f'{self.asset.name}: group {number:,} of {len(groups):,}')
            found[group] = self._group(self.evaluator.timeline(group))
        return found

    def _group(self, timeline: GroupTimeline) -> GroupResult:
        mutes = tuple(self._mutes(timeline.tags))
        due = notifications(self.monitor, timeline, mutes, self.assumptions)
        agreed = None
        if self.sets:
            timelines = [timeline, *(one.timeline(timeline.group) for one in self.variants[1:])]
            notices = [due, *(notifications(self.monitor, one, mutes, self.assumptions) for one in timelines[1:])]
            agreed = agreement(self.sets, timelines, notices)
        first = timeline.firsts
        series = [*self.evaluator.series(timeline.group)]
        data_ends = [self.signal.data_end(one) for one in series]
        return GroupResult(
            group=timeline.group,
            tags=timeline.tags,
            starts=timeline.ticks[first],
            states=timeline.states[first],
            end=timeline.end,
            transitions=timeline.transitions,
            mutes=mutes,
            notifications=due,
            data_end=max(data_ends, default=-math.inf),
            has_data=self._has_data(timeline, series),
            timeline=timeline if self.keep else None,
            uncertain=None if timeline.uncertain is None else timeline.ticks[timeline.uncertain],
            agreement=agreed,
        )

    def _has_data(self, timeline: GroupTimeline, series: Iterable[Series]) -> bool:
        """Whether an evaluation had data: points of the rehearsal, or earlier ones that a window reaches.

        A count of events needs none, but a metric without points may still be evaluated to 0.
        """
        scenario = self.scenario
        times = np.concatenate([np.empty(0), *(one.times[np.isfinite(one.values)] for one in series)])
        if ((times >= scenario.start) & (times < scenario.end)).any():
            return True
        evaluated = np.isfinite(timeline.values) | ~np.isin(timeline.states, [State.ABSENT, State.NO_DATA])
        return bool(evaluated.any() and (isinstance(self.monitor, EventMonitor) or (times < scenario.start).any()))

    def _mutes(self, tags: frozenset[str]) -> Iterator[Mute]:
        """Return the active intervals that cover a group (rules 5.11 to 5.20)."""
        for one in self.muting:
            downtime = one.downtime
            if not downtime.matches_group(tags):
                continue
            cause = _cause(downtime, self.assumptions)
            ends = frozenset(state for word, state in _END_STATES.items() if downtime.notifies_at_end(word, cause))
            for start, end in one.windows:
                yield Mute(start, end, downtime.name, downtime.fields.mute_first_recovery_notification, ends)
            self.assumptions.relied_on.update(one.assumptions)


def _cause(downtime: Downtime, assumptions: Assumptions) -> str:
    """Return how the downtime ends each time (rule 5.20)."""
    return assumptions.peek(Assumptions.recurrence_end) if isinstance(downtime.schedule, Recurring) else 'expired'


def _pointed(asset: MonitorAsset, error: Unsupported) -> str:
    """Return the query with a caret under the refused part."""
    if error.column is None:
        return ''
    return '\n'.join([*Excerpt(asset.query, error.column - 1, error.column).caret(), ''])


def _downtime(scenario: Scenario, downtime: Downtime) -> DowntimeResult:
    assumptions = Assumptions(scenario.assumptions)
    if downtime.scope.lowercase and assumptions.scope_operators == 'refused':
        raise UnusableInputError(
            f'{downtime.name}: scope: `and` and `or` in lower case are refused (A91): write AND and OR'
        )
    clock: Clock = 'wall' if assumptions.peek(Assumptions.downtime_duration) == 'wall' else 'elapsed'
    calendar = Calendar(
        days=assumptions.peek(Assumptions.weekday_zone), repeated=assumptions.peek(Assumptions.repeated_wall_time)
    )
    windows = tuple(downtime.intervals(scenario.start, scenario.end, clock, calendar))
    # If an occurrence touches the next, the downtime stays active.
    inner = touching(windows) if assumptions.peek(Assumptions.touching_end) == 'no' else frozenset()
    try:
        text = scenario.addressed(downtime.fields.message) if downtime.fields.message else ''
    except messages.MessageSyntaxError as error:
        raise UnusableInputError(
            f'{scenario.path}: downtime {downtime.name}: message: {error}', error.details
        ) from None
    recipients = messages.handles(text)
    ended = _cause(downtime, assumptions)
    notices = sorted(
        (instant, what)
        for start, end in windows
        for instant, what in ((start, 'started'), (end, ended))
        if scenario.start <= instant < scenario.end and instant not in inner
    )
    assumed = downtime.assumptions(scenario.start, scenario.end)
    return DowntimeResult(downtime, text, recipients, windows, tuple(notices) if recipients else (), assumed)
