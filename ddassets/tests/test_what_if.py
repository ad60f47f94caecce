"""Which assumptions matter: an independent rehearsal with every other choice agrees with the report."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scale
from hypothesis import given, settings
from hypothesis import strategies as st

from ddassets.assets import Bundle
from ddassets.cli import main
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import message as messages
from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.changes import MAX_MOVE, Changes, GroupChanges, changes, timing
from ddassets.rehearsal.inbox import inbox
from ddassets.rehearsal.result import MonitorResult
from ddassets.rehearsal.run import again
from ddassets.rehearsal.what_if import BUDGET, what_if

MESSAGE = (
    '{{#is_alert}}A {{value}}{{/is_alert}}{{#is_warning}}W{{/is_warning}}{{#is_recovery}}R{{/is_recovery}} '
    '@ops@example.com'
)


QUERY = 'avg(last_5m):avg:acme.q{*} by {host} > 100'


def scenario(values, options, assumptions=None, query=QUERY, message=MESSAGE, name='Acme', **more):
    body = {'name': name, 'type': 'query alert', 'query': query, 'message': message, 'tags': []}
    body['options'] = {'thresholds': {'critical': 100, 'warning': 50}, **options}
    given_series = {'metric': 'acme.q', 'tags': ['host:a'], 'type': 'gauge', 'interval': '60s', 'values': values}
    text = {
        'start': '2027-01-04T10:00:00',
        'length': '40m',
        'tick_second': 30,
        'series': [given_series],
        'monitors': [body],
        'downtimes': [],
        'assumptions': assumptions or {},
        **more,
    }
    return parse(json.dumps(text), Path('a.yaml'))


def rehearsed(*arguments, **more):
    bundle = Bundle(Path('acme'), None, {}, (), ())
    return rehearse(scenario(*arguments, **more), bundle)


def mails(rehearsal):
    """Return everything that is visible of a rehearsal's messages."""
    return [(mail.instant, mail.title, mail.text, mail.recipients, mail.muted_by) for mail in inbox(rehearsal)]


OPTIONS = [
    {},
    {'notify_no_data': True, 'no_data_timeframe': 10},
    {'on_missing_data': 'show_no_data', 'renotify_interval': 10},
    {'require_full_window': True, 'thresholds': {'critical': 100, 'warning': 50, 'critical_recovery': 90}},
]
LEVELS = st.lists(
    st.tuples(st.sampled_from(['10', '60', '70.1234', '120', '_']), st.integers(1, 12)), min_size=2, max_size=6
)


def choices(original) -> list[tuple[str, str]]:
    """Return every other choice of every assumption of the engine, relied on or not."""
    chosen = Assumptions(original.scenario.assumptions).choices
    return [(name, one) for name, found in ASSUMPTIONS.items() for one in found.choices if one != chosen[name]]


@settings(max_examples=4 * scale.SCALE)
@given(levels=LEVELS.filter(lambda levels: any(level != '_' for level, _ in levels)), options=st.sampled_from(OPTIONS))
def test_a_choice_changes_messages_exactly_if_it_is_reported(levels, options):
    values = ' '.join(f'{level}x{length}' for level, length in levels)
    original = rehearsed(values, options)
    found = what_if(original, 'all')
    assert found.untried == ()
    assert {effect.assumption for effect in found.effects} == set(original.assumptions)
    effects = {(effect.assumption, effect.choice): effect for effect in found.effects}
    assert len(effects) == len(found.effects)
    for name, choice in choices(original):
        effect = effects.pop((name, choice), None)
        assert (effect is not None) == (name in original.assumptions), (name, choice)
        try:
            other = mails(rehearsed(values, options, {name: choice}))
        except UnusableInputError as error:
            assert effect and effect.refused, (name, choice, str(error))
            continue
        assert (other != mails(original)) == bool(effect and effect.matters), (name, choice, effect)
    assert effects == {}


def test_a_recovery_threshold_depends_on_nothing_but_the_ends_of_the_window():
    found = what_if(rehearsed('10x10 120x10 10x20', {}), 'all')
    tried = {effect.assumption for effect in found.effects}
    assert 'A16' in tried.difference(found.sensitive)  # whole numbers
    assert 'A11' in found.sensitive  # Alert to Warn on the way down
    [effect] = [one for one in found.effects if one.assumption == 'A11']
    assert [change.event for change in effect.changes] == ['Alert -> Warn']


def test_a_condition_of_a_notification_rule_matters():
    conditions = [{'scope': 'transition_type:is_warning', 'recipients': ['slack-warn']}]
    rule = {'name': 'r', 'filter': {'tags': ['host:a']}, 'conditional_recipients': {'conditions': conditions}}
    more = {'message': 'Lag.', 'notification_rules': [rule]}
    original = rehearsed('10x10 120x10 60x10 10x10', {}, **more)
    assert mails(original) != mails(rehearsed('10x10 120x10 60x10 10x10', {}, {'A11': 'no'}, **more))
    [effect] = [one for one in what_if(original).effects if one.assumption == 'A11']
    assert [(change.kind, change.event) for change in effect.changes] == [('changes', 'Alert -> Warn')]


def test_auto_stops_after_a_number_of_windows():
    original = rehearsed('10x10 120x10 10x20', {})
    found = what_if(original, 'auto')
    evaluated = [one for one in found.effects if one.assumption in original.monitors[0].decisive]
    assert len(evaluated) == BUDGET
    assert found.untried
    assert {name for name, _ in found.untried} <= original.monitors[0].decisive
    # What decides texts alone costs no window.
    assert 'A16' in {one.assumption for one in found.effects}
    assert what_if(original, 'off').effects == ()


def test_a_choice_that_refuses_the_monitor_matters():
    found = what_if(rehearsed('10x10 _x30', {'notify_no_data': True}), 'all')
    [refused] = [one for one in found.effects if one.refused]
    assert (refused.assumption, refused.choice) == ('A5', 'error')
    assert 'A5' in found.sensitive


def test_what_stays_the_same_is_not_rendered(monkeypatch):
    original = rehearsed('10x10 120x20 10x10', {'renotify_interval': 5})
    (before,), (after,) = original.monitors, again(original, original.scenario, {'Acme'}).monitors
    monkeypatch.setattr(MonitorResult, 'message', lambda *given: pytest.fail('rendered'))
    assert list(changes(before, after)) == []


@pytest.mark.parametrize(
    ('name', 'message', 'lasting'),
    [
        pytest.param('Acme', '{{host.name}} {{#is_alert}}@a{{/is_alert}}', True, id='nothing'),
        pytest.param('Acme', '{{value}}', False, id='value'),
        pytest.param('Acme', '{{#is_match "value" "120"}}a{{/is_match}}', False, id='tested'),
        pytest.param('{{eval "value * 1.5"}}', '', False, id='calculated in the title'),
    ],
)
def test_texts_are_rendered_once_for_each_transition_unless_they_print_a_number(monkeypatch, name, message, lasting):
    calls = []
    render = messages.render
    monkeypatch.setattr(messages, 'render', lambda *given: calls.append(given) or render(*given))
    one = rehearsed('10x10 120x10 130x13 10x10', {'renotify_interval': 5}, name=name, message=message)
    (monitor,) = one.monitors
    found = [mail.message for mail in inbox(one)]
    edges = {one.delivery.edge for one in found}
    assert len(edges) < len(found) == 7
    assert len(calls) == (len(edges) if lasting else 7)
    assert len({one.delivery.instant for one in found}) == 7
    (due,) = monitor.notifications.values()
    assert [monitor.heading(('host:a',), each).title for each in due] == [one.title for one in found]


@pytest.mark.parametrize(
    'old, new, expected',
    [
        pytest.param([1000], [1000 + MAX_MOVE], [('moves', 1000, 1000 + MAX_MOVE)], id='later'),
        pytest.param([1000], [1000 - MAX_MOVE], [('moves', 1000, 1000 - MAX_MOVE)], id='earlier'),
        pytest.param([1000], [1001 + MAX_MOVE], [('goes', 1000, None), ('comes', 1001 + MAX_MOVE, None)], id='far'),
        pytest.param([1000], [], [('goes', 1000, None)], id='goes'),
        pytest.param([], [1000], [('comes', 1000, None)], id='comes'),
        pytest.param([1000], [1000], [], id='stays'),
        pytest.param([1000], [1100, 1050], [('moves', 1000, 1050), ('comes', 1100, None)], id='the-nearest'),
        pytest.param([1000, 1040], [1050], [('moves', 1000, 1050), ('goes', 1040, None)], id='one-for-one'),
        pytest.param([1000], [900, 1100], [('moves', 1000, 900), ('comes', 1100, None)], id='the-earlier-of-two'),
    ],
)
def test_a_distant_event_is_another_event(old, new, expected):
    found = changed(old, new)
    assert [(one.kind, one.at, one.to) for one in found] == expected
    assert {(one.monitor, one.group, one.event) for one in found} <= {('Acme', '*', 'OK -> Alert')}


def changed(*sides):
    """The changes between two sets of instants of one event."""
    old, new = map(set, sides)
    numbers = [np.array(sorted(one), dtype=np.int64) for one in (old - new, new - old)]
    return GroupChanges('Acme', '*', ['OK -> Alert'], [timing(*numbers, event=0, events=1)])


INSTANTS = st.sets(st.integers(0, 40).map(lambda number: number * 200))


@given(old=INSTANTS, new=INSTANTS)
def test_each_that_goes_moves_to_the_nearest_that_is_left(old, new):
    left, expected = sorted(new - old), []
    for at in sorted(old - new):
        to = min(left, key=lambda other: abs(other - at), default=None)
        if to is not None and abs(to - at) <= MAX_MOVE:
            left.remove(to)
            expected.append(('moves', at, to))
        else:
            expected.append(('goes', at, None))
    expected += [('comes', at, None) for at in left]
    assert [(one.kind, one.at, one.to) for one in changed(old, new)] == expected


def test_texts_of_many_groups_are_compared_up_to_a_limit(monkeypatch):
    one = {'metric': 'acme.q', 'type': 'gauge', 'interval': '60s', 'values': '10x10 120x20 10x10'}
    hosts = [{**one, 'tags': [f'host:{letter}']} for letter in 'abc']
    original = rehearsed('', {'renotify_interval': 1}, message='{{value}} @ops@example.com', series=hosts)
    (before,) = original.monitors
    after = before.reworded(original.scenario)
    compared = Counter()
    render = MonitorResult.message
    monkeypatch.setattr(MonitorResult, 'message', lambda *given: compared.update([given[1]]) or render(*given))
    [size] = {len(due) for due in before.notifications.values()}
    monkeypatch.setattr('ddassets.rehearsal.changes.MAX_TEXTS', size + 8)
    assert list(changes(before, after)) == []
    firsts = set(before.results['host:a',].first_of_each_kind)
    # A text is compared with its counterpart. The limit is reached in the second group.
    read = [range(size), firsts.union(range(8)), firsts]
    assert [*compared.values()] == [2 * len(rows) for rows in read]
    assert len({len(rows) for rows in read}) == 3


def test_another_event_at_the_same_time_is_not_a_move():
    # Two events: the instant times two, plus the event.
    gone, come = np.array([2000]), np.array([2 * 1060 + 1])
    parts = [timing(gone, come, event, events=2) for event in range(2)]
    found = GroupChanges('Acme', '*', ['Alert -> OK', 'OK -> Alert'], parts)
    assert [(one.kind, one.event, one.at) for one in found] == [
        ('goes', 'Alert -> OK', 1000),
        ('comes', 'OK -> Alert', 1060),
    ]
    all_of_them = Changes([changed([1060], []), found, changed([30], [])])
    assert [one.at for one in all_of_them] == [1060, 1000, 1060, 30] == [all_of_them[row].at for row in range(4)]
    assert [one.at for one in all_of_them.earliest(3)] == [30, 1000, 1060]
    assert len(all_of_them.of({'Other'})) == 0


@pytest.mark.parametrize(
    ('mode', 'shown'),
    [
        pytest.param('all', 'switched assumptions would change this', id='all'),
        pytest.param('auto', 'Not switched (--what-if all does)', id='auto'),
        pytest.param('off', None, id='off'),
    ],
)
def test_the_command_lists_the_choices_that_matter(tmp_path, capsys, mode, shown):
    path = tmp_path / 'rehearsals' / 'a.yaml'
    path.parent.mkdir()
    path.write_text(scenario('10x10 120x10 10x20', {}).text)
    assert main(['rehearse', '--what-if', mode, str(path)]) == 0
    out = ' '.join(capsys.readouterr().out.split())
    assert (shown in out) if shown else 'switched' not in out
    assert main(['rehearse', '--what-if', mode, '--format', 'json', str(path)]) == 0
    document = json.loads(capsys.readouterr().out)['rehearsals'][0]['what_if']
    assert bool(document['effects']) == (mode != 'off')
    assert {effect['assumption'] for effect in document['effects']} <= ASSUMPTIONS.keys()
