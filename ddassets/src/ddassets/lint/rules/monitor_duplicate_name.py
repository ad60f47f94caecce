"""Two monitors with the same name."""

from collections.abc import Iterator

from ddassets.assets import Monitor
from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_OTHER = 'assets/monitors/requests_pile_up.json'
_LISTED = {'assets': {'monitors': {'Requests pile up': _OTHER}}}


def check(subject: Subject) -> Iterator[Fault]:
    first: dict[str, Monitor] = {}
    for monitor in subject.bundle.monitors:
        if not monitor.name:
            continue
        earlier = first.setdefault(monitor.name, monitor)
        if earlier is not monitor:
            message = f'{earlier.path.name} already has a monitor named {monitor.name!r}'
            yield Fault(where=monitor, place=('name',), message=message)


RULE = Rule(
    id='monitor/duplicate-name',
    severity=Severity.WARNING,
    reason='Two monitors of one integration have the same name.',
    explanation='A notification shows only the name, so recipients cannot distinguish the monitors.',
    bad={
        MANIFEST: _LISTED,
        _OTHER: {'name': 'Queue is long', 'type': 'log alert', 'query': 'logs("*").rollup("count").last("5m") > 1'},
    },
    good={
        MANIFEST: _LISTED,
        _OTHER: {'name': 'Requests pile up', 'type': 'log alert', 'query': 'logs("*").rollup("count").last("5m") > 1'},
    },
    check=check,
)
