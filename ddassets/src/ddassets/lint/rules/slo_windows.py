"""A short window of an unusual length."""

from collections.abc import Iterator

from ddassets import duration
from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, SLO, slo, slo_alert
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.slos import consumption
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for alert in subject.slo_alerts:
        query = alert.query
        if query.long_window is None or query.short_window is None or query.short_window * 12 == query.long_window:
            continue
        usual, found = (duration.write(seconds) for seconds in (query.long_window / 12, query.short_window))
        message = f'the short window is usually a twelfth of the long one, {usual}; found {found}'
        yield alert.fault(message, query.calls['short_window'], consumption(alert))


_QUERY = 'burn_rate("requests").over("30d").long_window("6h").short_window("{}") > 6'
_THRESHOLD = {'timeframe': '30d', 'target': 99.9}
RULE = Rule(
    id='slo/windows',
    severity=Severity.NOTE,
    reason='The short window of a burn rate is not a twelfth of the long window.',
    explanation=(
        'The editor of Datadog sets the short window to a twelfth of the long one. The alert recovers when either of '
        'both burn rates is low: a longer short window holds an alert long after the errors have stopped, and a '
        'shorter one ends it between them.'
    ),
    bad={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('1h'), 6)}},
    good={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('30m'), 6)}},
    check=check,
    semantics=('18.7', '18.9'),
)
