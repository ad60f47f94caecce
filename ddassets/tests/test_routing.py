"""Notification rules: the recipients that they add to a message."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets.assets.notification_rule import read_notification_rule
from ddassets.assets.source import Unplaced
from ddassets.cli import main
from ddassets.diagnostic import Severity
from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.message import Edge
from ddassets.engine.message.conditions import ALERT, NO_DATA, OK, WARN
from ddassets.engine.routing import may_route, route
from ddassets.language.notification_scope import ScopeFault, parse_notification_scope


def rule(name, where, *recipients, **more):
    key = 'scope' if isinstance(where, str) else 'tags'
    body = {'name': name, 'filter': {key: where}, **more}
    if recipients:
        body['recipients'] = [*recipients]
    return read_notification_rule(Unplaced(Path(f'{name}.json')), body)


HARBOR, KIOSK = 'team:harbor', 'service:kiosk'
RULES = [
    rule('1', [HARBOR, KIOSK], 'slack-one', 'jira-p'),
    rule('2', [HARBOR], 'jira-p'),
    rule('3', [KIOSK], 'jira-p'),
    rule('4', [KIOSK, 'env:prod'], 'u@x.example'),
    rule('5', [KIOSK, 'env:dev'], 'jira-p'),
]


@pytest.mark.rule('3.27')
@pytest.mark.parametrize(
    ('tags', 'expected'),
    [
        ([HARBOR, KIOSK], {'@slack-one': ('1',), '@jira-p': ('1', '2', '3')}),
        ([HARBOR], {'@jira-p': ('2',)}),
        ([KIOSK], {'@jira-p': ('3',)}),
        ([KIOSK, 'env:prod'], {'@jira-p': ('3',), '@u@x.example': ('4',)}),
        ([KIOSK, 'env:dev'], {'@jira-p': ('3', '5')}),
        ([HARBOR, KIOSK, 'env:prod'], {'@slack-one': ('1',), '@jira-p': ('1', '2', '3'), '@u@x.example': ('4',)}),
        (['team:other'], {}),
    ],
    ids=','.join,
)
def test_every_rule_that_matches_adds_its_recipients_once(tags, expected):
    assert route(RULES, tags, Edge(OK, ALERT)) == expected


@pytest.mark.parametrize(
    ('scope', 'holds', 'fails'),
    [
        ('service:kiosk AND NOT env:staging', ['service:kiosk', 'env:prod'], ['service:kiosk', 'env:staging']),
        ('env:*', ['env:dev'], ['team:harbor']),
        ('team:harbor AND NOT env:dev AND service:(a OR b)', ['team:harbor', 'service:b'], ['team:harbor']),
        ('team:harbor env:prod', ['team:harbor', 'env:prod'], ['team:harbor']),
        ('team:"data platform" OR env:prod', ['team:data platform'], ['team:data']),
        ('NOT (env:dev OR env:test)', ['env:prod'], ['env:test']),
        # Every value of a key counts: one on the monitor, one on the group.
        ('env:staging', ['env:prod', 'env:staging'], ['env:prod']),
        ('NOT env:staging', ['env:prod'], ['env:prod', 'env:staging']),
        ('a:1 OR b:1 AND c:1', ['a:1'], ['b:1']),
        ('team:harbor -env:dev', ['team:harbor'], ['team:harbor', 'env:dev']),
        ('team:harbor (env:dev OR env:test)', ['team:harbor', 'env:test'], ['team:harbor', 'env:prod']),
        ('NOT env:dev(team:harbor)', ['team:harbor'], ['env:prod']),
        ('-env:(dev OR test)', ['env:prod'], ['env:dev']),
        ('team:(a OR "b c") az:1', ['team:b c', 'az:1'], ['team:b c']),
    ],
)
def test_a_scope_is_matched_with_all_values_of_a_key(scope, holds, fails):
    parsed = parse_notification_scope(scope)
    assert (parsed.matches(holds), parsed.matches(fails)) == (True, False)


@pytest.mark.parametrize(
    ('scope', 'column', 'said'),
    [
        ('prod AND service:kiosk', 1, 'has no key'),
        ('service:kiosk AND prod', 19, 'has no key'),
        ('service:web-*', 1, 'a wildcard stands alone'),
        ('service:web?', 1, 'a wildcard stands alone'),
        ('service:', 1, 'has no value'),
        ('ser*:web', 1, "a key has no wildcard: write a whole key, not 'ser\\*'"),
        ('env:a AND *:*', 11, 'a key has no wildcard'),
        ('"service:web"', 1, 'quotation marks are only around a whole value'),
        ('env:a AND service:"we"b', 11, 'quotation marks are only around a whole value'),
        ('service:(web OR "a""b")', 17, 'quotation marks are only around a whole value'),
        (':(a OR b)', 1, 'has no key'),
        ('-:(a OR b)', 1, 'expected `key:'),
        ('service:a and env:b', 11, "'and' has no key: write AND as an operator"),
        ('service:a AND', 14, 'expected `key:value`.*, found the end'),
        ('(service:a', 11, 'expected .*a parenthesis, found the end'),
        ('service:a) OR env:b', 10, r"expected .*, found '\) OR env:b'"),
        ('', 1, 'expected'),
    ],
)
def test_what_a_scope_does_not_support_is_refused_at_its_column(scope, column, said):
    with pytest.raises(ScopeFault, match=f'^column {column}: .*{said}'):
        parse_notification_scope(scope)


@given(st.text(alphabet='ab:*?"() ANDORT-', max_size=20))
def test_any_scope_is_read_or_refused(text):
    try:
        parse_notification_scope(text).matches(['a:b'])
    except ScopeFault as fault:
        assert str(fault).startswith('column ')


CONDITIONAL = {
    'conditions': [
        {'scope': 'transition_type:is_alert', 'recipients': ['oncall-harbor']},
        {'scope': 'env:prod', 'recipients': ['slack-prod']},
    ],
    'fallback_recipients': ['slack-harbor'],
}


@pytest.mark.parametrize(
    ('tags', 'transition', 'expected'),
    [
        ([HARBOR], (OK, ALERT), ['@oncall-harbor']),
        ([HARBOR, 'env:prod'], (OK, ALERT), ['@oncall-harbor', '@slack-prod']),
        ([HARBOR, 'env:prod'], (OK, WARN), ['@slack-prod']),
        ([HARBOR], (OK, WARN), ['@slack-harbor']),
        ([HARBOR], (ALERT, OK), ['@slack-harbor']),
    ],
)
def test_the_fallback_is_notified_if_no_condition_holds(tags, transition, expected):
    told = route([rule('r', [HARBOR], conditional_recipients=CONDITIONAL)], tags, Edge(*transition))
    assert [*told] == expected


@pytest.mark.rule('A11', 'A12', 'A25')
@pytest.mark.parametrize(
    ('transition', 'flag', 'assumption'),
    [
        pytest.param((ALERT, WARN), 'is_warning', 'A11', id='A11'),
        pytest.param((NO_DATA, ALERT), 'is_no_data_recovery', 'A12', id='A12'),
        pytest.param((ALERT, ALERT), 'is_alert', 'A25', id='A25'),
    ],
)
def test_a_condition_on_a_doubtful_transition_relies_on_its_assumption(transition, flag, assumption):
    conditions = [{'scope': f'transition_type:{flag}', 'recipients': ['a']}]
    rules = [rule('r', [HARBOR], conditional_recipients={'conditions': conditions, 'fallback_recipients': ['b']})]
    usual = Assumptions()
    other = usual.switched(assumption, next(iter(ASSUMPTIONS[assumption].alternatives)))
    told = {*route(rules, [HARBOR], Edge(*transition), usual), *route(rules, [HARBOR], Edge(*transition), other)}
    assert told == {'@a', '@b'}
    assert usual.relied_on == other.relied_on == {assumption}
    certain = Assumptions()
    route(rules, ['team:other'], Edge(*transition), certain)
    route(rules, [HARBOR], Edge(OK, NO_DATA), certain)
    assert certain.relied_on == set()


def test_possible_recipients_are_known_without_the_values_of_groups():
    rules = [
        rule('r', [HARBOR, 'env:prod'], 'tags'),
        rule('s', ['team:other'], 'never'),
        rule('t', 'env:* AND team:harbor', 'any'),
        rule('u', 'team:other OR site:a', 'other'),
        rule('v', 'NOT env:dev', 'denied'),
        rule('w', 'env:(prod OR dev) AND NOT team:harbor', 'impossible'),
    ]
    assert may_route(rules, [HARBOR], {'env'}) == {'@tags', '@any', '@denied'}
    assert may_route(rules, [HARBOR], set()) == {'@denied'}
    # Another value of env does not undo the one that is denied.
    assert '@denied' not in may_route(rules, [HARBOR, 'env:dev'], {'env'})


@pytest.mark.parametrize(
    ('conditions', 'transition', 'told'),
    [
        pytest.param([('transition_type:is_alert', 'page')], (OK, ALERT), {'@page'}, id='the-transition-holds'),
        pytest.param([('transition_type:is_alert', 'page')], (OK, WARN), {'@fallback'}, id='and-does-not'),
        pytest.param([('env:prod', 'prod')], (OK, ALERT), {'@prod', '@fallback'}, id='a-value-that-is-not-known'),
        pytest.param(
            [('team:harbor', 'own'), ('env:prod', 'prod')], (OK, WARN), {'@own', '@prod'}, id='one-is-certain'
        ),
        pytest.param([('site:a', 'site')], (OK, ALERT), {'@fallback'}, id='a-key-that-no-group-has'),
    ],
)
def test_possible_recipients_of_a_transition(conditions, transition, told):
    conditional = {
        'conditions': [{'scope': scope, 'recipients': [name]} for scope, name in conditions],
        'fallback_recipients': ['fallback'],
    }
    rules = [rule('r', [HARBOR], conditional_recipients=conditional)]
    assert may_route(rules, [HARBOR], {'env'}, Edge(*transition)) == told


SCOPES = st.recursive(
    st.sampled_from(['a:1', 'a:2', 'b:1', 'a:*', 'b:*', '-a:1', 'a:(1 OR 3)', 'a:1 b:*']),
    lambda inner: st.one_of(
        inner.map('NOT {}'.format),
        st.tuples(inner, st.sampled_from([' AND ', ' OR ']), inner).map(lambda parts: f'({"".join(parts)})'),
    ),
    max_leaves=5,
)


@given(SCOPES, st.sets(st.sampled_from(['a:1', 'a:2', 'b:1'])), st.sampled_from(['1', '2', '3', '4']))
def test_scopes_with_open_keys_may_match(scope, tags, value):
    parsed = parse_notification_scope(scope)
    if parsed.matches([*tags, f'a:{value}']):
        assert parsed.matches(tags, {'a'})


def test_the_nesting_of_a_scope_is_limited():
    assert parse_notification_scope('(' * 50 + 'a:b' + ')' * 50).matches(['a:b'])
    for text in ('(' * 1400 + 'a:b' + ')' * 1400, 'NOT ' * 700 + 'a:b'):
        with pytest.raises(ScopeFault, match=r'^column \d+: more than 100 levels'):
            parse_notification_scope(text)


def test_a_transition_type_that_no_notification_has_is_a_warning():
    conditions = [{'scope': f'transition_type:{flag}', 'recipients': ['a']} for flag in ('is_alert', 'is_alrt')]
    found = rule('r', [HARBOR], conditional_recipients={'conditions': conditions})
    [warning] = found.diagnostics
    assert (warning.severity, warning.key) == (Severity.WARNING, 'conditional_recipients.conditions[1].scope')
    assert "no notification has the transition_type 'is_alrt'; did you mean is_alert?" in warning.message
    assert warning.hint.startswith('known: is_alert, is_alert_recovery')
    assert rule('r', [HARBOR], conditional_recipients={'conditions': conditions[:1]}).diagnostics == ()


@pytest.mark.parametrize(
    ('body', 'said'),
    [
        ({'recipients': ['@a']}, 'without the leading @'),
        ({'recipients': []}, 'recipients'),
        ({}, 'recipients or conditional_recipients'),
        ({'recipients': ['a'], 'conditional_recipients': CONDITIONAL}, 'excludes conditional_recipients'),
        ({'recipients': ['a'], 'filter': {}}, 'tags or scope'),
        ({'recipients': ['a'], 'filter': {'tags': ['a:b'], 'scope': 'a:b'}}, 'excludes scope'),
        ({'recipients': ['a'], 'name': ''}, 'name'),
        ({'conditional_recipients': {'conditions': [{'scope': 'is_alert', 'recipients': ['a']}]}}, 'one term'),
        ({'conditional_recipients': {'conditions': [{'scope': 'env:p*', 'recipients': ['a']}]}}, 'one whole tag'),
    ],
)
def test_a_rule_that_the_api_refuses_is_an_error(body, said):
    found = read_notification_rule(Unplaced(Path('r.json')), {'name': 'r', 'filter': {'tags': ['a:b']}, **body})
    assert any(said in f'{one.key} {one.message} {one.hint}' for one in found.diagnostics), found.diagnostics


RULE = {'name': 'r', 'filter': {'tags': ['a:b']}, 'recipients': ['a']}
TYPE = {'type': 'monitor-notification-rule'}
WRONG_TYPE = "type: expected 'monitor-notification-rule', found"
NO_OBJECT = 'attributes: expected an object, found'


@pytest.mark.parametrize(
    ('body', 'expected'),
    [
        pytest.param(RULE, [], id='attributes'),
        pytest.param({'data': {**TYPE, 'attributes': RULE}}, [], id='request'),
        pytest.param({**TYPE, 'id': 'x', 'attributes': RULE}, [], id='element-of-an-answer'),
        pytest.param(
            {'data': {'type': 'downtime', 'attributes': RULE}},
            [('notification-rule/invalid', 'data.type', f"data.{WRONG_TYPE} 'downtime'")],
            id='another-type',
        ),
        pytest.param({'attributes': RULE}, [('notification-rule/invalid', 'type', f'{WRONG_TYPE} null')], id='no-type'),
        pytest.param(
            {'data': {**TYPE, **RULE}},
            [('file/shape', 'data.attributes', f'data.{NO_OBJECT} null')],
            id='without-attributes',
        ),
        pytest.param(
            {'data': [{**TYPE, 'attributes': RULE}]},
            [('file/shape', 'data', 'data: expected an object, found a list of 1')],
            id='an-answer',
        ),
        pytest.param({**TYPE, 'attributes': 1}, [('file/shape', 'attributes', f'{NO_OBJECT} 1')], id='a-number'),
        pytest.param(
            {'data': {**TYPE, 'attributes': {**RULE, 'name': ''}}},
            [('file/missing-key', 'name', 'name is missing; expected a name of at most 1000 characters')],
            id='a-fault-of-the-attributes',
        ),
    ],
)
def test_the_request_around_a_rule(body, expected):
    found = read_notification_rule(Unplaced(Path('r.json')), body)
    assert [(one.code, one.key, one.message) for one in found.diagnostics] == expected


@pytest.fixture
def folder(tmp_path):
    monitor = {
        'name': 'Lag',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:acme.lag{*} by {env} > 9',
        'tags': [HARBOR],
        'message': 'Lag. @ops@x.example',
        'options': {'thresholds': {'critical': 9, 'warning': 5}, 'new_group_delay': 0},
    }
    rules = {'r1': {'name': 'r1', 'filter': {'tags': [HARBOR, 'env:prod']}, 'conditional_recipients': CONDITIONAL}}
    for kind, assets in (('monitors', {'lag': monitor}), ('notification_rules', rules)):
        (tmp_path / 'assets' / kind).mkdir(parents=True)
        for name, body in assets.items():
            (tmp_path / 'assets' / kind / f'{name}.json').write_text(json.dumps(body))
    values = '1x10 7x10 20x10 1x10'
    series = [
        {'metric': 'acme.lag', 'type': 'gauge', 'interval': '60s', 'tags': [f'env:{env}'], 'values': values}
        for env in ('prod', 'dev')
    ]
    (tmp_path / 'rehearsals').mkdir()
    scenario = {'start': '2027-01-05T10:00:00Z', 'length': '40m', 'series': series}
    (tmp_path / 'rehearsals' / 'a.yaml').write_text(json.dumps(scenario))
    return tmp_path


def inbox(folder, capsys, **scenario):
    path = folder / 'rehearsals' / 'a.yaml'
    path.write_text(json.dumps({**json.loads(path.read_text()), **scenario}))
    assert main(['rehearse', '--format', 'json', str(folder)]) == 0, capsys.readouterr()
    (answer,) = json.loads(capsys.readouterr().out)['rehearsals']
    return [(mail['group'], mail['to'], mail['recipients'], mail['routes']) for mail in answer['inbox']]


def test_the_inbox_names_the_rule_that_notifies(folder, capsys):
    own = '@ops@x.example'
    prod = [mail[1:] for mail in inbox(folder, capsys) if mail[0] == 'env:prod']
    assert prod == [
        ('Warn', [own, '@slack-prod'], {'@slack-prod': ['r1']}),
        ('Alert', [own, '@oncall-harbor', '@slack-prod'], {'@oncall-harbor': ['r1'], '@slack-prod': ['r1']}),
        ('Warn', [own, '@slack-prod'], {'@slack-prod': ['r1']}),
        ('OK', [own, '@slack-prod'], {'@slack-prod': ['r1']}),
    ]
    assert {(*mail[2],) for mail in inbox(folder, capsys) if mail[0] == 'env:dev'} == {(own,)}


def test_a_scenario_may_leave_the_rules_out_or_bring_its_own(folder, capsys):
    usual = inbox(folder, capsys)
    without = inbox(folder, capsys, notification_rules=[])
    assert [mail[:2] for mail in without] == [mail[:2] for mail in usual] != []
    assert {(*mail[2], *mail[3]) for mail in without} == {('@ops@x.example',)}
    given_rule = {'name': 'mine', 'filter': {'scope': 'env:dev'}, 'recipients': ['me']}
    told = inbox(folder, capsys, notification_rules=[given_rule])
    assert {mail[0] for mail in told if '@me' in mail[3]} == {'env:dev'}


def test_the_terminal_names_the_rule(folder, capsys):
    main(['rehearse', str(folder)])
    assert '@oncall-harbor (rule r1)' in ' '.join(capsys.readouterr().out.split())
