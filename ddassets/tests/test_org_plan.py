"""Plans for every relation between files and organisation."""

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets import assets as bundle
from ddassets.assets.document import Document
from ddassets.org.difference import MISSING, Difference, differences
from ddassets.org.kind import Desired, Stored
from ddassets.org.kinds import DASHBOARDS, DOWNTIMES, MONITORS
from ddassets.org.marker import Marker, fingerprint
from ddassets.org.plan import Foreign, make_plan, make_removal

NOW = 1_800_000_000.0
ASSET = bundle.Asset(Document(Path('a.json'), '{}', {}), (), {})
MONITOR = {
    'name': 'Spool',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:a{*} > 1',
    'message': 'm',
    'tags': ['a:b'],
}
DASHBOARD = {'title': 'Spool', 'layout_type': 'ordered', 'widgets': []}
DOWNTIME = {'monitor_identifier': {'monitor_tags': ['a:b']}, 'scope': '*', 'message': 'm'}


def wanted(body=MONITOR, name='spool', kind=MONITORS):
    return Desired(kind, name, kind.title(body), body, ASSET)


def stored(body=MONITOR, name='spool', kind=MONITORS, id='1', applied=None, created='2027-01-01'):
    """Return a stored body; `applied` is the body that was sent earlier, if it differs."""
    marker = Marker('i', name, fingerprint(kind.canonical(applied or body)))
    return Stored(kind, id, marker, kind.title(body), kind.mark(body, marker), created)


def told(plan):
    return [
        (step.action.value, step.name, step.stored.id if step.stored else None, step.would and step.would.value)
        for step in plan.steps
    ]


CHANGED = {**MONITOR, 'priority': 2}
BY_HAND = {**MONITOR, 'message': 'by hand'}
LATER = '2027-02-02'
CASES = [
    pytest.param([wanted()], [], [('create', 'spool', None, None)], id='nothing-there'),
    pytest.param([wanted()], [stored()], [('keep', 'spool', '1', None)], id='as-it-is-to-be'),
    pytest.param([wanted(CHANGED)], [stored()], [('update', 'spool', '1', None)], id='the-file-changed'),
    pytest.param(
        [wanted()], [stored(BY_HAND, applied=MONITOR)], [('refuse', 'spool', '1', 'update')], id='changed-by-hand'
    ),
    pytest.param(
        [wanted(CHANGED)], [stored(BY_HAND, applied=MONITOR)], [('refuse', 'spool', '1', 'update')], id='both-changed'
    ),
    pytest.param(
        [wanted(BY_HAND)],
        [stored(BY_HAND, applied=MONITOR)],
        [('keep', 'spool', '1', None)],
        id='the-same-on-both-sides',
    ),
    pytest.param([], [stored()], [('delete', 'spool', '1', None)], id='the-file-is-gone'),
    pytest.param(
        [], [stored(BY_HAND, applied=MONITOR)], [('refuse', 'spool', '1', 'delete')], id='gone-and-changed-by-hand'
    ),
    pytest.param(
        [wanted()],
        [stored(id='2', created=LATER), stored()],
        [('keep', 'spool', '1', None), ('delete', 'spool', '2', None)],
        id='twice-there-the-older-stays',
    ),
    pytest.param(
        [wanted(CHANGED)],
        [stored(), stored(CHANGED, id='2', created=LATER)],
        [('keep', 'spool', '2', None), ('delete', 'spool', '1', None)],
        id='twice-there-the-right-one-stays',
    ),
    pytest.param(
        [wanted()],
        [stored(), stored({**MONITOR, 'name': 'Copy'}, id='2', applied=MONITOR, created=LATER)],
        [('keep', 'spool', '1', None), ('refuse', 'spool', '2', 'delete')],
        id='a-copy-by-hand-is-left',
    ),
    pytest.param([wanted(name='other')], [stored()], [('update', 'other', '1', None)], id='the-file-has-another-name'),
    pytest.param(
        [wanted(), wanted(name='other')],
        [stored()],
        [('keep', 'spool', '1', None), ('create', 'other', None, None)],
        id='a-second-file-alike-is-no-renaming',
    ),
    pytest.param(
        [wanted({**MONITOR, 'type': 'composite', 'query': '1 && 2'})],
        [stored()],
        [('replace', 'spool', '1', None)],
        id='another-type',
    ),
    pytest.param(
        [wanted({**MONITOR, 'type': 'metric alert'})], [stored()], [('keep', 'spool', '1', None)], id='metric-alert'
    ),
    pytest.param(
        [wanted(DOWNTIME, kind=DOWNTIMES)],
        [stored({**DOWNTIME, 'message': 'old'}, name='other', kind=DOWNTIMES)],
        [('update', 'spool', '1', None)],
        id='a-downtime-of-a-renamed-file-would-be-refused-as-a-second-one',
    ),
    pytest.param(
        [wanted({**DOWNTIME, 'schedule': {'end': '2020-01-01T00:00:00Z'}}, kind=DOWNTIMES)],
        [],
        [('keep', 'spool', None, None)],
        id='a-downtime-that-is-over-is-not-created',
    ),
    pytest.param(
        [wanted({**DOWNTIME, 'schedule': {'end': '2020-01-01T00:00:00Z'}}, kind=DOWNTIMES)],
        [stored(DOWNTIME, kind=DOWNTIMES)],
        [('delete', 'spool', '1', None)],
        id='a-downtime-that-is-over-by-now-is-ended',
    ),
]


@pytest.mark.parametrize('files, organisation, expected', CASES)
def test_plan(files, organisation, expected):
    plan = make_plan('i', files, organisation, now=NOW)
    assert told(plan) == expected
    assert all(step.by_hand == bool(step.would) for step in plan.steps)
    # With leave, what was refused is done.
    free = make_plan('i', files, organisation, now=NOW, overwrite=True)
    assert told(free) == [(would or do, name, id, None) for do, name, id, would in expected]


def test_ids_of_widgets_are_ignored():
    inner = {'definition': {'type': 'note', 'content': 'c'}}
    group = {'definition': {'type': 'group', 'layout_type': 'ordered', 'widgets': [inner]}}
    numbered = {'id': 7, 'definition': {**group['definition'], 'widgets': [{'id': 8, **inner}]}}
    files = [wanted({**DASHBOARD, 'widgets': [group]}, kind=DASHBOARDS)]
    there = [stored({**DASHBOARD, 'widgets': [numbered]}, kind=DASHBOARDS, applied={**DASHBOARD, 'widgets': [group]})]
    assert told(make_plan('i', files, there, now=NOW)) == [('keep', 'spool', '1', None)]
    assert told(make_plan('i', [], there, now=NOW)) == [('delete', 'spool', '1', None)]


def test_an_incomplete_marker_is_left_alone():
    damaged = Stored(MONITORS, '1', Marker('i', '', ''), 'Spool', MONITOR, '')
    made = make_plan('i', [], [damaged], now=NOW)
    assert told(made) == [('refuse', '', '1', 'delete')]
    # That no file is behind it is not what is wrong.
    assert made.steps[0].reason.startswith('its marker is damaged: a tag was removed')


def test_an_equal_downtime_of_others_conflicts_even_with_overwrite():
    foreign = [Foreign(DOWNTIMES, '7', {**DOWNTIME, 'message': 'by hand'})]
    for overwrite in (False, True):
        plan = make_plan('i', [wanted(DOWNTIME, kind=DOWNTIMES)], [], foreign, now=NOW, overwrite=overwrite)
        assert told(plan) == [('refuse', 'spool', None, None)]
        assert ': 7.' in plan.steps[0].reason
    other = [Foreign(DOWNTIMES, '7', {**DOWNTIME, 'scope': 'env:a'})]
    assert told(make_plan('i', [wanted(DOWNTIME, kind=DOWNTIMES)], [], other, now=NOW))[0][0] == 'create'


def test_removal_deletes_changed_objects_but_not_copies():
    copied = stored({**MONITOR, 'name': 'Copy'}, id='2', applied=MONITOR, created=LATER)
    plan = make_removal('i', [copied, stored(BY_HAND, applied=MONITOR)])
    assert told(plan) == [('delete', 'spool', '1', None), ('refuse', 'spool', '2', 'delete')]
    assert plan.steps[0].by_hand and 'changed in Datadog' in plan.steps[0].reason
    assert [step.action for step in make_removal('i', [copied, stored()], overwrite=True).steps] == ['delete', 'delete']


def test_a_plan_lists_exactly_the_differences():
    widget = {'definition': {'type': 'note', 'title': 'About', 'content': 'old'}}
    before = {**DASHBOARD, 'widgets': [{**widget, 'id': 77}], 'description': 'd', 'notify_list': None}
    after = copy.deepcopy({**DASHBOARD, 'widgets': [widget], 'description': 'd'})
    after['widgets'][0]['definition']['content'] = 'new'
    plan = make_plan('i', [wanted(after, kind=DASHBOARDS)], [stored(before, kind=DASHBOARDS)], now=NOW)
    assert plan.steps[0].differences == (Difference("widgets[0 'About'].definition.content", 'old', 'new'),)


@pytest.mark.parametrize(
    'before, after, expected',
    [
        pytest.param({'a': 1}, {'a': 1.0}, [], id='numbers'),
        pytest.param({'a': True}, {'a': 1}, [('a', True, 1)], id='true-is-not-1'),
        pytest.param({'a': {'b': 1}}, {'a': {'b': 2}}, [('a.b', 1, 2)], id='inside'),
        pytest.param({}, {'a': None}, [('a', MISSING, None)], id='added'),
        pytest.param({'a': 0}, {}, [('a', 0, MISSING)], id='removed'),
        pytest.param([1, 2, 3], [1, 9, 2, 3], [('[1]', MISSING, 9)], id='put-in-between'),
        pytest.param([1, 2, 3], [1, 3], [('[1]', 2, MISSING)], id='taken-out'),
        pytest.param(
            [{'name': 'host', 'b': 1}], [{'name': 'host', 'b': 2}], [("[0 'host'].b", 1, 2)], id='an-entry-with-a-name'
        ),
        pytest.param(
            [{'name': 'host', 'b': 1}, 7],
            [{'name': 'env'}, {'name': 'host', 'b': 2}, 7],
            [("[0 'env']", MISSING, {'name': 'env'}), ("[1 'host'].b", 1, 2)],
            id='put-before-one-that-changed',
        ),
        pytest.param([{'name': 'a'}], [{'name': 'b'}], [("[0 'b'].name", 'a', 'b')], id='another-name'),
        pytest.param({'a': [1]}, {'a': {}}, [('a', [1], {})], id='another-form'),
    ],
)
def test_differences(before, after, expected):
    assert list(differences(before, after)) == [Difference(*one) for one in expected]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text('ab', max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab', max_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_bodies_differ_exactly_if_they_have_differences(one, other):
    # As JSON has it, where true is no 1.
    same = repr(one) == repr(other) or (one == other and fingerprint(one) == fingerprint(other))
    assert (list(differences(one, other)) == []) == same
    assert list(differences(one, one)) == []
