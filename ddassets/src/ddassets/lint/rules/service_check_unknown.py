"""A service check that is not in service_checks.json."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity, Span
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.nearest import nearest, one_letter_apart
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.regex import regex

_NAME = regex(r'\s*["\']?([\w.]+)["\']?\s*\.over\(')
_LISTED = 'assets/service_checks.json'


def check(subject: Subject) -> Iterator[Fault]:
    listed = subject.bundle.service_checks
    if not listed:
        return
    for dashboard in subject.bundle.dashboards:
        for found in dashboard.widgets:
            name = found.body.get('check')
            if found.type == 'check_status' and isinstance(name, str) and _unknown(subject, name, listed):
                yield Fault(where=found, place=('check',), message=_message(name), hint=_hint(name, listed))
    for monitor in subject.bundle.monitors:
        match = _NAME.match(monitor.query) if monitor.type == 'service check' else None
        if match and _unknown(subject, match[1], listed):
            yield Fault(
                where=monitor,
                place=('query',),
                span=Span(match.start(1), match.end(1)),
                message=_message(match[1]),
                hint=_hint(match[1], listed),
            )


def _unknown(subject: Subject, name: str, listed: frozenset[str]) -> bool:
    """Whether a name is not listed, but has a prefix of the integration or is one letter away from a listed name."""
    own = {one.partition('.')[0] for one in listed} | subject.own_prefixes
    return name not in listed and (
        name.partition('.')[0] in own or any(one_letter_apart(name, known) for known in listed)
    )


def _message(name: str) -> str:
    return f'{name} is not in {_LISTED}'


def _hint(name: str, listed: frozenset[str]) -> str:
    near = nearest(name, listed)
    return f'nearest: {", ".join(near)}' if near else ''


def _status(name: str) -> dict[str, object]:
    definition = {'type': 'check_status', 'title': 'Up', 'check': name, 'grouping': 'cluster', 'tags': ['*']}
    return {'definition': {**definition, 'group_by': []}}


_CHECKS = '[{"check": "acme.can_connect", "statuses": ["ok", "critical"], "groups": [], "name": "Up"}]'

RULE = Rule(
    id='service-check/unknown',
    severity=Severity.WARNING,
    reason='A widget or a monitor uses a service check that is not in service_checks.json.',
    explanation=(
        'Datadog accepts a misspelt service check: the widget stays empty and the monitor never alerts. Only names '
        'with a prefix of the integration, or one letter away from a listed name, are checked.'
    ),
    bad={
        DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}'), _status('acme.can_conect')]},
        _LISTED: _CHECKS,
    },
    good={
        DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}'), _status('acme.can_connect')]},
        _LISTED: _CHECKS,
    },
    check=check,
)
