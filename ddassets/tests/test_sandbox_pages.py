"""The pages of the sandbox: what they show, and that whatever was sent stays text."""

import html.parser
import io
import re

import matplotlib.image
import numpy as np
import pytest
from test_sandbox_live import START, create
from test_sandbox_live import start as started

from ddassets.sandbox.request import Request
from ddassets.sandbox.sandbox import Message
from ddassets.sandbox.store import Source, Store

HOSTILE = '</title><script>alert(1)</script>"\'><img src=x onerror=alert(1)>\u202e'
QUEUE = 'avg(last_5m):avg:acme.queue{*} by {host} > 100'
MONITOR = {
    'name': f'Queue {HOSTILE}',
    'type': 'query alert',
    'query': QUEUE,
    'message': f'{HOSTILE} @ops@example.com',
    'options': {'thresholds': {'critical': 100}, 'new_group_delay': 0},
}
DASHBOARD = {
    'title': f'Board {HOSTILE}',
    'layout_type': 'ordered',
    'widgets': [{'definition': {'type': 'timeseries', 'requests': [{'q': 'avg:acme.queue{*} by {host}'}]}}],
}


class _Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def get(sandbox, target):
    answer = sandbox.answer(Message('GET', target, {}, b''))
    return answer.status, answer.body.decode() if isinstance(answer.body, bytes) else answer.body


@pytest.fixture(scope='module')
def sandbox(tmp_path_factory):
    """A monitor that has gone off and recovered, a dashboard, and a muting downtime; all with hostile names."""
    with Store() as store:
        made = started(store, tmp_path_factory.mktemp('mail'))
        made.clock.drive(START)
        create(made, 'CreateMonitor', MONITOR)
        create(
            made,
            'CreateMonitor',
            {**MONITOR, 'type': 'process alert', 'query': 'processes("x").over("*").rollup("count").last("5m") > 100'},
        )
        create(made, 'CreateDashboard', DASHBOARD)
        fields = {'scope': 'host:b', 'monitor_identifier': {'monitor_tags': ['*']}, 'message': HOSTILE}
        create(made, 'CreateDowntime', {'data': {'type': 'downtime', 'attributes': fields}})
        for minute in range(60):
            points = [(START + 60 * minute, 500.0 if 20 <= minute < 30 else 1.0)]
            hosts = [f'a{HOSTILE}'[:60], 'b']
            store.write(
                lambda change, p=points, hosts=hosts: change.add_points(
                    (Source('acme.queue', (), one, 'gauge', 60), p) for one in hosts
                )
            )
            store.write(lambda change, hosts=hosts, m=minute: [change.see_host(one, START + 60 * m) for one in hosts])
            made.clock.drive(START + 60 * minute + 59)
        yield made


def pages(sandbox):
    monitors, mails = [*sandbox.live.watched()], sandbox.live.mailbox.mails()
    fixed = ['/', '/monitors/manage', '/monitors/downtimes', '/monitors/settings/notifications', '/sandbox/inbox']
    events = [event.id for event in sandbox.store.events(START, START + 7200)]
    assert len(monitors) == 2 and len(mails) == 4 and events
    return [
        *fixed,
        *('/infrastructure', '/dashboard/lists'),
        *(f'/monitors/{id}' for id in monitors),
        *(f'/event/event?mail={mail.id}' for mail in mails),
        *(f'/event/event?id={id}' for id in events),
    ]


def test_whatever_was_sent_stays_text(sandbox):
    for target in pages(sandbox):
        status, text = get(sandbox, target)
        assert status == 200, target
        tags = _Tags()
        tags.feed(text)
        assert {tag for tag, _ in tags.found} & {'script', 'img', 'iframe', 'object', 'form'} == set(), target
        assert not any(name.startswith('on') for _, attributes in tags.found for name in attributes), target
        assert '\u202e' not in text
        policy = next(one['content'] for _, one in tags.found if one.get('http-equiv') == 'Content-Security-Policy')
        assert "default-src 'none'" in policy and 'script-src' not in policy


def test_every_link_of_a_page_opens(sandbox):
    seen, pending = set(), ['/']
    while pending:
        target = pending.pop()
        status, text = get(sandbox, target)
        assert status == 200, target
        tags = _Tags()
        tags.feed(text if not target.startswith('/sandbox/report') else '')
        links = {attributes['href'].partition('#')[0] for tag, attributes in tags.found if tag == 'a'}
        pending += links - seen
        seen |= links
    assert {re.sub(r'[0-9]{9}|(?<=dashboard/)[0-9a-z]+-.*|=.*', '', one) for one in seen} >= {
        '/monitors/',
        '/dashboard/',
        '/sandbox/report?hours',
    }


def test_a_monitor_shows_states_history_and_messages(sandbox):
    id, refused = sandbox.live.watched()
    _, text = get(sandbox, f'/monitors/{id}')
    assert text.count('<svg') == 2 and text.count('class="Alert" x=') == 2
    assert QUEUE.replace('>', '&gt;') in text
    assert len(re.findall('muted by', text)) == 2 and text.count('@ops@example.com') > 2
    _, text = get(sandbox, f'/monitors/{refused}')
    assert 'It is not evaluated' in text


def test_a_dashboard_is_the_page_of_the_report(sandbox):
    [id] = sandbox.organisation.dashboards
    _, text = get(sandbox, f'/dashboard/{id}/whatever')
    assert '/sandbox/report?hours=4#/dashboards/0' in text
    status, text = get(sandbox, '/sandbox/report?hours=1')
    assert status == 200 and 'script-src' in text and '<script>alert' not in text


@pytest.mark.parametrize(
    'target', ['/monitors/5', '/dashboard/none', '/event/event?id=5', '/event/event', '/sandbox/report?hours=0']
)
def test_what_is_not_there_is_refused(sandbox, target):
    status, answer = get(sandbox, target)
    assert status in (400, 404) and answer['errors']


@pytest.mark.parametrize(
    ('query', 'start'),
    [
        pytest.param('avg:acme.queue{*} by {host}', START, id='lines'),
        pytest.param('avg:acme.queue{*} by {host}', START - 86400, id='nothing'),
        pytest.param(f'avg:acme.queue{{{HOSTILE} $x^', START, id='no-query'),
        pytest.param('anomalies(avg:acme.queue{*}, "basic", 2)', START, id='unsupported'),
    ],
)
def test_a_snapshot_is_a_picture_of_the_graph(sandbox, query, start):
    asked = {'metric_query': [query], 'start': [str(start)], 'end': [str(start + 3600)]}
    request = Request(asked, None, '', sandbox.clock.moment())
    address = sandbox.organisation.act('GetGraphSnapshot', request).body['snapshot_url']
    answer = sandbox.answer(Message('GET', address.removeprefix(sandbox.url), {}, b''))
    pixels = matplotlib.image.imread(io.BytesIO(answer.body))
    assert answer.content_type == 'image/png' and pixels.shape[:2] == (240, 600)
    # Lines have colours; a title, a grid and a text have none.
    coloured = np.ptp(pixels[..., :3], axis=2) > 0.2
    assert coloured.any() == (query.startswith('avg') and start == START and HOSTILE not in query)


@pytest.mark.parametrize('monitors', [[], [{**MONITOR, 'name': 'Good'}, {**MONITOR, 'message': '{{#is_alert}}x'}]])
def test_dashboards_do_not_need_the_monitors(monitors, tmp_path):
    with Store() as store:
        sandbox = started(store, tmp_path)
        sandbox.clock.drive(START)
        create(sandbox, 'CreateDashboard', {**DASHBOARD, 'title': 'Board of queues'})
        for body in monitors:
            create(sandbox, 'CreateMonitor', body)
        store.write(lambda change: change.add_points([(Source('acme.queue'), [(START, 1.0)])]))
        sandbox.clock.drive(START + 300)
        status, text = get(sandbox, '/sandbox/report?hours=1')
    assert status == 200 and len(text) > 10_000


def snapshot(sandbox, **asked):
    request = Request({key: [value] for key, value in asked.items()}, None, '', sandbox.clock.moment())
    return sandbox.organisation.act('GetGraphSnapshot', request).body['snapshot_url'].removeprefix(sandbox.url)


@pytest.mark.parametrize('start', ['99999999999999900', '9' * 5000, '-5', 'x'])
def test_a_snapshot_of_a_time_that_is_none_is_empty(sandbox, start):
    address = snapshot(sandbox, metric_query='avg:acme.queue{*}', start=start, end='99999999999999999')
    assert sandbox.answer(Message('GET', address, {}, b'')).content_type == 'image/png'


def test_a_snapshot_keeps_its_address_after_a_restart(tmp_path):
    with Store() as store:
        addresses = set()
        for _ in range(3):
            sandbox = started(store, tmp_path)
            addresses.add(snapshot(sandbox, metric_query='avg:acme.queue{*}', start='1', end='500'))
    assert len(addresses) == 3
