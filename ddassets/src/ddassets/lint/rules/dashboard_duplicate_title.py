"""Two dashboards with the same title."""

from collections.abc import Iterator

from ddassets.assets import Dashboard
from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, INTEGRATION, MANIFEST
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_OTHER = 'assets/dashboards/acme_workers.json'
_LISTED = {'assets': {'dashboards': {'Acme Workers': _OTHER}}}


def check(subject: Subject) -> Iterator[Fault]:
    first: dict[str, Dashboard] = {}
    for dashboard in subject.bundle.dashboards:
        if not dashboard.title:
            continue
        earlier = first.setdefault(dashboard.title, dashboard)
        if earlier is not dashboard:
            message = f'{earlier.path.name} already has the title {dashboard.title!r}'
            yield Fault(where=dashboard, place=('title',), message=message)


RULE = Rule(
    id='dashboard/duplicate-title',
    severity=Severity.WARNING,
    reason='Two dashboards of one integration have the same title.',
    explanation='The list of dashboards shows only the title, so they cannot be distinguished.',
    bad={MANIFEST: _LISTED, _OTHER: {**INTEGRATION[DASHBOARD]}},
    good={MANIFEST: _LISTED, _OTHER: {**INTEGRATION[DASHBOARD], 'title': 'Acme Workers'}},
    check=check,
)
