"""A template variable that the dashboard does not define."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity, Span
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_variable_at, variables_in
from ddassets.nearest import did_you_mean


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard, readings in subject.by_dashboard:
        names = [variable.name for variable in dashboard.variables if variable.name]
        for reading in readings:
            for name, offset in variables_in(reading.text):
                if not any(is_variable_at(reading.text, offset, known) for known in names):
                    message = f'the dashboard has no template variable ${name}{did_you_mean(name, names)}'
                    yield reading.fault(message, Span(offset, offset + 1 + len(name)))


RULE = Rule(
    id='variable/undefined',
    severity=Severity.ERROR,
    reason='A query uses a template variable that the dashboard does not define.',
    explanation='Nothing replaces the name, so the filter matches no series and the graph stays empty.',
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,$env}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,env:prod}')]}},
    check=check,
)
