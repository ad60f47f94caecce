"""One monitor of the API's form in every supported form. Writers return file name and text."""

import json

import yaml

# Options that the operator's resource does not have.
NOT_IN_KUBERNETES = {'new_host_delay', 'variables', 'draft_status', 'assets', 'enable_samples', 'renotify_zero'}


def camel(name):
    first, *more = name.split('_')
    return first + ''.join(part[:1].upper() + part[1:] for part in more)


def bent(name):
    """Pulumi's plural of a list's name."""
    return {'notify_by': 'notifyBies', 'group_by': 'groupBies', 'event_query': 'eventQueries'}.get(name) or camel(name)


def attributes(body):
    """Return the attributes of a `datadog_monitor` as in a plan: strings for thresholds, lists for blocks."""
    options = dict(body.get('options') or {})
    found = {key: value for key, value in body.items() if key != 'options'}
    if 'priority' in found:
        found['priority'] = str(found['priority'])
    thresholds = options.pop('thresholds', {})
    found['monitor_thresholds'] = [{key: str(value) for key, value in thresholds.items()}] if thresholds else []
    if windows := options.pop('threshold_windows', None):
        found['monitor_threshold_windows'] = [windows]
    if scheduling := options.pop('scheduling_options', None):
        window, schedule = scheduling.get('evaluation_window'), scheduling.get('custom_schedule')
        found['scheduling_options'] = [
            {
                'evaluation_window': [window] if window else [],
                'custom_schedule': [{'recurrence': schedule['recurrences']}] if schedule else [],
            }
        ]
    if variables := options.pop('variables', None):
        queries = [
            {
                **query,
                'search': [query['search']],
                'compute': [query['compute']],
                'group_by': [{**by, 'sort': [by['sort']]} if 'sort' in by else by for by in query['group_by']],
            }
            for query in variables
        ]
        found['variables'] = [{'event_query': queries}]
    return {**found, **options}


def spelt(value, name):
    """Return attributes in another spelling, with single blocks as objects."""
    single = ('monitor_thresholds', 'monitor_threshold_windows', 'scheduling_options', 'evaluation_window')
    single += ('custom_schedule', 'recurrence', 'variables', 'search', 'sort')
    if isinstance(value, dict):
        return {
            name(key): spelt(inner[0] if key in single and inner else inner, name)
            for key, inner in value.items()
            if not (key in single and not inner)
        }
    return [spelt(item, name) for item in value] if isinstance(value, list) else value


def resource(body, **more):
    values = attributes(body)
    return {
        'address': 'datadog_monitor.it',
        'mode': 'managed',
        'type': 'datadog_monitor',
        'name': 'it',
        'provider_name': 'registry.terraform.io/datadog/datadog',
        'values': values,
        **more,
    }


def plan(body):
    data = {'format_version': '1.2', 'planned_values': {'root_module': {'resources': [resource(body)]}}}
    return 'plan.json', json.dumps({**data, 'resource_changes': []})


def state(body):
    module = {'address': 'module.m["eu"]', 'resources': [resource(body)]}
    return 'state.json', json.dumps({'format_version': '1.0', 'values': {'root_module': {'child_modules': [module]}}})


def raw_state(body):
    instance = {'attributes': attributes(body), 'sensitive_attributes': []}
    it = {'mode': 'managed', 'type': 'datadog_monitor', 'name': 'it', 'instances': [instance]}
    return 'terraform.tfstate', json.dumps({'version': 4, 'lineage': 'x', 'serial': 1, 'resources': [it]})


def hcl_value(value):
    return json.dumps(value).replace('${', '$${')


def hcl(body):
    def block(values, indent):
        lines = []
        for key, value in values.items():
            if isinstance(value, list) and any(isinstance(item, dict) for item in value):
                for item in value:
                    lines += [f'{indent}{key} {{', *block(item, indent + '  '), f'{indent}}}']
            elif value != [] or key == 'tags':
                lines.append(f'{indent}{key} = {hcl_value(value)}')
        return lines

    lines = ['resource "datadog_monitor" "it" {', *block(attributes(body), '  '), '}']
    return 'main.tf', '\n'.join(lines) + '\n'


def tf_json(body):
    return 'main.tf.json', json.dumps({'resource': {'datadog_monitor': {'it': attributes(body)}}})


def json_resource(body):
    values = {'monitor': json.dumps(body)}
    it = resource(body, type='datadog_monitor_json', values=values)
    return 'plan.json', json.dumps({'format_version': '1.2', 'planned_values': {'root_module': {'resources': [it]}}})


def custom_resource(body, kind='DatadogMonitor', **spec):
    if not spec:
        options = dict(body.get('options') or {})
        spec = {key: value for key, value in body.items() if key != 'options'}
        given = {camel(key): value for key, value in options.items()}
        if 'thresholds' in options:
            given['thresholds'] = {camel(key): str(value) for key, value in options['thresholds'].items()}
        if 'threshold_windows' in options:
            given['thresholdWindows'] = {camel(key): value for key, value in options['threshold_windows'].items()}
        if scheduling := options.get('scheduling_options'):
            window, schedule = scheduling.get('evaluation_window'), scheduling.get('custom_schedule')
            found = {'evaluationWindow': {camel(k): v for k, v in window.items()}} if window else {}
            if schedule:
                found['customSchedule'] = {'recurrence': schedule['recurrences'][0]}
            given['schedulingOptions'] = found
        spec = {**spec, 'options': given, 'controllerOptions': {'disableRequiredTags': True}}
    data = {'apiVersion': 'datadoghq.com/v1alpha1', 'kind': kind, 'metadata': {'name': 'it'}, 'spec': spec}
    return 'monitor.yaml', yaml.safe_dump(data, sort_keys=False)


def generic_resource(body):
    return custom_resource(body, 'DatadogGenericResource', type='monitor', jsonSpec=json.dumps(body))


def crossplane(body):
    spec = {'forProvider': {camel(key): spelt_lists(value) for key, value in attributes(body).items()}}
    data = {'apiVersion': 'monitor.datadog.upbound.io/v1alpha1', 'kind': 'Monitor', 'metadata': {'name': 'it'}}
    return 'monitor.yaml', yaml.safe_dump({**data, 'spec': spec}, sort_keys=False)


def spelt_lists(value):
    if isinstance(value, dict):
        return {camel(key): spelt_lists(inner) for key, inner in value.items()}
    return [spelt_lists(item) for item in value] if isinstance(value, list) else value


def pulumi(body):
    it = {
        'urn': 'urn:pulumi:prod::app::datadog:index/monitor:Monitor::it',
        'type': 'datadog:index/monitor:Monitor',
        'inputs': {'__defaults': [], **spelt(attributes(body), bent)},
    }
    return 'stack.json', json.dumps({'version': 3, 'deployment': {'resources': [it]}})


def catalog(body):
    tags = dict(tag.split(':', 1) if ':' in tag else (tag, None) for tag in body.get('tags', []))
    values = {**body, 'tags': tags, 'enabled': True}
    return 'catalog.yaml', yaml.safe_dump({'it': values}, sort_keys=False)


def old_catalog(body):
    values = {**body, **(body.get('options') or {})}
    values.pop('options', None)
    return 'catalog.yaml', yaml.safe_dump({'it': values}, sort_keys=False)


def export(body):
    return 'exported.json', json.dumps(body, indent=2)


def export_yaml(body):
    return 'exported.yaml', yaml.safe_dump(body, sort_keys=False)


def listed(body):
    server = {'id': 1001, 'overall_state': 'OK', 'created': '2026-01-01T00:00:00+00:00', 'multi': True}
    return 'monitors.json', json.dumps([{**body, **server}])


def asset(body):
    envelope = {'version': 2, 'created_at': '2026-01-01', 'last_updated_at': '2026-01-01', 'title': body['name']}
    return 'asset.json', json.dumps({**envelope, 'tags': ['integration:acme'], 'description': 'x', 'definition': body})


def synced(body):
    return 'monitors.json', json.dumps({'1001': body})


def kennel(body):
    return 'lag.json', json.dumps({**body, 'api_resource': 'monitor'})


# The form's name, and the tool that manages it.
FORMS = {
    'plan': (plan, 'Terraform'),
    'state': (state, 'Terraform'),
    'raw-state': (raw_state, 'Terraform'),
    'tf': (hcl, 'Terraform'),
    'tf-json': (tf_json, 'Terraform'),
    'monitor-json': (json_resource, 'Terraform'),
    'kubernetes': (custom_resource, 'Kubernetes'),
    'generic-resource': (generic_resource, 'Kubernetes'),
    'crossplane': (crossplane, 'Crossplane'),
    'pulumi': (pulumi, 'Pulumi'),
    'catalog': (catalog, 'Terraform'),
    'old-catalog': (old_catalog, 'Terraform'),
    'export': (export, ''),
    'export-yaml': (export_yaml, ''),
    'list': (listed, ''),
    'asset': (asset, ''),
    'sync-cli': (synced, ''),
    'kennel': (kennel, 'kennel'),
}
# Forms whose options go through Terraform's provider, which cannot say zero.
PROVIDER = ('plan', 'state', 'raw-state', 'tf', 'tf-json', 'crossplane', 'pulumi', 'catalog', 'old-catalog')
