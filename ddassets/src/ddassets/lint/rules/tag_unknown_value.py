"""A tag value that is not in the emission of the check."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import TagFilter, walk
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.nearest import nearest
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        for metric in reading.metrics:
            emitted = subject.emission.metrics.get(metric.name) if subject.emission else None
            if not emitted or metric.scope is None:
                continue
            for node in walk(metric.scope):
                if not isinstance(node, TagFilter) or node.key not in emitted.keys or node.key == 'host':
                    continue
                tag = f'{node.key}:{node.value}'
                if tag not in emitted.tags and not set(node.value) & set('*$'):
                    near = nearest(tag, emitted.tags)
                    hint = f'nearest: {", ".join(near)}' if near else ''
                    yield reading.fault(f'no submitted series of {metric.name} has {tag}', node.span, hint)


RULE = Rule(
    id='tag/unknown-value',
    severity=Severity.NOTE,
    reason='A query filters by a tag value that the check did not submit.',
    explanation='This is a note, because a run shows the values of only one environment. This rule needs an emission.',
    emission={'acme.queue.length': ('gauge', ['queue:incoming', 'queue:outgoing'])},
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,queue:incomming}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,queue:incoming}')]}},
    check=check,
)
