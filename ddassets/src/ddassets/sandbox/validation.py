"""Requests for objects, checked with the tables by which `ddassets lint` reads files.

The recordings hold them not to refuse what Datadog accepted.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ddassets.assets import source
from ddassets.assets.asset import Asset
from ddassets.assets.dashboard import read_dashboard
from ddassets.assets.downtime import read_downtime
from ddassets.assets.monitor import read_monitor
from ddassets.assets.monitor_type import CHECK, COMPOSITE, METRIC, SLO
from ddassets.assets.notification_rule import read_notification_rule
from ddassets.assets.slo import read_slo
from ddassets.assets.source import Source, Unplaced
from ddassets.diagnostic import Severity
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Refusal

_READERS: Mapping[str, Callable[[Source, Mapping[str, Any], source.Place], Asset]] = {
    'dashboard': read_dashboard,
    'monitor': read_monitor,
    'downtime': read_downtime,
    'monitor-notification-rule': read_notification_rule,
    'slo': read_slo,
}
_SOURCE = Unplaced(Path('request'))
_REQUIRED = {'dashboard': ('title', 'layout_type', 'widgets')}
# Other products have syntax that the parser does not know.
_PARSED = METRIC | COMPOSITE | CHECK | SLO


def attributes_of(body: Any) -> dict[str, Any]:
    """Return the attributes of a request of the v2 API. Raises Refusal for another form."""
    return dict(Place(body)['data']['attributes'].entries())


def check(kind: str, body: Mapping[str, Any], recorded: Callable[[], None]) -> None:
    """Raise Refusal with every error of an object: its body, or its attributes where the API has those.

    `recorded` makes the checks whose texts are recorded, which have precedence.
    """
    errors = _errors(kind, body)
    try:
        recorded()
    except (AttributeError, KeyError, TypeError, ValueError):
        # The body has another form than they expect, which is among the errors.
        if not errors:
            raise
    if errors:
        raise Refusal(400, *errors)


def _errors(kind: str, body: Mapping[str, Any]) -> list[str]:
    missing = [f'(not recorded) {key} is missing' for key in _REQUIRED.get(kind, ()) if key not in body]
    if kind in ('downtime', 'monitor-notification-rule'):
        body = {'data': {'type': kind, 'attributes': body}}
    lenient = kind == 'monitor' and body.get('type') not in _PARSED
    return missing + [
        f'(not recorded) {error.message}' + (f'; {error.hint}' if error.hint else '')
        for error in _READERS[kind](_SOURCE, body, ()).diagnostics
        if error.severity is Severity.ERROR and not (lenient and error.code == 'query/syntax')
    ]
