"""A rollup as long as the evaluation window, or longer."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import rollups
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        query = reading.query
        if query is None or query.window.kind != 'last':
            continue
        for span, seconds in rollups(query.expression):
            if seconds >= query.window.seconds:
                message = f'a bucket of {seconds:g} s in a window of {query.window.seconds} s'
                yield reading.fault(message, span, hint='make the window longer than the rollup, or remove the rollup')


RULE = Rule(
    id='monitor/rollup-window',
    severity=Severity.WARNING,
    reason='A rollup is as long as the evaluation window, or longer.',
    explanation=(
        'Buckets begin at multiples of their length, and a bucket counts only if it begins inside the window. With '
        'buckets of an hour and a window of five minutes, the window contains the start of a bucket for only five '
        'minutes of each hour; otherwise it has no data.'
    ),
    bad={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{*} by {host}.rollup(avg, 3600) > 100'}}},
    good={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100'}}},
    check=check,
    semantics=('7.1', '7.2', '7.5', '20.19'),
)
