"""An option of another type of monitor."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/option-type',
    severity=Severity.WARNING,
    reason='A monitor has an option that its type does not have.',
    explanation='The option belongs to other types of monitors, and has no effect or is refused.',
    bad={MONITOR: {'definition': {'options': {'enable_logs_sample': True}}}},
    good={MONITOR: {'definition': {'options': {}}}},
    check=reported,
    semantics=('3.13',),
)
