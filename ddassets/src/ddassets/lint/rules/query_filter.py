"""An empty filter or grouping."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity, Span
from ddassets.language.query.tree import TagFilter, walk
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import MonitorReading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.regex import regex

_EMPTY = regex(r'(by\s*)?\{\s*\}')


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        for metric in reading.metrics:
            if metric.scope is None and isinstance(reading, MonitorReading):
                message = f'{metric.name} has no filter; a monitor query needs one, at least {{*}}'
                yield reading.fault(message, metric.name_span)
            text = reading.text[metric.span.start : metric.span.end]
            for match in _EMPTY.finditer(text):
                span = Span(metric.span.start + match.start(), metric.span.start + match.end())
                if match[1]:
                    yield reading.fault('by {} names no group key', span, 'remove it, or name a tag key')
                else:
                    yield reading.fault('the filter {} is empty', span, 'write {*} for all')
            for node in walk(metric):
                if isinstance(node, TagFilter) and node.key == '*':
                    yield reading.fault('* is not a tag key; a filter is key:value or *', node.span)
                elif isinstance(node, TagFilter) and node.key and not node.value:
                    yield reading.fault(f'the filter {node.key}: has no value', node.span, f'write {node.key}:*')


RULE = Rule(
    id='query/filter',
    severity=Severity.WARNING,
    reason='The filter or grouping of a query is empty.',
    explanation=(
        'A filter is a tag, `key:value`, or `*`; `by {}` needs a tag key. The query of a monitor needs a filter, at '
        'least `{*}`. Datadog refuses such a monitor, or it matches other series than intended.'
    ),
    bad={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{env:} by {host} > 100'}}},
    good={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{env:prod} by {host} > 100'}}},
    check=check,
    semantics=('1.5', '1.7'),
)
