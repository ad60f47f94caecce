"""Points that arrive late: an evaluation knows what has arrived, and nothing else."""

import numpy as np
import pytest

from ddassets.engine import monitor
from ddassets.engine.evaluator import evaluate
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State

BODY = {
    'name': 'm',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:m{*} by {host} > 800',
    'message': '',
    'options': {
        'thresholds': {'critical': 800},
        'notify_no_data': True,
        'no_data_timeframe': 10,
        'require_full_window': False,
    },
}


@pytest.mark.rule('3.10', '3.12')
@pytest.mark.parametrize(
    ('query', 'no_data'),
    [
        pytest.param(BODY['query'], (70, 90), id='samples'),
        pytest.param('avg(last_5m):avg:m{*} by {host}.rollup(avg, 60) > 800', (70, 90), id='buckets'),
    ],
)
def test_late_points_do_not_delay_no_data(query, no_data):
    """One point a minute; those from 01:01 to 01:29 arrive at 01:30, that of 01:00 is the last one until then."""
    times = np.arange(0, 3 * 3600, 60.0)
    arrivals = np.where((times > 3600) & (times < 5400), 5400, times)
    series = Series('m', frozenset(['host:a']), times, np.full(times.size, 100.0), 'gauge', 60, arrivals)
    timeline = evaluate(monitor.read({**BODY, 'query': query}), SeriesSet([series]), 0, 3 * 3600)
    [group] = timeline.groups.values()
    spans = [(span.start // 60, span.end // 60) for span in group.spans if span.state == State.NO_DATA]
    assert spans == [no_data]
