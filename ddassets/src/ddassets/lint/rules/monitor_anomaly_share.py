"""An impossible threshold of an anomaly monitor."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, anomalies
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/anomaly-share',
    severity=Severity.WARNING,
    reason='The threshold of an anomaly monitor cannot be reached.',
    explanation='`anomalies()` returns the share of points outside the band, from 0 to 1.',
    bad={MONITOR: {'definition': anomalies('last_15m', 'last_15m', '> 1')}},
    good={MONITOR: {'definition': anomalies('last_15m', 'last_15m', '>= 1')}},
    check=reported,
    semantics=('6.2',),
)
