"""Which notifications are muted, and by what, compared with the rules instant by instant."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets.engine.evaluator import evaluate
from ddassets.engine.monitor import read
from ddassets.engine.notification import Mute, notifications
from ddassets.engine.series import SeriesSet, from_compact
from ddassets.engine.state import State

START, MINUTES = 1_800_000_000, 60
MONITOR = read(
    {
        'name': 'm',
        'type': 'query alert',
        'query': 'avg(last_1m):avg:m{*} > 8',
        'options': {'thresholds': {'critical': 8, 'warning': 5}},
    }
)
# Few starts and short lengths, so that mutes touch.
MUTES = st.lists(
    st.builds(
        lambda start, length, downtime, first: Mute(start, start + length, downtime, first),
        start=st.one_of(st.integers(-1, 13).map(lambda part: START + 300.0 * part), st.just(-math.inf)),
        length=st.sampled_from([0, 300, 300, 300.5, 600, math.inf]),
        downtime=st.sampled_from('abc'),
        first=st.sampled_from([False, False, True]),
    ),
    max_size=8,
).map(lambda mutes: [mute for mute in mutes if not math.isnan(mute.end)])


def muted_by(mutes: list[Mute], instant: int, target: State, triggered: int | None) -> tuple[str, ...]:
    active = [mute for mute in mutes if mute.start <= instant < mute.end]
    if not active:
        return ()
    # Back to where nothing muted: whoever mutes there may have been muting before, and so on.
    begun = min(mute.start for mute in active)
    while earlier := [mute.start for mute in mutes if mute.start < begun <= mute.end]:
        begun = min(earlier)
    first = target is State.OK and triggered is not None and triggered < begun
    if first and not any(mute.mute_first_recovery for mute in active):
        return ()
    return tuple(dict.fromkeys(mute.downtime for mute in active))


@pytest.mark.rule('5.11', '5.16', '5.17', '5.21')
@given(mutes=MUTES, values=st.lists(st.sampled_from([1, 6, 9]), min_size=MINUTES, max_size=MINUTES))
def test_muted_by(mutes, values):
    series = from_compact(' '.join(map(str, values)), 'm', [], START, interval=60)
    timeline = evaluate(MONITOR, SeriesSet([series]), START, START + 60 * MINUTES).groups[()]
    due = notifications(MONITOR, timeline, mutes)
    assert [(one.instant, one.target) for one in due] == [
        (change.instant, change.target) for change in timeline.transitions
    ]
    assert [one.muted_by for one in due] == [
        muted_by(mutes, change.instant, change.target, change.first_triggered_at) for change in timeline.transitions
    ]
    assert np.array_equal(due.muted, [bool(one.muted_by) for one in due])
