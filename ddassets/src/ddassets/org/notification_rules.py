"""Notification rules. The name is their only text, so the marker is at its end."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddassets import assets as bundle
from ddassets.org.changes import Changes
from ddassets.org.kind import Body, Kind, Query, drop_defaults, load_model, normalised
from ddassets.org.marker import Marker, in_name, name_with_marker, name_without_marker
from ddassets.org.schema import Fault, faults

WRITABLE = ('name', 'filter', 'recipients', 'conditional_recipients', 'bundle_config')
# Characters.
MAX_NAME = 1000
_ORDER = 'Datadog may not route monitors that were saved before the rule: save them again if its coverage lacks them'


class NotificationRules(Kind):
    asset = bundle.NotificationRule
    name = 'notification_rule'
    plural = 'notification_rules'
    path = '/api/v2/monitor/notification_rule'
    method = 'PATCH'
    # No page of a single rule is documented.
    page = '/monitors/settings/notifications'
    # The documented maximum, and the default limit of rules of an organisation.
    page_size = 1000
    permissions = ('monitors_read', 'monitor_config_policy_write')

    def body(self, asset: bundle.Asset) -> Body:
        return {key: value for key, value in asset.cleaned().items() if key in WRITABLE}

    def title(self, body: Body) -> str:
        return name_without_marker(str(body.get('name') or '')).strip()

    def faults(self, body: Body) -> Iterator[Fault]:
        for fault in faults(self.request(body), load_model('v2', 'MonitorNotificationRuleCreateRequest')):
            yield Fault(fault.path[2:], fault.message)

    def request(self, body: Body, id: str = '') -> Body:
        return {'data': {**({'id': id} if id else {}), 'type': 'monitor-notification-rule', 'attributes': body}}

    def from_answer(self, answer: Any) -> tuple[str, Body]:
        return str(answer['data']['id']), dict(answer['data']['attributes'])

    def entry_body(self, entry: Body) -> Any:
        return entry.get('attributes')

    def changed(self, asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
        """Replace the recipients for `--redirect`.

        Tags do not apply: a rule matches tags of monitors and groups, not of queries. Recipients are not added, because
        a rule also routes other monitors; those of the integration get the recipients in their messages.
        """
        if not changes.redirect:
            return body
        only = [changes.redirect.removeprefix('@')]
        if body.get('recipients'):
            body['recipients'] = only
        if conditional := body.get('conditional_recipients'):
            for condition in conditional['conditions']:
                condition['recipients'] = only
            if conditional.get('fallback_recipients'):
                conditional['fallback_recipients'] = only
        return body

    def page_query(self, integration: str, number: int, start: int) -> Query:
        return {'per_page': self.page_size, **({'page': number} if number else {})}

    def marker(self, body: Body) -> Marker | None:
        return in_name(body.get('name'))

    def created(self, body: Body) -> float:
        return super().created({'created': body.get('created_at')})

    def canonical(self, body: Body) -> dict[str, Any]:
        kept = {key: normalised(body[key]) for key in WRITABLE if body.get(key) is not None}
        kept['name'] = self.title(kept)
        kept['filter'] = _filter(kept.get('filter', {}))
        # Datadog keeps recipients as a set.
        for holder in _holders(kept):
            for key in ('recipients', 'fallback_recipients'):
                if key in holder:
                    holder[key] = sorted(set(holder[key]))
        return drop_defaults(kept, {'recipients': []})

    def mark(self, body: Body, marker: Marker) -> Body:
        return {**body, 'name': name_with_marker(str(body.get('name') or ''), marker)}

    def merged(self, stored: Body, changes: Body) -> Body:
        # Recorded: an update replaces everything, and conditional recipients replace plain ones.
        return changes

    def notes(self, body: Body, now: float) -> Iterator[str]:
        yield _ORDER

    def notes_of_update(self, desired: Body, stored: Body) -> Iterator[str]:
        """Yield a note for another filter, which may match monitors that were saved before."""
        if self.canonical(desired)['filter'] != self.canonical(stored)['filter']:
            yield _ORDER

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether bundling is to end. Whether an update without `bundle_config` ends it is not documented."""
        return stored.get('bundle_config') is not None and desired.get('bundle_config') is None


def _filter(filter: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(filter)
    if 'tags' in found:
        # All of them must match, so their order is irrelevant.
        found['tags'] = sorted(set(found['tags']))
    if 'scope' in found:
        found['scope'] = str(found['scope']).strip()
    return found


def _holders(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects that have recipients: the rule, `conditional_recipients` and its conditions."""
    yield rule
    if conditional := rule.get('conditional_recipients'):
        yield conditional
        yield from conditional.get('conditions', ())
