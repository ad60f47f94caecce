"""A formula that uses an undefined query."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Reference, walk
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import did_you_mean

_QUERIES = [{'data_source': 'metrics', 'name': 'depth', 'query': 'avg:acme.queue.length{$host}'}]


def check(subject: Subject) -> Iterator[Fault]:
    for formula in subject.formulas:
        for expression in formula.expressions:
            for node in walk(expression):
                if isinstance(node, Reference) and node.name not in formula.names:
                    message = f'the request has no query named {node.name}{did_you_mean(node.name, formula.names)}'
                    yield formula.fault(message, node.span)


RULE = Rule(
    id='query/undefined-reference',
    severity=Severity.ERROR,
    reason='A formula uses a query that its request does not have.',
    explanation='A formula can use only the queries of its own request, by `name`. The widget shows an error.',
    bad={
        DASHBOARD: {
            'widgets': [
                widget(
                    '',
                    requests=[{'queries': _QUERIES, 'formulas': [{'formula': 'depth * wait'}, {'formula': 'depth'}]}],
                )
            ]
        }
    },
    good={
        DASHBOARD: {'widgets': [widget('', requests=[{'queries': _QUERIES, 'formulas': [{'formula': 'depth * 2'}]}])]}
    },
    check=check,
)
