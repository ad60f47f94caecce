"""The whole exercise against the sandbox: a host reports, my_metric is applied, its signal arrives, mails come, and
nothing is left.
"""

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock
from urllib.request import urlopen

import pytest
import yaml
from loopback.keys import API_KEY, APP_KEY
from loopback.server import FakeDatadog
from loopback.trial import run
from test_sandbox_intake import HOST_METADATA, send
from test_sandbox_live import told

from ddassets.engine.state import State
from ddassets.rehearsal import of_data, rehearse
from ddassets.rehearsal.discovery import assets_in
from ddassets.rehearsal.inbox import inbox
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.mailbox import Mailbox
from ddassets.sandbox.sandbox import Sandbox
from ddassets.sandbox.server import Server
from ddassets.sandbox.store import Store

MY_METRIC = Path(__file__).parents[2] / 'my_metric'
NOTIFY = '@oncall@example.com'
TAGS = ['env:dev', 'home:desktop', 'role:testing']
HOSTS = {'alpha': {'ip': '192.0.2.11'}, 'beta': {'ip': '192.0.2.12'}}


@dataclass
class Exercise:
    """A sandbox that my_metric is applied to. The commands see its clock."""

    sandbox: Sandbox
    url: str

    def command(self, *arguments: object):
        with mock.patch.object(time, 'time', self.sandbox.clock.now):
            return run(cast(FakeDatadog, SimpleNamespace(url=self.url)), *arguments)

    def send(self, method: str, path: str, body=None):
        status, answer = send(self.url, method, path, body, (API_KEY, APP_KEY))
        assert status < 300, (path, status, answer)
        return answer

    def drive(self, instant: float) -> None:
        self.send('PUT', '/sandbox/clock', {'now': instant})

    def play(self, signal, start: int, until: int) -> None:
        """Submit the points until each minute as a host's Agent does, and let the minute come; then pass hours."""
        hosts = {min(tag.removeprefix('host:') for tag in one.tags if tag.startswith('host:')): one for one in signal}
        last = max(one.times[-1] for one in signal)
        now = start
        while now < until:
            to = min(now + (60 if now < last + 1800 else 3600), until)
            series = []
            for host, one in hosts.items():
                due = (one.times > now - (now == start)) & (one.times <= to)
                points = [
                    {'timestamp': int(at), 'value': value}
                    for at, value in zip(one.times[due].tolist(), one.values[due].tolist(), strict=True)
                ]
                resources = [{'name': host, 'type': 'host'}]
                series.append({'metric': 'my_metric', 'type': 3, 'points': points, 'resources': resources})
            if series := [one for one in series if one['points']]:
                self.send('POST', '/api/v2/series', {'series': series})
            self.drive(to)
            now = to


@contextmanager
def applied(folder: Path, start: int):
    """A sandbox whose hosts reported themselves, with my_metric applied, a second before `start`."""
    with Store() as store:
        sandbox = Sandbox(store, Keys.of([API_KEY], [APP_KEY]), mailbox=Mailbox(store, folder / 'mail'))
        with Server(sandbox) as server:
            exercise = Exercise(sandbox, server.url)
            exercise.drive(start - 1)
            for host, about in HOSTS.items():
                meta = {**cast(dict[str, Any], HOST_METADATA['meta']), 'hostname': host}
                gohai = json.dumps({'network': {'ipaddress': about['ip']}})
                body = {'internalHostname': host, 'meta': meta, 'host-tags': {'system': TAGS}, 'gohai': gohai}
                exercise.send('POST', '/intake/', {**HOST_METADATA, 'apiKey': API_KEY, **body})
            outcome = exercise.command('apply', MY_METRIC, '--yes', '--notify', NOTIFY)
            assert outcome.code == 0, outcome.said
            yield exercise, outcome


def shifted(name: str, start: str, length: str):
    """A scenario of my_metric with another start, both downtimes, and my_metric alone as its signal."""
    text = (MY_METRIC / 'rehearsals' / f'{name}.yaml').read_text(encoding='utf-8')
    found = yaml.load(text, yaml.BaseLoader)
    kept = {key: found[key] for key in ('timezone', 'notify')}
    series = [one for one in found['series'] if one.get('metric') == 'my_metric']
    downtimes = ['weeknights', 'weekends']
    return {**kept, 'hosts': HOSTS, 'start': start, 'length': length, 'series': series, 'downtimes': downtimes}


def _asset(body) -> str:
    """The file of an applied downtime."""
    return 'weekends' if 'BYDAY=SA,SU' in json.dumps(body) else 'weeknights'


def _renamed(mail, id: str, name: str):
    return tuple(name if one == id else one for one in mail.muted_by)


def _place(mail):
    return mail.instant, mail.title


# A busy afternoon that ends in the quiet hours, until the next morning; and every state on a Friday, until Monday.
CASES = {
    'busy_afternoon': ('2027-01-05T16:00:00', '17h30m'),
    'every_state': ('2027-01-08T15:00:00', '67h30m'),
}


@pytest.fixture(scope='module', params=CASES)
def played(request, tmp_path_factory):
    """The exercise after the signal of a scenario, what `apply` said, and the rehearsal of the same."""
    scenario = shifted(request.param, *CASES[request.param])
    rehearsed = rehearse(of_data(scenario, Path('a.yaml')), assets_in(MY_METRIC))
    start, end = rehearsed.scenario.start, rehearsed.scenario.end
    with applied(tmp_path_factory.mktemp('sandbox'), start) as (exercise, outcome):
        exercise.play([*rehearsed.signal.series], start, end - 1)
        yield exercise, outcome, rehearsed


def test_apply_makes_all_and_its_links_open(played):
    exercise, outcome, _ = played
    organisation = exercise.sandbox.organisation
    assert [len(kind) for kind in (organisation.dashboards, organisation.monitors, organisation.downtimes)] == [2, 1, 2]
    links = set(re.findall(r'http://\S+', outcome.out))
    assert len(links) >= 4, outcome.out
    for link in links:
        with urlopen(link, timeout=20) as page:
            assert page.status == 200 and page.headers['Content-Type'].startswith('text/html'), link
            assert page.read().startswith(b'<!doctype html>'), link


def test_the_mails_are_those_of_the_rehearsal(played):
    exercise, _, rehearsed = played
    downtimes = exercise.sandbox.organisation.downtimes
    mails = exercise.sandbox.live.mailbox.mails()
    # A downtime of an organisation has no name but its id; the rehearsal's is that of its file.
    names = {id: _asset(body) for id, body in downtimes.items()}
    for id, name in names.items():
        mails = [replace(one, title=one.title.replace(id, name), muted_by=_renamed(one, id, name)) for one in mails]
    expected = [*inbox(rehearsed)]
    assert told(mails) == told(expected)
    for found, wanted in zip(sorted(mails, key=_place), sorted(expected, key=_place), strict=True):
        assert sorted(found.muted_by) == sorted(wanted.muted_by), found.title
        # What Datadog adds below differs by the id of the monitor.
        assert found.text.startswith(wanted.text.strip()), found.title


def test_the_story_has_everything(played):
    exercise, *_ = played
    mails = exercise.sandbox.live.mailbox.mails()
    ip = {host: about['ip'] for host, about in HOSTS.items()}
    for one in mails:
        if one.target in ('Warn', 'Alert') and one.source != one.target and one.value is not None:
            host, value = one.group.removeprefix('host:'), re.search(r'averaged ([\d.]+\d)', one.text)
            assert value and float(value[1]) == pytest.approx(one.value, abs=0.001), one.text
            assert one.target == 'Warn' or f'my_metric on {host} ({ip[host]}) averaged' in one.text
    assert {'Warn', 'Alert', 'No Data'} <= {one.target for one in mails}
    assert any(one.muted_by and one.target == 'No Data' for one in mails)
    own = [one.title.split(':')[0] for one in mails if not one.monitor]
    assert {'Downtime started', 'Downtime expired'} == set(own) and len(own) >= 2


def test_the_search_finds_the_sent_transitions(played):
    exercise, _, rehearsed = played
    (id,) = exercise.sandbox.organisation.monitors
    asked = {
        'filter': {
            'query': f'source:alert @monitor.id:{id}',
            'from': str(rehearsed.scenario.start * 1000),
            'to': 'now',
        },
        'page': {'limit': 1000},
    }
    found = exercise.send('POST', '/api/v2/events/search', asked)['data']
    sent = [one for one in exercise.sandbox.live.mailbox.mails() if one.monitor and not one.muted_by]
    assert [one['attributes']['attributes']['timestamp'] for one in found] == [1000 * one.instant for one in sent]
    assert [one['attributes']['attributes']['title'] for one in found] == [one.title for one in sent]


def test_the_states_are_shown(played):
    exercise, _, rehearsed = played
    (id,) = exercise.sandbox.organisation.monitors
    shown = exercise.send('GET', f'/api/v1/monitor/{id}?group_states=all')
    (monitor,) = rehearsed.monitors
    states = {','.join(group): State(result.states[-1]) for group, result in monitor.results.items()}
    expected = {name: str(state) for name, state in states.items() if state is not State.ABSENT}
    assert {name: one['status'] for name, one in shown['state']['groups'].items()} == expected
    assert shown['overall_state'] == 'No Data'


@pytest.fixture
def quiet(tmp_path):
    """A host whose my_metric has been far below the limits for half an hour."""
    scenario = shifted('busy_afternoon', '2027-01-05T12:00:00', '1h')
    rehearsed = rehearse(of_data(scenario, Path('a.yaml')), assets_in(MY_METRIC))
    start = rehearsed.scenario.start
    with applied(tmp_path, start) as (exercise, _):
        exercise.play([*rehearsed.signal.series], start, start + 1800)
        yield exercise


def test_all_is_well_until_nothing_is_left(quiet):
    outcome = quiet.command('doctor', MY_METRIC, '--json')
    assert outcome.code == 0, outcome.said
    found = {one['subject']: one['level'] for one in json.loads(outcome.out)['findings']}
    assert set(found) == {'API key', 'clock', 'application key', 'metric', 'monitor'}
    assert set(found.values()) == {'ok'}, outcome.said
    outcome = quiet.command('snapshot', MY_METRIC, '--widget', 'my_metric by host', '--notify', NOTIFY, '--last', '1h')
    assert outcome.code == 0, outcome.said
    (event,) = [one for one in quiet.sandbox.store.events(0, quiet.sandbox.clock.now()) if not one.monitor]
    (address,) = re.findall(r'!\[[^]]*\]\((\S+)\)', event.body['text'])
    with urlopen(address, timeout=20) as picture:
        assert picture.headers['Content-Type'] == 'image/png' and picture.read().startswith(b'\x89PNG\r\n')
    assert NOTIFY in event.body['text']
    organisation = quiet.sandbox.organisation
    outcome = quiet.command('destroy', MY_METRIC, '--yes')
    assert outcome.code == 0, outcome.said
    assert not organisation.dashboards and not organisation.monitors and not quiet.sandbox.live.watched()
    assert all(one['attributes']['status'] == 'canceled' for one in organisation.downtimes.values())
    assert quiet.send('GET', '/api/v2/downtime?current_only=true')['data'] == []
    mails = quiet.sandbox.live.mailbox.mails()
    quiet.drive(quiet.sandbox.clock.now() + 86400)
    assert quiet.sandbox.live.mailbox.mails() == mails
