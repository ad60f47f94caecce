"""A rollup as long as the evaluation window, or longer."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, rollups


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        query = reading.query
        if query is None or query.window.kind != 'last':
            continue
        for span, seconds in rollups(query.expression):
            if seconds >= query.window.seconds:
                message = f'a bucket of {seconds:g} s in a window of {query.window.seconds} s'
                yield reading.fault(
                    message, span, hint='make the window longer than the rollup, or leave the rollup out'
                )


RULE = Rule(
    id='monitor/rollup-window',
    severity=Severity.WARNING,
    reason='A rollup is not shorter than the evaluation window.',
    explanation=(
        'Buckets begin at multiples of their length, and one counts only if it begins inside the window. With a '
        'bucket of an hour and a window of five minutes that is so for five minutes of each hour; the rest of it '
        'has no data.'
    ),
    bad={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{*} by {host}.rollup(avg, 3600) > 100'}}},
    good={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100'}}},
    check=check,
    semantics=('7.1', '7.2', '7.5'),
)
