"""A future window without forecast()."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, walk
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        if reading.query and reading.query.window.kind == 'next':
            calls = {node.name for node in walk(reading.query.expression) if isinstance(node, Call)}
            if 'forecast' not in calls:
                window = f'next_{reading.query.window.count}{reading.query.window.unit}'
                yield reading.fault(f'{window} is only for forecast(): other queries have no points in the future')


RULE = Rule(
    id='monitor/forecast-window',
    severity=Severity.ERROR,
    reason='A query has a future window but no forecast().',
    explanation='Only a forecast has points in the future: `max(next_1w):forecast(query, \'linear\', 1) >= 90`.',
    bad={
        MONITOR: {
            'definition': {
                'query': 'avg(next_1h):avg:acme.queue.length{*} by {host} > 100',
                'options': {'no_data_timeframe': 120},
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': 'avg(last_1h):avg:acme.queue.length{*} by {host} > 100',
                'options': {'no_data_timeframe': 120},
            }
        }
    },
    check=check,
    semantics=('6.7',),
)
