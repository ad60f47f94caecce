# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The assets are valid bodies for the Datadog API, by the official client's models and the documented rules."""

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from datadog_api_client import Configuration
from datadog_api_client.api_client import ApiClient
from datadog_api_client.model_utils import ModelComposed, ModelNormal, UnparsedObject
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
from dateutil.rrule import rrulestr

PACKAGE = Path(__file__).parents[1]
ASSETS = PACKAGE / 'assets'
MANIFEST = json.loads((PACKAGE / 'manifest.json').read_text())
TAG = f'integration:{MANIFEST["app_id"]}'
OVERVIEW = ASSETS / 'dashboards' / 'my_metric_overview.json'
APM = ASSETS / 'dashboards' / 'infrastructure_and_apm.json'
MONITOR = ASSETS / 'monitors' / 'my_metric_high.json'
DOWNTIMES = sorted((ASSETS / 'downtimes').glob('*.json'))
BERLIN = ZoneInfo('Europe/Berlin')
# The client reads keys from the environment into its configuration; these tests never send a request.
CLIENT = ApiClient(Configuration(host='http://127.0.0.1:0'))


def read(path):
    return json.loads(path.read_text())


def parts(value):
    """Return (path suffix, part) for each part of a model, mapping or sequence."""
    if isinstance(value, ModelComposed):
        return [('', instance) for instance in value._composed_instances]
    if isinstance(value, ModelNormal):
        return [(f'.{key}', part) for key, part in value._data_store.items()]
    if isinstance(value, dict):
        return [(f'.{key}', part) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f'[{index}]', part) for index, part in enumerate(value)]
    return []


def unparsed(value, path='$'):
    """Return the path of each part that the client could not parse into its model."""
    if isinstance(value, UnparsedObject):
        return [path]
    found = [hit for suffix, part in parts(value) for hit in unparsed(part, path + suffix)]
    if isinstance(value, ModelNormal):
        found += [f'{path}.{key} (unknown key)' for key in value._data_store if key not in value.attribute_map]
    # A parent is marked if one of its parts is: return only the innermost.
    return found or ([path] if getattr(value, '_unparsed', False) else [])


def parse(body, model):
    return CLIENT.deserialize(json.dumps(body), (model,), True)


def definitions(dashboard):
    """Yield the definition of each widget, including widgets in groups."""
    for widget in dashboard['widgets']:
        yield widget['definition']
        yield from definitions(widget['definition']) if 'widgets' in widget['definition'] else ()


def all_widgets(dashboard):
    for widget in dashboard['widgets']:
        yield widget
        yield from all_widgets(widget['definition']) if 'widgets' in widget['definition'] else ()


def requests(dashboard):
    for definition in definitions(dashboard):
        for request in definition.get('requests', []):
            yield definition, request


def without_wrapping(path):
    body = read(path)
    return body['definition'] if path == MONITOR else body


API_BODIES = [
    pytest.param(OVERVIEW, Dashboard, id='overview'),
    pytest.param(APM, Dashboard, id='infrastructure_and_apm'),
    pytest.param(MONITOR, Monitor, id='monitor'),
    *(pytest.param(path, DowntimeCreateRequest, id=path.stem) for path in DOWNTIMES),
]


@pytest.mark.parametrize('path, model', API_BODIES)
def test_client_models_accept_the_whole_body(path, model):
    assert unparsed(parse(without_wrapping(path), model)) == []


def plant(body, keys, value):
    body = copy.deepcopy(body)
    target = body
    for key in keys[:-1]:
        target = target[key]
    target[keys[-1]] = value
    return body


@pytest.mark.parametrize(
    'path, model, keys, value',
    [
        pytest.param(OVERVIEW, Dashboard, ['layout_type'], 'orderly', id='dashboard-enum'),
        pytest.param(
            OVERVIEW,
            Dashboard,
            ['widgets', 2, 'definition', 'widgets', 0, 'definition', 'requests', 0, 'display_type'],
            'bar',
            id='enum-three-levels-down',
        ),
        pytest.param(
            OVERVIEW,
            Dashboard,
            ['widgets', 1, 'definition', 'widgets', 0, 'definition', 'type'],
            'query_valu',
            id='widget-type',
        ),
        pytest.param(OVERVIEW, Dashboard, ['widget'], [], id='unknown-key'),
        pytest.param(
            OVERVIEW,
            Dashboard,
            ['widgets', 2, 'definition', 'widgets', 0, 'definition', 'requests', 0, 'formula'],
            'hourly',
            id='unknown-key-in-a-widget',
        ),
        pytest.param(MONITOR, Monitor, ['type'], 'metric alarm', id='monitor-enum'),
        pytest.param(MONITOR, Monitor, ['options', 'thresholds', 'critical'], 'high', id='monitor-number'),
        pytest.param(
            DOWNTIMES[0],
            DowntimeCreateRequest,
            ['data', 'attributes', 'notify_end_states'],
            ['bad'],
            id='downtime-enum',
        ),
        pytest.param(
            DOWNTIMES[0],
            DowntimeCreateRequest,
            ['data', 'attributes', 'schedule', 'recurrences', 0, 'duration'],
            14,
            id='downtime-duration',
        ),
    ],
)
def test_canary_a_planted_fault_is_detected(path, model, keys, value):
    body = plant(without_wrapping(path), keys, value)
    try:
        found = unparsed(parse(body, model))
    except Exception as error:  # the client raises its own exceptions for some errors and marks the others
        found = [str(error)]
    assert found


def test_images_of_the_tile_exist_and_are_small():
    pictures = [PACKAGE / media['image_url'] for media in MANIFEST['tile']['media']]
    assert pictures
    for picture in pictures:
        data = picture.read_bytes()
        assert data.startswith(b'\x89PNG\r\n')
        assert len(data) < 300_000
        assert picture.parent.name == 'images'


def test_manifest_entries_are_the_files_on_disk():
    for kind in ('dashboards', 'monitors'):
        listed = sorted(MANIFEST['assets'][kind].values())
        assert listed == sorted(str(path.relative_to(PACKAGE)) for path in (ASSETS / kind).glob('*.json'))


def test_dataflows():
    # Rule 9.7: `<app_id>-<data_type>`, always inbound.
    provides = yaml.safe_load((ASSETS / 'dataflows.yaml').read_text())['provides']
    # Every run submits metrics; only a drill sends events.
    assert provides == [
        {
            'id': f'{MANIFEST["app_id"]}-{kind}',
            'always_on': always,
            'granular': False,
            'data_type': kind,
            'direction': 'inbound',
        }
        for kind, always in [('metrics', True), ('events', False)]
    ]
    assert MANIFEST['assets']['integration']['events']['creates_events'] is True


# Dashboards


@pytest.mark.parametrize('path', [OVERVIEW, APM], ids=lambda path: path.stem)
class TestDashboards:
    def test_shape(self, path):
        # Rule 9.6.
        dashboard = read(path)
        assert dashboard['description']
        assert dashboard['layout_type'] == 'ordered'
        assert 'My Metric' in dashboard['title'] and '-' not in dashboard['title']
        titles = [widget['definition'].get('title', '') for widget in dashboard['widgets']]
        assert any(title.startswith('About') for title in titles) and 'Overview' in titles

    def test_app_id_is_the_manifests(self, path):
        for definition in definitions(read(path)):
            assert definition.get('app_id', MANIFEST['app_uuid']) == MANIFEST['app_uuid']

    def test_widget_ids_are_unique(self, path):
        ids = [widget['id'] for widget in all_widgets(read(path))]
        assert len(ids) == len(set(ids))

    def test_widgets_neither_overlap_nor_leave_the_page(self, path):
        def check(widgets):
            taken = set()
            for widget in widgets:
                box = widget['layout']
                cells = {
                    (x, y)
                    for x in range(box['x'], box['x'] + box['width'])
                    for y in range(box['y'], box['y'] + box['height'])
                }
                assert box['x'] + box['width'] <= 12, widget['id']
                assert not cells & taken, widget['id']
                taken |= cells
                inner = widget['definition'].get('widgets', [])
                if inner:
                    check(inner)
                    lowest = max(item['layout']['y'] + item['layout']['height'] for item in inner)
                    # A group uses one row for its title.
                    assert box['height'] == lowest + 1, widget['id']

        check(read(path)['widgets'])

    def test_timeseries_are_at_least_four_columns_wide(self, path):
        for widget in all_widgets(read(path)):
            if widget['definition']['type'] == 'timeseries':
                assert widget['layout']['width'] >= 4, widget['id']

    def test_formulas_name_their_queries_and_carry_an_alias(self, path):
        for definition, request in requests(read(path)):
            names = {query['name'] for query in request['queries']}
            used = set()
            for formula in request['formulas']:
                assert formula['alias'], definition['title']
                used |= names & set(re.findall(r'\w+', formula['formula']))
            assert used == names, definition['title']

    def test_each_variable_is_used_and_each_used_variable_is_defined(self, path):
        dashboard = read(path)
        used = {
            name
            for _, request in requests(dashboard)
            for query in request['queries']
            for name in re.findall(r'\$(\w+)', query['query'])
        }
        assert used == {variable['name'] for variable in dashboard['template_variables']}

    def test_each_query_is_scoped_by_a_variable(self, path):
        for _, request in requests(read(path)):
            for query in request['queries']:
                assert re.search(r'\{\$\w+', query['query']), query['query']

    def test_names_of_own_metrics_are_those_in_the_metadata(self, path):
        own = {line.split(',')[0] for line in (PACKAGE / 'metadata.csv').read_text().splitlines()[1:]}
        used = {
            metric
            for _, request in requests(read(path))
            for query in request['queries']
            for metric in re.findall(r':(my_metric[\w.]*)\{', query['query'])
        }
        assert used and used <= own


def graphs(path):
    return [
        (formula['formula'], [query['query'] for query in request['queries']], request.get('display_type'))
        for _, request in requests(read(path))
        for formula in request['formulas']
    ]


def test_overview_shows_the_band_of_a_database_metric():
    assert ("anomalies(queries, 'basic', 2)", ['avg:mysql.performance.queries{$host}'], 'line') in graphs(OVERVIEW)


def test_overview_shows_the_sum_per_hour_as_bars_in_a_time_frame_of_whole_hours():
    (definition,) = [
        definition
        for definition, request in requests(read(OVERVIEW))
        for query in request['queries']
        if query['query'] == 'sum:my_metric{$host}.rollup(sum, 3600)'
    ]
    assert [request['display_type'] for request in definition['requests']] == ['bars']
    # Rule 7.2: a time frame of 5 minutes contains no start of an hourly bucket, so the graph needs its own time frame.
    assert definition['time'] == {'live_span': '1d'}


@pytest.mark.parametrize(
    'metric',
    [
        'system.cpu.user',
        'system.mem.usable',
        'system.load.norm.1',
        'system.io.rkb_s',
        'trace.flask.request.hits',
        'trace.flask.request.errors',
        'trace.flask.request',
        'mysql.performance.queries',
        'my_metric',
    ],
)
def test_infrastructure_and_apm_shows(metric):
    assert any(f':{metric}{{' in query for _, queries, _ in graphs(APM) for query in queries)


@pytest.mark.parametrize(
    'path, words',
    [
        pytest.param(OVERVIEW, ['past 5 minutes', 'snapshot', 'anomaly band', 'rollup(sum, 3600)'], id='overview'),
        pytest.param(APM, ['**service**', '**resource**'], id='infrastructure_and_apm'),
    ],
)
def test_notes_explain(path, words):
    text = '\n'.join(definition.get('content', '') for definition in definitions(read(path)))
    assert [word for word in words if word not in text] == []


# Monitor


def blocks(message):
    return dict(re.findall(r'\{\{#(\w+)\}\}\n(.*?)\{\{/\1\}\}', message, re.DOTALL))


class TestMonitor:
    asset = read(MONITOR)
    definition = asset['definition']
    options = definition['options']

    def test_asset_format(self):
        # Rules 9.1 to 9.3.
        assert set(self.asset) == {
            'version',
            'created_at',
            'last_updated_at',
            'title',
            'description',
            'tags',
            'definition',
        }
        assert self.asset['version'] == 2
        assert self.asset['created_at'] <= self.asset['last_updated_at']
        assert len(self.asset['title']) <= 50 and '{{' not in self.asset['title']
        assert 0 < len(self.asset['description']) <= 300
        assert TAG in self.asset['tags'] and TAG in self.definition['tags']
        assert 'id' not in self.definition

    def test_query_and_thresholds(self):
        # Rule 3.1: the threshold is in the query and in the options.
        assert self.definition['type'] == 'query alert'
        query, number = re.fullmatch(r'(.*) > (\d+)', self.definition['query']).groups()
        assert query == 'avg(last_5m):avg:my_metric{*} by {host}'
        assert float(number) == self.options['thresholds']['critical'] == 800
        assert self.options['thresholds']['warning'] == 500

    def test_no_data_after_ten_minutes(self):
        # Rule 3.14: on_missing_data excludes both options, and its time frame is the window of the query, 5 minutes.
        assert self.options['notify_no_data'] is True
        assert self.options['no_data_timeframe'] == 10
        assert 'on_missing_data' not in self.options

    def test_each_transition_has_its_own_text(self):
        texts = blocks(self.definition['message'])
        assert set(texts) == {'is_alert', 'is_warning', 'is_no_data', 'is_recovery'}
        assert len({text.strip() for text in texts.values()}) == 4
        for name in ('is_alert', 'is_warning', 'is_no_data'):
            assert '\n1. ' in texts[name] and '\n2. ' in texts[name], name

    @pytest.mark.parametrize('variable', ['{{value}}', '{{host.name}}', '{{host.ip}}'])
    def test_alert_text_carries(self, variable):
        assert variable in blocks(self.definition['message'])['is_alert']

    def test_no_handle_is_inside_a_block(self):
        # Rule 4.4: a handle inside a block is notified only on that transition.
        for name, text in blocks(self.definition['message']).items():
            assert '@' not in text, name

    def test_every_variable_exists_for_a_query_by_host(self):
        # Rules 4.6 and 4.9.
        used = set(re.findall(r'\{\{([\w.]+)\}\}', self.definition['message']))
        assert used == {'value', 'threshold', 'warn_threshold', 'host.name', 'host.ip'}


# Downtimes

UNITS = {'m': timedelta(minutes=1), 'h': timedelta(hours=1), 'd': timedelta(days=1), 'w': timedelta(weeks=1)}


def attributes(path):
    return read(path)['data']['attributes']


def windows(until, bodies):
    """Expand to [start, end) in UTC. Rules 5.4, 5.6 and 5.12: local starts, elapsed durations."""
    for body in bodies:
        zone = ZoneInfo(body['schedule']['timezone'])
        for recurrence in body['schedule']['recurrences']:
            length, unit = re.fullmatch(r'(\d+)([mhdw])', recurrence['duration']).groups()
            first = datetime.fromisoformat(recurrence['start'])
            for local in rrulestr(recurrence['rrule'], dtstart=first).between(first, until, inc=True):
                start = local.replace(tzinfo=zone).astimezone(UTC)
                yield start, start + int(length) * UNITS[unit]


def wrong_instants(monday, bodies):
    """Return the minutes of the week from `monday` that are muted during office hours, or not muted outside them."""
    merged = list(windows(monday + timedelta(days=8), bodies))
    instant = monday.replace(tzinfo=BERLIN).astimezone(UTC)
    end = (monday + timedelta(days=7)).replace(tzinfo=BERLIN).astimezone(UTC)
    near = [(start, stop) for start, stop in merged if stop > instant and start < end]
    wrong = []
    while instant < end:
        local = instant.astimezone(BERLIN)
        office = local.weekday() < 5 and 9 <= local.hour < 19
        muted = any(start <= instant < stop for start, stop in near)
        if muted == office:
            wrong.append(local)
        instant += timedelta(minutes=1)
    return wrong


@pytest.mark.parametrize(
    'monday',
    [
        pytest.param(datetime(2027, 1, 11), id='winter'),
        pytest.param(datetime(2027, 3, 22), id='clocks-go-forward'),
        pytest.param(datetime(2027, 3, 29), id='after-clocks-went-forward'),
        pytest.param(datetime(2027, 7, 5), id='summer'),
        pytest.param(datetime(2027, 10, 25), id='clocks-go-back'),
        pytest.param(datetime(2027, 11, 1), id='after-clocks-went-back'),
    ],
)
def test_muted_outside_office_hours_and_not_during_them(monday):
    assert wrong_instants(monday, [attributes(path) for path in DOWNTIMES]) == []


def test_canary_only_monday_to_friday_does_not_cover_monday_morning():
    bodies = [attributes(path) for path in DOWNTIMES]
    for body in bodies:
        for recurrence in body['schedule']['recurrences']:
            recurrence['rrule'] = recurrence['rrule'].replace('SU,MO', 'MO')
    wrong = wrong_instants(datetime(2027, 1, 11), bodies)
    assert (wrong[0].hour, wrong[-1].hour, len(wrong)) == (0, 8, 9 * 60)


def test_the_two_downtimes_exist():
    assert [path.name for path in DOWNTIMES] == ['weekends.json', 'weeknights.json']


@pytest.mark.parametrize('path', DOWNTIMES, ids=lambda path: path.stem)
class TestDowntimes:
    def test_target(self, path):
        body = attributes(path)
        assert body['monitor_identifier'] == {'monitor_tags': [TAG]}
        assert body['scope'] == '*'

    def test_time_zones_agree(self, path):
        # Rule 5.4: the API refuses different time zones.
        body = attributes(path)
        assert body['schedule']['timezone'] == body['display_timezone'] == 'Europe/Berlin'

    def test_start_is_an_occurrence(self, path):
        # Rule 5.8: a start that does not match the recurrence is not an occurrence.
        for recurrence in attributes(path)['schedule']['recurrences']:
            first = datetime.fromisoformat(recurrence['start'])
            assert next(iter(rrulestr(recurrence['rrule'], dtstart=first))) == first

    def test_message_has_a_handle(self, path):
        # Rule 5.22: a message without a handle notifies nobody when the downtime is scheduled.
        assert re.search(r'(^|\s)@\S+', attributes(path)['message'])
