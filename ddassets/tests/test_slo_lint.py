"""What lint says of SLO alerts. Section 18, and the cases of SLO alerts."""

import pytest

from ddassets import assets
from ddassets.lint import lint
from ddassets.lint.example import MONITOR, SLO, slo, slo_alert, write
from ddassets.lint.slos import consumption, slo_alerts

THRESHOLDS = ({'timeframe': '7d', 'target': 99.9}, {'timeframe': '30d', 'target': 99})
BURN = 'burn_rate("requests").over("{over}").long_window("{long}").short_window("{short}") {compared}'


def burn(compared, over='7d', long='1h', short='5m'):
    return BURN.format(over=over, long=long, short=short, compared=compared)


def found(folder, alert, of=None, files=None):
    path = write(folder, {SLO: of or slo(*THRESHOLDS), MONITOR: {'definition': alert}, **(files or {})})
    return [f'{one.severity.name.lower()} {one.code} {one.message}' for one in lint(assets.read(path))]


def of(query, threshold, **options):
    alert = slo_alert(query, threshold)
    return {**alert, 'options': {**alert['options'], **options}}


FINDINGS = {
    'error-rate': (
        of(burn('> 0.0144', '7d'), 0.0144),
        'warning slo/burn-rate a threshold below 1 alerts while the budget is not being used up; if 0.0144 is an error '
        'rate, the burn rate of it is 14.4',
    ),
    'too-late': (
        of(burn('> 4', '7d', '48h', '4h'), 4),
        'warning slo/burn-rate the budget is used up before the alert: a burn rate of 4 for 2d uses up 114.286 per '
        'cent of the budget of 7d, which lasts 1d18h',
    ),
    'timeframe': (
        of('error_budget("requests").over("90d") > 80', 80),
        'error slo/alert Requests succeed has targets for 7d and 30d, not for 90d',
    ),
    'above-the-maximum': (
        of(burn('> 100.5', '30d'), 100.5),
        'error slo/alert Datadog refuses a burn rate above 100, which is that of an error rate of 100 per cent with a '
        'target of 99; found 100.5',
    ),
    'short-window': (
        of(burn('> 6', '30d', '6h', '5m'), 6),
        'note slo/windows the short window is usually a twelfth of the long one, 30m; found 5m',
    ),
    'name': (
        of('error_budget("request").over("7d") > 80', 80),
        "note slo/unknown no SLO here is called 'request', so that its target is not known; did you mean requests?",
    ),
    'missing-data': (
        of('error_budget("requests").over("7d") > 75', 75, on_missing_data='show_no_data'),
        'error monitor/option-type options.on_missing_data: not available for SLO alerts, service checks and '
        'composites; of a monitor-based SLO it is an option of the monitor below',
    ),
    'delay-of-a-budget': (
        of('error_budget("requests").over("7d") > 75', 75, evaluation_delay=60),
        'warning monitor/option-type options.evaluation_delay: has no effect: only burn-rate alerts have a delay',
    ),
}


@pytest.mark.rule('3.13', '18.2', '18.5', '18.7', '18.9', '18.18')
@pytest.mark.parametrize('alert, expected', FINDINGS.values(), ids=FINDINGS)
def test_an_alert_with_a_finding(alert, expected, tmp_path):
    assert found(tmp_path, alert) == [expected]


@pytest.mark.rule('18.7', 'V33')
@pytest.mark.parametrize(
    'alert',
    [
        of(burn('>= 100', '30d', '1h', '5m'), 100),
        of(burn('> 14.4'), 14.4, evaluation_delay=60),
        of('error_budget("requests").over("30d") > 80', 80),
    ],
    ids=['maximum', 'burn-rate', 'budget'],
)
def test_an_alert_without_a_finding(alert, tmp_path):
    assert found(tmp_path, alert) == []


@pytest.mark.rule('18.8')
def test_the_maximum_is_computed_in_decimals(tmp_path):
    """1 / (1 - 0.999) is 999.99… in binary floats."""
    assert [one for one in found(tmp_path, of(burn('>= 1000'), 1000)) if 'slo/alert' in one] == []


@pytest.mark.rule('18.16')
@pytest.mark.parametrize(
    'kind, query, expected',
    [
        ('metric', 'error_budget("requests").over("7d").by("env") > 80', 'metric has no error-budget alert by group'),
        ('monitor', burn('> 2').replace(' > 2', '.by("env") > 2'), 'monitor has no burn-rate alert by group'),
        ('metric', burn('> 2').replace(' > 2', '.by("env") > 2'), None),
    ],
)
def test_alerts_by_group(kind, query, expected, tmp_path):
    body = slo(*THRESHOLDS) if kind == 'metric' else slo(*THRESHOLDS, type=kind, query=None, monitor_ids=[7])
    critical = float(query.rpartition(' ')[2])
    said = [one for one in found(tmp_path, of(query, critical), body) if 'slo/alert' in one]
    assert said == ([] if expected is None else [f'error slo/alert an SLO of type {expected}'])


@pytest.mark.rule('18.16')
def test_an_slo_of_another_type_of_monitor_has_no_alerts(tmp_path):
    check = {
        'name': 'Can connect',
        'type': 'service check',
        'query': '"acme.can_connect".over("*").by("host").last(4).count_by_status()',
        'message': 'No. @team-acme',
        'tags': ['integration:acme'],
        'options': {'thresholds': {'critical': 3, 'warning': 1, 'ok': 1}},
    }
    body = slo(*THRESHOLDS, type='monitor', monitor_ids=['Can connect'])
    del body['query']
    alert = of('error_budget("requests").over("7d") > 75', 75)
    files = {'assets/monitors/check.json': check}
    assert (
        'error slo/alert an SLO with a service check monitor (Can connect) has no alerts; its monitors must be metric '
        'monitors'
    ) in found(tmp_path, alert, body, files)


@pytest.mark.rule('V31')
@pytest.mark.parametrize(
    'days, consumed, long, burn_rate',
    [
        *((7, 10, 1, 16.8), (7, 20, 6, 5.6), (7, 40, 24, 2.8), (30, 2, 1, 14.4), (30, 5, 6, 6), (30, 10, 24, 3)),
        *((90, 1, 1, 21.6), (90, 3, 6, 10.8), (90, 5, 24, 4.5)),
    ],
)
def test_what_a_burn_rate_consumes(days, consumed, long, burn_rate, tmp_path):
    query = burn(f'> {burn_rate}', f'{days}d', f'{long}h', f'{long * 5}m')
    path = write(tmp_path, {SLO: slo(*THRESHOLDS), MONITOR: {'definition': slo_alert(query, burn_rate)}})
    (alert,) = slo_alerts(assets.read(path))
    assert alert.consumed == consumed
    assert f'uses up {consumed} per cent of the budget of {days}d' in consumption(alert)
