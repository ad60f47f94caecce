"""The JSON Schemas of scenarios and configurations, compared with their parsers."""

import copy
import json
from pathlib import Path

import jsonschema_rs
import pytest
import schemas
import yaml

from ddassets.diagnostic import UnusableInputError
from ddassets.lint import configuration
from ddassets.rehearsal import keys, parse

HERE = Path(__file__).parent
SCENARIO = jsonschema_rs.validator_for(keys.schema())
CONFIGURATION = jsonschema_rs.validator_for(configuration.schema())
# Each key of each mapping at least once.
WHOLE = """\
description: all keys
start: 2027-01-04T10:00:00
timezone: Europe/Berlin
length: 1h30m
notify: '@a@example.com'
hosts: {one: {ip: 192.0.2.1, tags: [env:prod], metadata: {platform: linux}}, two: }
services: {web: {team: core, links: {Runbook: https://example.com}}}
series:
- {metric: acme.lag, tags: [host:one], values: 10x20 70x10, type: gauge, interval: 60s, from: '2027-01-04'}
- {metric: acme.lag, csv: a.csv, type: gauge, interval: 60s, until: 2027-01-04T11:00:00}
- {stub: anomalies, monitor: Lag, values: 0x5, interval: 60s}
- {band: acme.lag, tags: [host:one], lower: 5x5, upper: 9, interval: 60s, from: '2027-01-04'}
- check: {host: one, config: conf.yaml, uncomment: [a], jitter: 2s, seed: 1, late: 5s, from: '2027-01-04',
    down: [{from: 2027-01-04T10:10:00, to: 2027-01-04T10:20:00}]}
monitors: [Lag, {file: exported.json, only: [Lag]}]
downtimes: {except: [night]}
slos: all
corrections: [{slo: requests, from: 2027-01-01, to: 2027-01-02}]
before: [{slo: requests, good: 1, total: 2.5, group: 'env:prod'}]
assumptions: {A13: wall}
tick_second: 30
approximate: [anomalies, forecast, outliers]
expect:
- {at: 2027-01-04T10:10:00, monitor: Lag, group: 'host:one', from: OK, to: Alert, value: 70, notification: muted,
   muted_by: [night], recipients: ['@a@example.com'], message: [is high]}
- {at: 2027-01-04T10:20:00, reason: renotify}
properties:
- {notifications: none, outside: Mon-Fri 09:00-19:00, muted: true, state: [Alert, OK], reason: renotify}
- {notifications: {at_least: 1, at_most: 4}, recipient: '@a@example.com', inside: Sat, monitor: Lag, group: 'host:one'}
- {notifications: {exactly: 1}, downtime: night}
- {time_in: Alert, at_least: 10m, at_most: 30m}
min_coverage: 50
"""


class Loader(yaml.SafeLoader):
    """Loads like editors: a date is a text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(':timestamp')]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text):
    return yaml.load(text, Loader)


def parses(data):
    try:
        parse(yaml.safe_dump(data, sort_keys=False), Path('s.yaml'))
    except UnusableInputError:
        return False
    return True


@pytest.mark.parametrize('name', schemas.SCHEMAS)
def test_the_shipped_schemas_are_up_to_date(name):
    assert (schemas.FOLDER / name).read_text() == schemas.text(name), 'run `make schemas`'


def mappings(value, place=()):
    if isinstance(value, dict):
        yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from mappings(inner, (*place, key))


def at(value, place):
    for step in place:
        value = value[step]
    return value


PLACES = [pytest.param(place, id='.'.join(map(str, place)) or 'top') for place in mappings(load(WHOLE))]
# Mappings whose keys are names that the author gives.
NAMED = {('hosts',), ('services',), ('services', 'web'), ('services', 'web', 'links'), ('hosts', 'one', 'metadata')}


def test_valid_files_are_accepted_by_both():
    assert parses(load(WHOLE))
    SCENARIO.validate(load(WHOLE))
    assert set(keys.SCENARIO.names) - load(WHOLE).keys() == {
        'redirect',
        'notification_rules',
        'namespaces',
        'pods',
        'devices',
    }


@pytest.mark.parametrize('place', PLACES)
def test_an_unknown_key_is_refused_by_both(place):
    data = load(WHOLE)
    at(data, place)['unknown_key'] = 1
    if place in NAMED:
        return
    assert not parses(data) and not SCENARIO.is_valid(data)


@pytest.mark.parametrize('key', keys.SCENARIO.required)
def test_a_missing_key_is_refused_by_both(key):
    data = load(WHOLE)
    del data[key]
    assert not parses(data) and not SCENARIO.is_valid(data)


@pytest.mark.parametrize(
    ('place', 'value'),
    [
        pytest.param(('start',), 'yesterday', id='instant'),
        pytest.param(('length',), '1 hour', id='length'),
        pytest.param(('tick_second',), 60, id='second'),
        pytest.param(('expect', 0, 'to'), 'Bad', id='state'),
        pytest.param(('series', 0, 'type'), 'gage', id='type'),
        pytest.param(('series', 2, 'stub'), 'anomaly', id='stub'),
        pytest.param(('assumptions',), {'A999': 'x'}, id='assumption'),
        pytest.param(('monitors',), 'some', id='choice'),
        pytest.param(('min_coverage',), 101, id='coverage'),
        pytest.param(('properties', 1, 'notifications', 'at_least'), 0, id='bound'),
    ],
)
def test_a_wrong_value_is_refused_by_both(place, value):
    data = load(WHOLE)
    at(data, place[:-1])[place[-1]] = value
    assert not parses(data) and not SCENARIO.is_valid(data)


@pytest.mark.parametrize('path', sorted(HERE.parents[1].glob('*/**/rehearsals/*.yaml')), ids=lambda path: path.stem)
def test_scenarios_of_the_repository_are_valid(path):
    SCENARIO.validate(load(path.read_text()))


def test_configurations(tmp_path):
    good = {
        'companions': ['system.*'],
        'ignore': [{'rule': 'message/*', 'file': 'a.json', 'object': 'x', 'reason': 'y'}],
    }
    path = tmp_path / '.ddassets.yaml'
    for change, fine in ((None, True), (('unknown', 1), False), (('ignore', [{'reason': 'x'}]), False)):
        data = copy.deepcopy(good)
        if change:
            data[change[0]] = change[1]
        path.write_text(json.dumps(data))
        assert CONFIGURATION.is_valid(data) == fine
        if fine:
            assert configuration.read(path, lambda: ['message/syntax']).companions == ('system.*',)
        else:
            with pytest.raises(UnusableInputError):
                configuration.read(path, lambda: ['message/syntax'])
