"""The example integration, complete and without findings. The examples of all rules change it."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddassets.lint.rule import Files

MANIFEST = 'manifest.json'
METADATA = 'metadata.csv'
DASHBOARD = 'assets/dashboards/acme_overview.json'
MONITOR = 'assets/monitors/queue_is_long.json'
DOWNTIME = 'assets/downtimes/maintenance.json'
NOTIFICATION_RULE = 'assets/notification_rules/harbor.json'
SLO = 'assets/slos/requests.json'
CONFIGURATION = '.ddassets.yaml'

METADATA_HEADER = (
    'metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name'
)


def widget(query: str, title: str = 'Queue', **more: Any) -> dict[str, Any]:
    """Return a graph of one metric query; `more` is merged into its definition."""
    queries = [{'data_source': 'metrics', 'name': 'query1', 'query': query}]
    request = {'queries': queries, 'formulas': [{'formula': 'query1'}], 'response_format': 'timeseries'}
    return {'definition': {'type': 'timeseries', 'title': title, 'requests': [request], **more}}


def message(
    alert: str = 'The queue is long.',
    no_data: str = 'Silent.',
    recovery: str = 'Short.',
    more: str = '',
    handle: str = '@team-acme',
) -> str:
    """Return a message with a block for each state whose text is not empty."""
    blocks = {'is_alert': alert, 'is_no_data': no_data, 'is_recovery': recovery}
    said = ''.join(f'{{{{#{name}}}}}{text}{{{{/{name}}}}}' for name, text in blocks.items() if text)
    return ' '.join(part for part in (said, more, handle) if part)


def anomalies(trigger: str, recovery: str, compared: str = '>= 1', share: float = 1) -> dict[str, Any]:
    """Return the keys that turn a monitor into an anomaly monitor; `share` is the critical threshold."""
    compared = compared if share == 1 else f'>= {share}'
    return {
        'query': f"avg(last_4h):anomalies(avg:acme.queue.length{{*}} by {{host}}, 'agile', 2, direction='both', "
        f"alert_window='{trigger}', interval=60) {compared}",
        'options': {
            'no_data_timeframe': 480,
            'thresholds': {'critical': share},
            'threshold_windows': {'trigger_window': trigger, 'recovery_window': recovery},
        },
    }


def check_monitor(runs: int) -> dict[str, Any]:
    """Return the keys that turn a monitor into a service check monitor, which reads the last runs."""
    return {
        'type': 'service check',
        'query': f'"acme.can_connect".over("*").by("host").last({runs}).count_by_status()',
        'options': {'thresholds': {'critical': 3, 'warning': 1, 'ok': 1}},
    }


def check_query(
    steps: str, check: str = 'acme.can_connect', options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The same with a query of these steps."""
    given = {'thresholds': {'critical': 3, 'warning': 1, 'ok': 1}} if options is None else dict(options)
    return {'type': 'service check', 'query': f'"{check}"{steps}', 'options': given}


def composite(query: str, **more: Any) -> dict[str, Any]:
    """The parts of a monitor that make it a composite."""
    return {
        'type': 'composite',
        'query': query,
        'options': {'thresholds': None},
        'message': message(alert='Both fail.'),
        'tags': ['integration:acme'],
        **more,
    }


def slo(*thresholds: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return an SLO of type metric with these thresholds."""
    return {
        'name': 'Requests succeed',
        'type': 'metric',
        'query': {
            'numerator': 'sum:acme.requests{!status:error}.as_count()',
            'denominator': 'sum:acme.requests{*}.as_count()',
        },
        'thresholds': [*thresholds],
        'tags': ['integration:acme'],
        **more,
    }


def slo_alert(query: str, critical: float, **more: Any) -> dict[str, Any]:
    """Return the keys that turn a monitor into an alert of an SLO."""
    options = {'thresholds': {'critical': critical}, 'notify_no_data': None, 'no_data_timeframe': None}
    return {
        'type': 'slo alert',
        'query': query,
        'message': message(alert='The budget runs out.', no_data='', recovery='It does no more.'),
        'options': options,
        **more,
    }


def metadata(*rows: str) -> str:
    """Return a metadata.csv with rows such as `acme.workers,gauge`, each with a description."""
    return '\n'.join([METADATA_HEADER, *map(_metadata_row, rows), ''])


def _metadata_row(row: str) -> str:
    cells = [*row.split(','), *[''] * 9][:9]
    cells[5] = cells[5] or f'{cells[0].rpartition(".")[2].capitalize()}.'
    return ','.join(cells)


INTEGRATION: Mapping[str, Any] = {
    MANIFEST: {
        'manifest_version': '2.0.0',
        'app_uuid': '0b6f5b1e-8c67-4f0a-9f43-3f0b5f6a7a11',
        'app_id': 'acme',
        'assets': {
            'integration': {'metrics': {'prefix': 'acme.', 'check': 'acme.workers', 'metadata_path': METADATA}},
            'dashboards': {'Acme Overview': DASHBOARD},
            'monitors': {'Queue is long': MONITOR},
        },
    },
    METADATA: metadata(
        'acme.queue.length,gauge',
        'acme.requests,count',
        'acme.request.duration,distribution',
        'acme.workers,gauge',
    ),
    DASHBOARD: {
        'title': 'Acme Overview',
        'description': 'The queue of Acme.',
        'layout_type': 'ordered',
        'template_variables': [{'name': 'host', 'prefix': 'host', 'available_values': [], 'defaults': ['*']}],
        'widgets': [widget('avg:acme.queue.length{$host} by {host}')],
    },
    MONITOR: {
        'version': 2,
        'created_at': '2026-01-05',
        'last_updated_at': '2026-01-05',
        'title': 'Queue is long',
        'description': 'Work waits in the queue of a host, so that answers come late.',
        'tags': ['integration:acme'],
        'definition': {
            'name': 'Queue is long',
            'type': 'query alert',
            'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100',
            'message': message(
                alert='The queue on {{host.name}} holds {{value}}.',
                no_data='{{host.name}} is silent.',
                recovery='The queue on {{host.name}} is short again.',
            ),
            'tags': ['integration:acme'],
            'options': {
                'thresholds': {'critical': 100},
                'notify_no_data': True,
                'no_data_timeframe': 10,
                'renotify_interval': 0,
            },
        },
    },
    DOWNTIME: {
        'data': {
            'type': 'downtime',
            'attributes': {
                'monitor_identifier': {'monitor_tags': ['integration:acme']},
                'scope': '*',
                'message': 'Maintenance. @team-acme',
                'display_timezone': 'Europe/Berlin',
                'schedule': {
                    'timezone': 'Europe/Berlin',
                    'recurrences': [
                        {'start': '2027-01-06T20:00:00', 'duration': '2h', 'rrule': 'FREQ=WEEKLY;INTERVAL=1;BYDAY=WE'}
                    ],
                },
            },
        }
    },
}


def write(folder: Path, files: Files) -> Path:
    """Write the example integration, changed by `files`, to `folder` / `acme`, and return that path."""
    integration = folder / 'acme'
    for name in dict.fromkeys([*INTEGRATION, *files]):
        content = INTEGRATION.get(name)
        if name in files:
            change = files[name]
            content = merge_patch(content or {}, change) if isinstance(change, Mapping) else change
        if content is None:
            continue
        path = integration / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            content = json.dumps(content, indent=2)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return integration


def merge_patch(body: Any, patch: Any) -> Any:
    """Apply a JSON merge patch: objects are merged, null deletes a key, anything else replaces (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    merged = dict(body) if isinstance(body, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
