"""A burn rate that alerts too early or too late."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, SLO, slo, slo_alert
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.slos import SloAlert, consumption, exact
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for alert in subject.slo_alerts:
        query = alert.query
        if query.kind != 'burn_rate' or not query.threshold:
            continue
        if query.threshold < 1:
            message = 'a threshold below 1 alerts while the budget is not being used up' + _error_rate(alert)
            yield alert.fault(message, query.threshold_span)
        elif alert.consumed is not None and alert.consumed >= 100:
            hint = 'a lower threshold or a shorter long window alerts before'
            yield alert.fault(
                f'the budget is used up before the alert: {consumption(alert)}', query.threshold_span, hint
            )


def _error_rate(alert: SloAlert) -> str:
    """Return which burn rate the threshold is if it is meant as an error rate."""
    if alert.target is None:
        return '; a burn rate is the error rate divided by (1 - target)'
    burn_rate = float(exact(alert.query.threshold) / (1 - alert.target))
    return f'; if {alert.query.threshold:g} is an error rate, the burn rate of it is {burn_rate:g}'


_QUERY = 'burn_rate("requests").over("30d").long_window("1h").short_window("5m") > {}'
_THRESHOLD = {'timeframe': '30d', 'target': 99.9}
RULE = Rule(
    id='slo/burn-rate',
    severity=Severity.WARNING,
    reason='A burn rate is below 1, or the budget is used up before it alerts.',
    explanation=(
        'A burn rate of 1 uses up the error budget exactly at the end of the timeframe, so a threshold below 1 alerts '
        'although all is well: perhaps it is an error rate. For a target of 99.9 per cent, an error rate of 0.0144 is '
        'a burn rate of 14.4. A burn rate uses up (burn rate × long window / timeframe) of the budget before it '
        'alerts; 14.4 in one hour is 2 per cent of 30 days.'
    ),
    bad={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('0.0144'), 0.0144)}},
    good={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('14.4'), 14.4)}},
    check=check,
    semantics=('18.5', '18.7', '18.9'),
)
