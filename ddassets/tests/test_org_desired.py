"""Recipients and restrictions: the changes of assets before they are sent, and the keys for sending them."""

import copy
import json
import os
from pathlib import Path

import pytest
from datadog_api_client import Configuration
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import integration

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.org.account import SITES, read_account, require_keys
from ddassets.org.changes import Changes, check_handles
from ddassets.org.desired import Selection, integration_name, read_assets, read_desired
from ddassets.org.marker import Marker, in_tags, in_text, tag_value
from ddassets.org.plan import make_plan


def bodies(folder, **changes):
    """By `kind/name`."""
    assets = read_assets(folder)
    found = read_desired(assets, Selection(), Changes(**changes))
    return {f'{one.kind.plural}/{one.name}': one.body for one in found}


@pytest.fixture
def spool(tmp_path):
    return lambda assets=integration.ASSETS: integration.write(tmp_path, assets)


def adapted(path, change):
    assets = copy.deepcopy(integration.ASSETS)
    change(assets[path].get('definition') or assets[path])
    return assets


# Handles


def test_notify_adds_to_monitors_and_downtimes_outside_of_conditions(spool):
    found = bodies(spool(), notify=['@me@example.com'])
    assert found['monitors/full']['message'].endswith('@ops@example.com \n@me@example.com')
    assert found['downtimes/lab']['message'] == '@ops@example.com Silence for env:lab.\n@me@example.com'
    assert found['dashboards/jobs'] == bodies(spool())['dashboards/jobs']


def test_redirect_replaces_every_handle(spool):
    def change(body):
        body['message'] += '{{#is_warning}}@slack-{{host.name}} @pagerduty{{/is_warning}}'
        body['options']['escalation_message'] = 'Still! @boss@example.com'

    found = bodies(spool(adapted('monitors/full.json', change)), redirect='@me@example.com')
    text = found['monitors/full']['message']
    assert text.count('@me@example.com') == 3 and text.count('@') == 6
    assert found['monitors/full']['options']['escalation_message'] == 'Still! @me@example.com'
    # Who is added hears of a renotification by the message.
    both = bodies(spool(adapted('monitors/full.json', change)), redirect='@me@example.com', notify=['@you@example.com'])
    assert both['monitors/full']['options'] == found['monitors/full']['options']
    assert found['downtimes/lab']['message'] == '@me@example.com Silence for env:lab.'


def test_redirect_clears_the_notify_list_of_a_dashboard(spool):
    folder = spool(adapted('dashboards/jobs.json', lambda body: body.update(notify_list=['boss@example.com'])))
    assert bodies(folder)['dashboards/jobs']['notify_list'] == ['boss@example.com']
    assert bodies(folder, redirect='@me@example.com')['dashboards/jobs']['notify_list'] == []


def test_redirect_applies_before_notify(spool):
    message = bodies(spool(), redirect='@a@example.com', notify=['@b@example.com'])['downtimes/lab']['message']
    assert message == '@a@example.com Silence for env:lab.\n@b@example.com'


# Reach


def test_a_tag_restricts_queries_scopes_and_variables(spool):
    plain = {'title': 'Plain', 'type': 'timeseries', 'requests': [{'q': 'avg:acme.a{*}, sum:acme.b{env:x} by {host}'}]}
    logs = {'data_source': 'logs', 'name': 'l', 'search': {'query': 'x'}, 'compute': {'aggregation': 'count'}}
    other = {'type': 'timeseries', 'requests': [{'queries': [logs], 'response_format': 'timeseries'}]}

    def change(body):
        body['template_variables'] = [{'name': 'host', 'prefix': 'host', 'default': 'beta'}]
        body['widgets'] += [{'definition': plain}, {'definition': other}]

    found = bodies(spool(adapted('dashboards/jobs.json', change)), tags=['host:alpha', 'env:prod'])
    assert found['monitors/full']['query'] == 'avg(last_5m):avg:acme.spool.jobs{host:alpha,env:prod} by {host} > 80'
    assert found['downtimes/lab']['scope'] == 'env:lab AND host:alpha AND env:prod'
    board = found['dashboards/jobs']
    assert board['template_variables'] == [{'name': 'host', 'prefix': 'host', 'defaults': ['alpha']}]
    # The host is chosen by the variable, so that alone is added which no variable chooses.
    query = board['widgets'][1]['definition']['requests'][0]['queries'][0]['query']
    assert query == 'avg:acme.spool.jobs{$host,env:prod} by {host}'
    assert board['widgets'][2]['definition']['requests'][0]['q'] == (
        'avg:acme.a{env:prod}, sum:acme.b{env:x,env:prod} by {host}'
    )
    assert board['widgets'][3] == {'definition': other}


@pytest.mark.rule('5.14')
@pytest.mark.parametrize(
    'scope, expected',
    [
        pytest.param('*', 'host:a', id='everything'),
        pytest.param('env:a OR env:b', '(env:a OR env:b) AND host:a', id='either'),
        pytest.param('env:(a OR b) AND -team:x', 'env:(a OR b) AND -team:x AND host:a', id='all'),
    ],
)
def test_the_scope_of_a_downtime(spool, scope, expected):
    folder = spool(adapted('downtimes/lab.json', lambda body: body['data']['attributes'].update(scope=scope)))
    assert bodies(folder, tags=['host:a'])['downtimes/lab']['scope'] == expected


def test_the_files_themselves_are_not_touched(spool):
    folder = spool()
    assets = read_assets(folder)
    before = copy.deepcopy([one.source.data for one in (*assets.dashboards, *assets.monitors, *assets.downtimes)])
    read_desired(assets, Selection(), Changes(['@a@example.com'], '@b@example.com', ['host:alpha']))
    assert before == [one.source.data for one in (*assets.dashboards, *assets.monitors, *assets.downtimes)]


# What cannot be used


@pytest.mark.parametrize(
    'path, change, changes, words',
    [
        pytest.param(
            'monitors/full.json',
            lambda body: body.update(type='log alert', query='logs("x").index("*").rollup("count").last("5m") > 80'),
            {'tags': ['host:a']},
            ':13:14: a query of logs cannot be restricted to host:a',
            id='a-query-of-another-product',
        ),
        pytest.param(
            'monitors/full.json',
            lambda body: body.update(query='avg(last_5m):avg:a{b > 1'),
            {'tags': ['host:a']},
            ':13:36: Spool is full: column ',
            id='a-query-that-cannot-be-read',
        ),
        pytest.param(
            'monitors/full.json',
            lambda body: body.update(message='{{#is_alert}} x'),
            {'notify': ['@a@example.com']},
            ':14:16: line 1, column 1: ',
            id='a-message-that-cannot-be-read',
        ),
        pytest.param(
            'downtimes/lab.json',
            lambda body: body['data']['attributes'].update(scope='env:a OR team:b'),
            {'tags': ['host:a']},
            'OR between different keys',
            id='a-scope-that-cannot-be-read',
        ),
        pytest.param(
            'monitors/full.json',
            lambda body: body['options']['thresholds'].update(critical=1e999),
            {},
            'not JSON: Infinity is not a JSON number',
            id='a-number-that-is-none',
        ),
        pytest.param(
            'monitors/full.json',
            lambda body: body['tags'].append('ddassets:mine'),
            {},
            "'ddassets:mine' is reserved for the marker of ddassets; remove it",
            id='a-tag-of-ours',
        ),
    ],
)
def test_an_asset_that_cannot_be_used_names_its_place(spool, path, change, changes, words):
    folder = spool(adapted(path, change))
    with pytest.raises(UnusableInputError) as caught:
        bodies(folder, **changes)
    assert 'nothing was sent' in str(caught.value)
    assert str(folder / 'assets' / path) in caught.value.details and words in caught.value.details


def test_a_number_too_large_for_json_is_reported(spool):
    folder = spool()
    path = folder / 'assets' / 'monitors' / 'full.json'
    path.write_text(path.read_text().replace('"critical": 80', '"critical": 1e999'))
    with pytest.raises(UnusableInputError) as caught:
        bodies(folder)
    assert f'{path}: contains a number that is too large for JSON' in caught.value.details


def places(value, path=()):
    """Return every place in a JSON value, including the value itself."""
    yield path
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, step))


def damaged(assets, path, place, junk):
    """Return `assets` with another value at one place of a file."""
    assets = copy.deepcopy(assets)
    holder, step = assets, path
    for following in place:
        holder, step = holder[step], following
    holder[step] = junk
    return assets


JUNK = st.one_of(
    st.none(), st.booleans(), st.sampled_from([0, -1, 1.5, 10**20]), st.text(max_size=3), st.just([]), st.just({}),
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.just({}), st.just(7)), min_size=1, max_size=2),
    st.sampled_from(['@', '{{', '*', 'a:b', '2027-01-01T00:00:00Z', 'FREQ=DAILY', '@a@b', '\ud800', 'x' * 300]),
)  # fmt: skip
DAMAGE = st.one_of(
    *(
        st.tuples(st.just(path), st.sampled_from(sorted(places(body), key=repr)), JUNK)
        for path, body in integration.ASSETS.items()
    )
)


@settings(max_examples=50)
@given(DAMAGE, st.sampled_from([Changes(), Changes(['@a@example.com'], '@b@example.com', ['host:alpha'])]))
def test_any_file_can_be_sent_or_is_refused(tmp_path_factory, damage, changes):
    folder = integration.write(tmp_path_factory.mktemp('damaged'), damaged(integration.ASSETS, *damage))
    try:
        wanted = read_desired(read_assets(folder), Selection(), changes)
    except UnusableInputError as error:
        assert Path(damage[0]).name in error.details
        return
    plan = make_plan('acme-spool', wanted, [], now=1_800_000_000)
    assert len(plan.steps) == len(integration.ASSETS)
    for one in wanted:
        marker = Marker('acme-spool', one.name, '0' * 12)
        sent = one.kind.request(one.kind.mark(one.kind.for_creation(one.body, 1_800_000_000), marker))
        json.dumps(sent, allow_nan=False)


def test_all_faults_are_reported_together(spool):
    folder = spool()
    for number, path in enumerate(sorted(folder.glob('assets/*/*.json'))):
        path.write_text('{' if number % 2 else '{"a": 1}')
    with pytest.raises(UnusableInputError) as caught:
        bodies(folder)
    assert all(path.name in caught.value.details for path in folder.glob('assets/*/*.json'))


@pytest.mark.parametrize(
    'changes, words',
    [
        pytest.param({'notify': ['you@example.com']}, "found 'you@example.com'", id='no-handle'),
        pytest.param({'redirect': '@a and @b'}, "found '@a and @b'", id='two-handles'),
        pytest.param({'tags': ['alpha']}, "--tag: expected a tag such as host:web-1, found 'alpha'", id='no-tag'),
        pytest.param({'tags': ['a:b,c:d']}, "found 'a:b,c:d'", id='two-tags'),
        pytest.param({'timezone': 'Europe/Berlim'}, 'did you mean Europe/Berlin', id='no-zone'),
    ],
)
def test_handles_and_tags(changes, words):
    with pytest.raises(UnusableInputError, match='expected') as caught:
        check_handles(Changes(**changes))
    assert words in str(caught.value)


@pytest.mark.rule('5.4')
def test_one_time_zone_for_all_downtimes(spool):
    before = bodies(spool())
    after = bodies(spool(), timezone='Asia/Tokyo')
    assert any('timezone' in (body.get('schedule') or {}) for body in before.values())
    for name, body in after.items():
        if name.startswith('downtimes/'):
            assert body.pop('display_timezone') == 'Asia/Tokyo'
            before[name].pop('display_timezone', None)
            if 'timezone' in (body.get('schedule') or {}):
                assert body['schedule'].pop('timezone') == 'Asia/Tokyo'
                before[name]['schedule'].pop('timezone')
    assert after == before


def test_only_existing_assets_can_be_chosen(spool):
    present = [(one.kind, one.name) for one in read_desired(read_assets(spool()), Selection(), Changes())]
    with pytest.raises(
        UnusableInputError, match=r"'monitor/ful' matches nothing; did you mean monitors/full\?; available: "
    ):
        Selection(['monitor/ful']).check(present)


# Names


def test_the_name_comes_from_the_manifest_or_the_folder(spool):
    folder = spool()
    assert integration_name(read_assets(folder)) == 'acme-spool'
    (folder / 'manifest.json').unlink()
    assert integration_name(read_assets(folder)) == 'acme_spool'
    # Under another name, nothing that was applied would be found again.
    (folder / 'manifest.json').write_text('{')
    with pytest.raises(UnusableInputError, match='manifest.json:1:2: not JSON'):
        integration_name(bundle.read(folder))


def test_no_integration(tmp_path, spool):
    spool()
    with pytest.raises(UnusableInputError, match='not an integration; name one of those in it: acme_spool'):
        read_assets(tmp_path)
    with pytest.raises(UnusableInputError, match='No such file'):
        read_assets(tmp_path / 'nowhere')


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('spool_full', 'spool_full', id='as-it-is'),
        pytest.param('Spool Full!', 'spool_full', id='lower-case'),
        pytest.param('Überlauf', 'berlauf', id='letters'),
        pytest.param('!', '_', id='nothing-left'),
    ],
)
def test_names_are_normalised_like_tags(text, expected):
    assert tag_value(text) == expected


def test_a_marker_is_found_wherever_an_edit_left_it():
    marker = Marker('acme-spool', 'full', '0123456789ab')
    assert in_text(f'Now edited.\n\n{marker.sentence()}\nAnd below.') == marker
    assert in_text('Applied by ddassets from nowhere.') is None and in_text(None) is None
    assert in_tags(['a:b', *marker.tags()]) == marker
    assert in_tags(['ddassets:acme-spool']) == Marker('acme-spool', '', '')
    assert in_tags(['a:b']) is None


# Accounts

KEYS = {'DD_API_KEY': 'a' * 32, 'DD_APP_KEY': 'b' * 40}


def test_the_sites_are_those_of_the_client():
    site = Configuration().get_host_settings()[0]['variables']['site']
    assert set(SITES) == set(site['enum_values'])


@pytest.mark.parametrize('site', SITES)
def test_sites(site):
    account = read_account({**KEYS, 'DD_SITE': site}, None, None, None)
    assert account.api_url == f'https://api.{site}'
    assert account == read_account(KEYS, site, None, None)


@pytest.mark.parametrize(
    'environment, site, url, words',
    [
        pytest.param({'DD_SITE': 'datadoghq.de'}, None, None, "DD_SITE: unknown site 'datadoghq.de'", id='site'),
        pytest.param({}, 'us5', None, "--site: unknown site 'us5'", id='site-option'),
        pytest.param({}, None, 'http://example.com', '--api-url: keys are sent over https only', id='plain-http'),
        pytest.param({'DDASSETS_API_URL': 'ftp://x'}, None, None, 'DDASSETS_API_URL: expected an address', id='scheme'),
        pytest.param({}, None, 'https://u:secret@example.com', '--api-url: expected an address', id='password'),
        pytest.param({'DD_API_KEY': 'a b'}, None, None, 'DD_API_KEY in the environment contains', id='space-in-a-key'),
        pytest.param({'DD_APP_KEY': 'ключ'}, None, None, 'DD_APP_KEY in the environment contains', id='letters'),
    ],
)
def test_an_account_that_cannot_be_used(environment, site, url, words):
    with pytest.raises(UnusableInputError) as caught:
        read_account(environment, site, url, None)
    assert words in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ('a b', 'ключ', 'secret'))


def test_missing_keys_are_reported_with_where_to_create_them():
    with pytest.raises(UnusableInputError, match='no DD_API_KEY and no DD_APP_KEY') as caught:
        require_keys(read_account({'DD_SITE': 'datadoghq.eu'}, None, None, None))
    assert 'https://app.datadoghq.eu' in caught.value.details and '--dry-run' in caught.value.details


def test_keys_from_a_file(tmp_path):
    path = tmp_path / 'keys'
    path.write_text(f'# ours\nexport DD_API_KEY="{"c" * 32}"\nDD_APP_KEY={"d" * 40}\n\nDD_SITE=datadoghq.eu\n')
    path.chmod(0o600)
    account = read_account(KEYS, None, None, path)
    assert (account.api_key, account.app_key, account.site) == ('c' * 32, 'd' * 40, 'datadoghq.eu')
    assert 'c' * 32 not in repr(account) and 'd' * 40 not in repr(account)


@pytest.mark.parametrize(
    'text, mode, words',
    [
        pytest.param('DD_API_KEY=x', 0o640, 'has mode 0640, which lets other users read it; expected 0600', id='mode'),
        pytest.param('DD_API_KEY', 0o600, 'line 1: expected lines such as DD_API_KEY=', id='no-value'),
        pytest.param('\nDD_APIKEY=secret', 0o600, 'line 2: expected lines', id='another-name'),
    ],
)
def test_a_file_of_keys_that_cannot_be_used(tmp_path, text, mode, words):
    path = tmp_path / 'keys'
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(UnusableInputError) as caught:
        read_account({}, None, None, path)
    assert words in str(caught.value) and 'secret' not in str(caught.value)


def test_no_file_of_keys(tmp_path):
    with pytest.raises(UnusableInputError, match='No such file'):
        read_account({}, None, None, tmp_path / 'nowhere')
    with pytest.raises(UnusableInputError, match='directory' if os.name == 'posix' else ''):
        read_account({}, None, None, tmp_path)
