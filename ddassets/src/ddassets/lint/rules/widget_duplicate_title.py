"""Two widgets of one kind and title side by side."""

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
                message = f'another {widget_.type or "widget"} of the group is titled {widget_.title!r}'
                yield Fault(where=widget_, place=('title',), message=message)
            seen.add(key)


RULE = Rule(
    id='widget/duplicate-title',
    severity=Severity.NOTE,
    reason='Two widgets of one kind have the same title in the same group.',
    explanation='Nobody can tell them apart, and one of them is often a copy whose query or title was to be changed.',
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}'), widget('avg:acme.workers{$host}')]}},
    good={
        DASHBOARD: {
            'widgets': [widget('avg:acme.queue.length{$host}'), widget('avg:acme.workers{$host}', title='Workers')]
        }
    },
    check=check,
)
