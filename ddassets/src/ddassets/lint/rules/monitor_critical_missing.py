"""Thresholds without a critical threshold."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/critical-missing',
    severity=Severity.ERROR,
    reason='The thresholds of a metric monitor lack `critical`.',
    explanation=(
        'The API returns `Alert status is required`. Absent or empty thresholds are allowed: then the number in '
        'the query is used.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': None, 'warning': 80}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80}}}}},
    check=reported,
    semantics=('3.1',),
)
