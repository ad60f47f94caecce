"""Possible differences between Datadog and the loopback API that neither documents nor recordings exclude."""

import copy
from dataclasses import replace

import pytest
from loopback import integration
from loopback.organisation import OPERATIONS
from loopback.trial import run


def assets():
    """Assets with upper and lower case, and non-ASCII letters, in all tags and names."""
    found = copy.deepcopy(integration.ASSETS)
    monitor = found['monitors/full.json']['definition']
    monitor |= {'name': '🚒 Spool is voll', 'tags': ['integration:acme-spool', 'Team:Ops', 'team:ops', 'Über:Ällä']}
    attributes = found['downtimes/lab.json']['data']['attributes']
    attributes['monitor_identifier'] = {'monitor_tags': ['Team:Ops', 'integration:acme-spool']}
    return found


def in_lower_case(body):
    """Return the tags of a body as they are sent."""
    if 'tags' in body:
        return {**body, 'tags': sorted({tag.lower() for tag in body['tags']})}
    attributes = body.get('data', {}).get('attributes', {})
    if tags := attributes.get('monitor_identifier', {}).get('monitor_tags'):
        identifier = {'monitor_tags': [tag.lower() for tag in tags]}
        return {'data': {**body['data'], 'attributes': {**attributes, 'monitor_identifier': identifier}}}
    return body


def cut(body):
    return {**body, 'tags': [tag[:200] for tag in body['tags']]} if 'tags' in body else body


@pytest.mark.parametrize(
    'keeps', [pytest.param(in_lower_case, id='lower-case'), pytest.param(cut, id='200-characters')]
)
def test_the_normalisation_of_tags_does_not_matter(datadog, tmp_path, monkeypatch, keeps):
    for operation in ('CreateMonitor', 'UpdateMonitor', 'CreateDowntime', 'UpdateDowntime'):
        act = OPERATIONS[operation]
        monkeypatch.setitem(
            OPERATIONS,
            operation,
            lambda there, request, act=act: act(there, replace(request, body=keeps(request.body))),
        )
    folder = integration.write(tmp_path, assets())
    outcome = run(datadog, 'apply', folder, '--yes')
    assert outcome.code == 0 and 'otherwise' not in outcome.out, outcome.said
    assert run(datadog, 'plan', folder).code == 0
    assert run(datadog, 'destroy', folder, '--yes').code == 0
    assert datadog.organisation.monitors == {}


@pytest.mark.parametrize('length, code', [(170, 0), (171, 2)])
def test_a_name_fits_into_a_tag_or_is_refused(datadog, tmp_path, length, code):
    """A truncated marker would not be found, and every run would create another object."""
    named = {f'monitors/{"m" * length}.json': integration.ASSETS['monitors/full.json']}
    folder = integration.write(tmp_path, named)
    outcome = run(datadog, 'apply', folder, '--yes')
    assert outcome.code == code
    if code:
        assert 'is 1 character too long for the tags of the marker' in outcome.err and datadog.exchanges == []
    else:
        (monitor,) = datadog.organisation.monitors.values()
        assert max(map(len, monitor['tags'])) == 200


def test_a_name_survives_a_server_that_keeps_one_underscore_of_two(datadog, tmp_path):
    folder = integration.write(tmp_path, {'monitors/a__b-.json': integration.ASSETS['monitors/full.json']})
    assert run(datadog, 'apply', folder, '--yes').code == 0
    (monitor,) = datadog.organisation.monitors.values()
    assert any(tag.startswith('ddassets_applied:a_b-/') for tag in monitor['tags'])


def test_a_delayed_listing_is_not_a_manual_change(datadog, tmp_path, monkeypatch):
    """The list of dashboards contains the previous marker, the dashboard the current one."""
    before = {'dashboards/jobs.json': integration.ASSETS['dashboards/jobs.json']}
    now = {'dashboards/jobs.json': integration.changed()['dashboards/jobs.json']}
    assert run(datadog, 'apply', integration.write(tmp_path, before), '--yes').code == 0
    stale = copy.deepcopy(OPERATIONS['ListDashboards'])
    (id,) = datadog.organisation.dashboards
    old = datadog.organisation.dashboards[id]['description']
    assert run(datadog, 'apply', integration.write(tmp_path, now), '--yes').code == 0

    def lagging(organisation, request):
        answer = stale(organisation, request)
        answer.body['dashboards'][0]['description'] = old
        return answer

    monkeypatch.setitem(OPERATIONS, 'ListDashboards', lagging)
    # Back to what it was: a change, and none that somebody else made.
    assert run(datadog, 'apply', integration.write(tmp_path, before), '--yes').code == 0
    assert datadog.organisation.dashboards[id]['description'] == old


def test_a_dashboard_whose_marker_was_removed_is_not_managed(datadog, tmp_path, monkeypatch):
    folder = integration.write(tmp_path, {'dashboards/jobs.json': integration.ASSETS['dashboards/jobs.json']})
    assert run(datadog, 'apply', folder, '--yes').code == 0
    (dashboard,) = datadog.organisation.dashboards.values()
    listed = OPERATIONS['ListDashboards']
    old, dashboard['description'] = dashboard['description'], 'Mine.'

    def lagging(organisation, request):
        answer = listed(organisation, request)
        answer.body['dashboards'][0]['description'] = old
        return answer

    monkeypatch.setitem(OPERATIONS, 'ListDashboards', lagging)
    assert run(datadog, 'destroy', folder, '--yes').code == 0
    assert list(datadog.organisation.dashboards.values()) == [dashboard]


def test_a_deleted_dashboard_that_is_still_listed_is_created_again(datadog, tmp_path):
    folder = integration.write(tmp_path, {'dashboards/jobs.json': integration.ASSETS['dashboards/jobs.json']})
    assert run(datadog, 'apply', folder, '--yes').code == 0
    before = datadog.organisation.fingerprint()
    datadog.organisation.lag(5)
    datadog.organisation.dashboards.clear()
    assert run(datadog, 'apply', folder, '--yes').code == 0
    assert datadog.organisation.fingerprint() == before
