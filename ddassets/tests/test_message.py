"""Reading and rendering messages, rule by rule."""

import pytest

from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.message import (
    FLAGS,
    TRANSITIONS,
    Context,
    Edge,
    Host,
    MessageSyntaxError,
    conditions,
    parse,
    render,
    render_title,
)
from ddassets.engine.message.conditions import ALERT, CHECK_TRANSITIONS, NO_DATA, OK, STATES, WARN
from ddassets.engine.state import State
from ddassets.language.message.expression import ExpressionError, parse_expression

FIRST = 1_798_797_600  # 2027-01-01T10:00:00Z


def context(before=OK, after=ALERT, **more):
    given = {
        'values': {'value': 812.5, 'threshold': 800.0, 'comparator': '>', 'warn_threshold': None},
        'tags': {'host': ['h1'], 'env': ['prod', 'blue'], 'a.b': ['dotted'], 'note': ['<b>'], 'empty': []},
        'host': Host(ip='10.0.0.1', tags={'role': ['web'], 'env': ['shadowed']}, metadata={'machine': 'x86_64'}),
        'entities': {
            'service': {'team': 'core', 'links': {'Run book': 'https://x', 'Code': 'https://y'}},
            'kube_namespace': {'owner': 'shop'},
        },
        'priority': 3,
        'now': FIRST + 90.7,
        'first_triggered_at': FIRST,
        'last_triggered_at': FIRST + 60,
    }
    given['assumptions'] = Assumptions(more.pop('choices', None))
    return Context(Edge(before, after), **{**given, **more})


def text(message, *transition, **more):
    return render(parse(message), context(*transition, **more)).text


# The truth table

EVERY = {
    (OK, ALERT): {'is_alert'},
    (WARN, ALERT): {'is_alert'},
    (OK, WARN): {'is_warning'},
    (ALERT, WARN): {'is_alert_to_warning', 'is_warning'},
    (OK, NO_DATA): {'is_no_data'},
    (WARN, NO_DATA): {'is_no_data'},
    (ALERT, NO_DATA): {'is_no_data'},
    (ALERT, OK): {'is_recovery', 'is_alert_recovery'},
    (WARN, OK): {'is_recovery', 'is_warning_recovery'},
    (NO_DATA, OK): {'is_recovery', 'is_no_data_recovery'},
    (NO_DATA, ALERT): {'is_alert'},
    (NO_DATA, WARN): {'is_warning'},
    (ALERT, ALERT): {'is_renotify', 'is_alert'},
    (WARN, WARN): {'is_renotify', 'is_warning'},
    (NO_DATA, NO_DATA): {'is_renotify', 'is_no_data'},
}


@pytest.mark.rule('4.2', '4.3')
def test_the_truth_table():
    assert {tuple(transition): set(flags) for transition, flags in TRANSITIONS.items()} == EVERY
    assert conditions(Edge(OK, OK)) == frozenset()


def other_choice(assumption):
    (other,) = ASSUMPTIONS[assumption].alternatives
    return other


@pytest.mark.rule('4.3', 'A11', 'A12', 'A25')
@pytest.mark.parametrize(
    'transition, flag, assumption',
    [
        pytest.param((ALERT, WARN), 'is_warning', 'A11', id='A11 ALERT to WARN is a warning'),
        pytest.param((NO_DATA, ALERT), 'is_no_data_recovery', 'A12', id='A12 NO DATA to ALERT is no recovery'),
        pytest.param((NO_DATA, WARN), 'is_no_data_recovery', 'A12', id='A12 NO DATA to WARN is no recovery'),
        pytest.param((ALERT, ALERT), 'is_alert', 'A25', id='A25 a renotification keeps the state'),
    ],
)
def test_an_assumed_cell_is_named_and_can_be_switched(transition, flag, assumption):
    template = parse(f'{{{{#{flag}}}}}yes{{{{else}}}}no{{{{/{flag}}}}}')
    usual, other = (
        render(template, context(*transition, choices=choices))
        for choices in ({}, {assumption: other_choice(assumption)})
    )
    assert {usual.text, other.text} == {'yes', 'no'}
    assert (usual.text == 'yes') == (flag in EVERY[transition])
    assert assumption in usual.assumptions
    assert assumption not in render(parse('no conditional'), context(*transition)).assumptions


@pytest.mark.rule('4.3')
def test_the_first_transition_of_a_group_is_from_ok():
    assert text('{{#is_alert}}a{{/is_alert}}{{#is_recovery}}b{{/is_recovery}}', State.ABSENT, ALERT) == 'a'


@pytest.mark.rule('14.10')
def test_only_checks_enter_and_leave_unknown():
    more = {edge: flags for edge, flags in CHECK_TRANSITIONS.items() if edge not in TRANSITIONS}
    entered = {(state, State.UNKNOWN): {'is_unknown'} for state in STATES}
    left = {
        (State.UNKNOWN, State.OK): {'is_recovery'},
        (State.UNKNOWN, WARN): {'is_warning'},
        (State.UNKNOWN, ALERT): {'is_alert'},
        (State.UNKNOWN, NO_DATA): {'is_no_data'},
    }
    again = {(State.UNKNOWN, State.UNKNOWN): {'is_unknown', 'is_renotify'}}
    assert {tuple(edge): set(flags) for edge, flags in more.items()} == entered | left | again


@pytest.mark.rule('4.2', '4.4')
@pytest.mark.parametrize('flag', sorted(FLAGS))
@pytest.mark.parametrize('before', STATES)
@pytest.mark.parametrize('after', STATES)
def test_a_block_holds_on_its_transitions_and_its_inverse_on_the_others(flag, before, after):
    expected = 'outside in' if flag in EVERY.get((before, after), ()) else 'outside not'
    assert text(f'outside {{{{#{flag}}}}}in{{{{/{flag}}}}}{{{{^{flag}}}}}not{{{{/{flag}}}}}', before, after) == expected


# What is printed


@pytest.mark.rule('4.1', '4.5', '4.6', '4.7', '4.8', '4.9', '4.10', 'A16', 'V14', 'V57')
@pytest.mark.parametrize(
    'message, expected',
    [
        pytest.param('plain } }} { text', 'plain } }} { text', id='4.1 text'),
        pytest.param('a{{!-- {{b}} --}}c{{! d }}e', 'ace', id='4.1 comments'),
        pytest.param('{{!-- a }}b{{!-- c --}}d', 'bd', id='4.1 both ends of a comment'),
        pytest.param('a{{!-- }}{{value}}', 'a812.5', id='4.1 empty comment'),
        pytest.param('{{{{raw}}}}{{value}}{{{{/raw}}}}', '{{value}}', id='4.1 raw'),
        pytest.param(
            '{{{{is_match "host.name" "h"}}}}{{ .x }}{{{{/is_match}}}}!', '{{ .x }}!', id='4.1 raw conditional holds'
        ),
        pytest.param('{{{{is_match "host.name" "z"}}}}{{x}}{{{{/is_match}}}}!', '!', id='4.1 raw conditional fails'),
        pytest.param('{{{{is_alert}}}}{{#x}}{{{{/is_alert}}}}', '{{#x}}', id='4.1 raw conditional of a state'),
        pytest.param('{{{{raw}}}}{{{{/raw}}}}', '', id='4.1 empty raw'),
        pytest.param('{{note.name}} {{{note.name}}}', '&lt;b&gt; <b>', id='4.1 escaped and not'),
        pytest.param('{{ comparator }}', '&gt;', id='4.1 spaces'),
        pytest.param('{{#is_match "env.name" "x"}}a{{else}}b{{/is_match}}', 'b', id='4.1 else'),
        pytest.param('{{#is_alert}}a{{#is_recovery}}b{{/is_recovery}}c{{/is_alert}}', 'ac', id='4.1 nested'),
        pytest.param(
            "{{#is_priority 'P3'}}a{{/is_priority}}{{#is_priority 'P1'}}b{{/is_priority}}", 'a', id='4.2 priority'
        ),
        pytest.param('{{#is_match "env.name" "lue"}}a{{/is_match}}', 'a', id='4.5 substring'),
        pytest.param('{{#is_match "env.name" "x" "prod"}}a{{/is_match}}', 'a', id='4.5 any of'),
        pytest.param('{{#is_match "env" "prod"}}a{{/is_match}}', 'a', id='4.5 bare key'),
        pytest.param('{{#is_match "a.b.name" "dot"}}a{{/is_match}}', 'a', id='4.5 dotted key in quotes'),
        pytest.param('{{#is_match "[a.b].name" "dot"}}a{{/is_match}}', 'a', id='4.5 dotted key in brackets'),
        pytest.param('{{#is_match "value" "12.5"}}a{{/is_match}}', 'a', id='4.5 number as text'),
        pytest.param('{{#is_match "env.name" ""}}a{{/is_match}}', 'a', id='4.5 not empty'),
        pytest.param('{{#is_match "team.name" ""}}a{{/is_match}}', '', id='4.5 empty'),
        pytest.param('{{^is_match "env.name" "x"}}a{{/is_match}}', 'a', id='4.5 inverse'),
        pytest.param('{{#is_exact_match "role.name" "web"}}a{{/is_exact_match}}', 'a', id='4.5 exact'),
        pytest.param('{{#is_exact_match "role.name" "we"}}a{{/is_exact_match}}', '', id='4.5 not exact'),
        pytest.param('{{#is_exact_match "value" "812.50"}}a{{/is_exact_match}}', 'a', id='4.5 by value'),
        pytest.param('{{#is_exact_match "team.name" ""}}a{{/is_exact_match}}', 'a', id='4.5 exactly nothing'),
        pytest.param('{{#is_exact_match "warn_threshold" ""}}a{{/is_exact_match}}', 'a', id='4.5 not set'),
        pytest.param('{{value}} {{threshold}}', '812.5 800.0', id='4.6 A16 floats'),
        pytest.param('[{{warn_threshold}}]', '[]', id='4.6 not there'),
        pytest.param('{{first_triggered_at}}', '2027-01-01T10:00:00+00:00', id='4.7 first'),
        pytest.param('{{first_triggered_at_epoch}}', '1798797600000', id='4.7 milliseconds'),
        pytest.param('{{last_triggered_at_epoch}}', '1798797660000', id='4.7 last'),
        pytest.param('{{triggered_duration_sec}}', '90', id='4.7 duration'),
        pytest.param('{{host.name}} {{env.name}}', 'h1 blue,prod', id='4.8 several values in order'),
        pytest.param('{{[a.b].name}}', 'dotted', id='4.8 dotted key'),
        pytest.param('[{{a.b.name}}]', '[]', id='4.8 dotted key without brackets'),
        pytest.param('[{{team.name}}{{env}}]', '[]', id='4.8 unknown'),
        pytest.param('{{host.ip}} {{role.name}}', '10.0.0.1 web', id='4.9 ip and host tag'),
        pytest.param('{{host.role.name}} {{host.role}}', 'web web', id='4.9 spellings of a host tag'),
        pytest.param('{{#is_match "host.role.name" "we"}}a{{/is_match}}', 'a', id='4.9 host tag in quotes'),
        pytest.param('{{#is_match "host.role" "we"}}a{{/is_match}}', 'a', id='4.9 host tag in quotes without name'),
        pytest.param('{{host.env.name}} {{env.name}}', 'shadowed blue,prod', id='4.9 tag of the host, of the group'),
        pytest.param('[{{host.team.name}}]', '[]', id='4.9 a tag that the host does not have'),
        pytest.param('{{service.team}} {{service.links[Run book]}}', 'core https://x', id='4.9 service'),
        pytest.param('{{service.links}}', 'https://x,https://y', id='4.9 every link'),
        pytest.param('{{kube_namespace.owner}}[{{pod_name.owner}}]', 'shop[]', id='4.9 namespace, no pod'),
        pytest.param('{{#is_match "service.team" "core"}}a{{/is_match}}', 'a', id='4.9 service in quotes'),
        pytest.param('{{urlencode "service.links[Run book]"}}', 'https%3A%2F%2Fx', id='4.9 link in quotes'),
        pytest.param(
            '{{#is_exact_match (eval "int(last_triggered_at_epoch / 3600000 % 24)") "9" "10"}}day{{/is_exact_match}}',
            'day',
            id='4.5 expression as operand',
        ),
        pytest.param('{{#is_match (eval "upper(host.name)") "H"}}a{{/is_match}}', 'a', id='4.5 text as operand'),
        pytest.param('{{#is_match (eval "1/0") "1"}}a{{else}}b{{/is_match}}', 'b', id='4.5 operand without a value'),
        pytest.param('{{eval "last_triggered_at_epoch-15*60*1000"}}', '1798796760000', id='4.6 an integer stays one'),
        pytest.param('{{eval "upper(host.name)"}}-{{eval "dec(value)"}}', 'H1-0.5', id='4.10 text and decimals'),
        pytest.param('{{host.metadata_machine}}[{{host.metadata_x}}]', 'x86_64[]', id='4.9 metadata'),
        pytest.param('{{eval "value - 12.5"}}', '800.0', id='4.10 eval'),
        pytest.param('{{eval "int(value / 100)"}}', '8', id='4.10 eval, a function'),
        pytest.param(
            "{{local_time 'last_triggered_at' 'Asia/Kathmandu'}}", '2027-01-01 15:46:00+05:45', id='4.10 time'
        ),
        pytest.param('{{urlencode "note.name"}}', '%3Cb%3E', id='4.10 urlencode'),
    ],
)
def test_prints(message, expected):
    assert text(message) == expected


@pytest.mark.rule('4.5', 'V14')
@pytest.mark.parametrize('value, expected', [(5.0, 'a'), (5, 'a'), (5.1, ''), ('5', 'a'), ('5.0', '')])
def test_exact_match_compares_numbers_by_value(value, expected):
    assert text('{{#is_exact_match "value" "5"}}a{{/is_exact_match}}', values={'value': value}) == expected


@pytest.mark.rule('4.6', 'A16')
@pytest.mark.parametrize(
    'value, expected, raw',
    [
        pytest.param(63.002114, '63.002', '63.002114', id='three decimals'),
        pytest.param(93.0016, '93.002', '93.0016', id='rounded'),
        pytest.param(60.0, '60.0', '60.0', id='one decimal stays'),
        pytest.param(0.0004, '0.0', '0.0004', id='less than three decimals show'),
        pytest.param(12796.6666, '12796.667', '12796.6666', id='large'),
        pytest.param(None, '', '', id='no value'),
    ],
)
def test_only_the_value_is_rounded_to_three_decimals(value, expected, raw):
    given = {'values': {'value': value, 'threshold': 0.00049}}
    assert text('{{value}} of {{threshold}}', **given) == f'{expected} of 0.00049'
    assert text('{{value}} of {{threshold}}', **given, choices={'A16': 'raw'}) == f'{raw} of 0.00049'


@pytest.mark.rule('4.9')
def test_without_a_trigger_by_host_there_is_no_host():
    rendered = render(parse('[{{host.ip}}{{role.name}}{{host.metadata_machine}}]'), context(host=None))
    assert rendered.text == '[]'
    assert [problem.offset for problem in rendered.problems] == [1, 12, 25]
    assert rendered.problems[0].message == 'host.ip does not exist for this group'


@pytest.mark.rule('4.10')
def test_override_priority():
    assert render(parse("{{#is_alert}}{{override_priority 'P1'}}{{/is_alert}}x"), context()).priority == 1
    assert render(parse("{{#is_alert}}{{override_priority 'P1'}}{{/is_alert}}x"), context(ALERT, OK)).priority == 3


@pytest.mark.rule('4.1', '4.5', '4.6', '4.10', '4.12', 'A16', 'A27', 'A29', 'A31', 'A32', 'A87', 'A93')
@pytest.mark.parametrize(
    'message, expected',
    [
        pytest.param('text @team-x', [], id='nothing assumed'),
        pytest.param('{{host.name}} {{env.name}}', [], id='tags are as they are'),
        pytest.param('{{value}}', ['A16'], id='A16 float'),
        pytest.param('{{first_triggered_at}}', ['A16'], id='A16 time'),
        pytest.param('{{eval "1 + 2"}}', ['A16'], id='A16 result'),
        pytest.param('{{#is_exact_match "value" "1"}}{{/is_exact_match}}', [], id='A16 by value'),
        pytest.param('{{#is_alert}}a{{else}}b{{/is_alert}}', ['A27'], id='A27 else of another conditional'),
        pytest.param('{{#is_match "env.name" "x"}}a{{else}}b{{/is_match}}', [], id='A27 else of is_match'),
        pytest.param('{{#is_match "env.name" "PROD"}}a{{/is_match}}', ['A29'], id='A29 case decides'),
        pytest.param('{{#is_match "env.name" "prod" "X"}}a{{/is_match}}', [], id='A29 case does not decide'),
        pytest.param('{{eval "1 + 2 * 3"}}', ['A16', 'A31'], id='A31 order'),
        pytest.param('{{eval "1 + (2 * 3) - 4"}}', ['A16'], id='A31 parentheses'),
        pytest.param('{{eval "-2 ^ 2"}}', ['A16', 'A31'], id='A31 sign and power'),
        pytest.param('{{eval "humanize_bytes(value)"}}', ['A31'], id='A31 output'),
        pytest.param('tell @team-x.', ['A32'], id='A32 stop'),
        pytest.param('{{!-- {{a}} --}}', ['A87'], id='A87 comment with braces'),
        pytest.param('{{!-- a --}}{{! b }}', [], id='A87 comments without braces'),
        pytest.param('{{#is_match "env.name" ""}}a{{/is_match}}', ['A93'], id='A93 empty text'),
    ],
)
def test_assumptions_are_recorded(message, expected):
    rendered = render(parse(message), context())
    assert list(rendered.assumptions) == expected
    assert set(expected) <= set(ASSUMPTIONS)


@pytest.mark.rule('4.6', '4.10')
def test_a_missing_time_prints_nothing():
    rendered = render(parse("[{{local_time 'first_triggered_at' 'UTC'}}]"), context(first_triggered_at=None))
    assert (rendered.text, rendered.assumptions) == ('[]', ())


@pytest.mark.rule('4.5', 'A29')
def test_case_can_be_switched():
    message = '{{#is_match "env.name" "PROD"}}a{{/is_match}}'
    assert text(message) == ''
    assert text(message, choices={'A29': other_choice('A29')}) == 'a'


@pytest.mark.rule('4.1', '4.5', '4.12', 'A27', 'A32', 'A87', 'A93')
@pytest.mark.parametrize(
    'assumption, message, usual, other',
    [
        pytest.param('A27', '{{#is_alert}}a{{else}}b{{/is_alert}}', 'a', 'ab', id='A27 else'),
        pytest.param('A87', '{{!-- {{a}} b --}}c', 'c', ' b --}}c', id='A87 end of a comment'),
        pytest.param('A93', '{{#is_match "empty.name" ""}}a{{/is_match}}', '', 'a', id='A93 empty text'),
    ],
)
def test_a_choice_changes_the_text(assumption, message, usual, other):
    assert text(message) == usual
    chosen = Assumptions({assumption: other_choice(assumption)})
    template = parse(message, chosen.comment_end)
    assert render(template, context(choices=chosen.choices)).text == other


@pytest.mark.rule('4.12', 'A32')
def test_a_final_full_stop_can_belong_to_a_handle():
    template = parse('tell @team-x. And @b@example.com')
    assert render(template, context()).handles == ('@team-x', '@b@example.com')
    assert render(template, context(choices={'A32': 'yes'})).handles == ('@team-x.', '@b@example.com')


HIDDEN = '{{#is_alert_recovery}}fine @rec{{/is_alert_recovery}}'


@pytest.mark.rule('4.3b', 'A92', 'V56')
@pytest.mark.parametrize(
    'message, transition, expected, handles, textless, assumptions',
    [
        pytest.param(HIDDEN, (ALERT, WARN), '', ('@rec',), ('@rec',), (), id='4.3b no other text'),
        pytest.param(HIDDEN + 'x @a', (ALERT, WARN), 'x @a', ('@rec', '@a'), (), ('A92',), id='4.3b text outside'),
        pytest.param(HIDDEN + ' @rec', (ALERT, WARN), ' @rec', ('@rec',), (), (), id='4.3b the handle outside, too'),
        pytest.param(HIDDEN + ' x @a', (ALERT, OK), 'fine @rec x @a', ('@rec', '@a'), (), (), id='4.3b recovery'),
        pytest.param(HIDDEN + ' x', (WARN, ALERT), ' x', (), (), (), id='4.3b another transition'),
        pytest.param(
            '{{^is_alert_recovery}}a @a{{/is_alert_recovery}}',
            (ALERT, WARN),
            'a @a',
            ('@a',),
            (),
            (),
            id='4.3b inverse',
        ),
    ],
)
def test_handles_of_a_hidden_recovery(message, transition, expected, handles, textless, assumptions):
    rendered = render(parse(message), context(*transition))
    assert (rendered.text, rendered.handles, rendered.textless) == (expected, handles, textless)
    assert rendered.assumptions == assumptions
    if assumptions:
        assert render(parse(message), context(*transition, choices={'A92': 'an empty text'})).textless == ('@rec',)


@pytest.mark.rule('3.23', 'A15')
@pytest.mark.parametrize(
    'transition, choices, expected, assumptions',
    [
        pytest.param((ALERT, ALERT), {}, 'first @a\n\nagain @b', ('A15',), id='A15 behind the message'),
        pytest.param((ALERT, ALERT), {'A15': 'replace'}, 'again @b', ('A15',), id='A15 instead of the message'),
        pytest.param((OK, ALERT), {}, 'first @a', (), id='3.23 with a renotification alone'),
    ],
)
def test_escalation(transition, choices, expected, assumptions):
    rendered = render(parse('first @a'), context(*transition, choices=choices), parse('again @b'))
    assert (rendered.text, rendered.assumptions) == (expected, assumptions)
    assert rendered.handles == tuple(word for word in expected.split() if word.startswith('@'))


@pytest.mark.rule('3.24', 'A26', 'V58')
@pytest.mark.parametrize(
    'transition, group, more, expected',
    [
        pytest.param((OK, ALERT), ['host:h1'], {}, '[Triggered on {host:h1}] h1', id='group'),
        pytest.param((OK, ALERT), [], {}, '[Triggered] h1', id='simple alert, whose filter fixes tags'),
        pytest.param((OK, ALERT), ['host:h1'], {'include_tags': False}, '[Triggered] h1', id='include_tags false'),
        pytest.param(
            (OK, ALERT), ['host:h1', 'b-c:1', 'b:2', '@k:3'], {}, '[Triggered on {@k:3,b:2,b-c:1,host:h1}] h1'
        ),
        pytest.param((OK, ALERT), ['host:h1'], {'priority': 1}, '[P1] [Triggered on {host:h1}] h1', id='priority'),
        pytest.param((OK, ALERT), [], {'priority': 5}, '[P5] [Triggered] h1', id='priority of a simple alert'),
        pytest.param((ALERT, OK), ['host:h1'], {}, '[Recovered on {host:h1}] h1', id='recovery'),
        pytest.param((OK, WARN), [], {}, '[Warn] h1', id='warning'),
        pytest.param((ALERT, WARN), [], {}, '[Warn] h1', id='less than alert'),
        pytest.param((ALERT, ALERT), [], {}, '[Re-Triggered] h1', id='renotification'),
        pytest.param((WARN, WARN), [], {}, '[Re-Warn] h1', id='renotification of a warning'),
        pytest.param((OK, NO_DATA), [], {}, '[No data] h1', id='no data'),
        pytest.param((OK, NO_DATA), [], {'A26': 'No Data'}, '[No Data] h1', id='A26 no data'),
        pytest.param((NO_DATA, NO_DATA), [], {'A26': 'No Data'}, '[Re-No Data] h1', id='A26 renotified no data'),
    ],
)
def test_title(transition, group, more, expected):
    given = context(
        *transition,
        tags={'host': ['h1'], 'env': ['fixed by the filter']},
        group=group,
        priority=more.get('priority'),
        choices={key: value for key, value in more.items() if key == 'A26'},
    )
    rendered = render_title(parse('{{host.name}}'), given, more.get('include_tags', True))
    assert rendered.text == expected
    assert rendered.assumptions == (('A26',) if 'No ' in expected or 'Re-Warn' in expected else ())


# Branches and variables

MESSAGE = """\
{{#is_alert}}{{value}} {{#is_match "env.name" "prod"}}@ops{{else}}@dev{{/is_match}}{{/is_alert}}
{{^is_recovery}}{{eval "value / threshold"}}{{/is_recovery}}
{{local_time 'first_triggered_at' 'UTC'}} {{urlencode "a.b.name"}}"""


@pytest.mark.rule('4.1', '4.4')
def test_branches():
    template = parse(MESSAGE)
    alert = 'is_alert and is_match "env.name" "prod"'
    other = 'is_alert and not is_match "env.name" "prod"'
    assert [str(branch) for branch in template.branches()] == ['is_alert', alert, other, 'not is_recovery']
    assert [branch.offset for branch in template.branches()] == [0, 23, 23, 97]

    def reached(*transition):
        return sorted(str(branch) for branch in render(template, context(*transition)).reached)

    assert reached(OK, ALERT) == ['is_alert', alert, 'not is_recovery']
    assert reached(ALERT, OK) == []
    assert reached(OK, WARN) == ['not is_recovery']
    assert set(render(template, context()).reached) <= set(template.branches())


@pytest.mark.rule('4.8')
def test_variables():
    assert [(str(use), MESSAGE[use.offset : use.offset + 7]) for use in parse(MESSAGE).variables()] == [
        ('value', '{{value'),
        ('env.name', '{{#is_m'),
        ('value', '{{eval '),
        ('threshold', '{{eval '),
        ('first_triggered_at', '{{local'),
        ('[a.b].name', '{{urlen'),
    ]


# Refusals


@pytest.mark.rule('4.1', '4.2', '4.5', '4.10')
@pytest.mark.parametrize(
    'message, faults',
    [
        pytest.param('a {{#is_alert}}b', [(2, '{{#is_alert}} is not closed')], id='4.1 not closed'),
        pytest.param('{{/is_alert}}', [(0, 'closes no open block')], id='4.1 not opened'),
        pytest.param(
            '{{#is_alert}}{{/is_warning}}',
            [(0, 'not closed'), (13, 'innermost open block is {{#is_alert}}')],
            id='4.1 another closed',
        ),
        pytest.param(
            '{{#is_alert}}\n{{#is_warning}}{{/is_alert}}',
            [(29, 'overlaps {{#is_warning}}, opened at line 2, column 1')],
            id='4.1 crossed',
        ),
        pytest.param('{{else}}', [(0, 'outside all conditionals')], id='4.1 else outside'),
        pytest.param('{{#is_alert}}{{else}}{{else}}{{/is_alert}}', [(21, 'two {{else}}')], id='4.1 two elses'),
        pytest.param('{{value', [(0, 'expected }}')], id='4.1 variable not closed'),
        pytest.param('{{{value}}', [(0, 'expected }}}')], id='4.1 triple not closed'),
        pytest.param('a {{!-- b', [(2, 'expected }}')], id='4.1 comment not closed'),
        pytest.param('{{!-- a {{b}} c }}', [(0, 'expected --}}')], id='4.1 comment with braces not closed'),
        pytest.param('{{{{is_alert}}}} a', [(0, 'expected {{{{/is_alert}}}}')], id='4.1 raw conditional not closed'),
        pytest.param('{{{{#is_alert}}}}a{{{{/is_alert}}}}', [(0, 'has no `#`')], id='4.1 raw conditional with a mark'),
        pytest.param('{{{{is_match "a"}}}}b{{{{/is_match}}}}', [(0, 'at least one text')], id='4.1 raw, one argument'),
        pytest.param(
            '{{#is_match (eval "1 +") "1"}}{{/is_match}}', [(22, 'ends early')], id='4.5 expression in a conditional'
        ),
        pytest.param(
            '{{#is_match "a.name" (eval "1")}}{{/is_match}}', [(0, 'only as the first')], id='4.5 second expression'
        ),
        pytest.param('{{urlencode (eval "1")}}', [(0, 'allowed in is_match')], id='4.10 expression in a function'),
        pytest.param('{{eval "round(1, 2, 3)"}}', [(8, 'expected 1 or 2 arguments')], id='4.10 arguments'),
        pytest.param('{{eval "uper(host.name)"}}', [(8, 'did you mean upper?')], id='4.10 nearest function'),
        pytest.param('{{{{raw}}}} a', [(0, 'expected {{{{/raw}}}}')], id='4.1 raw not closed'),
        pytest.param('{{{{a}}}}', [(0, 'opens a raw block')], id='4.1 another raw'),
        pytest.param('{{}}', [(0, 'the braces are empty')], id='4.1 empty'),
        pytest.param('{{a b}}', [(0, "unknown function 'a'")], id='4.1 two words'),
        pytest.param('{{a$b}}', [(0, "unknown variable or function 'a$b'")], id='4.1 no variable'),
        pytest.param('{{{#is_alert}}}', [(0, 'write {{#is_alert}}')], id='4.1 triple conditional'),
        pytest.param('{{#is_alrt}}{{/is_alrt}}', [(0, 'did you mean is_alert?')], id='4.2 nearest'),
        pytest.param('{{#}}a{{/}}', [(0, 'has no name')], id='4.2 no name'),
        pytest.param('{{#is_alert "x"}}{{/is_alert}}', [(0, 'takes no arguments')], id='4.2 argument'),
        pytest.param("{{#is_priority 'P6'}}{{/is_priority}}", [(0, 'P1, P2')], id='4.2 priority'),
        pytest.param('{{is_match "a.name" "b"}}', [(0, 'write {{#is_match')], id='4.2 without mark'),
        pytest.param('{{#is_match "a.name"}}{{/is_match}}', [(0, 'at least one text')], id='4.5 one argument'),
        pytest.param('{{#is_match a.name "b"}}{{/is_match}}', [(0, 'in quotes')], id='4.5 without quotes'),
        pytest.param('{{#is_match “a.name” "b"}}{{/is_match}}', [(0, 'typographic')], id='4.5 curly quotes'),
        pytest.param('{{#is_match "a b" "b"}}{{/is_match}}', [(0, 'expected a variable')], id='4.5 no variable'),
        pytest.param('{{eval "1 +"}}', [(11, 'ends early')], id='4.10 expression'),
        pytest.param('{{eval "import os"}}', [(15, "found 'os'")], id='4.10 no code'),
        pytest.param('{{eval "open(1)"}}', [(8, "unknown function 'open'")], id='4.10 function'),
        pytest.param('{{eval}}', [(0, 'needs an argument')], id='4.10 no argument'),
        pytest.param('{{urlencode "a.name" "b.name"}}', [(0, 'expected 1 argument, found 2')], id='4.10 two arguments'),
        pytest.param(
            "{{local_time 'last_triggered_at' 'Europe/Berln'}}", [(0, 'did you mean Europe/Berlin?')], id='4.10 zone'
        ),
        pytest.param(
            "{{local_time 'last_trigered_at' 'UTC'}}", [(0, 'did you mean last_triggered_at?')], id='4.10 time'
        ),
        pytest.param("{{override_priority 'P0'}}", [(0, 'P1, P2')], id='4.10 priority'),
        pytest.param('{{#is_alert}}' * 33, [(416, 'more than 32')], id='4.1 too deep'),
        pytest.param('{{}}{{x', [(0, 'braces are empty'), (4, 'not closed')], id='4.1 every fault'),
    ],
)
def test_refuses(message, faults):
    with pytest.raises(MessageSyntaxError) as caught:
        parse(message)
    assert [fault.offset for fault in caught.value.faults] == [offset for offset, _ in faults]
    for fault, (_, words) in zip(caught.value.faults, faults, strict=True):
        assert words in fault.message


def test_a_fault_has_line_column_and_caret():
    with pytest.raises(MessageSyntaxError) as caught:
        parse('one\ntwo {{#is_alrt}}\nthree{{/is_alrt}}')
    assert str(caught.value) == "line 2, column 5: unknown conditional 'is_alrt'; did you mean is_alert?"
    assert caught.value.details.splitlines() == [
        'two {{#is_alrt}}',
        "    ^ unknown conditional 'is_alrt'; did you mean is_alert?",
    ]


@pytest.mark.rule('4.2', '4.5')
@pytest.mark.parametrize(
    'message, expected',
    [
        pytest.param('{{is_alert}}', 'write {{#is_alert}}', id='4.2 a conditional as variable'),
        pytest.param('{{#is_match "env" "a"}}{{/is_match}}', 'write "env.name"', id='4.5 bare key'),
        pytest.param('{{#is_match "value" "a"}}{{/is_match}}', None, id='4.5 a variable of no tag'),
    ],
)
def test_warns(message, expected):
    warnings = [warning.message for warning in parse(message).warnings]
    assert (expected in warnings[0]) if expected else warnings == []


# Expressions


@pytest.mark.rule('4.10')
@pytest.mark.parametrize(
    'expression, expected',
    [
        pytest.param('1+2*3', 7, id='4.10 times before plus'),
        pytest.param('(1+2)*3', 9, id='4.10 parentheses'),
        pytest.param('10-4-3', 3, id='4.10 from the left'),
        pytest.param('2^3^2', 512, id='4.10 powers from the right'),
        pytest.param('-2^2', -4, id='4.10 power before sign'),
        pytest.param('2^-1', 0.5, id='4.10 negative power'),
        pytest.param('7 % 4', 3, id='4.10 remainder'),
        pytest.param('8/4/2', 1, id='4.10 division'),
        pytest.param('1.5e3 + .5', 1500.5, id='4.10 numbers'),
        pytest.param('x.y * 2', 42, id='4.10 variable'),
        pytest.param('[a.b].name + 1', 22, id='4.10 bracketed variable'),
        pytest.param('abs(-3)', 3, id='4.10 abs'),
        pytest.param('int(-1.5)', -2, id='4.10 int is floor'),
        pytest.param('trunc(-1.5)', -1, id='4.10 trunc'),
        pytest.param('round(2.5)', 3, id='4.10 round'),
        pytest.param('ceil(1.1) + floor(1.9)', 3, id='4.10 ceil and floor'),
        pytest.param('sgn(-7) + sgn(0)', -1, id='4.10 sgn'),
        pytest.param('log10(1000)', 3, id='4.10 log10'),
        pytest.param('exp(0) + cos(0)', 2, id='4.10 exp and cos'),
        pytest.param('to_bool(0)', 'false', id='4.10 to_bool'),
        pytest.param('int(1.5) + 2^3 + 7 % 4', 12, id='4.10 integers'),
        pytest.param('1/3 - 1/3', 0.0, id='4.10 a quotient that is not whole'),
        pytest.param('-7 % 4', -3, id='4.10 remainder has the sign of the dividend'),
        pytest.param('dec(12.345)', 0.345, id='4.10 V57 dec'),
        pytest.param('dec(-12.345)', -0.345, id='4.10 dec below 0'),
        pytest.param('round(12.376, 2)', 12.38, id='4.10 V57 round to decimals'),
        pytest.param('round(0.285, 2)', 0.29, id='4.10 round as written'),
        pytest.param('round(1234, -2)', 1200, id='4.10 round to hundreds'),
        pytest.param('round(-2.5)', -2, id='4.10 round half up'),
        pytest.param('sinh(0) + asinh(0) + cosh(0) + acosh(1)', 1, id='4.10 hyperbolic'),
        pytest.param('tanh(0) + atanh(0) + tan(0) + asin(0) + acos(1) + atan(0) + sin(0)', 0, id='4.10 trigonometric'),
        pytest.param('atan2(1, 1) * 4 - acos(-1)', 0, id='4.10 atan2'),
        pytest.param("upper('aB') ", 'AB', id='4.10 upper'),
        pytest.param("lower('aB')", 'ab', id='4.10 lower'),
        pytest.param("substring('host:D', 5)", 'D', id='4.10 V57 substring'),
        pytest.param("substring('host:D', 0, 4)", 'host', id='4.10 substring with an end'),
        pytest.param("strip('abchost:Eabc', 'abc')", 'host:E', id='4.10 V57 strip'),
        pytest.param("strip('  a ')", 'a', id='4.10 strip blanks'),
        pytest.param('upper(x) * 2', 42, id='4.10 a text that is a number'),
        pytest.param('9007199254740992 * 3', 27021597764222976.0, id='4.10 a large integer is a float'),
        pytest.param('humanize_bytes(1536)', '1.50 KiB', id='4.10 bytes'),
        pytest.param('humanize_bits(1500000)', '1.50 Mb', id='4.10 bits'),
    ],
)
def test_expression(expression, expected):
    result = parse_expression(expression).evaluate(lambda name: 21)
    assert (result, type(result)) == (expected, type(expected) if isinstance(expected, str) else type(result))


@pytest.mark.rule('4.6', '4.10')
@pytest.mark.parametrize('expression', ['x + 1', 'x - 2 * 3', 'x / 3', 'x % 2', 'x ^ 2', 'abs(x)', 'int(x / 2)', '-x'])
def test_integers_stay_integers(expression):
    assert isinstance(parse_expression(expression).evaluate(lambda name: 21), int)
    assert isinstance(parse_expression(f'float({expression})').evaluate(lambda name: 21), float)


@pytest.mark.rule('4.10', 'A31')
@pytest.mark.parametrize(
    'expression, arithmetic, from_left',
    [('1 + 2 * 3', 7, 9), ('2 * 3 + 1', 7, 7), ('1 + (2 + 1) * 3', 10, 12), ('-2 ^ 2', -4, 4), ('2 ^ 3 ^ 2', 512, 64)],
)
def test_precedence_can_be_switched(expression, arithmetic, from_left):
    assert text(f'{{{{eval "{expression}"}}}}') == str(arithmetic)
    assert text(f'{{{{eval "{expression}"}}}}', choices={'A31': 'from the left'}) == str(from_left)


@pytest.mark.rule('4.10')
@pytest.mark.parametrize(
    'expression, words',
    [
        pytest.param('1/0', 'division by zero', id='4.10 division by zero'),
        pytest.param('1%0', 'division by zero', id='4.10 remainder of zero'),
        pytest.param('1.5%0.0', 'not a finite number', id='4.10 remainder of zero, floats'),
        pytest.param('9^9^9^9', 'not a finite number', id='4.10 overflow'),
        pytest.param('log10(0)', 'not a finite number', id='4.10 out of range'),
        pytest.param('round(1, 0.5)', 'not a finite number', id='4.10 half a decimal'),
        pytest.param("substring('a', -1)", 'not a finite number', id='4.10 negative start'),
        pytest.param('host.name + 1', 'host.name is not a number', id='4.10 a text'),
        pytest.param('(0-8)^0.5', 'not a finite number', id='4.10 no real root'),
        pytest.param('1e999', 'not a finite number', id='4.10 infinite'),
        pytest.param('1 + to_bool(1)', "'true' is not a number", id='4.10 text'),
        pytest.param('int(1e308*10)', 'not a finite number', id='4.10 infinite to integer'),
    ],
)
def test_expression_without_value(expression, words):
    with pytest.raises(ExpressionError, match=words):
        parse_expression(expression).evaluate(lambda name: 'h1')
    rendered = render(parse(f'[{{{{eval "{expression}"}}}}]'), context())
    assert rendered.text == '[]'
    assert words in rendered.problems[0].message


@pytest.mark.rule('4.10')
@pytest.mark.parametrize(
    'text', ['(' * 100, '-' * 100 + '1', '1' + '^1' * 100, 'abs(' * 100, '((((', '1 1', '$', '', '1..2']
)
def test_no_expression(text):
    with pytest.raises(ExpressionError):
        parse_expression(text)
