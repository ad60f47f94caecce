"""Notifications, rule by rule: transitions, silence, renotification and downtimes."""

from dataclasses import replace

import pytest
from citing import rule
from small import START, read, run

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.notification import Mute, notifications
from ddassets.engine.state import State

KINDS = {'alert': 'A', 'warn': 'W', 'no data': 'N', 'recovery': 'R'}
REASONS = {'transition': '', 'renotify': '+', 'downtime end': '!'}
INFINITE = float('inf')


def inbox(options, points, mutes=(), choices=None, assumptions=None, minutes=None, **keys) -> str:
    """Return due notifications, such as `A1 A3+ (R5)`: kind and minute, + renotified, ! at the end of a downtime, in ()
    muted.
    """
    query = 'avg(last_1m):avg:m{*} > 80'
    timeline = run(query, {'m': points}, options, minutes, choices, **keys)
    line = timeline.groups[()]
    due = notifications(read(query, options, **keys), line, mutes, assumptions or Assumptions(choices))
    assert [one.instant for one in due] == sorted(one.instant for one in due)
    texts = [f'{KINDS[one.kind]}{(one.instant - START) // 60}{REASONS[one.reason]}' for one in due]
    return ' '.join(text if one.sent else f'({text})' for text, one in zip(texts, due, strict=True))


def mute(start, end, name='d', first=False, states=()):
    return Mute(START + 60 * start, START + 60 * end, name, first, frozenset(states))


WARNING = {'thresholds': {'critical': 80, 'warning': 60}}
SHOW, TELL = {'on_missing_data': 'show_no_data'}, {'on_missing_data': 'show_and_notify_no_data'}


@pytest.mark.parametrize(
    'options, points, expected',
    [
        pytest.param(WARNING, '1 61 81 81 61 1 1 81', 'W1 A2 W4 R5 A7', id='transitions', marks=rule('2.20', '3.8')),
        pytest.param({}, '81 1', 'A0 R1', id='born in trouble', marks=rule('3.8')),
        pytest.param({}, '1 1', '', id='born well', marks=rule('3.7', '3.8')),
        pytest.param(TELL, '1 _ 1 _ 81 1', 'N1 R2 N3 A4 R5', id='No Data told', marks=rule('3.15')),
        pytest.param(SHOW, '1 _ 1', '', id='No Data shown', marks=rule('3.15', '3.18', 'A8')),
        pytest.param(SHOW, '81 _ 1 _ 1', 'A0 R2', id='a trigger is resolved once', marks=rule('3.18', 'A8')),
        pytest.param({'timeout_h': 0.033334}, '81 _ _ _ 81', 'A0 R3 A4', id='timeout tells', marks=rule('3.19')),
        pytest.param({}, '81 _x3 1', 'A0 R4', id='skipped evaluations tell nothing', marks=rule('3.9')),
    ],
)
def test_transitions(options, points, expected):
    assert inbox(options, points) == expected


@pytest.mark.rule('3.18', 'A8')
@pytest.mark.parametrize('choice, expected', [('always', 'R2 A3 R5'), ('never', 'A3'), ('after a trigger', 'A3 R5')])
def test_recovery_after_a_silent_no_data(choice, expected):
    assert inbox(SHOW, '1 _ 1 81 _ 1', choices={'A8': choice}) == expected
    assert 'A8' in run('avg(last_1m):avg:m{*} > 80', {'m': '1 _ 1'}, SHOW).relied_on


@pytest.mark.rule('2.23')
def test_a_draft_does_not_notify():
    mutes = [mute(0, 2, states=[State.ALERT])]
    assert inbox({'renotify_interval': 1}, '81x9', mutes, draft_status='draft') == ''
    assert inbox({'renotify_interval': 4}, '81x9', mutes, draft_status='published') == '(A0) A2! A6+'


@pytest.mark.rule('3.25', '3.26')
@pytest.mark.parametrize('option', [{'notify_audit': True}, {'notification_preset_name': 'hide_all'}])
def test_options_without_effect(option):
    assert inbox(option, '1 81 1') == inbox({}, '1 81 1') == 'A1 R2'


@pytest.mark.rule('3.20')
def test_a_dropped_group_does_not_notify():
    query = 'avg(last_1m):avg:m{*} by {host} > 80'
    timeline = run(query, {'m{host:a}': '81x3'}, {'renotify_interval': 700}, 2000)
    due = notifications(read(query, {'renotify_interval': 700}), timeline.groups['host:a',])
    assert [(one.kind, (one.instant - START) // 60) for one in due] == [('alert', 1), ('alert', 701), ('alert', 1401)]


AGAIN = {'renotify_interval': 2}


@pytest.mark.parametrize(
    'options, points, expected',
    [
        pytest.param(AGAIN, '81x6 1 1 1', 'A0 A2+ A4+ R6', id='while it lasts', marks=rule('3.21')),
        pytest.param({**AGAIN, **WARNING}, '61x4 81x4', 'W0 A4 A6+', id='Warn only if listed', marks=rule('3.21')),
        pytest.param(
            {**AGAIN, **WARNING, 'renotify_statuses': ['warn']},
            '61x4 81x4',
            'W0 W2+ A4',
            id='listed',
            marks=rule('3.21'),
        ),
        pytest.param({**AGAIN, **SHOW}, '1 _x5 1', '', id='not if silent', marks=rule('3.15', '3.21')),
        pytest.param(
            {**AGAIN, 'renotify_occurrences': 1},
            '81x6 1 81x4',
            'A0 A2+ R6 A7 A9+',
            id='occurrences',
            marks=rule('3.21', '3.22', 'A10'),
        ),
        pytest.param({**AGAIN, 'renotify_interval': 0}, '81x6', 'A0', id='off', marks=rule('3.21')),
    ],
)
def test_renotification(options, points, expected):
    assert inbox(options, points) == expected


@pytest.mark.rule('3.21')
def test_no_data_is_renotified_if_it_notifies():
    assert inbox({**AGAIN, **TELL}, '1', minutes=5) == 'N1 N3+ N5+'


TROUBLE = '1 81 81 81 81 81 81 81'


@pytest.mark.rule('5.7', '5.20', '5.21', 'A90')
@pytest.mark.parametrize(
    'mutes, usual, told',
    [
        pytest.param([mute(1, 3), mute(3, 5)], '(A1) A5!', '(A1) A3! A5!', id='touching occurrences'),
        pytest.param([mute(1, 3), mute(4, 6)], '(A1) A3! A6!', '(A1) A3! A6!', id='apart'),
        pytest.param([mute(1, 3), mute(3, 5, 'e')], '(A1) A5!', '(A1) A5!', id='two downtimes'),
        pytest.param([mute(1, 3), mute(3, 5), mute(2, 4, 'e')], '(A1) A5!', '(A1) A5!', id='another one over the end'),
    ],
)
def test_the_end_of_an_occurrence_that_touches_the_next(mutes, usual, told):
    mutes = [replace(one, end_states=frozenset({State.ALERT})) for one in mutes]
    assumptions = Assumptions()
    assert inbox({}, TROUBLE, mutes, assumptions=assumptions) == usual
    assert ('A90' in assumptions.relied_on) == (usual != told)
    assert inbox({}, TROUBLE, mutes, assumptions=Assumptions({'A90': 'yes'})) == told


@pytest.mark.rule('3.22', 'A10')
@pytest.mark.parametrize('choice, expected', [('reset, no cap', 'W0 W2+ A4 A6+'), ('keep, no cap', 'W0 W2+ A4')])
def test_the_count_of_renotifications(choice, expected):
    options = {**AGAIN, **WARNING, 'renotify_statuses': ['warn', 'alert'], 'renotify_occurrences': 1}
    assumptions = Assumptions({'A10': choice})
    assert inbox(options, '61x4 81x5', assumptions=assumptions) == expected
    assert 'A10' in assumptions.relied_on


@pytest.mark.rule('3.21', 'A10')
def test_the_older_cap():
    options = {'renotify_interval': 600}
    assumptions = Assumptions()
    assert inbox(options, '81x2500', choices={'A10': 'reset, cap'}) == 'A0 A600+ A1200+ A1800+'
    assert inbox(options, '81x2500', assumptions=assumptions) == 'A0 A600+ A1200+ A1800+ A2400+'
    assert 'A10' in assumptions.relied_on


@pytest.mark.parametrize(
    'mutes, points, expected',
    [
        pytest.param(
            [mute(1, 3)], '1 81 81 81 1', '(A1) R4', id='silent inside, recovery told after', marks=rule('5.16', '5.19')
        ),
        pytest.param([mute(1, 3)], '1 1 1 81', 'A3', id='not at its end', marks=rule('5.11')),
        pytest.param([mute(2, 9)], '1 81 81 1 81 1', 'A1 R3 (A4) (R5)', id='first recovery alone', marks=rule('5.17')),
        pytest.param([mute(1, 9)], '1 81 81 1', '(A1) (R3)', id='trouble that began inside', marks=rule('5.17')),
        pytest.param([mute(2, 9, first=True)], '1 81 81 1', 'A1 (R3)', id='first recovery muted', marks=rule('5.17')),
        pytest.param(
            [mute(2, 9), mute(3, 5, 'e', first=True)], '1 81 81 81 1', 'A1 (R4)', id='by any', marks=rule('5.17')
        ),
        pytest.param(
            [mute(1, 3, states=[State.ALERT])],
            '1 81 81 81 81 1',
            '(A1) A3! R5',
            id='told at the end',
            marks=rule('5.18'),
        ),
        pytest.param(
            [mute(2, 4, states=[State.ALERT])],
            '1 81 81 81 81 1',
            'A1 A4! R5',
            id='though it was told before',
            marks=rule('5.18'),
        ),
        pytest.param(
            [mute(1, 3, states=[State.WARN])], '1 81 81 81 1', '(A1) R4', id='not this state', marks=rule('5.18')
        ),
        pytest.param(
            [mute(1, 3, states=[State.ALERT])], '1 81 1 1 1', '(A1) (R2)', id='over before', marks=rule('5.18')
        ),
        pytest.param(
            [mute(1, 3, states=[State.ALERT]), mute(2, 5, 'e', states=[State.ALERT])],
            '1 81x6',
            '(A1) A5!',
            id='the last end tells',
            marks=rule('5.21'),
        ),
        pytest.param(
            [mute(1, 3, states=[State.ALERT]), mute(3, 5, 'e')],
            '1 81x6',
            '(A1)',
            id='by its own states',
            marks=rule('5.21'),
        ),
        pytest.param(
            [mute(2, 2, states=[State.ALERT])], '1 81x4', 'A1', id='an empty one has no end', marks=rule('5.11', '5.18')
        ),
        pytest.param([mute(-INFINITE, INFINITE)], '1 81 1', '(A1) (R2)', id='for ever', marks=rule('5.3', '5.16')),
    ],
)
def test_downtimes(mutes, points, expected):
    assert inbox({}, points, mutes) == expected


@pytest.mark.rule('5.16', '3.21', 'A23')
@pytest.mark.parametrize(
    'choice, states, expected',
    [
        pytest.param('next in its rhythm', (), 'A1 (A3+) (A5+) A7+', id='in its rhythm'),
        pytest.param('at the end', (), 'A1 A6+ A8+', id='at the end'),
        pytest.param('next in its rhythm', [State.ALERT], 'A1 (A3+) (A5+) A6! A8+', id='after what the end tells'),
        pytest.param('at the end', [State.ALERT], 'A1 A6! A8+', id='at the end: told already'),
    ],
)
def test_renotification_in_a_downtime(choice, states, expected):
    assumptions = Assumptions({'A23': choice})
    found = inbox(AGAIN, '1 81x8', [mute(2, 6, states=states)], assumptions=assumptions)
    assert found == expected
    assert 'A23' in assumptions.relied_on


@pytest.mark.rule('5.16', '3.21')
def test_a_muted_renotification_does_not_count():
    assert inbox({**AGAIN, 'renotify_occurrences': 1}, '1 81x10', [mute(2, 6)]) == 'A1 (A3+) (A5+) A7+'


@pytest.mark.rule('3.18', '3.20', 'A8')
@pytest.mark.parametrize('minutes, told', [(1500, False), (600, True)], ids=['forgotten', 'the same'])
def test_a_new_group_needs_no_recovery(minutes, told):
    query = 'avg(last_1m):avg:m{*} by {host} > 80'
    points = [(0, 81), (60, 81), *((60 * (minutes + minute), 1) for minute in (0, 1, 2, 5))]
    timeline = run(query, {'m{host:a}': points}, SHOW)
    assert [str(one.target) for one in timeline.groups['host:a',].transitions if one.notify] == ['Alert', 'OK'][
        : 1 + told
    ]
