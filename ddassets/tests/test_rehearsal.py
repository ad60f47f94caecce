"""Rehearsals: states, mutes, messages, coverage, and verdicts."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import monitor
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.language.query.syntax import parse_query
from ddassets.rehearsal import Judgement, Rehearsal, parse, read, rehearse
from ddassets.rehearsal.coverage import coverage, percentage, together
from ddassets.rehearsal.expectation import events
from ddassets.rehearsal.inbox import DowntimeMail, inbox
from ddassets.rehearsal.writing import write

ACME = Path(__file__).parent / 'acme'
BERLIN = ZoneInfo('Europe/Berlin')
ASSETS = bundle.read(ACME)
START = int(datetime(2027, 1, 11, 10, tzinfo=BERLIN).timestamp())
HEAD = """\
start: 2027-01-11T10:00:00
timezone: Europe/Berlin
length: 1h
hosts:
  one: {ip: 192.0.2.1, tags: [env:prod], metadata: {platform: linux}}
  two: {tags: [env:test, env:spare]}
"""


def run(text: str, head: str = HEAD, **options: Any) -> Rehearsal:
    return rehearse(parse(head + text, ACME / 'rehearsals' / 's.yaml'), ASSETS, **options)


def queue(values: str, more: str = '') -> Rehearsal:
    series = f"series: [{{metric: acme.queue.length, tags: ['host:one'], values: {values}}}]\n"
    return run(f'{series}monitors: [queue_full]\n{more}')


def told(rehearsal: Rehearsal) -> list[str]:
    """Return every event, `10:24 OK to Warn (sent)`, without monitor and group if there is one of each."""
    return [
        f'{datetime.fromtimestamp(event.at, BERLIN):%H:%M} {str(event).rpartition(": ")[2]}'
        for event in events(rehearsal)
    ]


@pytest.mark.rule('2.19', '3.8')
def test_states_and_notifications_follow_the_signal():
    rehearsal = queue('10x20 70x20 100x10 10x20')
    assert told(rehearsal) == [
        '10:24 OK to Warn (sent)',
        '10:43 Warn to Alert (sent)',
        '10:51 Alert to Warn (sent)',
        '10:52 Warn to OK (sent)',
    ]
    (monitor,) = rehearsal.monitors
    (group,) = monitor.results.values()
    assert (group.sent, group.muted) == (4, 0)
    # From its first point, a minute after new_group_delay, to the end.
    assert {state: group.seconds_in(state) for state in (State.OK, State.WARN, State.ALERT)} == {
        State.OK: (23 + 8) * 60,
        State.WARN: (19 + 1) * 60,
        State.ALERT: 8 * 60,
    }


@pytest.mark.parametrize('keep', [pytest.param(True, id='kept'), pytest.param(False, id='made-anew')])
def test_the_results_of_evaluations_are_kept_for_the_page(keep):
    (monitor, *_) = run(
        "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x20 70x40}]\nmonitors: [queue_full]\n",
        keep=keep,
    ).monitors
    ((group, result),) = monitor.results.items()
    timeline = monitor.timeline.groups[group]
    assert (timeline is result.timeline) == keep
    assert [span.start for span in timeline.spans] == result.starts[1:].tolist()
    assert np.nanmax(timeline.values) == 70


def test_series_get_the_tags_of_their_host():
    rehearsal = run("series: [{metric: acme.queue.length, tags: ['host:two', 'env:own'], values: 1x60}]\n")
    (series,) = rehearsal.series
    assert series.tags == {'host:two', 'env:test', 'env:spare', 'env:own'}
    # Several values of one key are joined in their order (rule 4.8).
    assert [group.name for group in rehearsal.monitors[1].results.values()] == ['host:two,env:own,spare,test']


@pytest.mark.rule('4.6', '4.9')
def test_messages_have_value_thresholds_and_host():
    message = (
        '{{value}} {{comparator}} {{threshold}} {{warn_threshold}} {{host.name}} {{host.ip}} '
        '{{host.metadata_platform}} {{env.name}} {{first_triggered_at}} {{triggered_duration_sec}} {{nonsense}} @a'
    )
    body = {
        'name': 'Odd {{host.name}}',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:acme.queue.length{env:prod} by {host} > 50',
        'message': message,
        'priority': 2,
        'options': {'thresholds': {'critical': 50, 'warning': 40}, 'include_tags': False},
    }
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x20 100x40}]\n"
    rehearsal = run(f'{series}monitors: [{yaml.safe_dump(body, default_flow_style=True, width=9999)}]\n')
    *_, last = inbox(rehearsal)
    assert last.title == '[P2] [Triggered] Odd one'
    # From Warn, a minute before, to Alert.
    assert last.text == ('64.0 &gt; 50.0 40.0 one 192.0.2.1 linux prod 2027-01-11T09:21:00+00:00 60  @a')
    assert (last.message.host, last.message.ip) == ('one', '192.0.2.1')
    assert last.message.problems == ('nonsense does not exist for this group',)


@pytest.mark.rule('4.9')
@pytest.mark.parametrize(
    'by, message, expected',
    [
        pytest.param('service', '{{service.team}} {{service.links[Run book]}}', 'core https://x', id='service'),
        pytest.param('kube_cluster_name,kube_namespace', '{{kube_namespace.owner}}', 'shop', id='namespace'),
        pytest.param('kube_namespace', '[{{kube_namespace.owner}}]', '[]', id='a namespace needs its cluster'),
        pytest.param('device_ip,device_namespace', '{{network_device.site}}', 'north', id='device, by its last part'),
        pytest.param('host', '[{{service.team}}]', '[]', id='not grouped by service'),
    ],
)
def test_messages_have_services_namespaces_and_devices(by, message, expected):
    known = {
        'services': {'web': {'team': 'core', 'links': {'Run book': 'https://x'}}},
        'namespaces': {'c1/web': {'owner': 'shop'}, 'web': {'owner': 'another'}},
        'devices': {'192.0.2.7': {'site': 'north'}},
    }
    tags = ['service:web', 'kube_cluster_name:c1', 'kube_namespace:web', 'device_ip:192.0.2.7', 'device_namespace:n']
    series = {'metric': 'acme.queue.length', 'tags': [*tags, 'host:one'], 'values': '10x20 100x40'}
    query = f'avg(last_5m):avg:acme.queue.length{{*}} by {{{by}}} > 50'
    body = {'name': 'x', 'type': 'query alert', 'query': query, 'message': message}
    rehearsal = run(yaml.safe_dump({'series': [series], 'monitors': [body], **known}))
    (mail,) = inbox(rehearsal)
    assert mail.text == expected
    assert bool(mail.message.problems) == (expected == '[]')


@pytest.mark.rule('3.28', 'I7')
def test_a_message_has_its_condition_and_tags():
    body = {
        'id': 12,
        'name': 'x',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:acme.queue.length{env:prod} by {host} > 50',
        'message': 'Full. @ops',
        'tags': ['team:core'],
        'priority': 2,
        'options': {'notify_no_data': True, 'no_data_timeframe': 10},
    }
    series = {'metric': 'acme.queue.length', 'tags': ['host:one', '@Zone:Z'], 'values': '10x20 100x10 10x5 _x40'}
    rehearsal = run(yaml.safe_dump({'series': [series], 'monitors': [body]}))
    alert, recovery, no_data = (mail.message.delivery for mail in inbox(rehearsal))
    assert alert.event_tags == ('env:prod', 'host:one', 'monitor', 'team:core')
    assert alert.condition == (
        '**acme.queue.length** over **env:prod,host:one** was **> 50.0** on average during the **last 5m**.'
    )
    assert alert.webhook()['$ALERT_STATUS'] == (
        'acme.queue.length over env:prod was > 50.0 on average during the last 5m.'
    )
    assert alert.title == '[P2] [Triggered on {host:one}] x'
    assert '/monitors/12?group=host%3Aone&' in alert.status_address
    assert (recovery.trigger.brief, recovery.last_triggered) == ('<= 50.0', alert.last_triggered)
    assert no_data.condition == '(wording not known)'
    assert 'I7' in rehearsal.assumptions
    left_out = run(yaml.safe_dump({'series': [series], 'monitors': [body], 'assumptions': {'I7': 'left out'}}))
    assert [mail.message.delivery.condition for mail in inbox(left_out)][-1] == ''


def test_probable_mistakes_are_warnings():
    body = (
        '{name: x, type: query alert, query: "avg(last_5m):avg:acme.queue.length{*} by {host} > 1", '
        'message: "{{pod.name}} {{eval \\"value / 0\\"}} @a"}'
    )
    series = "series: [{metric: acme.queue.length, tags: ['host:on'], values: 10x60}]\n"
    assert run(f'{series}monitors: [{body}]\n').warnings == (
        'hosts.one: no series has the tag host:one; did you mean on?',
        'hosts.two: no series has the tag host:two',
        'x: message: pod.name does not exist for this group',
        "x: message: eval 'value / 0': division by zero",
    )


@pytest.mark.parametrize(
    ('line', 'recipients'),
    [
        pytest.param('', ['@slack-acme'], id='as-it-is'),
        pytest.param("notify: '@oncall@example.com'", ['@slack-acme', '@oncall@example.com'], id='notify'),
        pytest.param("redirect: '@you@example.com'", ['@you@example.com'], id='redirect'),
    ],
)
def test_recipients_may_be_added_or_replaced(line, recipients):
    day = HEAD.replace('length: 1h', 'length: 10h')
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x20 70x580}]\n"
    rehearsal = run(f'{series}monitors: [queue_full]\n{line}\n', day)
    sent, downtime = inbox(rehearsal)
    assert list(sent.recipients) == recipients
    assert isinstance(downtime, DowntimeMail)
    assert list(downtime.recipients) == recipients


@pytest.mark.parametrize(
    ('handle', 'reason'),
    [
        pytest.param('@slack-prod', '', id='what-the-variable-prints'),
        pytest.param('@slack-other', '', id='what-it-might-print'),
        pytest.param('@pagerduty-prod', "never notifies '@pagerduty-prod'", id='what-it-never-prints'),
    ],
)
def test_a_recipient_may_be_built_from_a_variable(handle, reason):
    body = (
        '{name: x, type: query alert, query: "avg(last_5m):avg:acme.queue.length{*} by {env} > 1", '
        'message: "@slack-{{env.name}}"}'
    )
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x60}]\n"
    rehearsal = run(
        f"{series}monitors: [{body}]\nproperties: [{{notifications: {{exactly: 1}}, recipient: '{handle}'}}]\n"
    )
    if reason:
        with pytest.raises(UnusableInputError, match=reason):
            assert Judgement(rehearsal).failures
    else:
        assert bool(Judgement(rehearsal).failures) == (handle != '@slack-prod')


@pytest.mark.parametrize('number', [pytest.param(2, id='as-many'), pytest.param(4, id='one-for-all')])
def test_a_recipient_may_depend_on_the_value(number):
    body = (
        '{name: x, type: query alert, query: "avg(last_1m):avg:acme.queue.length{*} > 1", '
        'message: "{{#is_match \\"value\\" \\"6\\"}}@one@example.com{{/is_match}}"}'
    )
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 0x9 7 0 6 0 7 0 6 0x44}]\n"
    expected = f"[{{notifications: {{exactly: {number}}}, state: Alert, recipient: '@one@example.com'}}]"
    rehearsal = run(f'{series}monitors: [{body}]\nproperties: {expected}\n')
    assert bool(Judgement(rehearsal).failures) == (number != 2)


@pytest.mark.rule('5.15', '5.16', '5.18', '5.21', '5.22')
def test_a_downtime_mutes_and_notifies_at_its_end():
    rehearsal = rehearse(read(ACME / 'rehearsals' / 'night.yaml'), ASSETS)
    (downtime,) = rehearsal.downtimes
    assert [what for _, what in downtime.messages] == ['started', 'expired']
    at = {f'{event.reason} {event.fate}' for event in events(rehearsal)}
    assert at == {'transition muted', 'renotify muted', 'renotify sent', 'downtime end sent'}
    (end,) = [event for event in events(rehearsal) if event.reason == 'downtime end']
    assert end.message.title.startswith('[Triggered on')
    assert rehearsal.assumptions['A33'] == 'a trigger'


def muted_by(scope: str, schedule: dict[str, object], more: str = '') -> Rehearsal:
    attributes = {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': scope, 'message': '@a', 'schedule': schedule}
    return queue('10x60', f'{more}\n{yaml.safe_dump({"downtimes": [attributes]})}')


ONCE = {'start': '2027-01-11T09:00:00Z', 'end': '2027-01-11T10:00:00Z'}


@pytest.mark.rule('5.15')
@pytest.mark.parametrize(
    'scope, expected',
    [
        pytest.param(
            'tenant:t1', ['downtime 1: the downtime mutes nothing: its scope tenant:t1 covers no group of'], id='none'
        ),
        pytest.param('host:one', [], id='one'),
        pytest.param('*', [], id='all'),
    ],
)
def test_a_downtime_that_covers_no_group_is_reported(scope, expected):
    found = [warning for warning in muted_by(scope, ONCE).warnings if 'downtime' in warning]
    assert len(found) == len(expected)
    assert all(warning.startswith(start) for warning, start in zip(found, expected, strict=True))


@pytest.mark.rule('5.14', 'A91')
def test_lower_case_operators_in_a_scope_are_accepted_or_refused():
    scope = 'env:prod and host:one'
    rehearsal = muted_by(scope, ONCE)
    assert any(mutes for mutes in rehearsal.monitors[0].mutes.values())
    assert rehearsal.assumptions['A91'] == 'accepted'
    with pytest.raises(UnusableInputError, match='scope: `and` and `or` in lower case are refused'):
        muted_by(scope, ONCE, 'assumptions: {A91: refused}')


@pytest.mark.rule('5.9')
@pytest.mark.parametrize(
    'start, words',
    [
        pytest.param('2027-01-12T10:00:00', 'also mute Tue 2027-01-19 10:00', id='the second of two'),
        pytest.param('2027-02-01T10:00:00', 'mute nothing else', id='no difference here'),
    ],
)
def test_a_numbered_weekday_with_daily_is_read_in_both_ways(start, words):
    daily = {'start': start, 'duration': '10m', 'rrule': 'FREQ=DAILY;BYDAY=2TU'}
    schedule = {'timezone': 'Europe/Berlin', 'recurrences': [daily]}
    attributes = {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': '*', 'schedule': schedule}
    text = yaml.safe_dump({'downtimes': [attributes], 'monitors': ['queue_full'], 'length': '2w'})
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x60}]\n"
    rehearsal = run(series + text, HEAD.replace('length: 1h\n', ''))
    (warning,) = [warning for warning in rehearsal.warnings if '2TU' in warning]
    assert words in warning


@pytest.mark.rule('5.7', '5.22', 'A90')
@pytest.mark.parametrize('choice, expected', [('no', 2), ('yes', 4)])
def test_a_downtime_that_continues_sends_no_message(choice, expected):
    daily = {'start': '2027-01-11T10:10:00', 'duration': '10m', 'rrule': 'FREQ=HOURLY;BYMINUTE=10,20'}
    schedule = {'timezone': 'Europe/Berlin', 'recurrences': [daily]}
    (downtime,) = muted_by('*', schedule, f'assumptions: {{A90: "{choice}"}}').downtimes
    assert len(downtime.windows) == 2
    assert len(downtime.messages) == expected


@pytest.mark.rule('5.21', 'A14', 'A33')
def test_the_end_of_a_downtime_may_send_a_renotification():
    text = (ACME / 'rehearsals' / 'night.yaml').read_text() + "assumptions: {A33: a renotification, A14: canceled}\n"
    silent = rehearse(parse(text, ACME / 'rehearsals' / 's.yaml'), ASSETS)
    assert [event for event in events(silent) if event.reason == 'downtime end'] == []
    told_so = rehearse(parse(text.replace(', A14: canceled', ''), ACME / 'rehearsals' / 's.yaml'), ASSETS)
    (end,) = [event for event in events(told_so) if event.reason == 'downtime end']
    assert end.message.title.startswith('[Re-Triggered on')


def test_no_downtimes_and_some_downtimes():
    night = (ACME / 'rehearsals' / 'night.yaml').read_text().partition('properties')[0]
    path = ACME / 'rehearsals' / 's.yaml'
    assert not any(event.fate == 'muted' for event in events(rehearse(parse(f'{night}downtimes: []', path), ASSETS)))
    only_test = (
        'downtimes: [{monitor_identifier: {monitor_tags: ["*"]}, scope: "env:test"}, ./../assets/downtimes/nights.json]'
    )
    rehearsal = rehearse(parse(f'{night}{only_test}', path), ASSETS)
    assert [one.name for one in rehearsal.downtimes] == ['downtime 1', 'nights']
    assert {name for event in events(rehearsal) if event.notification for name in event.notification.muted_by} == {
        'nights'
    }


def test_monitors_may_be_left_out():
    rehearsal = run("series: [{metric: acme.errors, values: 0x60}]\nmonitors: {except: [Queue is full]}\n")
    assert [monitor.name for monitor in rehearsal.monitors] == ['Errors pile up']


def test_csv_gives_hosts_and_late_points(tmp_path):
    rows = ['time,value,arrival,host']
    rows += [f'{START + 60 * n},{100 if n > 10 else 10},{START + 60 * n + 600},one' for n in range(40)]
    (tmp_path / 'q.csv').write_text('\n'.join(rows))
    text = 'series: [{metric: acme.queue.length, csv: q.csv, until: 2027-01-11T11:00:00}]\nmonitors: [queue_full]\n'
    rehearsal = rehearse(parse(HEAD + text, tmp_path / 's.yaml'), ASSETS)
    (series,) = rehearsal.series
    assert series.tags == {'host:one', 'env:prod'}
    assert rehearsal.signal.data_end(series) == rehearsal.end
    # Every point is seen ten minutes late, when no window of five minutes asks for it any more.
    assert told(rehearsal) == []


def test_the_check_needs_a_simulator():
    asked = []

    def simulate(folder, check, end):
        asked.append((folder, check.host, check.start, end, check.down, check.late))
        times = np.arange(check.start, end, 60.0)
        series = Series('acme.queue.length', frozenset({f'host:{check.host}'}), times, times * 0 + 70, 'gauge', 60)
        return [series], ['a sample was dropped']

    down = '{from: 2027-01-11T10:10:00, to: 2027-01-11T10:20:00}'
    rehearsal = run(
        f'series: [{{check: {{host: one, late: 2m, down: [{down}]}}}}]\nmonitors: [queue_full]\n', simulate=simulate
    )
    assert asked == [(ACME, 'one', START, START + 3600, ((START + 600, START + 1200),), 120)]
    assert told(rehearsal) == ['10:01 absent to Warn (sent)']
    assert rehearsal.warnings == ('a sample was dropped', 'hosts.two: no series has the tag host:two')


ANOMALIES = {
    'name': 'Odd',
    'type': 'query alert',
    'query': (
        "avg(last_1h):anomalies(avg:acme.queue.length{*} by {host}, 'basic', 2, direction='DIRECTION', "
        "alert_window='last_10m', interval=60) >= 0.5"
    ),
    'message': '@a',
    'options': {'threshold_windows': {'trigger_window': 'last_10m', 'recovery_window': 'last_10m'}},
}


@pytest.mark.rule('6.2', '6.6')
@pytest.mark.parametrize(
    ('source', 'direction', 'expected'),
    [
        pytest.param('stub: anomalies, values: 0x30 1x30', 'both', ['10:34 OK to Alert (sent)'], id='a-share'),
        pytest.param(
            'stub: anomalies, monitor: Odd, values: 0x20 1x40', 'both', ['10:24 OK to Alert (sent)'], id='own'
        ),
        pytest.param('stub: anomalies, monitor: Else, values: 1x60', 'both', None, id='of-another-monitor'),
        pytest.param('band: acme.queue.length, upper: 50x60', 'both', ['10:44 OK to Alert (sent)'], id='upper'),
        pytest.param('band: acme.queue.length, upper: 50x60', 'below', [], id='the-other-side'),
        pytest.param('band: acme.queue.length, lower: 5x50 300x10', 'below', ['10:54 OK to Alert (sent)'], id='lower'),
        pytest.param('band: acme.errors, upper: 50x60', 'both', None, id='of-another-metric'),
    ],
)
def test_anomalies_by_a_stub(source, direction, expected):
    body = yaml.safe_dump(ANOMALIES, default_flow_style=True, width=9999).replace('DIRECTION', direction)
    text = (
        "series:\n  - {metric: acme.queue.length, tags: ['host:one'], values: 10x40 100x20}\n"
        f"  - {{tags: ['host:one'], {source}}}\nmonitors: [{body}]\n"
    )
    if expected is None:
        with pytest.raises(UnusableInputError, match=r'anomalies\(\): cannot be computed'):
            run(text)
        return
    rehearsal = run(text)
    assert told(rehearsal) == expected
    assert 'Odd: anomalies() is not computed: a series of the scenario replaces its result' in rehearsal.warnings


def test_a_band_has_edges_for_the_page():
    rehearsal = run(
        "series:\n  - {metric: acme.queue.length, tags: ['host:one'], values: 10x60}\n"
        "  - {band: acme.queue.length, tags: ['host:one'], lower: 5x60, upper: 20+1x60}\n"
    )
    expression = parse_query('avg:acme.queue.length{*} by {host}.rollup(avg, 600)')
    (lower,), (upper,) = rehearsal.edges(expression, rehearsal.start, rehearsal.end)
    assert lower.name == upper.name == 'host:one'
    assert lower.values.tolist() == [5.0] * 6
    assert upper.values.tolist() == [24.5, 34.5, 44.5, 54.5, 64.5, 74.5]
    assert rehearsal.edges(parse_query('avg:acme.errors{*}'), rehearsal.start, rehearsal.end) == ([], [])


@pytest.mark.rule('2.4', '7.1', '7.4')
@pytest.mark.parametrize(
    ('query', 'lines'),
    [
        pytest.param('avg:acme.queue.length{*}.rollup(avg, 1200)', {'*': [5, 5, 5]}, id='over-sources'),
        pytest.param(
            'sum:acme.queue.length{*} by {host}.rollup(max, 1800)',
            {'host:one': [2, 4], 'host:two': [9, 9]},
            id='groups',
        ),
        pytest.param('sum:acme.errors{*}.as_count().rollup(sum, 1800)', {'*': [30, 60]}, id='count'),
        pytest.param(
            'sum:acme.errors{*}.as_count().rollup(sum, 1800) / sum:acme.queue.length{host:two}.rollup(sum, 1800)',
            {'*': [30 / 270, 60 / 270]},
            id='arithmetic-on-a-count-is-per-point',
        ),
        pytest.param('default_zero(sum:acme.errors{host:none}.rollup(sum, 1800))', {}, id='nothing'),
        pytest.param(
            'default_zero(sum:acme.gaps{*}.rollup(sum, 1200))', {'*': [20, 0, 20]}, id='default-zero-fills-gaps'
        ),
    ],
)
def test_what_a_graph_draws(query, lines):
    rehearsal = run(
        "series:\n  - {metric: acme.queue.length, tags: ['host:one'], values: 1x20 2x10 3x10 4x20}\n"
        "  - {metric: acme.queue.length, tags: ['host:two'], values: 9x60}\n"
        '  - {metric: acme.errors, values: 1x30 2x30}\n'
        '  - {metric: acme.gaps, type: gauge, interval: 1m, values: 1x20 _x20 1x20}\n'
    )
    found = rehearsal.lines(parse_query(query), rehearsal.start, rehearsal.end)
    if 'over-sources' not in query and query.startswith('avg'):
        assert [line.values.tolist() for line in found] == [[5.0, 5.75, 6.5]]
        return
    assert {line.name: line.values.tolist() for line in found} == lines


# Judging

EXPECTED = """\
expect:
  - {at: 2027-01-11T10:24:00, from: OK, to: Warn, value: 70, notification: sent, recipients: ['@slack-acme']}
  - {at: 2027-01-11T10:43:00, group: 'env:prod,host:one', to: Alert, message: [192.0.2.1, '[Triggered on']}
  - {at: 2027-01-11T10:51:00, to: Warn, muted_by: []}
  - {at: 2027-01-11T10:52:00, to: OK}
"""
SIGNAL = '10x20 70x20 100x10 10x20'


def failures(expected: str) -> list[str]:
    return [str(verdict) for verdict in Judgement(queue(SIGNAL, expected)).failures]


def test_met_expectations():
    judgement = Judgement(queue(SIGNAL, EXPECTED))
    assert [verdict.name.partition(': ')[2] for verdict in judgement.verdicts] == [
        'OK to Warn',
        '… to Alert',
        '… to Warn',
        '… to OK',
        '',
    ]
    assert judgement.failures == []


@pytest.mark.parametrize(
    ('old', 'new', 'failure'),
    [
        pytest.param('value: 70', 'value: 70.1', 'value: expected 70.1, found 70', id='value'),
        pytest.param('from: OK', 'from: No Data', 'from: expected No Data, found OK', id='from'),
        pytest.param('to: Alert', 'to: OK', 'to: expected OK, found Alert', id='to'),
        pytest.param('notification: sent, recipients', 'notification: muted, recipients', 'found sent', id='fate'),
        pytest.param('muted_by: []', 'muted_by: [nights]', 'muted_by: expected nights, found none', id='muted-by'),
        pytest.param(
            "['@slack-acme']",
            "['@slack-acme', '@pagerduty-acme']",
            'recipients: expected @pagerduty-acme, @slack-acme, found @slack-acme',
            id='recipients',
        ),
        pytest.param(
            '192.0.2.1', '192.0.2.9', "message: '192.0.2.9' is missing; the message is: '[Triggered", id='message'
        ),
        pytest.param('10:51', '10:50', 'did not happen: Alert since Mon 2027-01-11 10:43:00', id='missing'),
        pytest.param(
            '  - {at: 2027-01-11T10:52:00, to: OK}\n',
            '',
            'nothing else happens: Mon 2027-01-11 10:52:00 Queue is full, host:one,env:prod: Warn to OK (sent)',
            id='unexpected',
        ),
    ],
)
def test_unmet_expectations(old, new, failure):
    assert old in EXPECTED
    found = failures(EXPECTED.replace(old, new))
    assert any(failure in one for one in found), found


def test_nothing_is_expected_and_something_happens():
    assert len(failures('expect: []\n')) == 1
    assert Judgement(queue('10x60', 'expect: []\n')).failures == []


@pytest.mark.parametrize(
    ('entry', 'holds'),
    [
        pytest.param('notifications: none', False, id='none'),
        pytest.param('notifications: {exactly: 4}', True, id='exactly'),
        pytest.param('notifications: {exactly: 3}', False, id='exactly-not'),
        pytest.param('notifications: {at_least: 5}', False, id='at-least'),
        pytest.param('notifications: {at_most: 4}', True, id='at-most'),
        pytest.param('notifications: {exactly: 2}, state: Warn', True, id='state'),
        pytest.param('notifications: {exactly: 3}, state: [Warn, Alert]', True, id='states'),
        pytest.param("notifications: {exactly: 1}, recipient: '@pagerduty-acme'", True, id='recipient'),
        pytest.param("notifications: {exactly: 4}, recipient: '@slack-acme'", True, id='every-recipient'),
        pytest.param('notifications: {exactly: 2}, outside: Mon 10:00-10:45', True, id='outside'),
        pytest.param('notifications: {exactly: 2}, inside: Mon 10:00-10:45', True, id='inside'),
        pytest.param('notifications: none, inside: Tue-Sun', True, id='days'),
        pytest.param('notifications: {at_least: 1}, muted: true', False, id='muted'),
        pytest.param('notifications: {at_least: 1}, reason: renotify', False, id='reason'),
        pytest.param('notifications: {exactly: 4}, group: "host:one,env:prod", monitor: queue_full', True, id='group'),
        pytest.param('notifications: none, downtime: nights', True, id='downtime'),
        pytest.param('time_in: Alert, at_least: 8m, at_most: 8m', True, id='time'),
        pytest.param('time_in: Alert, at_least: 9m', False, id='too-little-time'),
        pytest.param('time_in: Alert, at_most: 7m', False, id='too-much-time'),
    ],
)
def test_properties(entry, holds):
    (verdict,) = Judgement(queue(SIGNAL, f'properties: [{{{entry}}}]')).verdicts
    assert verdict.holds == holds
    assert bool(verdict.details) != holds


@pytest.mark.parametrize(
    ('start', 'entry', 'details'),
    [
        pytest.param(
            '10:00',
            "notifications: {exactly: 1}, state: Warn, recipient: '@pagerduty-acme'",
            ['found 0', '2 sent without this recipient, the first at Mon 2027-01-11 10:24:00'],
            id='recipient',
        ),
        pytest.param(
            '10:00',
            "notifications: {at_least: 2}, recipient: '@pagerduty-acme'",
            [
                'found 1',
                'Mon 2027-01-11 10:43:00 Queue is full, host:one,env:prod: Alert',
                '3 sent without this recipient, the first at Mon 2027-01-11 10:24:00',
            ],
            id='too-few',
        ),
        pytest.param(
            '19:00',
            "notifications: {at_least: 1}, state: Alert, recipient: '@slack-acme'",
            ['found 0', '1 muted by "Quiet for the night" at Mon 2027-01-11 19:43:00'],
            id='muted',
        ),
        pytest.param(
            '19:00',
            "notifications: {at_least: 1}, state: Warn, recipient: '@pagerduty-acme'",
            [
                'found 0',
                '2 muted by "Quiet for the night" without this recipient, the first at Mon 2027-01-11 19:24:00',
            ],
            id='both',
        ),
        pytest.param(
            '18:30',
            'notifications: {exactly: 4}',
            [
                'found 2',
                'Mon 2027-01-11 18:54:00 Queue is full, host:one,env:prod: Warn',
                'Mon 2027-01-11 19:22:00 Queue is full, host:one,env:prod: OK',
                '2 muted by "Quiet for the night", the first at Mon 2027-01-11 19:13:00',
            ],
            id='some-muted',
        ),
        pytest.param(
            '10:00',
            'notifications: {at_least: 1}, muted: true, state: Alert',
            ['found 0', '1 sent at Mon 2027-01-11 10:43:00'],
            id='not-muted',
        ),
        pytest.param('10:00', 'notifications: {exactly: 1}, inside: Tue', ['found 0'], id='no-reason'),
        pytest.param(
            '19:00',
            'notifications: none, muted: true, state: Alert',
            ['found 1', 'Mon 2027-01-11 19:43:00 Queue is full, host:one,env:prod: Alert'],
            id='too-many',
        ),
    ],
)
def test_a_property_says_why_it_found_too_few(start, entry, details):
    text = HEAD.replace('10:00:00', f'{start}:00') + (
        f"series: [{{metric: acme.queue.length, tags: ['host:one'], values: {SIGNAL}}}]\nmonitors: [queue_full]\n"
    )
    scenario = parse(f'{text}properties: [{{{entry}}}]', ACME / 'rehearsals' / 's.yaml')
    (verdict,) = Judgement(rehearse(scenario, ASSETS)).verdicts
    assert list(verdict.details) == details


NOTHING = 'no evaluation had data: this rehearsal tests nothing'
COUNT = '{name: c, type: query alert, query: "sum(last_5m):sum:acme.errors{env:no}.as_count() > 5"}'
LOGS = '{name: l, type: log alert, query: "logs(\\"x\\").index(\\"*\\").rollup(\\"count\\").last(\\"5m\\") > 5"}'


@pytest.mark.parametrize(
    ('source', 'monitors', 'expected'),
    [
        pytest.param('values: 10x60', 'queue_full', False, id='data'),
        pytest.param('values: _x59 1', 'queue_full', False, id='one-point'),
        pytest.param('values: _x60', 'queue_full', True, id='no-value'),
        pytest.param(
            'values: 10x60', '{name: o, type: query alert, query: "avg(last_5m):avg:o{*} > 1"}', True, id='else'
        ),
        pytest.param(
            'values: 10x60',
            '{name: o, type: query alert, query: "avg(last_5m):avg:o{*} > 1"}, queue_full',
            False,
            id='one-of-two',
        ),
        pytest.param('values: 10x2, from: 2027-01-11T09:58:00', 'queue_full', False, id='in-a-window'),
        pytest.param('values: 10x2, from: 2027-01-11T08:58:00', 'queue_full', True, id='before-each-window'),
        pytest.param('values: 10x60', COUNT, True, id='nothing-counts-as-0'),
        pytest.param('values: 10x60', LOGS, False, id='no-events-are-a-count'),
    ],
)
def test_a_rehearsal_without_data_is_warned_about(source, monitors, expected):
    series = f"series: [{{metric: acme.queue.length, tags: ['host:one'], {source}}}]\n"
    assert (NOTHING in run(f'{series}monitors: [{monitors}]\n').warnings) == expected


QUEUE = 'metric: acme.queue.length'
BEFORE, AFTER = 'from: 2027-01-11T09:00:00', 'from: 2027-01-11T11:00:00'


@pytest.mark.parametrize(
    ('source', 'warning'),
    [
        pytest.param(
            f'{QUEUE}, {BEFORE}, values: 1x60',
            'acme.queue.length is before the rehearsal: Mon 2027-01-11 09:00:00 to Mon 2027-01-11 09:59:00',
            id='before',
        ),
        pytest.param(f'{QUEUE}, {BEFORE}, values: 1x61', '', id='up-to-the-start'),
        pytest.param(
            f'{QUEUE}, {AFTER}, values: 1',
            'acme.queue.length is after the rehearsal: Mon 2027-01-11 11:00:00',
            id='after',
        ),
        pytest.param(f'{QUEUE}, from: 2027-01-11T10:59:00, values: 1x9', '', id='from-the-last-minute'),
        pytest.param(
            f'{QUEUE}, csv: points.csv',
            'acme.queue.length is before the rehearsal: Fri 2027-01-01 01:00:00 to Fri 2027-01-01 01:01:00',
            id='csv',
        ),
        pytest.param(
            f'metric: other, interval: 1m, type: distribution, {AFTER}, values: "[1 2]"',
            'other is after the rehearsal: Mon 2027-01-11 11:00:00',
            id='distribution',
        ),
        pytest.param(
            f'service_check: acme.up, {AFTER}, statuses: OK',
            'acme.up is after the rehearsal: Mon 2027-01-11 11:00:00',
            id='check',
        ),
        pytest.param(
            f'events: logs, {BEFORE}, counts: 1x2',
            'logs events is before the rehearsal: Mon 2027-01-11 09:00:00 to Mon 2027-01-11 09:01:00',
            id='events',
        ),
    ],
)
def test_points_outside_the_rehearsal_are_warned_about(tmp_path, source, warning):
    (tmp_path / 'points.csv').write_text('time,value\n1798761600,5\n1798761660,5\n')
    text = f'{HEAD}series:\n  - {{tags: [host:one], {source}}}\nmonitors: [queue_full]\n'
    found = rehearse(parse(text, tmp_path / 's.yaml'), ASSETS).warnings
    expected = [f'line {len(text.splitlines()) - 1}: all data of {warning}'] if warning else []
    assert [one for one in found if 'all data of' in one] == expected


# Coverage


def test_coverage_is_the_share_of_reached_states_and_transitions():
    assert dict(coverage(queue('10x60').monitors[0])) == {
        'OK': True,
        **dict.fromkeys(
            (
                'Warn',
                'Alert',
                'No Data',
                'recovery from Warn',
                'recovery from Alert',
                'recovery from No Data',
                'renotification',
                'message: is_alert',
                'message: is_alert and is_match "env.name" "prod"',
                'message: is_warning',
                'message: is_no_data',
                'message: is_recovery',
            ),
            False,
        ),
    }
    full = [
        coverage(queue('10x5 70x10 10x10 100x35').monitors[0]),
        # From Alert straight to No Data, and without a word between them to OK.
        coverage(queue('10x5 120x4 _x6 10x10 100x5 _x4 10x26').monitors[0]),
    ]
    missing = [item for item, reached in together(full) if not reached]
    assert missing == []
    assert percentage({'x': full[0]}) == pytest.approx(100 * 9 / 13)


@pytest.mark.rule('3.9', '3.10', '3.15')
@pytest.mark.parametrize(
    ('options', 'counted'),
    [
        pytest.param({}, False, id='neither'),
        pytest.param({'notify_no_data': True, 'no_data_timeframe': 10}, True, id='legacy'),
        pytest.param({'on_missing_data': 'show_no_data'}, True, id='silent'),
        pytest.param({'on_missing_data': 'resolve'}, False, id='resolve'),
    ],
)
def test_no_data_is_to_be_reached_where_the_options_show_it(options, counted):
    body = {'name': 'x', 'type': 'query alert', 'query': 'avg(last_5m):avg:m{*} > 1', 'options': options}
    assert (State.NO_DATA in monitor.read(body).states) == counted


def test_too_little_coverage_fails():
    assert Judgement(queue('10x60', 'min_coverage: 5')).failures == []
    (failure,) = Judgement(queue('10x60', 'min_coverage: 50')).failures
    assert str(failure).startswith('coverage of at least 50 %: found 7.692 %; not reached: Queue is full: Warn; Queue')


# Writing

VALUES = st.lists(
    st.tuples(st.sampled_from(['10', '70', '85', '100', '_']), st.integers(1, 30)).map(
        lambda one: f'{one[0]}x{one[1]}'
    ),
    min_size=1,
    max_size=6,
).map(' '.join)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, VALUES, st.sampled_from(['2027-01-11T10:00:00', '2027-01-11T18:40:00', '2027-01-12T08:30:00']))
def test_written_expectations_hold_and_are_complete(one, two, start):
    text = HEAD.replace('2027-01-11T10:00:00', start) + (
        f"# kept\nseries:\n  - {{metric: acme.queue.length, tags: ['host:one'], values: {one} _x60}}\n"
        f"  - {{metric: acme.queue.length, tags: ['host:two'], values: {two} _x60}}\n"
        f'  - {{metric: acme.errors, values: {two.replace("_", "0")} 0x60}}\n'
    )
    path = ACME / 'rehearsals' / 's.yaml'
    first = rehearse(parse(text, path), ASSETS)
    written, count = write(first)
    assert written.startswith(text)
    second = rehearse(parse(written, path), ASSETS)
    assert Judgement(second).failures == []
    assert len(Judgement(second).verdicts) == count + 1
    # Written again, nothing changes.
    assert write(second) == (written, count)
    if count:
        # And each entry is needed.
        lines = written.splitlines(keepends=True)
        entry = next(index for index, line in enumerate(lines) if line.startswith('  - at:'))
        after = next((i for i, line in enumerate(lines) if i > entry and line.startswith('  - at:')), len(lines))
        without = ''.join(lines[:entry] + lines[after:])
        third = rehearse(parse(without if count > 1 else without.replace('expect:', 'expect: []'), path), ASSETS)
        assert len(Judgement(third).failures) == 1


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        pytest.param('expect:\n  - {at: 2027-01-11T10:30:00}\n', '', id='last'),
        pytest.param('expect: []\n', 'tick_second: 0\n', id='empty'),
        pytest.param(
            'expect:   # old\n  - at: 2027-01-11T10:30:00\n    to: Warn\n', '# a remark\ntick_second: 0\n', id='mid'
        ),
        pytest.param(
            'expect:\n- at: 2027-01-11T10:30:00\n  message:\n  - |\n    text\n', '\ntick_second: 0', id='block'
        ),
        pytest.param('expect:\n', 'tick_second: 0\n', id='null'),
    ],
)
def test_only_the_expectations_are_replaced(before, after):
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x30 70x30}]\nmonitors: [queue_full]\n"
    rehearsal = run(f'{series}# before\n{before}{after}')
    text, count = write(rehearsal)
    assert count == 1
    block = text.removeprefix(f'{HEAD}{series}# before\n').removesuffix(after)
    assert yaml.safe_load(block) == {
        'expect': [
            {
                'at': datetime(2027, 1, 11, 10, 34),
                'group': 'host:one,env:prod',
                'from': 'OK',
                'to': 'Warn',
                'value': 70,
                'notification': 'sent',
                'recipients': ['@slack-acme'],
            }
        ]
    }


@pytest.mark.parametrize('mark', ['', '\ufeff'])
def test_the_ends_of_lines_stay_as_they_are(mark):
    series = "series: [{metric: acme.queue.length, tags: ['host:one'], values: 10x30 70x30}]\n"
    text = mark + f'{HEAD}{series}monitors: [queue_full]\nexpect: []\ntick_second: 0\n'.replace('\n', '\r\n')
    written, count = write(rehearse(parse(text, ACME / 'rehearsals' / 's.yaml'), ASSETS))
    assert count == 1
    assert written.count('\n') == written.count('\r\n') == text.count('\n') + 7
    assert written.endswith('\r\ntick_second: 0\r\n')


def test_muting_downtimes_are_written():
    night = (ACME / 'rehearsals' / 'night.yaml').read_text()
    text, _ = write(rehearse(parse(night, ACME / 'rehearsals' / 's.yaml'), ASSETS))
    entries = yaml.safe_load(text)['expect']
    assert {(entry['notification'], *entry.get('muted_by', ())) for entry in entries} == {
        ('sent',),
        ('muted', 'nights'),
    }


def test_fragments_of_a_message_survive_writing():
    text, _ = write(queue(SIGNAL, EXPECTED.replace('10:51', '10:50')))
    entries = yaml.safe_load(text)['expect']
    assert [entry.get('message') for entry in entries] == [None, ['192.0.2.1', '[Triggered on'], None, None]


def test_too_many_events_are_not_written():
    values = ' '.join(['10x5 100x5'] * 1500)
    head = HEAD.replace('length: 1h', 'length: 10d').replace('timezone', 'tick_second: 0\ntimezone')
    series = f"series: [{{metric: acme.queue.length, tags: ['host:one'], values: {values}}}]\nmonitors: [queue_full]\n"
    with pytest.raises(UnusableInputError, match='events happened, too many to review'):
        write(run(series, head))
