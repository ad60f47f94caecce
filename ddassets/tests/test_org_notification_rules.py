"""Notification rules are applied before the monitors, and recognised by the marker at the end of their name."""

import copy
import json

import pytest
from loopback import integration
from loopback.trial import run

from ddassets.org.kinds import NOTIFICATION_RULES
from ddassets.org.marker import Marker, in_name, name_with_marker, name_without_marker

PRODUCTION = 'notification_rules/production.json'
PAGES = 'notification_rules/pages.json'
MARKER = Marker('acme-spool', 'production', '0123456789ab')
CHANGING = ('Create', 'Update', 'Delete', 'Cancel')


def body_of(name='Spool in production', **attributes):
    filter = {'tags': ['integration:acme-spool', 'env:prod']}
    return {'data': {'type': 'monitor-notification-rule', 'attributes': {'name': name, 'filter': filter, **attributes}}}


@pytest.fixture
def apply(datadog, tmp_path):
    """Run a command on files in place of the previous ones; return its outcome."""

    def applied(files, command='apply', *options):
        for old in tmp_path.rglob('assets/*/*.json'):
            old.unlink()
        datadog.exchanges.clear()
        return run(datadog, command, integration.write(tmp_path, files), *options, *(['--yes'] * (command != 'plan')))

    return applied


def changes(datadog):
    return [one.operation for one in datadog.exchanges if one.operation.startswith(CHANGING)]


def stored(datadog):
    """The attributes of each rule, by its name without the marker."""
    found = [one['attributes'] for one in datadog.organisation.notification_rules.values()]
    return {name_without_marker(one['name']): one for one in found}


@pytest.mark.parametrize(
    'name',
    [
        pytest.param('Harbor', id='plain'),
        pytest.param(' Harbor [night] ', id='brackets'),
        pytest.param(name_with_marker('Harbor', Marker('other', 'x', '0' * 12)), id='a-file-that-was-exported'),
    ],
)
def test_the_marker_at_the_end_of_a_name(name):
    marked = name_with_marker(name, MARKER)
    assert marked.endswith(' [ddassets acme-spool/production 0123456789ab]')
    assert in_name(marked) == MARKER == in_name(f'{marked} (copy)')
    assert name_with_marker(marked, MARKER) == marked


@pytest.mark.parametrize('name', ['Harbor', 'Harbor [ddassets]', 'Harbor [ddassets acme-spool/production]', None, 7])
def test_a_name_without_a_marker(name):
    assert in_name(name) is None


def test_rules_come_before_monitors_and_go_after_them(datadog, apply):
    files = {path: body for path, body in integration.ASSETS.items() if path.startswith(('monitors', 'notification'))}
    assert apply(files).code == 0
    made = [*['CreateMonitorNotificationRule'] * 2, *['CreateMonitor'] * 2]
    assert changes(datadog) == made
    assert all(in_name(one['name']) for one in stored(datadog).values())
    assert apply(files).code == 0 and changes(datadog) == []
    assert apply(files, 'destroy').code == 0
    assert changes(datadog) == [one.replace('Create', 'Delete') for one in reversed(made)]
    assert stored(datadog) == {}


def test_a_redirect_replaces_all_recipients(datadog, apply):
    outcome = apply(integration.ASSETS, 'apply', '--redirect', '@me@example.com')
    assert outcome.code == 0, outcome.said
    found = stored(datadog)
    assert found['Spool in production']['recipients'] == ['me@example.com']
    assert found['Spool pages']['conditional_recipients'] == {
        'conditions': [{'scope': 'transition_type:is_alert', 'recipients': ['me@example.com']}],
        'fallback_recipients': ['me@example.com'],
    }
    # Without the option the files hold again.
    assert apply(integration.ASSETS).code == 0
    assert stored(datadog)['Spool in production']['recipients'] == ['slack-spool', 'jira-spool']


@pytest.mark.parametrize('options', [('--notify', '@me@example.com'), ('--tag', 'env:lab')])
def test_notify_and_tag_do_not_change_rules(datadog, apply, options):
    """A rule also routes other monitors, and matches tags of monitors, not of queries."""
    assert apply(integration.ASSETS, 'apply', *options).code == 0
    for path in (PRODUCTION, PAGES):
        attributes = integration.ASSETS[path]['data']['attributes']
        found = stored(datadog)[attributes['name']]
        assert {key: found[key] for key in attributes if key != 'name'} == {
            key: value for key, value in attributes.items() if key != 'name'
        }


@pytest.mark.parametrize(
    'before, after, operations',
    [
        pytest.param(
            body_of(recipients=['a', 'b']),
            body_of(recipients=['b', 'a']),
            [],
            id='recipients-in-another-order-are-the-same',
        ),
        pytest.param(
            body_of(recipients=['a']),
            body_of(conditional_recipients=integration.CONDITIONAL),
            ['UpdateMonitorNotificationRule'],
            id='conditional-recipients-in-place-of-others',
        ),
        pytest.param(
            body_of(recipients=['a'], filter={'scope': 'env:prod'}),
            body_of(recipients=['a'], filter={'tags': ['env:prod']}),
            ['UpdateMonitorNotificationRule'],
            id='tags-in-place-of-a-scope',
        ),
        pytest.param(
            body_of(recipients=['a']),
            body_of('Other', recipients=['a']),
            ['UpdateMonitorNotificationRule'],
            id='another-name',
        ),
        pytest.param(
            body_of(recipients=['a']),
            body_of(recipients=['a'], bundle_config={'duration': 3600}),
            ['UpdateMonitorNotificationRule'],
            id='bundling-begins',
        ),
        pytest.param(
            body_of(recipients=['a'], bundle_config={'duration': 3600}),
            body_of(recipients=['a']),
            ['CreateMonitorNotificationRule', 'DeleteMonitorNotificationRule'],
            id='bundling-ends-and-an-update-may-keep-it',
        ),
    ],
)
def test_a_rule_changes(datadog, apply, before, after, operations):
    assert apply({PRODUCTION: before}).code == 0
    outcome = apply({PRODUCTION: after})
    assert outcome.code == 0, outcome.said
    assert changes(datadog) == operations
    assert apply({PRODUCTION: after}, 'plan').code == 0
    (found,) = datadog.organisation.notification_rules.values()
    assert 'Datadog stored another value' not in outcome.out
    assert NOTIFICATION_RULES.canonical(found['attributes']) == NOTIFICATION_RULES.canonical(
        after['data']['attributes']
    )


@pytest.mark.parametrize(
    'filter, noted',
    [
        pytest.param({'tags': ['team:harbor']}, True, id='another-filter'),
        pytest.param({'tags': ['env:prod', 'integration:acme-spool']}, False, id='the-same-tags'),
    ],
)
def test_a_plan_notes_that_a_changed_filter_may_not_route_older_monitors(apply, filter, noted):
    assert apply({PRODUCTION: body_of(recipients=['a'])}).code == 0
    outcome = apply({PRODUCTION: body_of(recipients=['b'], filter=filter)}, 'plan')
    assert '~ notification rule  production' in outcome.out
    assert ('Datadog may not route monitors that were saved before the rule' in outcome.out) == noted


def test_manually_changed_rules_and_rules_of_others_stay(datadog, apply):
    datadog.organisation.seed_foreign(3)
    assert apply(integration.ASSETS).code == 0
    mine = next(one for one in datadog.organisation.notification_rules.values() if 'pages' in one['attributes']['name'])
    mine['attributes']['filter'] = {'tags': ['env:by_hand']}
    clone = copy.deepcopy(mine) | {'id': '00000000-0000-0000-0000-000000000009'}
    clone['attributes'] |= {'name': mine['attributes']['name'] + ' (copy)', 'created_at': '2099-01-01T00:00:00+00:00'}
    datadog.organisation.notification_rules[clone['id']] = clone
    outcome = apply(integration.ASSETS)
    assert outcome.code == 1 and 'changed in Datadog since it was applied' in outcome.out
    assert changes(datadog) == [] and mine['attributes']['filter'] == {'tags': ['env:by_hand']}
    assert apply(integration.ASSETS, 'destroy').code == 1
    assert clone['id'] in datadog.organisation.notification_rules
    assert datadog.organisation.foreign_changes() == []


def test_all_pages_of_rules_are_read(datadog, apply, monkeypatch):
    monkeypatch.setattr(type(NOTIFICATION_RULES), 'page_size', 4)
    datadog.organisation.seed_foreign(9)
    assert apply(integration.ASSETS).code == 0
    assert apply(integration.ASSETS).code == 0 and changes(datadog) == []
    # Three pages, forwards and backwards.
    assert datadog.counts()['GetMonitorNotificationRules'] == 6


def test_a_server_that_counts_pages_from_1_is_reported(datadog, apply, monkeypatch):
    monkeypatch.setattr(type(NOTIFICATION_RULES), 'page_size', 4)
    monkeypatch.setattr(
        type(NOTIFICATION_RULES),
        'page_query',
        lambda self, integration, number, start: {'per_page': 4, 'page': max(0, number - 1)},
    )
    datadog.organisation.seed_foreign(9)
    outcome = apply({PRODUCTION: integration.ASSETS[PRODUCTION]}, 'plan', '--only', 'notification_rules')
    assert outcome.code == 2 and 'page after page shows the same notification rules' in outcome.err


@pytest.mark.parametrize(
    'body, words',
    [
        pytest.param(body_of('x' * 990, recipients=['a']), 'characters too long', id='no-room-for-the-marker'),
        pytest.param(body_of(recipients=['@a']), 'without the leading @', id='a-handle'),
        pytest.param(body_of(recipients=['a'], nam='x'), 'nam', id='an-unknown-key'),
        pytest.param(body_of(), 'expected recipients or conditional_recipients', id='nobody'),
        pytest.param(body_of(recipients=['a'], filter={}), 'expected tags or scope', id='no-filter'),
    ],
)
def test_a_rule_that_cannot_be_sent(datadog, apply, body, words):
    outcome = apply({PRODUCTION: body})
    assert outcome.code == 2 and words in outcome.err
    assert changes(datadog) == []


def test_a_plan_and_a_dry_run_name_rules(apply):
    outcome = apply({PRODUCTION: integration.ASSETS[PRODUCTION]}, 'plan')
    assert '+ notification rule  production  Spool in production' in outcome.out
    assert 'Datadog may not route monitors that were saved before the rule' in outcome.out
    dry = apply({PRODUCTION: integration.ASSETS[PRODUCTION]}, 'plan', '--dry-run', '--json')
    (request,) = json.loads(dry.out)['requests']
    assert request['path'] == '/api/v2/monitor/notification_rule'
    assert in_name(request['body']['data']['attributes']['name']).name == 'production'
    text = apply({PRODUCTION: integration.ASSETS[PRODUCTION]}, 'plan', '--dry-run')
    assert 'dry run: 1 notification rule, valid' in text.err


def test_a_dry_run_lists_requests_in_the_order_of_an_apply(apply):
    both = {
        'name': 'Both',
        'type': 'composite',
        'query': 'full && slow',
        'message': '@a@example.com',
        'tags': ['integration:acme-spool'],
        'options': {},
    }
    files = {path: body for path, body in integration.ASSETS.items() if path.startswith('monitors')}
    files |= {PRODUCTION: integration.ASSETS[PRODUCTION], 'monitors/both.json': both}
    outcome = apply(files, 'plan', '--dry-run', '--json')
    assert outcome.code == 0, outcome.said
    bodies = [one['body'] for one in json.loads(outcome.out)['requests']]
    assert ['data' in body or body['type'] for body in bodies] == [True, 'query alert', 'query alert', 'composite']


def test_doctor_says_whether_a_rule_is_applied(datadog, apply, tmp_path):
    files = {PRODUCTION: integration.ASSETS[PRODUCTION]}

    def findings():
        found = json.loads(run(datadog, 'doctor', integration.write(tmp_path, files), '--json').out)['findings']
        return [(one['level'], one['text']) for one in found if one['subject'] == 'notification rule']

    integration.write(tmp_path, files)
    assert findings() == [('warn', 'Spool in production is not applied')]
    assert apply(files).code == 0
    ((level, text),) = findings()
    assert level == 'ok' and text.startswith('Spool in production: applied  ')


@pytest.mark.parametrize(
    'filter, routed',
    [
        pytest.param({'tags': ['integration:acme-spool']}, True, id='every-group'),
        pytest.param({'scope': 'host:*'}, True, id='by-a-group-key'),
        pytest.param({'scope': 'team:other'}, False, id='others'),
    ],
)
@pytest.mark.parametrize(
    'changes',
    [
        pytest.param({}, id='metric'),
        pytest.param(
            {
                'type': 'service check',
                'query': '"spool.up".over("*").by("host").last(4).count_by_status()',
                'options': {'thresholds': {'critical': 3}},
            },
            id='check',
        ),
        pytest.param(
            {
                'type': 'log alert',
                'query': 'logs("service:spool").index("*").rollup("count").by("host").last("5m") > 3',
                'options': {'thresholds': {'critical': 3}},
            },
            id='log',
        ),
    ],
)
def test_a_monitor_that_a_rule_routes_has_a_recipient(apply, filter, routed, changes):
    monitor = copy.deepcopy(integration.ASSETS['monitors/full.json'])
    monitor['definition'] |= changes
    monitor['definition']['message'] = 'The spool is full.'
    files = {'monitors/full.json': monitor, PRODUCTION: body_of(recipients=['slack-spool'], filter=filter)}
    outcome = apply(files, 'plan', '--dry-run')
    assert outcome.code == 0 and ('notifies nobody' not in outcome.err) == routed, outcome.said
