"""A query that no formula uses."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Reference, walk
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, requests

_QUERIES = [
    {'data_source': 'metrics', 'name': 'depth', 'query': 'avg:acme.queue.length{$host}'},
    {'data_source': 'metrics', 'name': 'workers', 'query': 'avg:acme.workers{$host}'},
]


def check(subject: Subject) -> Iterator[Fault]:
    formulas = {(id(formula.asset), formula.place): formula for formula in subject.formulas}
    for dashboard in subject.bundle.dashboards:
        for widget_, queries in requests(dashboard):
            texts = [formulas[id(widget_), q.place[len(widget_.place) :]] for q in queries if q.role == 'formula']
            if not texts or any(formula.error for formula in texts):
                continue
            used = {
                node.name
                for formula in texts
                for expression in formula.expressions
                for node in walk(expression)
                if isinstance(node, Reference)
            }
            for query in queries:
                if query.role == 'query' and query.name and query.name not in used:
                    message = f'no formula of the request uses the query {query.name}'
                    yield Fault(where=widget_, place=query.place[len(widget_.place) :], message=message)


RULE = Rule(
    id='query/unused',
    severity=Severity.NOTE,
    reason='No formula of a widget uses one of its queries.',
    explanation='If a request has formulas, only the formulas are shown. The result of the query is not used.',
    bad={DASHBOARD: {'widgets': [widget('', requests=[{'queries': _QUERIES, 'formulas': [{'formula': 'depth'}]}])]}},
    good={
        DASHBOARD: {
            'widgets': [widget('', requests=[{'queries': _QUERIES, 'formulas': [{'formula': 'depth / workers'}]}])]
        }
    },
    check=check,
)
