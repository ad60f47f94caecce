"""Windows of an anomaly monitor that do not fit."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, anomalies
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/threshold-windows',
    severity=Severity.ERROR,
    reason='The windows of an anomaly monitor do not fit each other or its query.',
    explanation=(
        '`trigger_window` is the `alert_window` of the query. `recovery_window` has to be so long that the '
        'monitor cannot trigger and recover at once: `trigger_window` times (1 - threshold), plus a minute. '
        'Beside a query without `anomalies()` the windows have no effect: a warning.'
    ),
    bad={MONITOR: {'definition': anomalies('last_15m', 'last_5m', share=0.5)}},
    good={MONITOR: {'definition': anomalies('last_15m', 'last_15m')}},
    check=reported,
    semantics=('6.3', '6.4'),
)
