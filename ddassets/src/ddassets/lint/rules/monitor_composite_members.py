"""A composite of more members than Datadog takes."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, composite
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/composite-members',
    severity=Severity.ERROR,
    reason='A composite monitor has more than ten members.',
    explanation='Datadog takes at most ten monitors in a composite. One that is named twice counts once.',
    bad={MONITOR: {'definition': composite(' || '.join(map(str, range(1, 12))))}},
    good={MONITOR: {'definition': composite(' || '.join(map(str, range(1, 11))))}},
    check=reported,
    semantics=('13.3',),
)
