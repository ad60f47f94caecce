"""The engine and a second evaluator agree on random monitors with a custom schedule: when, what, and who is told."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from oracle import cases, schedule
from oracle.cases import Case
from oracle.counted import _Folded, _Group
from oracle.notifications import KINDS
from oracle.schedule import Run, Scheduled
from oracle.states import Group
from scale import SEED, runs
from test_oracle import compared, first, judged, number
from test_oracle_counted import HOUR, evaluator_of, make_events
from test_oracle_counted import case as counted_case

from ddassets.engine import independent
from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.counted import CountedEvaluator
from ddassets.engine.recurrence import Recurrence
from ddassets.engine.schedule import Schedule
from ddassets.engine.state import State
from ddassets.language.recurrence import parse_rule

BATCH = 100


def second(case: Case):
    """Return what the second evaluator says, as `first` does of the engine."""
    assert case.schedule is not None
    ticks = case.schedule.ticks(case.start, case.end, case.second, case.choices)
    found = {}
    for group, sources in case.groups.items():
        one = Group(case.query, case.options, sources, case.choices, case.start)
        delay = case.options.evaluation_delay
        seen = [max(time + delay, arrival) for source in sources for time, _, arrival in source.samples]
        history = Run(one, seen, case.options.on_missing_data or 'default').all(ticks)
        found[group] = (
            [(tick, number(value), state) for tick, value, state in history.ticks],
            [
                (one.instant, one.source, one.target, number(one.value), one.notify, one.cause, one.first, one.last)
                for one in history.changes
            ],
            [
                (
                    one.instant,
                    KINDS[one.target],
                    'transition',
                    one.source,
                    one.target,
                    number(one.value),
                    muting,
                    one.first,
                    one.last,
                )
                for one, muting in schedule.told(history, case.downtimes)
            ],
        )
    return found


def difference(case: Case) -> str | None:
    return compared(first(case)[0], second(case))


@pytest.mark.rule('16.12', '16.13', '16.14', '16.15', '16.16', '16.17', '16.18', '16.20', '16.21', 'A57', 'A58', 'A59')
@pytest.mark.parametrize('batch', range(SEED, SEED + runs(200), BATCH))
def test_both_evaluators_agree_about_schedules(batch):
    for found in judged(range(batch, batch + BATCH), difference, cases.make_scheduled):
        assert found is None


def counted_difference(seed: int) -> str | None:
    """Return the first difference about a monitor of logs with a custom schedule."""
    random = Random(f'scheduled {seed}')
    one = counted_case(seed)
    window = random.choice((HOUR, 6 * HOUR, 24 * HOUR, 48 * HOUR))
    options = replace(
        one.options,
        on_missing_data=one.options.on_missing_data or 'default',
        notify_no_data=False,
        timeout=0,
    )
    choices = {**one.choices, **{name: random.choice(ASSUMPTIONS[name].choices) for name in cases.TOLD}}
    end = one.start + random.randrange(3, 9) * 24 * HOUR
    events = make_events(random, one.start, end, random.choice((window, 24 * HOUR)))
    one = replace(one, window=window, options=options, choices=choices, end=end, events=events)
    start = datetime.fromtimestamp(one.start, UTC).replace(tzinfo=None, second=0)
    plan = Scheduled('DAILY', random.choice((1, 1, 2)), start, None, hour=random.choice((None, 3, 20)))
    rule, _ = parse_rule(plan.option['recurrences'][0]['rrule'])
    assert rule
    evaluator = evaluator_of(one)
    monitor = replace(evaluator.monitor, schedule=Schedule(Recurrence(start, 0, rule), UTC))
    found = CountedEvaluator(monitor, evaluator._events, one.start, one.end, one.second, Assumptions(one.choices))
    ticks = plan.ticks(one.start, one.end, one.second, one.choices)
    folded = one.folded and one.by
    for group, held in ({(): one.events} if folded else one.groups()).items():
        twin = _Folded(one, held) if folded else _Group(one, held)
        delay = options.evaluation_delay
        history = Run(twin, [event.at + delay for event in held], options.on_missing_data).all(ticks)
        line = found.timeline(group)
        rows = zip(line.ticks, line.values, line.states, strict=True)
        ours = [(int(tick), number(float(value)), str(State(state))) for tick, value, state in rows]
        theirs = [(tick, number(value), state) for tick, value, state in history.ticks]
        changes = [(one.instant, str(one.source), str(one.target), one.notify, one.cause) for one in line.transitions]
        wanted = [(one.instant, one.source, one.target, one.notify, one.cause) for one in history.changes]
        if ours != theirs or changes != wanted:
            return f'{seed} {group}: {ours} and {theirs}; {changes} and {wanted}'
    return None


@pytest.mark.rule('16.12', '16.15', '16.18', '16.20', 'A58', 'A59')
@pytest.mark.parametrize('batch', range(SEED, SEED + runs(200), BATCH))
def test_both_evaluators_agree_about_schedules_of_logs(batch):
    for seed in range(batch, batch + BATCH):
        assert counted_difference(seed) is None


def test_the_cases_differ():
    made = [cases.make_scheduled(seed) for seed in range(60)]
    told = [second(case) for case in made]
    states = {row[2] for groups in told for rows, _, _ in groups.values() for row in rows}
    assert states == {'absent', 'OK', 'Warn', 'Alert', 'No Data'}
    assert sum(any(muting for *_, muting, _, _ in due) for groups in told for _, _, due in groups.values()) >= 3
    assert {case.schedule.frequency for case in made if case.schedule} == {'DAILY', 'WEEKLY', 'MONTHLY'}


@pytest.mark.parametrize(
    'target, name, wrong',
    [
        pytest.param(independent, 'DAY', 3600, id='retention'),
        pytest.param(Schedule, '_local', lambda self, instant: None, id='start'),
        pytest.param(independent, 'known_since', lambda times: float(times[-1]), id='new groups'),
    ],
)
def test_a_wrong_evaluation_is_found(monkeypatch, target, name, wrong):
    monkeypatch.setattr(target, name, wrong)

    def broken(seed):
        try:
            return difference(cases.make_scheduled(seed))
        except (AssertionError, AttributeError):
            return 'no evaluation'

    assert any(broken(seed) for seed in range(150))
