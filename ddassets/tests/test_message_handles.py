"""Recipients: found in rendered texts, predicted from templates, redirected, and added."""

import contextlib
import itertools

import pytest
from counting import steps
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scale import runs

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.message import (
    TRANSITIONS,
    Context,
    Edge,
    MessageSyntaxError,
    find_handles,
    handles,
    mentions,
    notify,
    parse,
    reach,
    redirect,
    render,
    unheard,
)
from ddassets.engine.message.conditions import ALERT, NO_DATA, OK, WARN
from ddassets.language.message.vocabulary import CONDITIONALS

ME = '@me@example.com'
EXAMPLES = runs(240)


@pytest.mark.rule('4.11', '4.12')
@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('tell @you@example.com now', ['@you@example.com'], id='4.11 address'),
        pytest.param('@first.last+x@mail.example.co.uk', ['@first.last+x@mail.example.co.uk'], id='4.11 long address'),
        pytest.param(
            '@ops @slack-ops-channel @pagerduty-Main_1',
            ['@ops', '@slack-ops-channel', '@pagerduty-Main_1'],
            id='4.11 others',
        ),
        pytest.param('@ops (@ops) "@dev"', ['@ops', '@dev'], id='4.11 once each, beside marks'),
        pytest.param('@workflow-restart(a="b c", d=1) x', ['@workflow-restart'], id='4.11 workflow'),
        pytest.param('a@example.com', [], id='4.11 a plain address'),
        pytest.param('@ @- @. x @@ops', [], id='4.11 no name'),
        pytest.param('@ops. @dev, @a@b.com.', ['@ops', '@dev', '@a@b.com'], id='4.12 final marks'),
        pytest.param('@ops... @dev!', ['@ops', '@dev'], id='4.12 several marks'),
        pytest.param('@café', ['@café'], id='4.11 letters of all languages'),
        pytest.param('@ops\ue000', ['@ops'], id='4.11 a character of private use'),
        pytest.param('', [], id='4.11 none'),
    ],
)
def test_handles(text, expected):
    assert list(handles(text)) == expected


@pytest.mark.rule('4.11', '4.12')
def test_a_handle_has_its_position_arguments_and_doubtful_end():
    text = 'run @workflow-x(a=1, b="c"), then @ops'
    workflow, ops = find_handles(text)
    assert text[workflow.start : workflow.end] == '@workflow-x(a=1, b="c")'
    assert (workflow.name, workflow.arguments, workflow.doubtful) == ('@workflow-x', '(a=1, b="c")', True)
    assert (ops.start, ops.end, ops.doubtful) == (34, 38, False)
    assert not find_handles('@ops(a=1)')[0].arguments


@pytest.mark.rule('4.12')
def test_handles_are_found_after_rendering():
    template = parse(
        '@slack-{{service.name}} {{#is_alert}}@{{/is_alert}}ops {{!-- @never --}}{{{{raw}}}}@raw{{{{/raw}}}}'
    )
    context = Context(Edge(OK, ALERT), tags={'service': ['shop']})
    assert render(template, context).handles == ('@slack-shop', '@ops', '@raw')


@pytest.mark.rule('4.4', '4.11')
def test_mentions_of_a_template():
    text = 'a@b.c @slack-{{service.name}}-x {{#is_alert}}@ops.{{/is_alert}}{{!-- @never --}}{{{{raw}}}}@raw{{{{/raw}}}}'
    found = [
        (mention.name, text[mention.offset], len(mention.path), mention.doubtful) for mention in mentions(parse(text))
    ]
    assert found == [('@slack-{{service.name}}-x', '@', 0, False), ('@ops', '@', 1, True), ('@raw', '@', 0, False)]


EVERY = set(TRANSITIONS)
RECOVERIES = {Edge(before, OK) for before in (WARN, ALERT, NO_DATA)}
ALERTS = {Edge(before, ALERT) for before in (OK, WARN, NO_DATA, ALERT)}


@pytest.mark.rule('4.3', '4.4')
@pytest.mark.parametrize(
    'text, always, sometimes',
    [
        pytest.param('@ops', EVERY, set(), id='4.4 outside'),
        pytest.param('{{#is_alert}}@ops{{/is_alert}}', ALERTS, set(), id='4.4 no recovery'),
        pytest.param('{{^is_recovery}}@ops{{/is_recovery}}', EVERY - RECOVERIES, set(), id='4.4 inverse'),
        pytest.param('{{#is_alert}}@ops{{/is_alert}} {{^is_alert}}@ops{{/is_alert}}', EVERY, set(), id='4.4 both'),
        pytest.param('{{#is_match "a.name" "b"}}@ops{{/is_match}}', set(), EVERY, id='4.4 depends on a tag'),
        pytest.param('{{#is_match "a.name" "b"}}x @ops{{else}}y @ops{{/is_match}}', EVERY, set(), id='4.4 both ways'),
        pytest.param(
            '{{#is_recovery}}{{#is_match "a.name" "b"}}@ops{{/is_match}}{{/is_recovery}}',
            set(),
            RECOVERIES,
            id='4.4 both kinds',
        ),
        pytest.param(
            '{{#is_match "a.name" "b"}}{{^is_match "a.name" "b"}}@ops{{/is_match}}{{/is_match}}',
            set(),
            set(),
            id='4.4 never',
        ),
        pytest.param('{{#is_alert}}{{#is_recovery}}@ops{{/is_recovery}}{{/is_alert}}', set(), set(), id='4.3 never'),
        pytest.param('{{#is_unknown}}@ops{{/is_unknown}}', set(), set(), id='4.3 no metric monitor is unknown'),
    ],
)
def test_reach(text, always, sometimes):
    (found,) = reach(parse(text))
    assert (found.handle, set(found.always), set(found.sometimes)) == ('@ops', always, sometimes)


@pytest.mark.rule('4.4')
def test_reach_distinguishes_handles_and_is_fast_for_many_tests():
    pairs = ''.join(
        f'{{{{#is_match "a{n}.name" "b"}}}}{{{{#is_match "b{n}.name" "c"}}}}@ops{{{{/is_match}}}}{{{{/is_match}}}} '
        for n in range(40)
    )
    ops, dev = reach(parse(pairs + '@dev'))
    assert (len(ops.offsets), ops.always, set(ops.sometimes)) == (40, frozenset(), EVERY)
    assert set(dev.always) == EVERY


@pytest.mark.rule('4.4')
@pytest.mark.parametrize('tests, certain', [(10, True), (11, False)])
def test_a_handle_in_both_parts_of_every_test_is_told_of_for_certain(tests, certain):
    text = '@ops'
    for number in range(tests):
        text = f'{{{{#is_match "a{number}.name" "b"}}}}@ops{{{{else}}}}{text}{{{{/is_match}}}}'
    (found,) = reach(parse(text))
    assert (set(found.always) == EVERY) == certain and set(found.always) | set(found.sometimes) == EVERY


@pytest.mark.rule('4.11')
@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('tell @ops, @a@b.com.', f'tell {ME}, {ME}.', id='each'),
        pytest.param('@slack-{{service.name}}-x', ME, id='built with a variable'),
        pytest.param('@{{team.name}}', ME, id='variable alone'),
        pytest.param('@workflow-x(a={{value}}) b', f'{ME} b', id='workflow with arguments'),
        pytest.param(
            '{{#is_alert}}@ops{{/is_alert}}',
            f'{{{{#is_alert}}}}{ME} {{{{/is_alert}}}}',
            id='what follows is kept apart',
        ),
        pytest.param(
            '@{{#is_alert}}ops{{/is_alert}}', f'{ME} {{{{#is_alert}}}}ops{{{{/is_alert}}}}', id='name in a block'
        ),
        pytest.param('a@b.com {{!-- @ops --}}', 'a@b.com {{!-- @ops --}}', id='no handles'),
        pytest.param('{{{{raw}}}}@ops{{{{/raw}}}}', f'{{{{{{{{raw}}}}}}}}{ME} {{{{{{{{/raw}}}}}}}}', id='raw'),
        pytest.param(ME, ME, id='already'),
    ],
)
def test_redirect(text, expected):
    assert redirect(text, ME) == expected


@pytest.mark.rule('4.4')
@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('', ME, id='empty'),
        pytest.param('text', f'text\n{ME}', id='on a line of its own'),
        pytest.param('text\n', f'text\n{ME}\n', id='before the last line ends'),
        pytest.param(f'a {ME} b', f'a {ME} b', id='there already'),
        pytest.param(
            f'{{{{#is_alert}}}}{ME}{{{{/is_alert}}}}',
            f'{{{{#is_alert}}}}{ME}{{{{/is_alert}}}}\n{ME}',
            id='only in a block',
        ),
        pytest.param('text @me@example.com.org', f'text @me@example.com.org\n{ME}', id='another handle'),
    ],
)
def test_notify(text, expected):
    assert notify(text, ME) == expected
    assert notify(expected, ME) == expected


@pytest.mark.parametrize('handle', ['me', '@', '', '@a @b', '@ops.', 'x@example.com', '@a\n', '@workflow-x(a=1)'])
@pytest.mark.parametrize('rewrite', [redirect, notify])
def test_invalid_handles(rewrite, handle):
    with pytest.raises(UnusableInputError, match='expected a handle'):
        rewrite('text', handle)


# Laws

LEAVES = st.sampled_from(
    ['@', '@ops', '@a@b.com', '@slack-', 'x', ' ', '.', ',', '-', '(', ')', '\n', 'com', '@workflow-x(a=1)']
    + ['{{value}}', '{{env.name}}', '{{{env.name}}}', '{{gone.name}}', '{{!-- @c --}}', '{{{{raw}}}}@r{{{{/raw}}}}']
    + [
        '{{{{raw}}}}{{{{/raw}}}}',
        '{{eval "value + 1"}}',
        '{{urlencode "env.name"}}',
        "{{override_priority 'P1'}}",
        'é',
        '+',
    ]
)
OPENINGS = [
    ('{{#is_alert}}', '{{/is_alert}}'),
    ('{{^is_alert}}', '{{/is_alert}}'),
    ('{{#is_recovery}}', '{{/is_recovery}}'),
    ('{{#is_match "env.name" "prod"}}', '{{/is_match}}'),
    ('{{^is_match "env.name" "prod"}}', '{{/is_match}}'),
    ('{{#is_exact_match "value" "1"}}', '{{/is_exact_match}}'),
    ("{{#is_priority 'P2'}}", '{{/is_priority}}'),
]


def blocks(inner):
    return st.builds(
        lambda marks, body, otherwise: (
            marks[0] + body + ('' if otherwise is None else '{{else}}' + otherwise) + marks[1]
        ),
        st.sampled_from(OPENINGS),
        inner,
        st.none() | inner,
    )


messages = st.recursive(
    st.lists(LEAVES, max_size=6).map(''.join),
    lambda inner: st.lists(inner | blocks(inner), max_size=4).map(''.join),
    max_leaves=8,
)
ENVIRONMENTS = ['prod', 'dev', '', 'x.y-z', '.']
contexts = st.builds(
    lambda transition, env, value, priority: Context(
        transition, values={'value': value}, tags={'env': [env]}, priority=priority
    ),
    st.sampled_from(sorted(TRANSITIONS)),
    st.sampled_from(ENVIRONMENTS),
    st.sampled_from([1.0, 2.0, None]),
    st.sampled_from([1, 2, None]),
)


@pytest.mark.rule('4.11', '4.12')
@settings(max_examples=EXAMPLES)
@given(messages, contexts, st.sampled_from(['@me', ME, '@slack-x']))
@example('@a@{{#is_alert}}b.com{{/is_alert}}', Context(Edge(OK, ALERT)), '@me')
@example('@a.{{#is_alert}}b{{/is_alert}}', Context(Edge(OK, ALERT)), '@me')
@example('@a@b@{{env.name}}', Context(Edge(OK, ALERT), tags={'env': ['prod']}), '@me')
def test_a_redirected_message_notifies_nobody_else(text, context, handle):
    redirected = redirect(text, handle)
    assert set(render(parse(redirected), context).handles) <= {handle}
    assert redirect(redirected, handle) == redirected
    if render(parse(text), context).handles:
        assert render(parse(redirected), context).handles == (handle,)


@pytest.mark.rule('4.4')
@settings(max_examples=EXAMPLES)
@given(messages, contexts)
def test_an_added_recipient_is_notified_of_every_transition(text, context):
    added = notify(text, ME)
    assert ME in render(parse(added), context).handles
    assert notify(added, ME) == added
    assert parse(added).branches() == parse(text).branches()


# Handles that nothing is glued to, so that what is foretold can be compared by name.
apart = st.recursive(
    st.lists(st.sampled_from([' @ops ', ' @dev ', ' @slack-{{env.name}} ', ' x ']), max_size=2).map(''.join),
    lambda inner: st.lists(inner | blocks(inner), min_size=1, max_size=3).map(' '.join),
    max_leaves=6,
)
ATOMS = [(env, value, priority) for env in ('prod', 'dev') for value in (1.0, 2.0) for priority in (1, 2)]


@pytest.mark.rule('4.3', '4.4')
@settings(max_examples=EXAMPLES // 2)
@given(apart)
def test_predicted_recipients_equal_rendered_ones(text):
    template = parse(text)
    foretold = {found.handle: found for found in reach(template)}
    for transition in TRANSITIONS:
        sent = [
            render(template, Context(transition, {'value': value}, {'env': [env]}, priority=priority)).handles
            for env, value, priority in ATOMS
        ]
        for name in ('@ops', '@dev'):
            hits = [name in found for found in sent]
            found = foretold.get(name)
            assert all(hits) == (found is not None and transition in found.always)
            assert (any(hits) and not all(hits)) == (found is not None and transition in found.sometimes)


@pytest.mark.rule('4.3', '4.4')
@settings(max_examples=EXAMPLES // 2)
@given(apart, contexts)
def test_each_handle_is_notified_or_has_a_reason(text, context):
    template = parse(text)
    sent = render(template, context).handles
    silent = {handle for handle, _ in unheard(template, context, sent)}
    for name in ('@ops', '@dev'):
        assert (name in text) == (name in sent or name in silent)
        assert name not in sent or name not in silent


STORAGE = '{{#is_match "host.name" "db-"}}@sto{{/is_match}}'


@pytest.mark.rule('3.23', '4.3', '4.3b', '4.4', '4.5', 'A15')
@pytest.mark.parametrize(
    ('text', 'transition', 'expected'),
    [
        pytest.param(
            STORAGE, (OK, ALERT), {'@sto': ['is_match "host.name" "db-" is false, host.name is pg-3']}, id='is'
        ),
        pytest.param(
            '{{^is_exact_match "host.name" "pg-3"}}@a{{/is_exact_match}}',
            (OK, ALERT),
            {'@a': ['is_exact_match "host.name" "pg-3" is true, host.name is pg-3']},
            id='inverse',
        ),
        pytest.param(
            '{{#is_match "env.name" "prod"}}@a{{else}}@b{{/is_match}}',
            (OK, ALERT),
            {'@a': ['is_match "env.name" "prod" is false, env.name is empty']},
            id='missing-value',
        ),
        pytest.param(
            '{{#is_exact_match (eval "value * 2") "4"}}@a{{/is_exact_match}}',
            (OK, ALERT),
            {'@a': ['is_exact_match (eval "value * 2") "4" is false, the result is 6.0']},
            id='expression',
        ),
        pytest.param(
            "{{#is_priority 'P1'}}@a{{/is_priority}}",
            (OK, ALERT),
            {'@a': ['is_priority "P1" is false, there is no priority']},
            id='priority',
        ),
        pytest.param(
            f'{{{{#is_recovery}}}}{STORAGE} @a{{{{/is_recovery}}}}',
            (OK, ALERT),
            {'@sto': ['is_recovery is false'], '@a': ['is_recovery is false']},
            id='outermost',
        ),
        pytest.param(
            f'{{{{#is_recovery}}}}@sto{{{{/is_recovery}}}}{STORAGE}{STORAGE}',
            (OK, ALERT),
            {'@sto': ['is_recovery is false', 'is_match "host.name" "db-" is false, host.name is pg-3']},
            id='several-mentions',
        ),
        pytest.param(f'{STORAGE} @sto', (OK, ALERT), {}, id='another-mention-is-notified'),
        pytest.param('@slack-{{host.name}}', (OK, ALERT), {}, id='variable'),
        pytest.param('{{#is_alert_recovery}}@a{{/is_alert_recovery}}', (ALERT, WARN), {}, id='hidden-recovery'),
    ],
)
def test_why_a_handle_is_not_notified(text, transition, expected):
    context = Context(Edge(*transition), {'value': 3.0}, {'host': ['pg-3']})
    template = parse(text)
    found = unheard(template, context, render(template, context).handles)
    assert {handle: list(reasons) for handle, reasons in found} == expected


@pytest.mark.rule('3.23', 'A15')
@pytest.mark.parametrize(
    ('transition', 'choices', 'expected'),
    [
        pytest.param(
            (OK, ALERT), {}, {'@b': ('only renotifications contain the escalation_message',)}, id='transition'
        ),
        pytest.param((ALERT, ALERT), {}, {}, id='renotification'),
        pytest.param(
            (ALERT, ALERT), {'A15': 'replace'}, {'@a': ('the escalation_message replaces the message',)}, id='replaced'
        ),
    ],
)
def test_why_a_handle_of_an_escalation_is_not_notified(transition, choices, expected):
    template, escalation = parse('first @a'), parse('again @b')
    context = Context(Edge(*transition), assumptions=Assumptions(choices))
    sent = render(template, context, escalation).handles
    assert dict(unheard(template, context, sent, escalation)) == expected


# Anything at all

FRAGMENTS = [
    '{{',
    '}}',
    '{{{',
    '}}}',
    '{{{{raw}}}}',
    '{{{{/raw}}}}',
    '{{!--',
    '--}}',
    '{{else}}',
    '"',
    "'",
    '#',
    '^',
    '/',
    '@',
    '[',
    ']',
]
FRAGMENTS += [f'{{{{{mark}{name}}}}}' for name, mark in itertools.product(CONDITIONALS, '#^/')]
FRAGMENTS += [
    '{{#is_match "env.name" "a"}}',
    '{{eval "',
    '(1+',
    'value',
    '{{host.name}}',
    "{{local_time 'last_triggered_at' '",
    'UTC',
]
anything = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=30).map(''.join)


@settings(max_examples=EXAMPLES)
@given(st.text() | anything | messages, contexts)
def test_any_text_is_a_template_or_a_syntax_error(text, context):
    try:
        template = parse(text)
    except MessageSyntaxError as error:
        assert error.faults
        assert all(0 <= fault.offset <= len(text) for fault in error.faults)
        return
    rendered = render(template, context)
    assert rendered.reached <= set(template.branches())
    assert handles(rendered.text) == rendered.handles
    reach(template)
    parse(redirect(text, ME))
    parse(notify(text, ME))


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('{{' * 50_000, id='opening braces'),
        pytest.param('{{#is_alert}}' * 20_000, id='open blocks'),
        pytest.param('{{#is_alert}}{{/is_alert}}' * 5_000, id='blocks'),
        pytest.param('{{#is_alert}}{{/is_alert}} @ops{{value}}' * 3_000, id='blocks and handles'),
        pytest.param('{{/x}}' * 20_000, id='closing marks'),
        pytest.param('{{"' * 30_000, id='quotes'),
        pytest.param('{{#is_match ' + '"a" ' * 20_000 + '}}', id='arguments'),
        pytest.param('{{eval "' + '1+' * 5_000 + '1"}}', id='long sum'),
        pytest.param('{{eval "' + '(' * 20_000 + '"}}', id='parentheses'),
        pytest.param('@' * 100_000, id='at signs'),
        pytest.param('@a' * 50_000, id='handles'),
        pytest.param('@a.' * 30_000 + '(', id='dots'),
        pytest.param('@workflow-' + 'x' * 100_000 + '(', id='workflow'),
        pytest.param('@w(' * 30_000, id='parentheses of workflows'),
        pytest.param('{' * 100_000, id='braces'),
    ],
)
def test_long_texts_are_read_in_linear_time(text):
    def read() -> None:
        with contextlib.suppress(MessageSyntaxError):
            render(parse(text), Context(Edge(OK, ALERT), {'value': 1.0}))
            redirect(text, ME)
            reach(parse(text))
        handles(text)

    assert steps(read) < 100 * len(text)
