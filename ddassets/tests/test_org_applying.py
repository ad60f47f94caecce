"""The order in which a plan is applied, and which steps Datadog validates first."""

import copy
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
from loopback import integration
from loopback.organisation import OPERATIONS
from loopback.trial import KEYS, run

from ddassets.org.client import CONNECTIONS
from ddassets.org.concurrency import as_completed, map_concurrently
from ddassets.sandbox.request import Refusal

CHANGING = ('Create', 'Update', 'Delete', 'Cancel')
FULL = {'monitors/full.json': integration.ASSETS['monitors/full.json']}


@pytest.fixture
def applied(datadog, tmp_path):
    """Apply a set of assets in place of the previous one; return its folder."""

    def apply(assets):
        folder = written(tmp_path, assets)
        outcome = run(datadog, 'apply', folder, '--yes')
        assert outcome.code == 0, outcome.said
        datadog.exchanges.clear()
        return folder

    return apply


def written(folder, assets):
    for old in folder.rglob('assets/*/*.json'):
        old.unlink()
    return integration.write(folder, assets)


def of_another_type(query='events("a").rollup("count").last("5m") > 80'):
    assets = copy.deepcopy(FULL)
    assets['monitors/full.json']['definition'] |= {'type': 'event-v2 alert', 'query': query}
    return assets


def changes(datadog):
    return [one.operation for one in datadog.exchanges if one.operation.startswith(CHANGING)]


def test_deletions_come_last(datadog, applied, tmp_path):
    """A replaced object stays until the new one monitors its subject."""
    applied(integration.ASSETS)
    assert run(datadog, 'apply', written(tmp_path, integration.mixed()), '--yes').code == 0
    goes = [one.startswith(('Delete', 'Cancel')) for one in changes(datadog)]
    assert goes == sorted(goes) and set(goes) == {False, True}


def test_a_replaced_object_stays_until_the_new_one_exists(datadog, applied, tmp_path, monkeypatch):
    def full(organisation, request):
        raise Refusal(400, 'The organisation has as many monitors as it may')

    applied(FULL)
    before = datadog.organisation.fingerprint()
    monkeypatch.setitem(OPERATIONS, 'CreateMonitor', full)
    outcome = run(datadog, 'apply', written(tmp_path, of_another_type()), '--yes')
    assert outcome.code == 1 and 'as many monitors as it may' in outcome.out
    assert changes(datadog) == ['CreateMonitor'] and datadog.organisation.fingerprint() == before


@pytest.mark.parametrize('kind', ['503', '504_after_success'])
def test_the_replaced_object_is_not_mistaken_for_the_new_one(datadog, applied, tmp_path, kind):
    """They have the same name; by the name alone, the only existing one would be deleted."""
    applied(FULL)
    met = []

    def fault(exchange):
        if exchange.operation == 'CreateMonitor' and not met:
            met.append(exchange)
            return kind
        return None

    datadog.fault_of = fault
    assert run(datadog, 'apply', written(tmp_path, of_another_type()), '--yes').code == 0
    (monitor,) = datadog.organisation.monitors.values()
    assert met and monitor['type'] == 'event-v2 alert'


def test_a_forbidden_validation_is_skipped(datadog, tmp_path, monkeypatch):
    def forbidden(organisation, request):
        raise Refusal(403, 'Forbidden')

    monkeypatch.setitem(OPERATIONS, 'ValidateMonitor', forbidden)
    outcome = run(datadog, 'plan', integration.write(tmp_path, FULL))
    assert outcome.code == 2 and 'Datadog would refuse' not in outcome.err
    assert 'lacks the permission monitors_read' in outcome.err


@pytest.mark.parametrize(
    'assets, operation',
    [
        pytest.param(of_another_type(), 'ValidateMonitor', id='a-new-one-in-its-place'),
        pytest.param(
            {'monitors/full.json': integration.changed()['monitors/full.json']},
            'ValidateExistingMonitor',
            id='a-change',
        ),
    ],
)
def test_a_monitor_is_validated_with_its_changes(datadog, applied, tmp_path, assets, operation):
    applied(FULL)
    assert run(datadog, 'plan', written(tmp_path, assets)).code == 1
    judged = [one.operation for one in datadog.exchanges if one.operation.startswith('Validate')]
    assert judged == [operation]


def test_a_skipped_change_is_validated_too(datadog, applied, tmp_path):
    """Otherwise `--overwrite` would be recommended for a body that Datadog refuses."""
    applied(FULL)
    next(iter(datadog.organisation.monitors.values()))['message'] = 'by hand'
    assets = copy.deepcopy(FULL)
    assets['monitors/full.json']['definition']['query'] = 'avg(last_5m):avg:acme.spool.refused{*} > 80'
    outcome = run(datadog, 'plan', written(tmp_path, assets))
    assert outcome.code == 2 and 'Datadog would refuse the assets; nothing was changed' in outcome.err


def test_a_failed_step_is_reported_and_others_continue(datadog, tmp_path, monkeypatch):
    def full(organisation, request):
        raise Refusal(400, 'The organisation has as many monitors as it may')

    monkeypatch.setitem(OPERATIONS, 'CreateMonitor', full)
    folder = integration.write(tmp_path, integration.ASSETS)
    outcome = run(datadog, 'apply', folder, '--yes', '--json')
    assert outcome.code == 1 and '2 of 11 failed; run the command again' in outcome.err
    found = {(one['kind'], one['error'] is None) for one in json.loads(outcome.out)['outcomes']}
    assert found == {
        ('dashboard', True),
        ('monitor', False),
        ('downtime', True),
        ('notification_rule', True),
        ('slo', True),
    }
    assert len(datadog.organisation.dashboards) == 2 and len(datadog.organisation.downtimes) == 3


@pytest.mark.rule('5.8', '5.10')
@pytest.mark.parametrize(
    'rule',
    [
        *('FREQ=WEEKLY;BYDAY=MO', 'FREQ=WEEKLY;BYDAY=MO;COUNT=30', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH'),
        *('FREQ=DAILY;UNTIL=20280801T000000', 'FREQ=MONTHLY;BYMONTHDAY=31'),
    ],
)
@pytest.mark.parametrize('before', [-30, 0.02, 200], ids=['long-begun', 'just-before', 'to-come'])
def test_the_passing_of_time_causes_no_change(datadog, tmp_path, monkeypatch, rule, before):
    """Applied today, and again at any later time: the start of the file is past by then, and so is the one sent.

    `before` are the days from the first application to the start.
    """
    start = datetime.fromisoformat('2028-03-06T19:00:00+01:00')
    now = start - timedelta(days=before)
    datadog.organisation.clock = lambda: now
    monkeypatch.setattr(time, 'time', lambda: now.timestamp())
    schedule = {
        'timezone': 'Europe/Berlin',
        'recurrences': [{'start': '2028-03-06T19:00:00', 'duration': '14h', 'rrule': rule}],
    }
    assets = {'downtimes/lab.json': copy.deepcopy(integration.ASSETS['downtimes/lab.json'])}
    assets['downtimes/lab.json']['data']['attributes']['schedule'] = schedule
    folder = integration.write(tmp_path, assets)
    assert run(datadog, 'apply', folder, '--yes').code == 0
    datadog.exchanges.clear()
    # Within an occurrence, between two, over the change of the clock, and weeks later.
    for days in (0.01, 0.5, 1, 4, 3, 21, 25):
        now += timedelta(days=days)
        outcome = run(datadog, 'apply', folder, '--yes')
        assert outcome.code == 0 and outcome.out.endswith('Nothing to do: 1 up to date.\n'), outcome.said
    assert changes(datadog) == []


def until(end, **attributes):
    """A downtime that begins immediately."""
    assets = {'downtimes/lab.json': copy.deepcopy(integration.ASSETS['downtimes/lab.json'])}
    assets['downtimes/lab.json']['data']['attributes'] |= {'schedule': {'end': end}, **attributes}
    return assets


@pytest.mark.parametrize('exists', [False, True], ids=['create', 'update'])
def test_a_downtime_that_ended_during_the_prompt_is_not_created(datadog, tmp_path, monkeypatch, exists):
    now = datetime.fromisoformat('2028-03-06T18:59:00+00:00')
    datadog.organisation.clock = lambda: now
    monkeypatch.setattr(time, 'time', lambda: now.timestamp())
    if exists:
        folder = written(tmp_path, until('2028-03-06T23:00:00Z'))
        assert run(datadog, 'apply', folder, '--yes').code == 0
    before = copy.deepcopy(datadog.organisation.downtimes)
    folder = written(tmp_path, until('2028-03-06T19:00:00Z'))

    class Hesitant(io.StringIO):
        def isatty(self):
            return True

        def readline(self):
            nonlocal now
            now += timedelta(minutes=2)
            return 'y\n'

    monkeypatch.setattr(sys, 'stdin', Hesitant())
    outcome = run(datadog, 'apply', folder)
    assert outcome.code == 1 and 'lab.json: it has ended since the plan was made' in outcome.out
    assert datadog.organisation.downtimes == before
    # The next run sees to it.
    assert run(datadog, 'apply', folder, '--yes').code == 0
    assert all(one['attributes']['status'] == 'canceled' for one in datadog.organisation.downtimes.values())


def test_a_dry_run_omits_ended_downtimes(datadog, tmp_path):
    outcome = run(datadog, 'apply', integration.write(tmp_path, until('2020-03-06T19:00:00Z')), '--dry-run')
    assert outcome.code == 0 and outcome.out == ''
    assert 'lab.json: it has ended, and would not be sent' in outcome.err and 'dry run: nothing, ' in outcome.err


def test_no_step_starts_after_the_iteration_ends():
    started, gate, before = [], threading.Event(), threading.enumerate()

    def act(thing):
        started.append(thing)
        assert thing == 0 or gate.wait(20)
        return thing

    ended = as_completed(act, range(100))
    index, future = next(ended)
    assert (index, future.result()) == (0, 0)
    ended.close()
    gate.set()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(20)
    assert len(started) <= CONNECTIONS + 1


def test_outcomes_are_reported_in_order():
    assert map_concurrently(lambda thing: thing * 2, range(50)) == list(range(0, 100, 2))
    with pytest.raises(ZeroDivisionError):
        map_concurrently(lambda thing: 1 // thing, [2, 0, 1])
    assert map_concurrently(str, []) == []


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['ctrl-c', 'terminated'])
def test_an_interrupt_does_not_wait_for_responses(datadog, tmp_path, number):
    """Nothing is created after the interrupt, although responses are missing and would be requested again."""
    folder = integration.write(tmp_path, integration.ASSETS)
    held = threading.Event()
    datadog.fault_of = lambda exchange: 'timeout' if exchange.operation.startswith('Create') else None
    datadog.watch = lambda exchange, moment: held.set() if exchange.operation.startswith('Create') else None
    command = (sys.executable, '-m', 'ddassets', 'apply', folder, '--yes', '--timeout', '600')
    environment = {**os.environ, **KEYS, 'DDASSETS_API_URL': datadog.url}
    # A shell's background job inherits that SIGINT is ignored.
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as child:
        try:
            assert held.wait(60)
            child.send_signal(number)
            _, said = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert 'Traceback' not in said
    datadog.settle()
    asked = Counter(one.name for one in datadog.exchanges)
    assert all(count == 1 for name, count in asked.items() if name.startswith('Create'))
