"""A widget with an app_id that is not the manifest's."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    manifest = subject.bundle.manifest
    if manifest is None or not manifest.app_uuid:
        return
    for dashboard in subject.bundle.dashboards:
        for widget_ in dashboard.widgets:
            found = widget_.body.get('app_id')
            if isinstance(found, str) and found != manifest.app_uuid:
                message = f'app_id {found} is not the app_uuid of the manifest, {manifest.app_uuid}'
                yield Fault(where=widget_, place=('app_id',), message=message)


RULE = Rule(
    id='dashboard/app-id',
    severity=Severity.ERROR,
    reason='A widget has the app_id of another integration.',
    explanation='The `app_id` of a widget must be the `app_uuid` of the manifest.',
    bad={
        DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}', app_id='11111111-2222-3333-4444-555555555555')]}
    },
    good={
        DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}', app_id='0b6f5b1e-8c67-4f0a-9f43-3f0b5f6a7a11')]}
    },
    check=check,
    semantics=('9.6',),
)
