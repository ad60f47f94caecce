"""Thresholds without the critical one."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/critical-missing',
    severity=Severity.ERROR,
    reason='The thresholds of a metric monitor lack the critical one.',
    explanation=(
        'The API answers `Alert status is required`. Thresholds that are absent or empty are no fault: then '
        'the number of the query counts.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': None, 'warning': 80}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80}}}}},
    check=reported,
    semantics=('3.1',),
)
