"""Compare the monitors of a source with those of an organisation, by their ids and names: they have no marker."""

from collections.abc import Iterator
from typing import Any

from ddassets.assets import Bundle, Monitor
from ddassets.diagnostic import UnusableInputError
from ddassets.org.client import Client, Refused, Unavailable
from ddassets.org.kind import Desired, Stored
from ddassets.org.kinds import MONITORS
from ddassets.org.listing import STRANGE, read_answer, read_stored
from ddassets.org.marker import Marker
from ddassets.org.plan import Action, Plan, Step, diff
from ddassets.sources import managers_of


def compare(bundle: Bundle, client: Client, now: float) -> Plan:
    """Return the plan of differences between the monitors of a source and those of the organisation.

    A monitor is found by its id, else by its exact name. Raises ApiError, and UnusableInputError for a source without
    monitors. `now` is in Unix seconds.
    """
    if not bundle.monitors:
        raise UnusableInputError(f'{bundle.source}: contains no monitor to compare')
    return Plan(str(bundle.source), tuple(_step(client, monitor, now) for monitor in bundle.monitors))


def _step(client: Client, monitor: Monitor, now: float) -> Step:
    name = monitor.address or monitor.name
    desired = Desired(MONITORS, name, monitor.name, MONITORS.body(monitor), monitor)
    withheld = monitor.withheld_among(('query', 'message', 'type', 'name'))
    if withheld:
        reason = f'{", ".join(withheld)}: not known here, so nothing is compared'
        return Step(Action.REFUSE, MONITORS, name, monitor.name, desired, reason=reason)
    found = list(_stored(client, monitor))
    if len(found) > 1:
        reason = f'{len(found)} monitors have this name: {", ".join(each.id for each in found)}'
        return Step(Action.REFUSE, MONITORS, name, monitor.name, desired, reason=reason)
    if not found:
        return Step(Action.CREATE, MONITORS, name, monitor.name, desired, reason='no monitor has its id or its name')
    differences = diff(desired, found[0], now)
    action = Action.UPDATE if differences else Action.KEEP
    if MONITORS.replaces(desired.body, found[0].body, now):
        action = Action.REPLACE
    return Step(action, MONITORS, name, monitor.name, desired, found[0], differences)


def _stored(client: Client, monitor: Monitor) -> Iterator[Stored]:
    identifier = monitor.body.get('id')
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        try:
            path = f'{MONITORS.path}/{identifier}'
            yield _read(path, client.get(path), monitor)
            return
        except Refused as refused:
            # Deleted since, or of another organisation.
            if refused.status not in (404, 410):
                raise
    answers = client.get(MONITORS.path, name=monitor.name)
    if not isinstance(answers, list):
        raise Unavailable(f'{MONITORS.path}: {STRANGE}')
    for answer in answers:
        if isinstance(answer, dict) and str(answer.get('name')).strip() == monitor.name.strip():
            yield _read(MONITORS.path, answer, monitor)


def _read(path: str, answer: Any, monitor: Monitor) -> Stored:
    identifier, body = read_answer(MONITORS, path, answer)
    return read_stored(MONITORS, identifier, body, Marker('', monitor.address or monitor.name, ''))


def refuse_source(bundle: Bundle, command: str) -> None:
    """Raise UnusableInputError: assets that another tool manages must be changed by that tool."""
    tools = managers_of(bundle)
    if tools:
        raise UnusableInputError(
            f'{bundle.source}: {" and ".join(tools)} manages these assets; {command} would work against it',
            '\n'.join(_WAYS[tool] for tool in tools),
        )
    raise UnusableInputError(
        f'{bundle.source}: {command} takes the folder of an integration',
        'put each monitor into a file of its own, assets/monitors/NAME.json, and name that folder',
    )


_WAYS: dict[str, str] = {
    'Terraform': 'change the configuration, then `terraform apply` or `terraform destroy`',
    'Kubernetes': 'change the resource, then `kubectl apply` or `kubectl delete`',
    'Crossplane': 'change the resource, then `kubectl apply` or `kubectl delete`',
    'Pulumi': 'change the program, then `pulumi up` or `pulumi destroy`',
    'kennel': 'change the part in kennel, then `rake kennel:update_datadog`',
}
