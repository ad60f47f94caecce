"""An SLO that the API refuses."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import SLO, slo
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='slo/invalid',
    severity=Severity.ERROR,
    reason='A service level objective (SLO) has a part that the API refuses.',
    explanation=(
        'The message names the key, what was found and what is allowed. Targets and warnings are percentages above 0 '
        'and below 100, a warning is above its target, and each timeframe (7d, 30d, 90d) has one threshold. The '
        'primary timeframe (`timeframe`, `target_threshold`, `warning_threshold`) repeats one of the thresholds. An '
        'SLO of type `metric` has `query` or `sli_specification.count`, one of type `time_slice` has '
        '`sli_specification.time_slice`, and one of type `monitor` has `monitor_ids`. A target below 1 is a warning: '
        '0.999 is not 99.9 per cent.'
    ),
    bad={SLO: slo({'timeframe': '30d', 'target': 99.9, 'warning': 99.5})},
    good={SLO: slo({'timeframe': '30d', 'target': 99.9, 'warning': 99.95})},
    check=reported,
    semantics=('18.2', '18.3', '18.10', '18.13'),
)
