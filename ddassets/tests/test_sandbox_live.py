"""Live evaluation: what the sandbox tells as time goes by is what a rehearsal of the same points tells."""

import http.server
import json
import socket
import threading
from dataclasses import replace
from email import message_from_bytes
from functools import partial
from pathlib import Path
from random import Random
from typing import ClassVar

import numpy as np
import pytest

from ddassets.assets import Bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.dynamic import GIVEN, DynamicEvaluator
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.resuming import continues
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.inbox import inbox
from ddassets.rehearsal.message import Messages
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.mailbox import Mail, Mailbox
from ddassets.sandbox.request import Request
from ddassets.sandbox.sandbox import Message, Sandbox
from ddassets.sandbox.store import Change, Run, Source, Store
from ddassets.sandbox.watched import Watched
from ddassets.sandbox.webhook import Webhook

START = 1_799_049_600  # 2027-01-04T08:00:00Z
HOURS = 6
MONITORS = [
    {
        'name': 'Queue of {{host.name}}',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:acme.queue{*} by {host} > 100',
        'message': '{{#is_alert}}Long: {{value}}{{/is_alert}}{{#is_recovery}}Fine.{{/is_recovery}} @ops@example.com',
        'tags': ['team:harbor'],
        'options': {
            'thresholds': {'critical': 100, 'warning': 60, 'critical_recovery': 40, 'warning_recovery': 30},
            'renotify_interval': 20,
            'notify_no_data': True,
            'no_data_timeframe': 15,
            'new_group_delay': 120,
        },
    },
    {
        'name': 'Errors',
        'type': 'query alert',
        'query': 'sum(last_10m):sum:acme.errors{*}.as_count() > 8',
        'message': '{{value}} errors @slack-harbor',
        'options': {'thresholds': {'critical': 8}, 'on_missing_data': 'default'},
    },
    {
        'name': 'Process',
        'type': 'service check',
        'query': '"acme.can_connect".over("*").by("host").last(3).count_by_status()',
        'message': '{{host.name}} {{check_message}} @ops@example.com',
        'options': {
            'thresholds': {'critical': 2, 'ok': 2, 'warning': 1},
            'notify_no_data': True,
            'no_data_timeframe': 10,
        },
    },
    {
        'name': 'Errors of the hour',
        'type': 'query alert',
        'query': 'sum(current_1h):sum:acme.errors{*}.as_count() > 30',
        'message': '{{value}} @slack-harbor',
        'options': {
            'thresholds': {'critical': 30, 'warning': 20},
            'on_missing_data': 'default',
            'scheduling_options': {'evaluation_window': {'hour_starts': 15}},
        },
    },
    {
        'name': 'Queue at half past ten',
        'type': 'query alert',
        'query': 'max(last_1h):max:acme.queue{*} by {host} > 10',
        'message': '{{value}} @ops@example.com',
        'options': {
            'thresholds': {'critical': 10},
            'on_missing_data': 'show_no_data',
            'scheduling_options': {
                'custom_schedule': {
                    'recurrences': [{'rrule': 'FREQ=DAILY', 'timezone': 'UTC', 'start': '2027-01-01T10:30:00'}]
                }
            },
        },
    },
]
COMPOSITE = {'name': 'Both', 'type': 'composite', 'message': '{{a.value}} and {{b.value}} @oncall', 'options': {}}
DOWNTIME = {
    'message': 'Works @ops@example.com',
    'monitor_identifier': {'monitor_tags': ['*']},
    'scope': 'host:b',
    'notify_end_states': ['alert', 'warn', 'no data'],
    'notify_end_types': ['expired'],
    'schedule': {'start': '2027-01-04T09:30:00+00:00', 'end': '2027-01-04T10:40:00+00:00'},
}


def signal(seed: int):
    """Points of two gauges and a count, and runs of a check, with pauses: (instant, Source or check, host, value)."""
    random = Random(seed)
    queue, errors, runs = {}, [], {}
    for host in 'ab':
        level, points, statuses = 20.0, [], []
        for minute in range(HOURS * 60):
            level = max(0.0, min(160.0, level + random.choice([-25, -5, 0, 5, 25])))
            if not 130 < minute < 130 + random.choice([0, 40]):
                points.append((START + 60 * minute, round(level, 1)))
            if not (200 < minute < 230 and host == 'a'):
                statuses.append((START + 60 * minute + 15, random.choices([0, 1, 2, 3], [8, 1, 4, 1])[0]))
        queue[host], runs[host] = points, statuses
    for minute in range(HOURS * 60):
        if random.random() < 0.4:
            errors.append((START + 60 * minute, random.choice([1, 1, 2, 5])))
    return queue, errors, runs


def scenario(seed: int):
    queue, errors, runs = signal(seed)
    folder = {'start': '2027-01-04T08:00:00', 'length': f'{HOURS}h', 'downtimes': [DOWNTIME]}
    composite = {**COMPOSITE, 'query': '1 && 2'}
    monitors = [{**body, 'id': number} for number, body in enumerate([*MONITORS, composite], 1)]
    series = [
        {
            'metric': 'acme.queue',
            'type': 'gauge',
            'interval': '60s',
            'tags': [f'host:{host}'],
            'values': compact(points),
        }
        for host, points in queue.items()
    ]
    series.append({'metric': 'acme.errors', 'type': 'count', 'interval': '60s', 'values': compact(errors)})
    words = {0: 'OK', 1: 'WARNING', 2: 'CRITICAL', 3: 'UNKNOWN'}
    for host, found in runs.items():
        by_minute = {(instant - START) // 60: words[status] for instant, status in found}
        series.append(
            {
                'service_check': 'acme.can_connect',
                'interval': '60s',
                'tags': [f'host:{host}'],
                'from': '2027-01-04T08:00:15',
                'statuses': ' '.join(by_minute.get(minute, '_') for minute in range(HOURS * 60)),
            }
        )
    return parse(json.dumps({**folder, 'series': series, 'monitors': monitors}), Path('a.yaml'))


def compact(points) -> str:
    known = {(instant - START) // 60: value for instant, value in points}
    return ' '.join(str(known.get(minute, '_')) for minute in range(HOURS * 60))


def create(sandbox, operation: str, body) -> str:
    request = Request({}, body, '', sandbox.clock.moment())
    return sandbox.organisation.act(operation, request).body


def get(sandbox, id):
    request = Request({'group_states': ['all']}, None, str(id), sandbox.clock.moment())
    return sandbox.organisation.act('GetMonitor', request).body


def told(mails):
    return sorted((one.instant, one.title, tuple(one.recipients), bool(one.muted_by)) for one in mails)


def start(store, tmp_path):
    return Sandbox(store, Keys.of(['a' * 32], ['b' * 40]), mailbox=Mailbox(store, tmp_path / 'mail'))


@pytest.mark.parametrize(
    'address', ['http://example.com/', 'https://127.0.0.1/', 'http://127.0.0.1:99999/', 'http://localhost@example.com/']
)
def test_a_webhook_is_on_this_machine(address):
    with pytest.raises(UnusableInputError, match='on this machine'):
        Webhook(address)


class _Called(http.server.BaseHTTPRequestHandler):
    calls: ClassVar[list] = []
    refuse = 0

    def do_POST(self):
        _Called.calls.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
        _Called.refuse -= 1
        self.send_response(503 if _Called.refuse >= 0 else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_webhook_gets_each_sent_message_once_it_answers():
    _Called.calls, _Called.refuse = [], 1
    with http.server.HTTPServer(('127.0.0.1', 0), _Called) as server, Store() as store:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mailbox = Mailbox(store, webhook=Webhook(f'http://127.0.0.1:{server.server_port}/hook'))
        for number, muted in enumerate([(), ('nights',), ()]):
            mail = Mail(
                START + number, f'Title {number}', 'Text', ('@a',), monitor=1, muted_by=muted, webhook={'$ID': 'x'}
            )
            store.write(lambda change, mail=mail: mailbox.add(change, mail))
        mailbox.deliver()
        assert 'answered 503' in mailbox.problem
        mailbox.deliver()
        mailbox.deliver()
        server.shutdown()
    assert [one['title'] for one in _Called.calls] == ['Title 0', 'Title 0', 'Title 2']
    assert _Called.calls[-1]['variables'] == {'$ID': 'x'} and not mailbox.problem


@pytest.mark.parametrize('seed', range(6))
def test_the_sandbox_tells_what_a_rehearsal_tells(seed, tmp_path):
    random = Random(seed)
    queue, errors, runs = signal(seed)
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        ids = [create(sandbox, 'CreateMonitor', body)['id'] for body in MONITORS]
        create(sandbox, 'CreateMonitor', {**COMPOSITE, 'query': f'{ids[0]} && {ids[1]}'})
        create(sandbox, 'CreateDowntime', {'data': {'type': 'downtime', 'attributes': DOWNTIME}})
        now, end = START - 1, START + HOURS * 3600 - 1
        while now < end:
            to = min(now + random.choice([1, 20, 60, 60, 300, 2400]), end)

            def due(points, now=now, to=to):
                return [one for one in points if now < one[0] <= to]

            def add(change, due=due):
                for host in 'ab':
                    change.add_points([(Source('acme.queue', (), host, 'gauge', 60), due(queue[host]))])
                    change.add_runs(Run('acme.can_connect', (), host, *one) for one in due(runs[host]))
                change.add_points([(Source('acme.errors', (), '', 'count', 60), due(errors))])

            store.write(add)
            sandbox.clock.drive(to)
            now = to
            if random.random() < 0.1:
                # After a restart everything goes on.
                sandbox = start(store, tmp_path)
        assert [one.reason for one in sandbox.live.watched().values()] == [''] * 6
        found = told(sandbox.live.mailbox.mails())
        events = [event.instant for event in store.events(START - 1, end) if event.monitor]
        shown = {
            (watched.asset.name, name): one['status']
            for id, watched in sandbox.live.watched().items()
            for name, one in get(sandbox, id)['state']['groups'].items()
        }
    rehearsed = rehearse(scenario(seed), Bundle(Path('acme'), None, {}, (), ()))
    expected = [one for one in told(inbox(rehearsed)) if not one[1].startswith('Downtime')]
    assert shown == {
        (monitor.name, ','.join(group) or '*'): str(State(result.states[-1]))
        for monitor in rehearsed.monitors
        for group, result in monitor.results.items()
    }
    assert events == [instant for instant, title, _, muted in found if not muted and not title.startswith('Downtime')]
    own = [one for one in found if one[1].startswith('Downtime')]
    assert [one for one in found if one not in own] == expected
    assert [(one[1].split(':')[0], one[2]) for one in own] == [
        ('Downtime started', ('@ops@example.com',)),
        ('Downtime expired', ('@ops@example.com',)),
    ]
    assert len(expected) > 40 and {muted for *_, muted in expected} == {True, False}
    files = [message_from_bytes(path.read_bytes()) for path in sorted((tmp_path / 'mail').iterdir())]
    assert sorted(one['Subject'] for one in files) == sorted(title for _, title, _, muted in found if not muted)
    assert {'Both', *(body['name'] for body in MONITORS[1:])} <= {
        title.rpartition('] ')[2] for _, title, *_ in expected
    }


def points(store, instants, value, metric='acme.queue', host='a'):
    store.write(
        lambda change: change.add_points(
            [(Source(metric, (), host, 'gauge', 60), [(instant, value) for instant in instants])]
        )
    )


def gone_off(sandbox, store, minutes=6):
    """Drive a sandbox from START until the queue of host a has been too long for some minutes."""
    points(store, range(START, START + 60 * minutes, 60), 150)
    sandbox.clock.drive(START + 60 * minutes)


QUEUE = {**MONITORS[0], 'options': {'thresholds': {'critical': 100}, 'new_group_delay': 0}}


def test_a_monitor_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    def failing(self, store, start, end, begun, member, original=Watched.evaluator):
        if 'bad' in self.asset.name:
            raise ZeroDivisionError('planted')
        return original(self, store, start, end, begun, member)

    with Store() as store, monkeypatch.context() as patch:
        patch.setattr(Watched, 'evaluator', failing)
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        bad, good = (create(sandbox, 'CreateMonitor', {**QUEUE, 'name': name})['id'] for name in ('bad', 'good'))
        gone_off(sandbox, store)
        watched = sandbox.live.watched()
        assert watched[bad].reason == 'ZeroDivisionError: planted' and not watched[good].reason
        assert [one.monitor for one in sandbox.live.mailbox.mails()] == [good]
        patch.undo()
        sandbox.clock.drive(START + 420)
        assert not sandbox.live.watched()[bad].reason
        assert [one.monitor for one in sandbox.live.mailbox.mails()] == [good, bad]


def test_a_message_that_cannot_be_rendered_is_told_with_the_reason(tmp_path, monkeypatch):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        create(sandbox, 'CreateMonitor', QUEUE)

        def failing(*_):
            raise RecursionError('planted')

        monkeypatch.setattr(Messages, 'render', failing)
        gone_off(sandbox, store)
        (mail,) = sandbox.live.mailbox.mails()
    assert mail.title == '[Alert] Queue of {{host.name}}' and not mail.recipients
    assert mail.text.startswith('The message cannot be rendered: RecursionError: planted\n')


def test_a_downtime_that_cannot_be_read_mutes_nothing_and_says_so(tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        create(sandbox, 'CreateMonitor', QUEUE)
        create(sandbox, 'CreateDowntime', {'data': {'type': 'downtime', 'attributes': {**DOWNTIME, 'scope': '*'}}})
        (id,) = sandbox.organisation.downtimes
        sandbox.organisation.downtimes[id]['attributes']['schedule'] = {'start': 7, 'end': None}
        gone_off(sandbox, store)
        assert len(sandbox.live.mailbox.mails()) == 1
        assert sandbox.live.unread[id]
        page = sandbox.answer(Message('GET', '/monitors/downtimes', {}, b'')).body.decode()
        assert 'mutes nothing: ' in page


def test_half_a_character_is_delivered(tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        create(sandbox, 'CreateMonitor', {**QUEUE, 'name': 'A\ud800', 'message': 'B\ud800 @c\ud800@example.com'})
        gone_off(sandbox, store)
    assert len([*(tmp_path / 'mail').iterdir()]) == 1


def test_what_was_not_committed_is_evaluated_again(tmp_path, monkeypatch):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        create(sandbox, 'CreateMonitor', QUEUE)
        sandbox.clock.drive(START)

        def full(work):
            raise OSError('the disk is full')

        points(store, range(START, START + 360, 60), 150)
        with monkeypatch.context() as patch:
            patch.setattr(store, 'write', full)
            with pytest.raises(OSError, match='full'):
                sandbox.live.follow(START + 360)
        assert not sandbox.live.mailbox.mails()
        sandbox.live.follow(START + 360)
        assert [one.target for one in sandbox.live.mailbox.mails()] == ['Alert']


@pytest.mark.parametrize('restart', [False, True])
def test_a_monitor_with_another_query_begins_anew(restart, tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        id = create(sandbox, 'CreateMonitor', QUEUE)['id']
        gone_off(sandbox, store)
        change = {'query': QUEUE['query'].replace('acme.queue', 'acme.other')}
        sandbox.organisation.act('UpdateMonitor', Request({}, change, str(id), sandbox.clock.moment()))
        if restart:
            sandbox = start(store, tmp_path)
        points(store, range(START, START + 900, 60), 1, 'acme.other')
        sandbox.clock.drive(START + 900)
        assert {str(one.state) for one in sandbox.live.watched()[id].shown.values()} == {'OK'}
        assert [one.target for one in sandbox.live.mailbox.mails()] == ['Alert']
        taken = sandbox.live.history(id, START, START + 900)
        assert {state for states in taken.values() for _, state in states} == {State.OK}


def test_a_monitor_with_another_threshold_keeps_its_states(tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        id = create(sandbox, 'CreateMonitor', QUEUE)['id']
        gone_off(sandbox, store)
        change = {'query': QUEUE['query'], 'options': {**QUEUE['options'], 'renotify_interval': 60}}
        sandbox.organisation.act('UpdateMonitor', Request({}, change, str(id), sandbox.clock.moment()))
        points(store, range(START + 360, START + 900, 60), 150)
        sandbox.clock.drive(START + 900)
        assert [one.target for one in sandbox.live.mailbox.mails()] == ['Alert']


@pytest.mark.parametrize('restart', [False, True])
def test_nothing_is_kept_of_a_deleted_monitor(restart, tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        id = create(sandbox, 'CreateMonitor', QUEUE)['id']
        gone_off(sandbox, store)
        assert store.states() and store.rows('SELECT * FROM history')
        sandbox.organisation.act('DeleteMonitor', Request({}, None, str(id), sandbox.clock.moment()))
        if restart:
            sandbox = start(store, tmp_path)
        sandbox.clock.drive(START + 900)
        assert not store.states() and not store.rows('SELECT * FROM history')
        assert len(sandbox.live.mailbox.mails()) == 1


def test_a_page_that_is_read_meanwhile_replaces_no_monitor(tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START - 1)
        id = create(sandbox, 'CreateMonitor', QUEUE)['id']
        sandbox.clock.drive(START)
        before = sandbox.live.watched()[id]
        sandbox.organisation.act('UpdateMonitor', Request({}, {'message': 'x'}, str(id), sandbox.clock.moment()))
        assert sandbox.live.watched()[id] is not before
        assert sandbox.live._watched[id] is before


def test_the_address_of_a_webhook_keeps_its_query():
    assert Webhook('http://127.0.0.1:8080/hook?a=1')._path == '/hook?a=1'
    with pytest.raises(UnusableInputError, match='ASCII'):
        Webhook('http://127.0.0.1:8080/hök')


def test_a_clock_that_goes_back_lets_monitors_begin_anew(tmp_path):
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.live.follow(START + 86400)
        id = create(sandbox, 'CreateMonitor', QUEUE)['id']
        sandbox.live.follow(START + 86400 + 60)
        sandbox.clock.drive(START - 1)
        gone_off(sandbox, store)
        assert [one.target for one in sandbox.live.mailbox.mails()] == ['Alert']
        # The clock of the system is set a little back.
        sandbox.live.follow(START + 300)
        assert sandbox.live.until == START + 360 and sandbox.live.watched()[id].memories


def test_files_do_not_wait_for_the_webhook(tmp_path):
    with socket.socket() as closed:
        closed.bind(('127.0.0.1', 0))
        address = f'http://127.0.0.1:{closed.getsockname()[1]}/'
    number = 450
    with Store() as store:
        mailbox = Mailbox(store, tmp_path, Webhook(address))

        def add(change):
            for row in range(number):
                mailbox.add(change, Mail(START + row, 'Title', 'Text', (), monitor=1, webhook={'$ID': 'x'}))

        store.write(add)
        mailbox.deliver()
        assert len([*tmp_path.iterdir()]) == number and 'will be tried again' in mailbox.problem
        assert store.rows('SELECT count(*) FROM mails WHERE delivered = 0') == [(number,)]
        # Those that waited are delivered without the webhook after a restart.
        mailbox = Mailbox(store, tmp_path)
        mailbox.deliver()
        assert not mailbox.problem and not store.rows('SELECT 1 FROM mails WHERE delivered = 0')


def test_a_schedule_remembers_the_status_of_the_day_before(tmp_path):
    option = {'recurrences': [{'rrule': 'FREQ=DAILY;BYHOUR=10;BYMINUTE=30', 'timezone': 'UTC'}]}
    options = {'thresholds': {'critical': 50}, 'on_missing_data': 'default'}
    daily = {
        'name': 'Daily',
        'type': 'query alert',
        'query': 'max(last_1h):max:acme.queue{*} > 50',
        'message': '{{value}} @ops@example.com',
        'options': {**options, 'scheduling_options': {'custom_schedule': option}},
    }
    with Store() as store:
        sandbox = start(store, tmp_path)
        sandbox.clock.drive(START)
        id = create(sandbox, 'CreateMonitor', daily)['id']
        for hour in range(3 * 24):
            instant = START + 3600 * hour
            # A gauge whose data stop after the first day: its status is told again (A58).
            points = [
                (Source('acme.queue', (), 'a', 'gauge', 60), [(instant + 60 * minute, 90.0) for minute in range(60)])
            ]
            if hour < 20:
                store.write(partial(Change.add_points, submitted=points))
            sandbox.clock.drive(instant + 3599)
            if hour % 7 == 0:
                sandbox = start(store, tmp_path)
        assert [(one.instant, one.target) for one in sandbox.live.mailbox.mails()] == [
            (START + 9000 + 86400 * day, 'Alert') for day in range(3)
        ]
        assert get(sandbox, id)['state']['groups']['*']['status'] == 'Alert'


def test_a_dynamic_threshold_is_not_evaluated():
    options = {
        'thresholds': {'critical_query': 'formula("2 * a").rollup("avg").last("1mo")'},
        'variables': [{'data_source': 'metrics', 'name': 'a', 'query': 'avg:acme.queue{*}', 'aggregator': 'avg'}],
    }
    body = {'type': 'query alert', 'query': 'formula("a").rollup("avg").last("5m") > threshold', 'options': options}
    watched = Watched(1, {'name': 'Queue', 'message': '', **body})
    assert 'dynamic thresholds' in watched.reason
    limit = Series(GIVEN['critical_query'], frozenset(), np.array([START - 60.0]), np.array([5.0]), 'gauge', 60)
    store = SeriesSet([limit])
    assert not continues(DynamicEvaluator(watched.monitor, store, START, START + 60))
    assert continues(Evaluator(replace(watched.monitor, critical_query=None), store, START, START + 60))
