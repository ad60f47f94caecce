"""A small integration with an asset of each kind, before and after changes."""

import copy
import json
from pathlib import Path
from typing import Any

MANIFEST = {
    'manifest_version': '2.0.0',
    'app_uuid': '4d2e1c6a-0000-4000-8000-000000000001',
    'app_id': 'acme-spool',
    'display_on_public_website': False,
    'tile': {'title': 'Acme Spool'},
    'assets': {
        'integration': {'metrics': {'prefix': 'acme.', 'check': 'acme.spool.jobs', 'metadata_path': 'metadata.csv'}},
        'dashboards': {},
        'monitors': {},
    },
}


def _dashboard(title: str) -> dict[str, Any]:
    query = {'data_source': 'metrics', 'name': 'query1', 'query': 'avg:acme.spool.jobs{$host} by {host}'}
    requests = [
        {
            'formulas': [{'formula': 'query1'}],
            'queries': [query],
            'response_format': 'timeseries',
            'display_type': 'line',
        }
    ]
    return {
        'title': title,
        'description': f'What {title} shows.',
        'layout_type': 'ordered',
        'template_variables': [{'name': 'host', 'prefix': 'host', 'defaults': ['*']}],
        'widgets': [
            {'definition': {'type': 'note', 'content': 'About'}},
            {'definition': {'type': 'timeseries', 'title': 'Jobs', 'requests': requests}},
        ],
    }


def _monitor(title: str, query: str = 'avg(last_5m):avg:acme.spool.jobs{*} by {host} > 80') -> dict[str, Any]:
    definition = {
        'name': title,
        'type': 'query alert',
        'query': query,
        'message': f'{{{{#is_alert}}}}{title} on {{{{host.name}}}}.{{{{/is_alert}}}} @ops@example.com ',
        'tags': ['integration:acme-spool'],
        'options': {'thresholds': {'critical': 80, 'warning': 60}, 'notify_no_data': False},
    }
    return {
        'version': 2,
        'created_at': '2026-11-24',
        'last_updated_at': '2026-11-24',
        'title': title,
        'description': 'The spool is the first to fill.',
        'tags': ['integration:acme-spool'],
        'definition': definition,
    }


def _downtime(scope: str, schedule: dict[str, Any] | None) -> dict[str, Any]:
    attributes = {
        'monitor_identifier': {'monitor_tags': ['integration:acme-spool']},
        'scope': scope,
        'message': f'@ops@example.com Silence for {scope}.',
    }
    if schedule:
        attributes['schedule'] = schedule
    return {'data': {'type': 'downtime', 'attributes': attributes}}


def _rule(title: str, **recipients: Any) -> dict[str, Any]:
    attributes = {'name': title, 'filter': {'tags': ['integration:acme-spool', 'env:prod']}, **recipients}
    return {'data': {'type': 'monitor-notification-rule', 'attributes': attributes}}


def _recurring(start: str, rule: str) -> dict[str, Any]:
    return {'timezone': 'Europe/Berlin', 'recurrences': [{'start': start, 'duration': '2h', 'rrule': rule}]}


def _slo(title: str, **parts: Any) -> dict[str, Any]:
    """Return an SLO of requests, unless it has other parts."""
    jobs = 'sum:acme.spool.jobs{*}.as_count()'
    return {
        'name': title,
        'type': 'metric',
        'description': f'What {title} promises.',
        'tags': ['integration:acme-spool'],
        'thresholds': [{'timeframe': '7d', 'target': 99}, {'timeframe': '30d', 'target': 99.9, 'warning': 99.95}],
        **(parts or {'query': {'numerator': 'sum:acme.spool.jobs{status:ok}.as_count()', 'denominator': jobs}}),
    }


_SLICES = {
    'type': 'time_slice',
    'sli_specification': {
        'time_slice': {
            'query': {
                'formulas': [{'formula': 'wait'}],
                'queries': [{'data_source': 'metrics', 'name': 'wait', 'query': 'avg:acme.spool.wait{*}'}],
            },
            'comparator': '<',
            'threshold': 30,
        }
    },
}
CONDITIONAL = {
    'conditions': [{'scope': 'transition_type:is_alert', 'recipients': ['pagerduty-spool']}],
    'fallback_recipients': ['slack-spool'],
}
# By path under `assets`. One downtime recurs since long ago, one is yet to come, one is in force and has no end.
ASSETS: dict[str, Any] = {
    'dashboards/overview.json': _dashboard('Acme Spool Overview'),
    'dashboards/jobs.json': _dashboard('Acme Spool Jobs'),
    'monitors/full.json': _monitor('Spool is full'),
    'monitors/slow.json': _monitor('Spool is slow', 'avg(last_15m):avg:acme.spool.wait{*} by {host} > 80'),
    'downtimes/new_year.json': _downtime('env:dev', _recurring('2020-01-01T01:00:00', 'FREQ=YEARLY')),
    'downtimes/move.json': _downtime('env:move', {'start': '2036-05-01T00:00:00Z', 'end': '2036-05-02T00:00:00Z'}),
    'downtimes/lab.json': _downtime('env:lab', None),
    'notification_rules/production.json': _rule('Spool in production', recipients=['slack-spool', 'jira-spool']),
    'notification_rules/pages.json': _rule('Spool pages', conditional_recipients=CONDITIONAL),
    'slos/jobs.json': _slo('Spool jobs succeed'),
    'slos/wait.json': _slo('Spool jobs start', **_SLICES),
}


def changed() -> dict[str, Any]:
    """Return every asset in a changed form."""
    assets = copy.deepcopy(ASSETS)
    for path, body in assets.items():
        match path.partition('/')[0]:
            case 'dashboards':
                body['widgets'][0]['definition']['content'] = 'Otherwise'
            case 'monitors':
                body['definition']['query'] = body['definition']['query'].replace('> 80', '> 90')
                body['definition']['options']['thresholds']['critical'] = 90
            case 'downtimes':
                body['data']['attributes']['message'] += ' Do not worry.'
            case 'notification_rules':
                body['data']['attributes']['filter'] = {'scope': 'integration:acme-spool AND NOT env:dev'}
            case 'slos':
                body['thresholds'][0] |= {'target': 99.5, 'warning': 99.8}
    return assets


def mixed() -> dict[str, Any]:
    """Return, of each kind, one asset more, one less and one changed; a third one stays."""
    assets = changed()
    for path in (
        'dashboards/overview.json',
        'monitors/full.json',
        'downtimes/new_year.json',
        'notification_rules/pages.json',
        'slos/wait.json',
    ):
        del assets[path]
    assets['downtimes/lab.json'] = copy.deepcopy(ASSETS['downtimes/lab.json'])
    assets['dashboards/new.json'] = _dashboard('Acme Spool News')
    assets['monitors/new.json'] = _monitor('Spool is new')
    assets['downtimes/new.json'] = _downtime('env:new', _recurring('2036-01-07T19:00:00', 'FREQ=WEEKLY;BYDAY=MO'))
    assets['notification_rules/new.json'] = _rule('Spool news', recipients=['slack-news'])
    assets['slos/new.json'] = _slo('Spool news arrive')
    return assets


def replaced() -> dict[str, Any]:
    """Return `mixed`, with changes that no update can make: another type of monitor or SLO, and another start of an
    active downtime.
    """
    assets = mixed()
    assets['downtimes/lab.json'] = _downtime('env:lab', {'start': '2036-06-01T00:00:00Z', 'end': None})
    assets['monitors/slow.json'] = _monitor('Spool is slow', 'logs("slow").index("*").rollup("count").last("5m") > 80')
    assets['monitors/slow.json']['definition']['type'] = 'log alert'
    assets['notification_rules/production.json'] = _rule('Spool in production', conditional_recipients=CONDITIONAL)
    assets['slos/jobs.json'] = _slo('Spool jobs succeed', **_SLICES)
    return assets


def neighbour() -> dict[str, Any]:
    """Return assets of another integration that resemble these. Downtimes with the same scope would be refused."""
    assets = copy.deepcopy(ASSETS)
    for path, body in assets.items():
        if path.startswith('downtimes'):
            body['data']['attributes']['scope'] += ' AND service:other'
    return assets


def write(folder: Path, assets: dict[str, Any], app_id: str = 'acme-spool') -> Path:
    """Write the integration into a new folder below `folder`."""
    home = folder / app_id.replace('-', '_')
    home.mkdir(parents=True, exist_ok=True)
    for path, body in assets.items():
        (file := home / 'assets' / path).parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(body, indent=2))
    manifest: dict[str, Any] = copy.deepcopy(MANIFEST) | {'app_id': app_id}
    for kind in ('dashboards', 'monitors'):
        manifest['assets'][kind] = {path: f'assets/{path}' for path in assets if path.startswith(kind)}
    (home / 'manifest.json').write_text(json.dumps(manifest, indent=2))
    return home
