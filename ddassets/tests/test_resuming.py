"""Evaluation in instalments gives what one evaluation of the whole time gives."""

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import scale
from oracle import cases
from test_oracle import STATES, monitor, number, store

from ddassets.diagnostic import Unsupported
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.context import HISTORY
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.notification import Mute, notifications
from ddassets.engine.resuming import Memory, due, resume
from ddassets.engine.series import SeriesSet

BATCH = 20


def mutes(case):
    return [
        Mute(
            one.start, one.end, one.name, one.mute_first_recovery, frozenset(STATES[state] for state in one.end_states)
        )
        for one in case.downtimes
    ]


def told(changes) -> list[tuple]:
    return [
        (one.instant, str(one.source), str(one.target), number(one.value), one.notify, one.cause)
        + (one.first_triggered_at, one.last_triggered_at)
        for one in changes
    ]


def heard(found) -> list[tuple]:
    return [(one.instant, one.kind, one.reason, number(one.value), frozenset(one.muted_by)) for one in found]


def whole(case) -> dict:
    evaluator = Evaluator(monitor(case), store(case), case.start, case.end, case.second, Assumptions(case.choices))
    lines = {group: evaluator.timeline(group) for group in evaluator.groups}
    return {
        group: (
            told(line.transitions),
            heard(notifications(evaluator.monitor, line, mutes(case), evaluator.assumptions)),
        )
        for group, line in lines.items()
    }


def recent(series: SeriesSet, start: int, end: int, reach: int) -> SeriesSet:
    """What a store would read: the samples from `start` on, and the last one of each source before that."""
    found = []
    for one in series:
        first = max(int(np.searchsorted(one.times, start - reach)) - 1, 0)
        last = int(np.searchsorted(one.times, end))
        if last > first:
            found.append(replace(one, times=one.times[first:last], values=one.values[first:last]))
    return SeriesSet(found)


def cuts(case, random: Random) -> Iterator[tuple[int, int]]:
    at = case.start
    while at < case.end:
        to = min(at + random.choice([60, 60, 120, 300, 1800]), case.end)
        yield at, to
        at = to


def in_instalments(case, random: Random) -> dict:
    found: dict = {}
    memories, body = None, monitor(case)
    for start, end in cuts(case, random):
        series = store(case)
        reach = Evaluator(body, series, start, end, case.second, Assumptions(case.choices)).reach
        # The first evaluation asks since when each group has reported.
        part = recent(series, start, end, reach + (HISTORY if memories is None else 0))
        evaluator = Evaluator(body, part, start, end, case.second, Assumptions(case.choices))
        done = resume(evaluator, memories, start - 1)
        for group, one in done.items():
            changes, notices = found.setdefault(group, ([], []))
            changes += told(one.transitions)
            notices += heard(due(evaluator.monitor, one, mutes(case), evaluator.assumptions, until=end - 1))
        if not evaluator.ticks.size:
            continue
        memories = {**(memories or {}), **{group: one.memory for group, one in done.items()}}
        # As a store keeps them.
        memories = {group: Memory.from_dict(json.loads(json.dumps(one.to_dict()))) for group, one in memories.items()}
    return found


@pytest.mark.parametrize('make', [cases.make, cases.make_cumulative], ids=['last', 'current'])
@pytest.mark.parametrize('batch', range(scale.SEED, scale.SEED + scale.runs(40), BATCH))
def test_instalments_give_what_one_evaluation_gives(batch, make):
    compared = 0
    for seed in range(batch, batch + BATCH):
        case = make(seed)
        late = any(arrival != at for source in case.sources for at, _, arrival in source.samples)
        if late or case.query.stub:
            continue
        try:
            expected = whole(case)
        except Unsupported:
            continue
        compared += 1
        assert in_instalments(case, Random(seed)) == expected, (seed, case.body)
    assert compared > BATCH / 5
