"""The values of the variables of a message. Rules 4.6 to 4.9."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.message.conditions import Edge
from ddassets.language.message.functions import Value
from ddassets.language.message.vocabulary import BARE_VARIABLES, TIME_VARIABLES

# The first part of a variable: the key of a scenario with its attributes, and the tag keys whose values, joined by `/`,
# name the service, namespace, pod or device there (rule 4.9).
ENTITIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    'service': ('services', ('service',)),
    'kube_namespace': ('namespaces', ('kube_cluster_name', 'kube_namespace')),
    'pod_name': ('pods', ('kube_cluster_name', 'kube_namespace', 'pod_name')),
    'network_device': ('devices', ('device_namespace', 'device_ip')),
}

# An attribute is a text, or texts by name: `{{service.team}}`, `{{service.links[Runbook]}}`.
type Attributes = Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True)
class Host:
    """The metadata of a host: `{{host.ip}}`, its tags by key, `{{host.metadata_machine}}`. Rule 4.9."""

    ip: str = ''
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Everything that a message can print or test. Instants are Unix seconds.

    `values` are the variables that are neither times nor tags, by name: value, threshold, a.value… (rule 4.6). `tags`
    are those of the group and those that the filter fixes; `group` holds the group's alone, as `key:value`. `host` is
    None unless the monitor triggers by host. `entities` are the attributes of the service, namespace, pod or device of
    the group, by the first part of their variables. `empty` says which `values` are empty because of an assumption.
    Rendering reads the choices of `assumptions` and records nothing in it.
    """

    transition: Edge
    values: Mapping[str, float | str | None] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: Sequence[str] = ()
    host: Host | None = None
    entities: Mapping[str, Attributes] = field(default_factory=dict)
    priority: int | None = None
    now: float | None = None
    first_triggered_at: float | None = None
    last_triggered_at: float | None = None
    empty: Mapping[str, Assumption] = field(default_factory=dict)
    assumptions: Assumptions = field(default_factory=Assumptions)


class Variables:
    """Looks variables up. `assumptions` records those relied on, `missing` the names of unknown variables."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.assumptions = context.assumptions.fresh()
        self.missing: list[str] = []

    def value(self, parts: tuple[str, ...], tested: bool = False) -> Value | None:
        """Return the value; None if it is not set, an empty text for an unknown variable.

        `tested`: in the quotes of a conditional a tag may lack `.name` (rule 4.5).
        """
        context = self.context
        dotted = '.'.join(parts)
        if dotted in context.values:
            if dotted in context.empty:
                self.assumptions.rely_on(context.empty[dotted])
            return context.values[dotted]
        match parts:
            case (name,) if name in TIME_VARIABLES:
                return self._time(name)
            case (name,) if name in BARE_VARIABLES:
                return None
            case ('host', 'ip') if context.host:
                return context.host.ip
            case ('host', attribute) if context.host and attribute.startswith('metadata_'):
                return context.host.metadata.get(attribute.removeprefix('metadata_'), '')
        tag = self._tag(parts, tested)
        if tag is not None:
            return ','.join(sorted(tag))
        entity = self._attribute(parts)
        if entity is None:
            self.missing.append('.'.join(parts))
        return entity or ''

    def _tag(self, parts: tuple[str, ...], tested: bool) -> Sequence[str] | None:
        host = self.context.host.tags if self.context.host else {}
        match parts:
            case ('host', key) | ('host', key, 'name') if key in host:
                return host[key]
            case (key, 'name'):
                pass
            case (key,) if tested:
                pass
            case _:
                return None
        for name, tags in ((key, self.context.tags), (key, host), (key.removeprefix('host.'), host)):
            if name in tags:
                return tags[name]
        return None

    def _attribute(self, parts: tuple[str, ...]) -> str | None:
        """Return an attribute of the service, namespace, pod or device. In quotes, its first part may be `a.b`."""
        first, *rest = '.'.join(parts[:-1]).split('.') + [parts[-1]]
        attribute = self.context.entities.get(first, {}).get(rest[0]) if rest else None
        if isinstance(attribute, Mapping):
            return attribute.get(rest[1]) if len(rest) == 2 else ','.join(attribute.values())
        return attribute

    def time(self, name: str) -> float | None:
        """Return the instant of `first_triggered_at` or `last_triggered_at`, with `_epoch` or without."""
        first = name.startswith('first_')
        return self.context.first_triggered_at if first else self.context.last_triggered_at

    def _time(self, name: str) -> Value | None:
        """Rule 4.7."""
        if name == 'triggered_duration_sec':
            since, now = self.context.first_triggered_at, self.context.now
            return None if since is None or now is None else int(now - since)
        seconds = self.time(name)
        if seconds is None:
            return None
        if name.endswith('_epoch'):
            return round(seconds * 1000)
        self.assumptions.rely_on(Assumptions.number_format)
        return datetime.fromtimestamp(int(seconds), UTC).isoformat()

    def shown(self, value: Value | None, parts: tuple[str, ...] = ()) -> str:
        """Return a value in the format of a message.

        `value` has at most three decimals; thresholds and results of eval are not rounded (rule 4.6).
        """
        if isinstance(value, int | float) and self.assumptions.number_format != 'raw' and parts[-1:] == ('value',):
            value = round(value, 3)
        return '' if value is None else str(value)


# As html.escape; its module costs a start two milliseconds of tables for the way back. `&` comes first.
_ENTITIES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;'}


def escape(text: str) -> str:
    """Escape `& < > " '` for HTML, as `{{x}}` does."""
    for character, entity in _ENTITIES.items():
        text = text.replace(character, entity)
    return text
