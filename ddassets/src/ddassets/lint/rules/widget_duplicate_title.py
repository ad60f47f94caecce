"""Two widgets with the same type and title in the same group."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        seen = set()
        for widget_ in dashboard.widgets:
            key = (widget_.parent, widget_.type, widget_.title)
            if widget_.title and key in seen:
                message = f'another {widget_.type or "widget"} of the group has the title {widget_.title!r}'
                yield Fault(where=widget_, place=('title',), message=message)
            seen.add(key)


RULE = Rule(
    id='widget/duplicate-title',
    severity=Severity.NOTE,
    reason='Two widgets of the same type have the same title in the same group.',
    explanation='Readers cannot distinguish them. Often one of them is a copy whose query or title was not changed.',
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}'), widget('avg:acme.workers{$host}')]}},
    good={
        DASHBOARD: {
            'widgets': [widget('avg:acme.queue.length{$host}'), widget('avg:acme.workers{$host}', title='Workers')]
        }
    },
    check=check,
)
