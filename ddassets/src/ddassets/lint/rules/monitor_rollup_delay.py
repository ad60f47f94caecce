"""A rollup whose newest bucket is incomplete."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import rollups
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

# Rule 2.3, in seconds.
MAX_DELAY = 86400


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        query = reading.query
        if query is None or query.window.kind != 'last':
            continue
        delay = reading.monitor.options.evaluation_delay
        for span, seconds in rollups(query.expression):
            if delay < seconds < query.window.seconds:
                message = f'the newest bucket of {seconds:g} s is incomplete when it is evaluated'
                hint = f'evaluation_delay is {delay}; use at least {seconds:g}'
                if seconds > MAX_DELAY:
                    hint = f'evaluation_delay is at most {MAX_DELAY}; use a shorter rollup'
                yield reading.fault(message, span, hint=hint)


RULE = Rule(
    id='monitor/rollup-delay',
    severity=Severity.NOTE,
    reason='A monitor evaluates an incomplete bucket.',
    explanation=(
        'Until the bucket ends, its sum is too small and its average has few points. Set an `evaluation_delay` of at '
        'least the rollup interval.'
    ),
    bad={
        MONITOR: {
            'definition': {
                'query': 'sum(last_1h):sum:acme.requests{*} by {host}.as_count().rollup(sum, 600) > 100',
                'options': {'no_data_timeframe': 120},
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': 'sum(last_1h):sum:acme.requests{*} by {host}.as_count().rollup(sum, 600) > 100',
                'options': {'evaluation_delay': 600, 'no_data_timeframe': 120},
            }
        }
    },
    check=check,
    semantics=('2.3', '7.3', '7.5', '20.19'),
)
