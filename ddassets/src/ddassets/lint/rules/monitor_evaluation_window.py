"""A cumulative window without its option, or with one that has no effect."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

_WINDOW = {'scheduling_options': {'evaluation_window': {'day_starts': '04:00', 'month_starts': 1}}}

RULE = Rule(
    id='monitor/evaluation-window',
    severity=Severity.ERROR,
    reason='The query and the option `evaluation_window` do not agree about a cumulative window.',
    explanation=(
        'A `current_…` period needs an `evaluation_window`, and the other way round: an error, because the API refuses '
        'one without the other. A note or a warning about a start that the period does not use, a month that begins '
        'after the 28th, and `require_full_window`, whose effect on a cumulative window is not documented.'
    ),
    bad={MONITOR: {'definition': {'options': _WINDOW}}},
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(current_1mo):avg:acme.queue.length{*} by {host} > 100',
                'options': {**_WINDOW, 'no_data_timeframe': 1440},
            }
        }
    },
    check=reported,
    semantics=('16.2', '16.9'),
)
