"""The engine and a second evaluator agree on random monitors with a custom schedule: when, what, and who is told."""

import pytest
from oracle import cases, schedule
from oracle.cases import Case
from oracle.notifications import KINDS
from oracle.schedule import Run
from oracle.states import Group
from scale import SEED, runs
from test_oracle import compared, first, judged, number

from ddassets.engine import independent
from ddassets.engine.schedule import Schedule

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
