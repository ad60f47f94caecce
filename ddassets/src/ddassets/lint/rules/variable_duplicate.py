"""Two template variables with the same name."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_HOST = {'name': 'host', 'prefix': 'host', 'defaults': ['*']}


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        seen: set[str] = set()
        for variable in dashboard.variables:
            if variable.name and variable.name in seen:
                yield Fault(where=variable, message=f'${variable.name} is already defined')
            seen.add(variable.name)


RULE = Rule(
    id='variable/duplicate',
    severity=Severity.ERROR,
    reason='Two template variables of a dashboard have the same name.',
    explanation='A query can refer to only one of them.',
    bad={DASHBOARD: {'template_variables': [_HOST, {**_HOST, 'prefix': 'node'}]}},
    good={DASHBOARD: {'template_variables': [_HOST]}},
    check=check,
)
