"""Kill -9 under load: no acknowledged point is lost, and no transition is lost or told twice."""

import http.client
import os
import signal
import threading
from email import message_from_bytes
from functools import partial
from random import Random

import pytest
import scale
from test_sandbox_intake import process, send, shown_keys
from test_sandbox_live import START, create, told
from test_sandbox_live import start as started

from ddassets.sandbox.keys import Keys
from ddassets.sandbox.sandbox import Sandbox
from ddassets.sandbox.store import Change, Source, Store

HOSTS, MINUTES, KILLS = 50, 15, 3
MONITORS = [
    {
        'name': f'Queue {number}',
        'type': 'query alert',
        'query': f'avg(last_2m):avg:acme.queue{{host:h{number}}} > 50',
        'message': '{{value}} @ops@example.com',
        'options': {'thresholds': {'critical': 50, 'warning': 30}, 'renotify_interval': 5},
    }
    for number in range(HOSTS)
]


def minute_of(seed: int, minute: int) -> list[tuple[int, int, float]]:
    """200 points of a minute: (host, instant, value)."""
    random = Random(seed * 1000 + minute)
    level = {host: random.choice([10, 40, 90]) for host in range(HOSTS)}
    return [
        (host, START + 60 * minute + second, float(level[host])) for host in range(HOSTS) for second in (0, 15, 30, 45)
    ]


def undisturbed(seed: int, tmp_path):
    with Store() as store:
        sandbox = started(store, tmp_path / 'calm')
        sandbox.clock.drive(START)
        for body in MONITORS:
            create(sandbox, 'CreateMonitor', body)
        for minute in range(MINUTES):
            rows = [
                (Source('acme.queue', (), f'h{host}'), [(at, value)]) for host, at, value in minute_of(seed, minute)
            ]
            store.write(partial(Change.add_points, submitted=rows))
            sandbox.clock.drive(START + 60 * minute + 59)
        return told(sandbox.live.mailbox.mails())


def act(url, keys, seed, minute) -> None:
    series: dict[int, list[dict]] = {}
    for host, at, value in minute_of(seed, minute):
        series.setdefault(host, []).append({'timestamp': at, 'value': value})
    body = [
        {'metric': 'acme.queue', 'type': 3, 'points': points, 'resources': [{'type': 'host', 'name': f'h{host}'}]}
        for host, points in series.items()
    ]
    # The points are there before the clock reaches them: they are in the future by a minute at most.
    assert send(url, 'POST', '/api/v2/series', {'series': body}, keys=keys)[0] == 202
    assert send(url, 'PUT', '/sandbox/clock', {'now': START + 60 * minute + 59}, keys=keys)[0] == 200


@pytest.mark.parametrize('seed', range(scale.SEED, scale.SEED + scale.runs(1)))
def test_a_kill_under_load_loses_nothing_and_tells_nothing_twice(seed, tmp_path):
    random = Random(seed)
    minute, kills, killed, keys, data = 0, 0, 0, None, tmp_path / 'data'
    while minute < MINUTES:
        with process(data, '--quiet') as (running, url, said):
            if keys is None:
                keys = shown_keys(said)
                assert send(url, 'PUT', '/sandbox/clock', {'now': START}, keys=keys)[0] == 200
                for body in MONITORS:
                    assert send(url, 'POST', '/api/v1/monitor', body, keys=keys)[0] == 200
            killer = None
            if kills < KILLS and minute:
                killer = threading.Timer(random.uniform(0.05, 2), os.kill, (running.pid, signal.SIGKILL))
                killer.start()
                kills += 1
            try:
                while minute < MINUTES:
                    act(url, keys, seed, minute)
                    minute += 1
                    if minute == 1:
                        break
            except (OSError, http.client.HTTPException):
                # After the restart this minute is sent again.
                killed += 1
            finally:
                if killer:
                    killer.cancel()
    with Store(data) as store:
        sandbox = Sandbox(store, Keys.of(['a'], ['b']))
        found = told(sandbox.live.mailbox.mails())
        points = {
            (host, at, value)
            for one in store.series('acme.queue', START, START + 60 * MINUTES)
            for host in [next(int(tag[6:]) for tag in one.tags if tag.startswith('host:h'))]
            for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
        }
    assert killed
    assert points == {row for each in range(MINUTES) for row in minute_of(seed, each)}
    expected = undisturbed(seed, tmp_path)
    assert found == expected and len(expected) > HOSTS
    files = [message_from_bytes(path.read_bytes())['Subject'] for path in (data / 'mail').iterdir()]
    assert sorted(files) == sorted(title for _, title, _, muted in expected if not muted)
