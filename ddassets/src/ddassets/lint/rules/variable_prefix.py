"""A metric query with a template variable for a facet."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import TemplateVariable, walk
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard, readings in subject.by_dashboard:
        facets = {one.name: one.prefix for one in dashboard.variables if one.prefix and one.prefix.startswith('@')}
        for reading in readings if facets else ():
            for node in (part for metric in reading.metrics for part in walk(metric)):
                if isinstance(node, TemplateVariable) and node.name in facets:
                    message = f'${node.name} filters by the facet {facets[node.name]}, which metrics do not have'
                    yield reading.fault(message, node.span, hint='metrics have tags: write the prefix without @')


def _board(prefix: str) -> dict[str, object]:
    return {
        'template_variables': [{'name': 'host', 'prefix': prefix, 'available_values': [], 'defaults': ['*']}],
        'widgets': [widget('avg:acme.queue.length{$host}')],
    }


RULE = Rule(
    id='variable/prefix',
    severity=Severity.WARNING,
    reason='A metric query uses a template variable whose prefix is a facet.',
    explanation=(
        'A prefix that begins with `@` names an attribute of logs or events. Metrics have only tags, so the query '
        'ignores the variable, or stays empty.'
    ),
    bad={DASHBOARD: _board('@host')},
    good={DASHBOARD: _board('host')},
    check=check,
)
