"""A filter that no series matches."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import And, Not, TagFilter, walk
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        for metric in reading.metrics:
            for node in walk(metric.scope) if metric.scope else ():
                if isinstance(node, And) and (reason := _contradiction(node)):
                    yield reading.fault(f'no series can match: {reason}', node.span)


def _contradiction(node: And) -> str:
    refused = {part.scope for part in node.scopes if isinstance(part, Not)}
    hosts = set()
    for part in node.scopes:
        if part in refused and isinstance(part, TagFilter):
            return f'{part.key}:{part.value} is both required and excluded' if part.key else f'{part.value} is excluded'
        if isinstance(part, TagFilter) and part.key == 'host' and not set(part.value) & set('*$'):
            hosts.add(part.value)
    return f'a series has one host, not {" and ".join(sorted(hosts))}' if len(hosts) > 1 else ''


RULE = Rule(
    id='query/contradiction',
    severity=Severity.WARNING,
    reason='A filter contradicts itself, so the query returns nothing.',
    explanation='A comma means AND. To match several values, write `host IN (a, b)`.',
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,host:a,host:b}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host AND host IN (a, b)}')]}},
    check=check,
    semantics=('1.5',),
)
