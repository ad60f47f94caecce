"""A notification as it arrives: the condition, the last trigger, the links, and the three forms."""

import pytest

from ddassets.engine.message import Delivery, Edge, Link, Sender, Trigger, trigger
from ddassets.engine.message.conditions import ALERT, NO_DATA, OK, WARN
from ddassets.engine.monitor import Monitor, Thresholds
from ddassets.language.query.syntax import parse_monitor

# 2025-06-27T06:50:29Z
INSTANT = 1_751_007_029


def met(query: str, *transition, group: tuple[str, ...] = (), **limits: float) -> Trigger:
    parsed = parse_monitor(query)
    monitor = Monitor('Acme', query=parsed, thresholds=Thresholds(parsed.threshold, **limits))
    return trigger(monitor, query, Edge(*transition), group)


@pytest.mark.rule('3.28')
@pytest.mark.parametrize(
    'query, group, expected',
    [
        pytest.param(
            'avg(last_5m):avg:acme.cpu{team:echo} by {pod} > 4',
            ('pod:p1',),
            '**acme.cpu** over **pod:p1,team:echo** was **> 4.0** on average during the **last 5m**.',
            id='S2 filter and group',
        ),
        pytest.param(
            'avg(last_5m):avg:acme.user{*} by {host} > 60',
            ('host:h1',),
            '**acme.user** over **host:h1** was **> 60.0** on average during the **last 5m**.',
            id='S3 group',
        ),
        pytest.param(
            'avg(last_5m):avg:acme.a{*} > 100',
            (),
            '**acme.a** over ***** was **> 100.0** on average during the **last 5m**.',
            id='S4 everything',
        ),
        pytest.param(
            'max(last_5m):avg:acme.a{*} by {host} > 0.1',
            ('host:h1',),
            '**acme.a** over **host:h1** was **> 0.1** at least once during the **last 5m**.',
            id='S6 max',
        ),
        pytest.param(
            'min(last_1d):avg:acme.a{*} by {host} > 70',
            ('host:h1',),
            '**acme.a** over **host:h1** was **> 70.0** at all times during the **last 1d**.',
            id='S7 min',
        ),
        pytest.param(
            'avg(last_30m):avg:acme.a{region:r,role:d} by {host} <= 500000000',
            ('host:i-1',),
            '**acme.a** over **host:i-1,region:r,role:d** was **<= 500000000.0** on average during the **last 30m**.',
            id='S9 a large number',
        ),
        pytest.param(
            'avg(last_5m):avg:acme.a{role:d AND group:g} >= 3',
            (),
            '**acme.a** over **group:g,role:d** was **>= 3.0** on average during the **last 5m**.',
            id='S11 tags joined by AND',
        ),
        pytest.param(
            'min(last_5m):avg:acme.a{*} < 1',
            (),
            '**acme.a** over ***** was **< 1.0** at least once during the **last 5m**.',
            id='min below',
        ),
        pytest.param(
            'max(last_5m):avg:acme.a{*} <= 1',
            (),
            '**acme.a** over ***** was **<= 1.0** at all times during the **last 5m**.',
            id='max below',
        ),
        pytest.param(
            'avg(last_15m):100 - avg:acme.idle{*} by {host} > 90',
            ('host:h1',),
            '`avg(last_15m):100 - avg:acme.idle{*} by {host} > 90`',
            id='S1 arithmetic',
        ),
        pytest.param('avg(last_5m):abs(avg:acme.a{*}) > 1', (), '`avg(last_5m):abs(avg:acme.a{*}) > 1`', id='function'),
        pytest.param(
            'change(avg(last_5m),last_5m):avg:acme.a{*} > 1',
            (),
            '`change(avg(last_5m),last_5m):avg:acme.a{*} > 1`',
            id='change',
        ),
    ],
)
def test_the_sentence_of_a_trigger(query, group, expected):
    condition = met(query, OK, ALERT, group=group)
    assert (condition.sentence, condition.documented) == (expected, True)


QUERY = 'avg(last_5m):avg:acme.a{*} > 60'


@pytest.mark.rule('3.28')
@pytest.mark.parametrize(
    'query, transition, limits, brief',
    [
        pytest.param(QUERY, (OK, ALERT), {}, '> 60.0', id='alert'),
        pytest.param(QUERY, (OK, WARN), {'warning': 50.0}, '> 50.0', id='warning'),
        pytest.param(QUERY, (ALERT, WARN), {'warning': 50.0}, '> 50.0', id='alert to warning'),
        pytest.param(QUERY, (WARN, ALERT), {'warning': 50.0}, '> 60.0', id='warning to alert'),
        pytest.param(QUERY, (ALERT, OK), {'warning': 50.0}, '<= 60.0', id='recovery from alert'),
        pytest.param(QUERY, (WARN, OK), {'warning': 50.0}, '<= 50.0', id='recovery from warning'),
        pytest.param(QUERY, (NO_DATA, OK), {}, '<= 60.0', id='recovery from no data'),
        pytest.param(QUERY, (WARN, WARN), {'warning': 50.0}, '> 50.0', id='renotified warning'),
        pytest.param(QUERY.replace('>', '>='), (ALERT, OK), {}, '< 60.0', id='complement of >='),
        pytest.param(QUERY.replace('>', '<'), (ALERT, OK), {}, '>= 60.0', id='complement of <'),
        pytest.param(QUERY.replace('>', '<='), (ALERT, OK), {}, '> 60.0', id='complement of <='),
    ],
)
def test_the_comparison(query, transition, limits, brief):
    condition = met(query, *transition, **limits)
    assert condition.brief == brief
    assert f'was **{brief}** on average' in condition.sentence


@pytest.mark.rule('3.28', 'I7')
@pytest.mark.parametrize(
    'query, transition', [(QUERY, (OK, NO_DATA)), (QUERY.replace('avg(', 'sum('), (OK, ALERT)), (QUERY, (OK, ALERT))]
)
def test_a_wording_that_no_source_has_is_marked(query, transition):
    condition = met(query, *transition)
    assert condition.documented == (query is QUERY and NO_DATA not in transition)
    assert ('wording not known' in condition.sentence) != condition.documented


@pytest.mark.rule('3.28')
@pytest.mark.parametrize(
    'scope, expected',
    [
        pytest.param('*', 'acme.a over *** was > 60.0 on average during the last 5m**.', id='D5.2 stray asterisks'),
        pytest.param('host:h', 'acme.a over host:h was > 60.0 on average during the last 5m.', id='S17 filter'),
    ],
)
def test_the_status_names_the_filter_and_never_the_group(scope, expected):
    query = f'avg(last_5m):avg:acme.a{{{scope}}} by {{pod}} > 60'
    assert met(query, OK, ALERT, group=('pod:p',)).plain == expected


def delivery(**more) -> Delivery:
    given = {
        'sender': Sender(QUERY, 'acme.a', monitor_id=7),
        'title': '[P1] [Triggered on {host:h 1,zone:z}] Busy',
        'message': '\nIt is <b>. @ops @slack-x\n',
        'recipients': ('@ops', '@slack-x'),
        'trigger': met(QUERY, OK, ALERT),
        'edge': Edge(OK, ALERT),
        'group': ('host:h 1', 'zone:z'),
        'event_tags': ('host:h 1', 'monitor', 'zone:z'),
        'priority': 1,
        'instant': INSTANT,
        'last_triggered_at': INSTANT,
    }
    return Delivery(**{**given, **more})


STATUS = (
    'https://app.datadoghq.com/monitors/7?group=host%3Ah%201%2Czone%3Az&from_ts=1751006129000&to_ts=1751007329000'
    '&event_id=EVENT_ID&link_source=monitor_notif'
)
SENTENCE = '**acme.a** over ***** was **> 60.0** on average during the **last 5m**.'
TRIGGERED = 'The monitor was last triggered at Fri Jun 27 2025 06:50:29 UTC.'


@pytest.mark.rule('3.28')
def test_the_body_of_the_event():
    assert delivery().event_message == '\n'.join(
        [
            '%%%',
            'It is <b>. @ops @slack-x',
            '',
            f'[![Metric Graph](SNAPSHOT)]({STATUS})',
            '',
            SENTENCE,
            '',
            TRIGGERED,
            '',
            '- - -',
            '',
            f'[[Monitor Status]({STATUS})] · [[Edit Monitor](https://app.datadoghq.com/monitors/7/edit?link_source='
            'monitor_notif)] · [View h 1] · [Show Processes] · [Related Logs]',
            '%%%',
        ]
    )


@pytest.mark.rule('3.28')
def test_a_simple_alert_has_two_links_and_no_group():
    simple = delivery(sender=Sender(QUERY, 'acme.a'), group=(), event_tags=('monitor',))
    assert [link.label for link in simple.links] == ['Monitor Status', 'Edit Monitor']
    assert simple.links[0].address.startswith('https://app.datadoghq.com/monitors/MONITOR_ID?from_ts=')
    assert Link('Related Logs', '') in delivery(group=(), event_tags=('a:b', 'monitor')).links


@pytest.mark.rule('3.28')
def test_a_recovery_names_the_earlier_trigger():
    assert delivery(edge=Edge(ALERT, OK), last_triggered_at=INSTANT - 2 * 86400).last_triggered == (
        'The monitor was last triggered at Wed Jun 25 2025 06:50:29 UTC.'
    )
    assert delivery(last_triggered_at=None).last_triggered == ''


@pytest.mark.rule('3.26', '3.28')
@pytest.mark.parametrize(
    'preset, hidden',
    [
        pytest.param('', set(), id='none'),
        pytest.param('show_all', set(), id='show_all'),
        pytest.param('hide_query', {'query'}, id='hide_query'),
        pytest.param('hide_handles', {'handles'}, id='hide_handles'),
        pytest.param('hide_query_and_handles', {'query', 'handles'}, id='hide_query_and_handles'),
        pytest.param('hide_handles_and_footer', {'handles', 'footer'}, id='hide_handles_and_footer'),
        pytest.param('show_only_snapshot', {'query', 'handles', 'footer'}, id='show_only_snapshot'),
        pytest.param('hide_all', {'query', 'handles', 'footer', 'snapshot'}, id='hide_all'),
    ],
)
def test_a_preset_hides_parts_and_no_recipient(preset, hidden):
    sent = delivery(sender=Sender(QUERY, 'acme.a', preset=preset))
    parts = {'query': SENTENCE, 'handles': '@slack-x', 'footer': 'Edit Monitor', 'snapshot': 'SNAPSHOT'}
    assert {name for name, text in parts.items() if text not in sent.event_message} == hidden
    _, mail = sent.email()
    slack = sent.slack()
    assert ('on average' not in mail, '@slack-x' not in mail) == ('query' in hidden, 'handles' in hidden)
    assert ('@ops' not in slack['notified'], not slack['snapshot']) == ('handles' in hidden, 'snapshot' in hidden)
    assert ('last triggered' not in mail) == ('footer' in hidden)
    assert sent.recipients == ('@ops', '@slack-x')


@pytest.mark.rule('3.28')
def test_the_mail_has_the_title_as_its_subject_and_a_plain_text():
    subject, text = delivery().email()
    assert subject == '[P1] [Triggered on {host:h 1,zone:z}] Busy'
    assert text.splitlines()[:5] == [
        'It is <b>. @ops @slack-x',
        '',
        'acme.a over * was > 60.0 on average during the last 5m.',
        '',
        TRIGGERED,
    ]
    assert f'Monitor Status: {STATUS}' in text


@pytest.mark.rule('3.28')
@pytest.mark.parametrize(
    'transition, word, kind',
    [
        pytest.param((OK, ALERT), 'Triggered', 'error', id='alert'),
        pytest.param((ALERT, ALERT), 'Re-Triggered', 'error', id='renotification'),
        pytest.param((OK, WARN), 'Warn', 'warning', id='warning'),
        pytest.param((ALERT, OK), 'Recovered', 'success', id='recovery'),
        pytest.param((OK, NO_DATA), 'No Data', None, id='no data'),
    ],
)
def test_the_variables_of_a_webhook(transition, word, kind):
    variables = delivery(edge=Edge(*transition)).webhook()
    assert (variables['$ALERT_TRANSITION'], variables['$ALERT_TYPE']) == (word, kind)
    assert variables['$ALERT_SCOPE'] == 'host:h 1,zone:z'
    assert variables['$DATE'] == variables['$LAST_UPDATED'] == '1751007029000'
    assert (variables['$ALERT_ID'], variables['$ALERT_PRIORITY'], variables['$ID']) == ('7', 'P1', None)
    assert variables['$TAGS'] == 'host:h 1,monitor,zone:z'
    assert variables['$ALERT_STATUS'] == (delivery().trigger.plain if NO_DATA not in transition else None)
    assert variables['$TEXT_ONLY_MSG'] in variables['$EVENT_MSG']
    assert delivery(priority=None, group=()).webhook()['$ALERT_PRIORITY'] == ''
