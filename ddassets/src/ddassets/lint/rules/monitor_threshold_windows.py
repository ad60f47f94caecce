"""Wrong windows of an anomaly monitor."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, anomalies
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/threshold-windows',
    severity=Severity.ERROR,
    reason='The windows of an anomaly monitor do not match each other or its query.',
    explanation=(
        '`trigger_window` must equal the `alert_window` of the query. `recovery_window` must be so long that the '
        'monitor cannot trigger and recover at the same time: at least `trigger_window` times (1 - threshold), plus '
        'a minute. In a monitor without `anomalies()` the windows have no effect: a warning.'
    ),
    bad={MONITOR: {'definition': anomalies('last_15m', 'last_5m', share=0.5)}},
    good={MONITOR: {'definition': anomalies('last_15m', 'last_15m')}},
    check=reported,
    semantics=('6.3', '6.4'),
)
