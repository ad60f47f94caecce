"""Two widgets with the same id."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_number


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        seen = set()
        for widget_ in dashboard.widgets:
            outer = widget_.outer
            identity = outer.body.get('id')
            if is_number(identity) or (isinstance(identity, str) and identity):
                if identity in seen:
                    yield Fault(
                        where=outer,
                        place=('id',),
                        message=f'another widget has the id {identity}',
                        object=widget_.title or widget_.type,
                    )
                seen.add(identity)


RULE = Rule(
    id='widget/duplicate-id',
    severity=Severity.WARNING,
    reason='Two widgets of a dashboard have the same id.',
    explanation='Datadog and its tools identify the widgets of a dashboard by their ids.',
    bad={
        DASHBOARD: {
            'widgets': [
                {'id': 1, **widget('avg:acme.queue.length{$host}')},
                {'id': 1, **widget('avg:acme.workers{$host}', title='Workers')},
            ]
        }
    },
    good={
        DASHBOARD: {
            'widgets': [
                {'id': 1, **widget('avg:acme.queue.length{$host}')},
                {'id': 2, **widget('avg:acme.workers{$host}', title='Workers')},
            ]
        }
    },
    check=check,
)
