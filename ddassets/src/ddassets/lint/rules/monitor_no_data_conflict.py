"""Options about missing data that exclude each other."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/no-data-conflict',
    severity=Severity.ERROR,
    reason='Options about missing data exclude each other.',
    explanation=(
        '`on_missing_data` replaces `notify_no_data` and `no_data_timeframe`. Both cannot be set. A stored monitor may '
        'still have both, and then `notify_no_data` is used: a warning. With `resolve`, `timeout_h` must be 0. '
        '`default_zero()` fills gaps, so the API accepts only `default`.'
    ),
    bad={MONITOR: {'definition': {'options': {'on_missing_data': 'show_and_notify_no_data'}}}},
    good={
        MONITOR: {
            'definition': {
                'options': {
                    'on_missing_data': 'show_and_notify_no_data',
                    'notify_no_data': None,
                    'no_data_timeframe': None,
                }
            }
        }
    },
    check=reported,
    semantics=('3.14', '3.17'),
)
