"""A share of points that cannot occur."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, anomalies
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/anomaly-share',
    severity=Severity.WARNING,
    reason='An anomaly monitor waits for a share of points that cannot occur.',
    explanation='`anomalies()` gives the share of points that lie outside the band, from 0 to 1.',
    bad={MONITOR: {'definition': anomalies('last_15m', 'last_15m', '> 1')}},
    good={MONITOR: {'definition': anomalies('last_15m', 'last_15m', '>= 1')}},
    check=reported,
    semantics=('6.2',),
)
