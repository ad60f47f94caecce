"""Survey check monitors with generated runs, and composites with generated states of their members."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets import NotificationRule
from ddassets.assets.members import find_member
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import kinds
from ddassets.engine.composite import STATES, Composite, CompositeEvaluator, Source, combine, common_groups
from ddassets.engine.counted import CountedMonitor
from ddassets.engine.downtime import Downtime
from ddassets.engine.given import PREFIX as GIVEN
from ddassets.engine.given import GivenMonitor, GivenStates
from ddassets.engine.monitor import AnyMonitor, Monitor
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.service_check import PREFIX, STATUSES, CheckEvaluator, CheckMonitor
from ddassets.engine.state import State
from ddassets.engine.timeline import SEVERITIES, Codes, Group, GroupTimeline
from ddassets.language.composite import Member
from ddassets.rehearsal.auto.answers import Survey, Verdict
from ddassets.rehearsal.auto.reporting import Reporter, delay, edges
from ddassets.rehearsal.auto.survey import START, plan_of

MINUTE = 60
# Number of tag combinations of a cluster alert, and of one of hosts, of which a share has to be silent.
_CLUSTER, _HOSTS = 2, 100
# Minutes in each state of a composite.
_HOLD = 10
_SILENT_HOST = 'the Agent submits only OK'


def survey_check(
    asset: MonitorAsset,
    monitor: CheckMonitor,
    downtimes: Sequence[Downtime] = (),
    rules: Sequence[NotificationRule] = (),
) -> Survey:
    """Generate runs with every status and a silence at the end, and report what happens."""
    early = _warned(monitor)
    words, first = _words(monitor, early), _words(monitor, early, early=True)
    series = [_runs(monitor, tags, first if number < early else words) for number, tags in enumerate(_tags(monitor))]
    reporter = Reporter(
        asset, monitor, monitor.query.by, lambda: frozenset(tag for tag in monitor.query.over if ':' in tag), rules
    )
    end = START + MINUTE * len(words)
    evaluator = CheckEvaluator(monitor, SeriesSet(series), START, end, 0, reporter.assumptions)
    if not evaluator.groups:
        return Survey(asset, unsupported='no run can match the tags in its query')
    timeline = evaluator.timeline(evaluator.groups[0])
    bad = words.index('CRITICAL') if 'CRITICAL' in words else words.index('_')
    bad = bad - 1 if monitor.host else bad
    page = State.ALERT if State.ALERT in monitor.states else State.NO_DATA
    good = next(index for index in range(bad + 1, len(words)) if words[index] == 'OK')
    return _survey(
        reporter,
        timeline,
        downtimes,
        _check_reasons(monitor),
        START + MINUTE * bad,
        START + MINUTE * good,
        START + MINUTE * (words.index('_') - 1),
        page,
    )


def _runs(monitor: CheckMonitor, tags: frozenset[str], words: Sequence[str]) -> Series:
    codes = np.array([-1 if word == '_' else STATUSES.index(word) for word in words])
    exists = codes >= 0
    times = START + MINUTE * np.arange(codes.size, dtype=np.float64)[exists]
    return Series(PREFIX + monitor.query.check, tags, times, codes[exists].astype(np.float64), 'gauge', MINUTE)


def _warned(monitor: CheckMonitor) -> int:
    """Return how many of the hosts are silent in a warning that is no alert; 0 where there is no such number."""
    if not (monitor.host and monitor.query.percentage) or monitor.warning is None or monitor.critical is None:
        return 0
    number = int(monitor.warning * _HOSTS // 100) + 1
    return number if 100 * number <= monitor.critical * _HOSTS else 0


def _words(monitor: CheckMonitor, warned: int = 0, early: bool = False) -> list[str]:
    """Return the status of each run, a minute apart, or `_` for a missing run.

    Where some hosts warn before all alert, those have their silence `early`.
    """
    limits = (monitor.ok, monitor.warning, monitor.critical, monitor.unknown)
    hold = 5 if monitor.query.percentage else int(max(limit or 1 for limit in limits)) + 1
    steps = ['OK', 'WARNING', 'OK', 'CRITICAL', 'OK', 'CRITICAL', 'WARNING', 'OK', 'UNKNOWN', 'OK']
    steps = steps[:1] if monitor.host else steps
    silence = min(max(monitor.timeframe, monitor.timeout), monitor.retention - 3600) // MINUTE + hold + 2
    ahead = ['_' if early else 'OK'] * (silence if warned else 0)
    return [word for step in steps for word in [step] * hold] + ahead + ['_'] * silence + ['OK'] * hold


def _tags(monitor: CheckMonitor) -> Iterator[frozenset[str]]:
    """Return the tags of the combinations of one group."""
    query = monitor.query
    asked = {tag if ':' in tag else f'host:{tag}' for tag in query.over if tag != '*'}
    known = {tag.partition(':')[0] for tag in asked}
    own = {f'{key}:{key}-1' for key in query.by or ('host',) if key != '*' and key not in known}
    for number in range((_HOSTS if monitor.host else _CLUSTER) if query.percentage else 1):
        yield frozenset(asked | own | ({f'instance:instance-{number}'} if query.percentage else set()))


def _check_reasons(monitor: CheckMonitor) -> dict[State, str]:
    silent = 'notify_no_data is off'
    if monitor.host and not monitor.query.percentage:
        return {State.ALERT: _SILENT_HOST, State.WARN: _SILENT_HOST, State.NO_DATA: silent}
    return {State.WARN: 'no warning threshold', State.ALERT: 'no critical threshold', State.NO_DATA: silent}


def survey_composite(
    asset: MonitorAsset,
    monitor: Composite,
    monitors: Sequence[MonitorAsset],
    downtimes: Sequence[Downtime] = (),
    rules: Sequence[NotificationRule] = (),
) -> Survey:
    """Take the members through combinations of their states, and report what happens."""
    try:
        members = {letter: _member(asset, member, monitors) for letter, member in monitor.query.members.items()}
    except UnusableInputError as error:
        return Survey(asset, unsupported=str(error))
    groups = {letter: [group] for letter, (_, group) in members.items() if group}
    keys = {tag.partition(':')[0] for each in groups.values() for tag in each[0]}
    reporter = Reporter(asset, monitor, keys, frozenset, rules)
    chosen = _assignments(monitor, {letter: found for letter, (found, _) in members.items()})
    if groups and not common_groups(groups):
        against = ' against '.join(','.join(tag.partition(':')[0] for tag in each[0]) for each in groups.values())
        reason = 'have no group in common unless their values are equal (rule 13.15)'
        return _never(reporter, downtimes, f'its members group by {against}, which {reason}')
    if State.ALERT not in chosen:
        return _never(reporter, downtimes, 'no combination of the states of its members is Alert')
    order = (State.OK, State.WARN, State.OK, State.ALERT, State.OK, State.NO_DATA, State.OK)
    steps = [state for state in order if state in chosen]
    end = START + MINUTE * _HOLD * len(steps)
    sources = {}
    for letter, (found, group) in members.items():
        held = np.repeat([float(chosen[state][letter]) for state in steps], _HOLD)
        times = START + MINUTE * np.arange(held.size, dtype=np.float64)
        series = Series(GIVEN + found.name, frozenset(group), times, held, 'gauge', MINUTE)
        states = GivenStates(found.name, (series,), START, end, 0, reporter.assumptions)
        sources[letter] = Source(found.name, found, states)
    evaluator = CompositeEvaluator(monitor, sources, START, end, 0, reporter.assumptions)
    reporter.monitor = evaluator.monitor
    timeline = evaluator.timeline(evaluator.groups[0])
    return _survey(reporter, timeline, downtimes, {State.NO_DATA: 'a member or notify_no_data does not enable it'})


def _member(asset: MonitorAsset, member: Member, monitors: Sequence[MonitorAsset]) -> tuple[AnyMonitor, Group]:
    """A member and one of its groups. An unsupported member may have every state."""
    found = find_member(asset, member, monitors)
    keys: Sequence[str] = ()
    try:
        monitor = kinds.read(found)
        if isinstance(monitor, Monitor):
            keys = plan_of(monitor).by
    except UnusableInputError:
        return GivenMonitor(found.name, given=(State.OK, State.WARN, State.ALERT, State.NO_DATA)), ()
    if isinstance(monitor, CheckMonitor):
        keys = monitor.query.by if '*' not in monitor.query.by else ('host',)
    elif isinstance(monitor, CountedMonitor):
        keys = () if monitor.folded else monitor.query.by
    return monitor, tuple(f'{key}:{key.removeprefix("@")}-1' for key in keys)


def _assignments(monitor: Composite, members: Mapping[str, AnyMonitor]) -> dict[State, dict[str, State]]:
    """Return, for each state of the composite, the first combination of member states that causes it."""
    # Unknown counts as No Data, so there are at most four states.
    states = {
        letter: [int(state) for state in one.states if state is not State.UNKNOWN] for letter, one in members.items()
    }
    grid = np.meshgrid(*(np.array(each, dtype=np.int8) for each in states.values()), indexing='ij')
    columns: dict[str, Codes] = {letter: column.reshape(-1) for letter, column in zip(states, grid, strict=True)}
    texts = {member.text: SEVERITIES[columns[letter] + 1] for letter, member in monitor.query.members.items()}
    result = combine(monitor.query.root, texts)
    found = {}
    for severity, state in enumerate(STATES):
        rows = np.flatnonzero(result == severity)
        if rows.size:
            found[state] = {letter: State(column[rows[0]]) for letter, column in columns.items()}
    return found


def _never(reporter: Reporter, downtimes: Sequence[Downtime], reason: str) -> Survey:
    return Survey(
        reporter.asset,
        alert=Verdict('no', reason),
        recovery=Verdict('no', 'it never alerts'),
        idle_downtimes=tuple(reporter.idle(downtimes)),
    )


def _survey(
    reporter: Reporter,
    timeline: GroupTimeline,
    downtimes: Sequence[Downtime],
    reasons: Mapping[State, str],
    bad: int | None = None,
    good: int | None = None,
    last: int | None = None,
    page: State = State.ALERT,
) -> Survey:
    """Survey a timeline.

    `bad` and `good` are the instants of the first bad value and the next good value, `last` that of the last value
    before the silence.
    """
    monitor = reporter.monitor
    visited = {State(code) for code in np.unique(timeline.states) if code >= 0}
    reached = edges(timeline)

    def verdict(state: State) -> Verdict:
        if state in visited:
            return Verdict('yes')
        missing = state in monitor.states or (state is State.ALERT and not {State.ALERT, State.NO_DATA} & visited)
        return Verdict('no' if missing else 'not set', reasons.get(state, 'the options exclude it'))

    recovers = any(edge.target is State.OK for edge in reached)
    return Survey(
        reporter.asset,
        alert=verdict(State.ALERT),
        warn=verdict(State.WARN),
        no_data=verdict(State.NO_DATA),
        recovery=Verdict('yes') if recovers else Verdict('no', 'it never leaves OK' if not reached else 'it stays'),
        page_after=delay(timeline, bad, page),
        recovery_after=delay(timeline, good, State.OK),
        no_data_after=delay(timeline, last, State.NO_DATA),
        notified=reporter.notified(reached),
        renotified=reporter.renotified(visited),
        never=reporter.never(),
        unrendered=tuple(reporter.unrendered()),
        idle_downtimes=tuple(reporter.idle(downtimes)),
        assumptions=tuple(reporter.assumptions.relied_on),
    )
