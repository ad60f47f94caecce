"""`notify_by` folds groups: the worst sub-group decides, and only its changes notify."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import asset_of

from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.folding import unfolded
from ddassets.engine.kinds import Inputs, evaluator, read
from ddassets.engine.series import Series, SeriesSet, from_compact
from ddassets.engine.service_check import PREFIX
from ddassets.engine.state import State

START = 1_798_999_200
SEVERITY = {State.ABSENT: 0, State.OK: 1, State.NO_DATA: 2, State.WARN: 3, State.ALERT: 4}


def _none(_):
    raise AssertionError('a metric monitor has neither members nor an SLO')


def folded(keys, values, assumptions=None, **options):
    """Evaluate sub-groups, given as values by `cluster/pod`, under `notify_by`."""
    asset = asset_of('avg(last_1m):avg:acme.q{*} by {cluster,pod} > 5', notify_by=keys, new_group_delay=0, **options)
    series = [
        from_compact(text, 'acme.q', frozenset({f'cluster:{name[0]}', f'pod:{name[1]}'}), START, 'gauge', 60)
        for name, text in ((name.split('/'), text) for name, text in values.items())
    ]
    minutes = max(len(text.split()) for text in values.values())
    inputs = Inputs(SeriesSet(series), START, START + 60 * minutes, 30, Assumptions(assumptions), _none, _none)
    return evaluator(asset, read(asset), inputs)


def told(found, group):
    """Each transition that notifies, as the minute and the state."""
    timeline = found.timeline(group)
    return [((one.instant - START) // 60, str(one.target)) for one in timeline.transitions if one.notify]


@pytest.mark.rule('2.20', 'I6')
@pytest.mark.parametrize(
    ('keys', 'group', 'expected'),
    [
        pytest.param(['cluster'], ('cluster:c',), [(1, 'Alert'), (4, 'OK')], id='one-key'),
        pytest.param(['cluster'], ('cluster:d',), [(3, 'Alert'), (4, 'OK')], id='another-value'),
        pytest.param(['*'], (), [(1, 'Alert'), (4, 'OK')], id='all'),
        pytest.param(['cluster', 'pod'], ('cluster:c', 'pod:a'), [(1, 'Alert'), (3, 'OK')], id='every-key'),
    ],
)
def test_the_worst_sub_group_decides(keys, group, expected):
    values = {'c/a': '1 9 9 1 1', 'c/b': '1 1 9 9 1', 'd/a': '1 1 1 9 1'}
    assert told(folded(keys, values), group) == expected


def test_under_the_other_choice_every_sub_group_notifies():
    values = {'c/a': '1 9 9 1 1', 'c/b': '1 1 9 9 1'}
    found = folded(['cluster'], values, {'I6': 'every sub-group'})
    assert told(found, ('cluster:c',)) == [(1, 'Alert'), (2, 'Alert'), (3, 'OK'), (4, 'OK')]
    assert 'I6' in found.assumptions.relied_on


def test_a_single_sub_group_relies_on_no_assumption():
    found = folded(['cluster'], {'c/a': '1 9 1'})
    assert told(found, ('cluster:c',)) == [(1, 'Alert'), (2, 'OK')]
    assert 'I6' not in found.assumptions.relied_on


WORDS = st.lists(st.sampled_from(['1', '6', '9', '_']), min_size=6, max_size=6).map(' '.join)


@settings(max_examples=30)
@given(values=st.lists(WORDS, min_size=1, max_size=4))
def test_a_folded_state_is_the_most_severe_of_its_sub_groups(values):
    named = {f'c/{number}': f'1 {text}' for number, text in enumerate(values)}
    options = {'thresholds': {'warning': 4}, 'on_missing_data': 'show_no_data'}
    found = folded(['cluster'], named, **options)
    single = folded(['cluster', 'pod'], named, **options)
    each = [single.timeline(group).states for group in single.groups]
    for row, state in enumerate(found.timeline(('cluster:c',)).states):
        assert SEVERITY[State(state)] == max(SEVERITY[State(states[row])] for states in each)


@pytest.mark.rule('2.20', '3.19')
@pytest.mark.parametrize('sub_groups', [{'c/a': '9'}, {'c/a': '9', 'c/b': '1 ' * 70}], ids=['one', 'several'])
def test_the_cause_of_a_change_is_that_of_the_sub_group(sub_groups):
    found = folded(['cluster'], {**sub_groups, 'd/a': '1 ' * 70}, timeout_h=1)
    changes = found.timeline(('cluster:c',)).transitions
    assert [(str(one.target), one.cause) for one in changes] == [('Alert', 'data'), ('OK', 'timeout')]


@pytest.mark.rule('2.20', '14.10')
def test_unknown_is_folded_too():
    asset = read_monitor(
        Unplaced(Path('m.json')),
        {
            'name': 'm',
            'type': 'service check',
            'query': '"acme.up".over("*").by("cluster","pod").last(4).count_by_status()',
            'options': {'thresholds': {'critical': 2, 'unknown': 1}, 'notify_by': ['cluster']},
        },
    )
    times = START + 60.0 * np.arange(5)
    series = [
        Series(f'{PREFIX}acme.up', frozenset({'cluster:c', f'pod:{pod}'}), times, np.array(codes), 'gauge', 60)
        for pod, codes in (('a', [0.0, 0, 3, 3, 0]), ('b', [0.0, 0, 0, 0, 0]))
    ]
    inputs = Inputs(SeriesSet(series), START, START + 300, 30, Assumptions(), _none, _none)
    assert told(evaluator(asset, read(asset), inputs), ('cluster:c',)) == [(2, 'Unknown'), (4, 'OK')]


def test_a_message_evaluates_no_sub_group_again(monkeypatch):
    found = folded(['cluster'], {f'{cluster}/{pod}': '1 9 1 9 1' for cluster in 'cd' for pod in 'abcd'})
    timelines = [found.timeline(group) for group in found.groups]
    monkeypatch.setattr(found.inner, 'timeline', None)
    assert all(timeline.transitions for timeline in timelines)
    # In order of time, as an inbox reads them.
    for changes in zip(*(timeline.transitions for timeline in timelines), strict=True):
        for group, change in zip(found.groups, changes, strict=True):
            assert found.variables(group, change.instant) == {}


def test_the_first_of_the_worst_sub_groups_is_explained():
    found = folded(['cluster'], {'c/a': '1 1 9 9 1', 'c/b': '1 9 9 1 1', 'c/e': '1 1 1 1 6'})
    single = unfolded(found)
    shown = [('a', 1), ('b', 9), ('a', 9), ('a', 9), ('e', 6)]
    for minute, (pod, value) in enumerate(shown):
        instant = START + 60 * minute + 59
        explanation = found.explain(('cluster:c',), instant)
        own = single.explain(('cluster:c', f'pod:{pod}'), instant)
        reason = f'the worst of 3 groups that notify_by folds into one: cluster:c,pod:{pod}'
        assert explanation == replace(own, reasons=(reason, *own.reasons)), minute
        assert explanation.value == value
    alone = folded(['cluster'], {'c/a': '1 9'})
    assert alone.explain(('cluster:c',), START + 90) == unfolded(alone).explain(('cluster:c', 'pod:a'), START + 90)


@pytest.mark.parametrize(
    ('group', 'instant', 'words'),
    [
        pytest.param(
            ('cluster:d',), START + 60, 'no group cluster:d; did you mean cluster:c?; groups: cluster:c', id='group'
        ),
        pytest.param(
            ('cluster:c',),
            START + 10,
            'no evaluation of cluster:c until 2027-01-03T18:00:10Z; the first is at 2027-01-03T18:00:30Z',
            id='too-early',
        ),
    ],
)
def test_what_was_not_evaluated_is_not_explained(group, instant, words):
    found = folded(['cluster'], {'c/a': '1 1 1'})
    with pytest.raises(UnusableInputError, match=f'^{re.escape(words)}$'):
        found.explain(group, instant)
