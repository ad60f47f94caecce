"""A query with a syntax error."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity, Span
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    # The decoder of monitors reports theirs.
    readings = (*subject.formula_monitor_queries, *subject.widget_queries, *subject.formulas)
    for reading in readings:
        if reading.error:
            offset = reading.error.column - 1
            yield reading.fault(reading.error.message, Span(offset, offset + 1))
    for counted in subject.counted:
        yield from counted.faults('syntax')


RULE = Rule(
    id='query/syntax',
    severity=Severity.ERROR,
    reason='A query or formula cannot be parsed.',
    explanation=(
        'Datadog shows an error instead of such a graph, and refuses such a monitor. The caret marks the column. '
        'Of monitors that count logs, events, spans and the like, the search is not checked. Queries of other products '
        'are skipped; the summary counts them.'
    ),
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} by host}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} by {host}')]}},
    check=check,
    semantics=('1.1', '1.5', '1.10', '15.1'),
)
