"""Each step of the connection to Datadog, working and broken."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loopback import integration
from loopback.keys import API_KEY, APP_KEY
from loopback.organisation import OPERATIONS
from loopback.server import FakeDatadog
from loopback.trial import run

from ddassets.org import account
from ddassets.sandbox.request import Refusal

MY_METRIC = Path(__file__).parents[2] / 'my_metric'


@pytest.fixture
def spool(tmp_path):
    return integration.write(tmp_path, integration.ASSETS)


def examine(datadog, *arguments, code, **environment):
    outcome = run(datadog, 'doctor', *arguments, '--json', environment=environment)
    assert outcome.code == code, outcome.said
    return {one['subject']: (one['level'], one['text'], one['advice']) for one in json.loads(outcome.out)['findings']}


def test_all_is_well(datadog):
    datadog.organisation.series['my_metric'] = [(time.time() - 60, 400.0), (time.time() - 15, 512.5)]
    run(datadog, 'apply', MY_METRIC, '--yes')
    next(iter(datadog.organisation.monitors.values()))['overall_state'] = 'OK'
    found = examine(datadog, MY_METRIC, code=0)
    assert {level for level, _, _ in found.values()} == {'ok'}
    assert list(found) == ['API key', 'clock', 'application key', 'metric', 'monitor']
    assert found['metric'][1].startswith('avg:my_metric{*} arrives: 512.5, 1')
    assert not any(advice for _, _, advice in found.values())


def test_without_an_integration_only_the_account_is_checked(datadog):
    assert list(examine(datadog, code=0)) == ['API key', 'clock', 'application key']
    assert set(datadog.counts()) == {'Validate', 'ValidateAPIKey'}


@pytest.mark.parametrize(
    'environment, subject, words',
    [
        pytest.param({'DD_API_KEY': ''}, 'DD_API_KEY', 'API Keys', id='no-api-key'),
        pytest.param({'DD_APP_KEY': ''}, 'DD_APP_KEY', 'Application Keys', id='no-application-key'),
        pytest.param({'DD_API_KEY': 'x' * 32}, 'API key', 'copy it again', id='wrong-api-key'),
        pytest.param({'DD_APP_KEY': 'x' * 40}, 'application key', 'the same organisation', id='wrong-application-key'),
    ],
)
def test_keys(datadog, environment, subject, words):
    level, _, advice = examine(datadog, code=1, **environment)[subject]
    assert level == 'fail' and words in advice


def test_a_key_of_another_site(datadog, specification, monkeypatch):
    """The site that accepts the API key is named; no other site receives the application key."""
    monkeypatch.setattr(account, 'api_url_of', lambda site: datadog.url if site == 'datadoghq.eu' else other.url)
    with FakeDatadog(specification) as other:
        other.organisation.api_keys = {'other' * 8}
        found = examine(datadog, code=1, DDASSETS_API_URL='', DD_SITE='us5.datadoghq.com')
        assert found == {
            'site': ('fail', 'us5.datadoghq.com does not know the API key, datadoghq.eu does', 'DD_SITE=datadoghq.eu')
        }
        assert datadog.counts() == {'Validate': 1} and other.counts() == {'Validate': len(account.SITES) - 1}
        datadog.organisation.api_keys = other.organisation.api_keys
        found = examine(datadog, code=1, DDASSETS_API_URL='', DD_SITE='us5.datadoghq.com')
        assert 'nor on another site' in found['API key'][1]


@pytest.mark.parametrize(
    'off, level, words',
    [
        pytest.param(5, 'ok', 'in step', id='seconds'),
        pytest.param(25, 'ok', 'in step', id='not-yet-worth-a-word'),
        pytest.param(40, 'warn', 's behind of Datadog', id='from-half-a-minute-on'),
        pytest.param(90, 'warn', 's behind of Datadog', id='behind'),
        pytest.param(-90, 'warn', 's ahead of Datadog', id='ahead'),
        pytest.param(-640, 'fail', 's ahead of Datadog', id='from-ten-minutes-on'),
        pytest.param(-1200, 'fail', 's ahead of Datadog', id='points-would-be-dropped'),
    ],
)
def test_the_clock(datadog, off, level, words):
    datadog.organisation.clock = lambda: datetime.now(UTC) + timedelta(seconds=off)
    found = examine(datadog, code=1 if level == 'fail' else 0)
    assert found['clock'][0] == level and words in found['clock'][1]


@pytest.mark.parametrize(
    'age, level, words',
    [
        pytest.param(None, 'fail', 'has not arrived in the past day', id='never'),
        pytest.param(2000, 'fail', 'has stopped: 1, 33 min ago', id='stopped'),
        pytest.param(20_000, 'fail', 'has stopped: 1, 6 h ago', id='stopped-hours-ago'),
        pytest.param(200, 'ok', 'arrives: 1, 3 min ago', id='late'),
    ],
)
def test_the_metric(datadog, spool, age, level, words):
    if age is not None:
        datadog.organisation.series['acme.spool.jobs'] = [(time.time() - age, 1.0)]
    found = examine(datadog, spool, code=1 if level == 'fail' else 0)['metric']
    assert found[0] == level and words in found[1]


@pytest.mark.parametrize('age, level', [(1700, 'ok'), (1900, 'fail')])
def test_a_rarely_collected_metric_may_be_older(datadog, spool, age, level):
    table = 'metric_name,metric_type,interval\nacme.spool.jobs,gauge,600\n'
    (spool / 'metadata.csv').write_text(table)
    datadog.organisation.series['acme.spool.jobs'] = [(time.time() - age, 1.0)]
    assert examine(datadog, spool, code=level == 'fail')['metric'][0] == level


def test_the_age_of_a_point_uses_the_clock_of_datadog(datadog, spool):
    datadog.organisation.clock = lambda: datetime.now(UTC) + timedelta(seconds=500)
    datadog.organisation.series['acme.spool.jobs'] = [(time.time() + 260, 1.0)]
    found = examine(datadog, spool, code=0)
    assert found['clock'][0] == 'warn' and found['metric'][1].endswith(': 1, 4 min ago')


def test_the_newest_point_of_all_series_counts(datadog, spool):
    """A stopped host does not hide a running one; a point without a value does not count."""
    now = time.time()
    organisation = datadog.organisation
    organisation.series['acme.spool.jobs'] = [(now - 900, 9.0), (now - 60, 7.0), (now - 2000, 8.0), (now, None)]
    assert ': 7, ' in examine(datadog, spool, code=0)['metric'][1]


def forbidden(_, request):
    raise Refusal(403, 'Forbidden')


def test_a_missing_permission_is_named(datadog, spool, monkeypatch):
    monkeypatch.setitem(OPERATIONS, 'QueryMetrics', forbidden)
    monkeypatch.setitem(OPERATIONS, 'ListMonitors', forbidden)
    found = examine(datadog, spool, code=1)
    for subject, permission in (('metric', 'timeseries_query'), ('monitor', 'monitors_read')):
        level, text, advice = found[subject]
        assert (level, text) == ('fail', 'the application key has no permission (403 Forbidden)')
        assert advice.endswith(f'the permission {permission}')


def test_a_misspelt_metric(datadog):
    text = examine(datadog, MY_METRIC, '--metric', 'my_metrc', code=1)['metric'][1]
    assert text == 'avg:my_metrc{*} has not arrived in the past day; did you mean my_metric?'


def test_the_metric_of_one_host(datadog, spool):
    datadog.organisation.series['acme.other'] = [(time.time(), 1.0)]
    found = examine(datadog, spool, '--metric', 'acme.other', '--host', 'alpha', code=0)
    assert found['metric'][1].startswith('avg:acme.other{host:alpha} arrives')


@pytest.mark.parametrize('state', ['Alert', 'Warn', 'No Data', 'Ignored'])
def test_monitors(datadog, spool, state):
    datadog.organisation.series['acme.spool.jobs'] = [(time.time(), 1.0)]
    assert examine(datadog, spool, code=0)['monitor'][2] == f'ddassets apply {spool}'
    run(datadog, 'apply', spool, '--yes')
    for monitor in datadog.organisation.monitors.values():
        monitor['overall_state'] = state
    level, text, advice = examine(datadog, spool, code=0)['monitor']
    assert level == 'warn' and text.endswith(f': {state}') and f'{datadog.url}/monitors/' in advice


def test_no_network(datadog):
    # Nobody listens there any more.
    with FakeDatadog(datadog.specification) as gone:
        url = gone.url
    found = examine(datadog, code=1, DDASSETS_API_URL=url)
    assert found['network'][0] == 'fail' and 'no connection to 127.0.0.1' in found['network'][1]


def test_text(datadog, spool):
    datadog.organisation.series['acme.spool.jobs'] = [(time.time() - 200, 1.0)]
    out = run(datadog, 'doctor', spool).out.splitlines()
    assert out[0] == f'ok    API key            valid on {datadog.url.removeprefix("http://")}'
    assert out[4:6] == [
        'warn  monitor            Spool is full is not applied',
        f'                         ddassets apply {spool}',
    ]
    assert not any(key in line for key in (API_KEY, APP_KEY) for line in out)
