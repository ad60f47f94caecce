"""An alert that does not fit its SLO."""

from collections.abc import Iterator

from ddassets.assets import monitor_type as types
from ddassets.assets.slo_reference import monitors_of
from ddassets.assets.slo_table import TYPES
from ddassets.diagnostic import Severity, UnusableInputError
from ddassets.lint.example import MONITOR, SLO, slo, slo_alert
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.slos import SloAlert
from ddassets.lint.subject import Subject
from ddassets.nearest import joined


def check(subject: Subject) -> Iterator[Fault]:
    for alert in subject.slo_alerts:
        if alert.slo is None:
            continue
        query, timeframes = alert.query, alert.slo.timeframes
        if timeframes and query.timeframe not in timeframes and not alert.slo.is_withheld(('thresholds',)):
            message = f'{alert.slo.name} has targets for {joined(timeframes)}, not for {query.timeframe}'
            hint = 'the primary timeframe of an SLO plays no part in its alerts'
            yield alert.fault(message, query.calls['over'], hint)
        if (
            query.kind == 'burn_rate'
            and alert.target is not None
            and query.threshold > (most := 1 / (1 - alert.target))
        ):
            message = (
                f'Datadog refuses a burn rate above {float(most):g}, which is that of an error rate of 100 per cent '
                f'with a target of {float(alert.target * 100):g}; found {query.threshold:g}'
            )
            yield alert.fault(message, query.threshold_span)
        if query.by and alert.slo.type in TYPES and alert.slo.type not in _BY_GROUP[query.kind]:
            kind = query.kind.replace('_', '-')
            message = f'an SLO of type {alert.slo.type} has no {kind} alert by group'
            yield alert.fault(message, query.calls['by'], f'types that have: {", ".join(_BY_GROUP[query.kind])}')
        yield from _of_other_monitors(subject, alert)


# Rule 18.16.
_BY_GROUP = {'burn_rate': ('metric', 'time_slice'), 'error_budget': ('time_slice',)}


def _of_other_monitors(subject: Subject, alert: SloAlert) -> Iterator[Fault]:
    """Check rule 18.16: the monitors of the SLO are metric monitors."""
    if alert.slo is None or alert.slo.type != 'monitor':
        return
    try:
        monitors = monitors_of(alert.slo, subject.bundle.monitors)
    except UnusableInputError:
        return
    for one in monitors:
        if one.type and one.type not in types.METRIC:
            message = (
                f'an SLO with a {one.type} monitor ({one.name}) has no alerts; its monitors must be metric monitors'
            )
            yield alert.fault(message, alert.query.slo_span)


_QUERY = 'burn_rate("requests").over("{}").long_window("1h").short_window("5m") > 14.4'
_THRESHOLD = {'timeframe': '7d', 'target': 99.9}
RULE = Rule(
    id='slo/alert',
    severity=Severity.ERROR,
    reason='Datadog refuses the alert for this SLO.',
    explanation=(
        'The timeframe of an alert is one for which the SLO has a target. The burn rate of its threshold is at most '
        '1 / (1 - target): with a target of 99.9 per cent, an error rate of 100 per cent is a burn rate of 1000. An '
        'SLO of monitors has alerts only if these are metric monitors. Alerts by group are for time-slice SLOs, and '
        'burn rates also for metric SLOs.'
    ),
    bad={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('30d'), 14.4)}},
    good={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('7d'), 14.4)}},
    check=check,
    semantics=('18.2', '18.7', '18.16'),
)
