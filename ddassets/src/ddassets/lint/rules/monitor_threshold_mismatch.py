"""A critical threshold that differs from the query."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/threshold-mismatch',
    severity=Severity.ERROR,
    reason='The critical threshold differs from the number in the query.',
    explanation=(
        'The query and `options.thresholds.critical` both contain the threshold. The API refuses different numbers.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 90}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100.0}}}}},
    check=reported,
    semantics=('3.1',),
)
