"""Whole messages, from a monitor and a signal to the title, text and recipients; each with a near case."""

from pathlib import Path

import pytest
import yaml

from ddassets.assets import read
from ddassets.lint.messages import read_message
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.inbox import inbox

ACME = Path(__file__).parent / 'acme'
ASSETS = read(ACME)
HIGH = '1x5 63x5'


def rehearsed(query, message, values=HIGH, tags=('host:h',), hosts=None, **monitor):
    body = {'name': 'Acme', 'type': 'query alert', 'query': query, 'message': message, **monitor}
    series = {'metric': 'acme.cpu', 'tags': list(tags), 'type': 'gauge', 'interval': '60s', 'values': values}
    scenario = {
        'start': '2027-01-04T10:00:00',
        'length': '20m',
        'tick_second': 30,
        'series': [series],
        'monitors': [body],
        'downtimes': [],
        'hosts': hosts or {},
    }
    return rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS)


BY_HOST = 'avg(last_1m):avg:acme.cpu{*} by {host} > 60'


@pytest.mark.rule('3.24', 'V58')
@pytest.mark.parametrize(
    'query, more, expected',
    [
        pytest.param('avg(last_1m):avg:acme.cpu{env:prod,role:web} by {host} > 60', {}, '[Triggered on {host:h}] Acme'),
        pytest.param('avg(last_1m):avg:acme.cpu{role:web} > 60', {}, '[Triggered] Acme'),
        pytest.param(
            'avg(last_1m):avg:acme.cpu{role:web} by {host,env} > 60', {}, '[Triggered on {env:prod,host:h}] Acme'
        ),
        pytest.param(BY_HOST, {'priority': 1}, '[P1] [Triggered on {host:h}] Acme'),
        pytest.param(BY_HOST, {'priority': 5, 'options': {'include_tags': False}}, '[P5] [Triggered] Acme'),
    ],
)
def test_the_title(query, more, expected):
    rehearsal = rehearsed(query, 'x', tags=('host:h', 'env:prod', 'role:web'), **more)
    assert [mail.title for mail in inbox(rehearsal)] == [expected]


@pytest.mark.rule('4.1', '4.5', '4.6', '4.9', '4.10')
@pytest.mark.parametrize(
    'message, expected',
    [
        pytest.param('{{value}} of {{threshold}}', '63.002 of 60.0', id='4.6 three decimals'),
        pytest.param('{{eval "dec(value)"}}', '0.002114', id='4.10 decimal part'),
        pytest.param('{{eval "round(value, 2)"}} {{eval "round(value)"}}', '63.0 63', id='4.10 round'),
        pytest.param('f={{eval "last_triggered_at_epoch-15*60*1000"}}&', 'f=1799056230000&', id='4.6 an epoch'),
        pytest.param('{{eval "upper(host.name)"}}', 'H', id='4.10 text'),
        pytest.param('{{eval "sinh(value-value)"}}', '0.0', id='4.10 hyperbolic'),
        pytest.param(
            '{{#is_exact_match (eval "int(last_triggered_at_epoch / 3600000 % 24)") "9" "10"}}day{{/is_exact_match}}',
            'day',
            id='4.5 an hour of the day',
        ),
        pytest.param(
            '{{#is_exact_match (eval "int(last_triggered_at_epoch / 3600000 % 24)") "9"}}day{{/is_exact_match}}',
            '',
            id='4.5 another hour',
        ),
        pytest.param('{{{{is_match "host.name" "h"}}}}{{ .m }}{{{{/is_match}}}}', '{{ .m }}', id='4.1 raw conditional'),
        pytest.param('{{{{is_match "host.name" "x"}}}}{{ .m }}{{{{/is_match}}}}', '', id='4.1 raw, not matched'),
        pytest.param('{{!-- note }}page{{!-- other --}} end', 'page end', id='4.1 two ends of a comment'),
        pytest.param('{{#is_match "host.role.name" "db"}}db{{/is_match}}', 'db', id='4.9 a tag of the host'),
        pytest.param('{{#is_match "host.role.name" "web"}}web{{/is_match}}', '', id='4.9 another tag of the host'),
    ],
)
def test_the_text(message, expected):
    rehearsal = rehearsed(BY_HOST, message, '1x5 63.002114x5', hosts={'h': {'tags': ['role:db_main']}})
    assert [mail.text for mail in inbox(rehearsal)] == [expected]
    (monitor,) = rehearsal.monitors
    # lint reports no documented syntax as an error, and none of these as a surprise.
    reading = read_message(monitor.asset, None, frozenset())
    assert (reading.faults, reading.template.warnings) == ((), ())


RECOVERY = (
    '{{#is_alert_recovery}}fine @rec@example.com{{/is_alert_recovery}}'
    '{{#is_alert_to_warning}}less @w@example.com{{/is_alert_to_warning}}'
)


@pytest.mark.rule('4.3b', 'V56')
@pytest.mark.parametrize(
    'values, expected',
    [
        pytest.param('1x5 63x5 55x5 1x5', {'Warn': ('@rec@example.com', '@w@example.com'), 'OK': ()}, id='to Warn'),
        pytest.param('1x5 63x5 1x10', {'OK': ('@rec@example.com',)}, id='to OK'),
    ],
)
def test_a_handle_in_the_recovery_from_alert(values, expected):
    rehearsal = rehearsed(BY_HOST, RECOVERY, values, options={'thresholds': {'critical': 60, 'warning': 50}})
    after = [mail for mail in inbox(rehearsal) if str(mail.notification.target) != 'Alert']
    assert {str(mail.notification.target): mail.recipients for mail in after} == expected


@pytest.mark.rule('4.5')
@pytest.mark.parametrize('operand, warns', [('role', True), ('role.name', False), ('value', False)])
def test_a_tag_without_name_is_reported(operand, warns):
    message = f'{{{{#is_match "{operand}" "db"}}}}x{{{{/is_match}}}} @a'
    rehearsal = rehearsed('avg(last_1m):avg:acme.cpu{*} by {role} > 60', message, tags=('role:db',))
    said = [warning for warning in rehearsal.warnings if f'write "{operand}.name"' in warning]
    assert len(said) == warns
