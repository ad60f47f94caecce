"""A dashboard with a missing key."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

KEYS = ('title', 'description', 'template_variables')


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        # The old forms use other names for these keys.
        if 'board_title' in dashboard.body or 'graphs' in dashboard.body:
            continue
        missing = [key for key in KEYS if key not in dashboard.body]
        if not isinstance(dashboard.body.get('widgets'), list) and 'widgets' not in dashboard.body:
            yield Fault(
                where=dashboard, message='the dashboard has neither widgets nor graphs', severity=Severity.ERROR
            )
        elif missing:
            yield Fault(where=dashboard, message=f'the dashboard lacks {", ".join(missing)}')


RULE = Rule(
    id='dashboard/missing-key',
    severity=Severity.NOTE,
    reason='A dashboard lacks its widgets, title, description or template variables.',
    explanation=(
        'A file without widgets is not a dashboard: an error. The validator of dashboards requires the other keys.'
    ),
    bad={DASHBOARD: {'description': None}},
    good={DASHBOARD: {'description': 'The queue of Acme.'}},
    check=check,
    semantics=('9.6',),
)
