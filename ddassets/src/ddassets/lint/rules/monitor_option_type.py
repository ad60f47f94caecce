"""An option of another monitor type."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/option-type',
    severity=Severity.WARNING,
    reason='A monitor has an option that its type does not have.',
    explanation=(
        'The option is for other monitor types, and has no effect or is refused. It is a note for an option of log '
        'monitors in a monitor of another search (events, RUM, traces, databases): Datadog writes it there.'
    ),
    bad={MONITOR: {'definition': {'options': {'enable_logs_sample': True}}}},
    good={MONITOR: {'definition': {'options': {}}}},
    check=reported,
    semantics=('3.13',),
)
