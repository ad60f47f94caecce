import math

import pytest

from ddassets.agent.sampler import Sample, Sampler
from ddassets.diagnostic import UnusableInputError


def sample(kind, value, at=100.0, tags=(), host='', first=False, name='m'):
    return Sample(name, kind, value, tags, host, at, first)


def flush(*runs):
    """The (metric, type, value, interval) of the last run."""
    sampler = Sampler('here')
    for run in runs:
        series, _ = sampler.flush(run, 100.0)
    return [(item.metric, item.type, item.value, item.interval) for item in series]


@pytest.mark.parametrize(
    ('runs', 'expected'),
    [
        pytest.param([[sample('gauge', 1), sample('gauge', 7)]], [('m', 'gauge', 7, 0)], id='gauge-last'),
        pytest.param([[sample('gauge', 1)], []], [], id='gauge-is-not-repeated'),
        pytest.param([[sample('count', 1), sample('count', 7)]], [('m', 'count', 8, 0)], id='count-sum'),
        pytest.param([[sample('count', 5)], [sample('count', 2)]], [('m', 'count', 2, 0)], id='count-of-one-run'),
        pytest.param([[sample('counter', 3), sample('counter', 1)]], [('m', 'rate', 4, 1)], id='counter'),
        pytest.param([[sample('monotonic_count', 5)]], [], id='monotonic-first'),
        pytest.param(
            [[sample('monotonic_count', 5)], [sample('monotonic_count', 9)]],
            [('m', 'count', 4, 0)],
            id='monotonic-increase',
        ),
        pytest.param(
            [[sample('monotonic_count', 5), sample('monotonic_count', 6)]],
            [('m', 'count', 1, 0)],
            id='monotonic-within-a-run',
        ),
        pytest.param(
            [[sample('monotonic_count', 5)], [sample('monotonic_count', 2)]],
            [('m', 'count', 0, 0)],
            id='monotonic-reset',
        ),
        pytest.param(
            [[sample('monotonic_count', 5, first=True)]], [('m', 'count', 5, 0)], id='monotonic-flush-first-value'
        ),
        pytest.param(
            [[sample('monotonic_count', 5)], [sample('monotonic_count', 2, first=True)]],
            [('m', 'count', 2, 0)],
            id='monotonic-reset-flush-first-value',
        ),
        pytest.param([[sample('rate', 10)]], [], id='rate-first'),
        pytest.param(
            [[sample('rate', 10, at=100)], [sample('rate', 40, at=110)]], [('m', 'gauge', 3, 0)], id='rate-per-second'
        ),
        pytest.param(
            [[sample('rate', 0, at=100)], [sample('rate', 1, at=110)], [sample('rate', 21, at=120)]],
            [('m', 'gauge', 2, 0)],
            id='rate-since-the-last-run',
        ),
        pytest.param(
            [[sample('histogram', value) for value in (4, 1, 3, 2)]],
            [
                ('m.max', 'gauge', 4, 0),
                ('m.median', 'gauge', 2, 0),
                ('m.avg', 'gauge', 2.5, 0),
                ('m.count', 'rate', 4, 1),
                ('m.95percentile', 'gauge', 4, 0),
            ],
            id='histogram',
        ),
        pytest.param(
            [[sample('histogram', value) for value in range(1, 21)]],
            [
                ('m.max', 'gauge', 20, 0),
                ('m.median', 'gauge', 10, 0),
                ('m.avg', 'gauge', 10.5, 0),
                ('m.count', 'rate', 20, 1),
                ('m.95percentile', 'gauge', 19, 0),
            ],
            id='histogram-percentile',
        ),
        pytest.param([[sample('historate', 1)]], [], id='historate-first'),
        pytest.param(
            [[sample('historate', 0, at=100)], [sample('historate', 20, at=110)]],
            [
                ('m.max', 'gauge', 2, 0),
                ('m.median', 'gauge', 2, 0),
                ('m.avg', 'gauge', 2, 0),
                ('m.count', 'rate', 1, 1),
                ('m.95percentile', 'gauge', 2, 0),
            ],
            id='historate',
        ),
    ],
)
def test_aggregation(runs, expected):
    assert flush(*runs) == expected


def test_a_context_is_name_tags_and_host():
    samples = [
        sample('gauge', 1, tags=('a', 'b')),
        sample('gauge', 2, tags=('b', 'a', 'a')),
        sample('gauge', 3, tags=('a',)),
        sample('gauge', 4, tags=('a', 'b'), host='there'),
    ]
    series, dropped = Sampler('here').flush(samples, 123.9)
    assert [(item.value, item.tags, item.host) for item in series] == [
        (2, ('b', 'a'), 'here'),
        (3, ('a',), 'here'),
        (4, ('a', 'b'), 'there'),
    ]
    assert {item.timestamp for item in series} == {123}
    assert dropped == []


@pytest.mark.parametrize(
    ('runs', 'message'),
    [
        pytest.param([[sample('gauge', math.nan)]], 'm: the Agent drops the value nan', id='nan'),
        pytest.param([[sample('gauge', math.inf)]], 'm: the Agent drops the value inf', id='infinity'),
        pytest.param([[sample('rate', 9, at=1), sample('rate', 1, at=2)]], 'negative rate', id='negative-rate'),
        pytest.param([[sample('rate', 1), sample('rate', 2)]], 'twice at the same time', id='rate-without-time'),
    ],
)
def test_dropped_samples_are_said(runs, message):
    sampler = Sampler('here')
    for run in runs:
        series, dropped = sampler.flush(run, 100.0)
    assert series == []
    assert len(dropped) == 1
    assert message in dropped[0]


def test_unknown_type():
    with pytest.raises(UnusableInputError, match="'sketch'"):
        flush([sample('sketch', 1)])
