"""A notification rule: who else is notified, by the tags of the monitor and of the group. Rule 3.27."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ddassets.assets.asset import text
from ddassets.assets.decoded_asset import RequestedAsset
from ddassets.assets.option import Exclusion, ListOf, Parsed, Part, Report, Text, Whole, option
from ddassets.assets.source import Place, Source, dotted
from ddassets.diagnostic import Severity
from ddassets.language.message.vocabulary import FLAGS
from ddassets.language.notification_scope import NotificationScope, ScopeFault, parse_notification_scope
from ddassets.nearest import did_you_mean

_INVALID = 'notification-rule/invalid'
#: The key of a condition that is about the transition, and not about a tag.
TRANSITION = 'transition_type'
_NOTHING: frozenset[str] = frozenset()
MAX_TAGS = 20
MAX_RECIPIENTS = 20
MAX_CONDITIONS = 10
MAX_SCOPE = 3000


def _scope(text: str) -> tuple[NotificationScope | None, Sequence[Exception]]:
    if len(text) > MAX_SCOPE:
        return None, [ScopeFault(MAX_SCOPE + 1, f'a scope has at most {MAX_SCOPE} characters')]
    try:
        return parse_notification_scope(text), ()
    except ScopeFault as fault:
        return None, [fault]


def _condition(text: str) -> tuple[tuple[str, str] | None, Sequence[Exception]]:
    """One term: `transition_type:is_alert`, or a tag."""
    key, colon, value = text.partition(':')
    if not colon or not key or not value or any(character in text for character in ' ()'):
        return None, [ScopeFault(1, 'expected one term such as transition_type:is_alert or team:harbor')]
    if '*' in text or '?' in text:
        return None, [ScopeFault(1, f'expected one whole tag such as team:harbor, found a wildcard in {text!r}')]
    return (key, value), ()


def _recipient(text: str) -> tuple[str | None, Sequence[Exception]]:
    if text.startswith('@'):
        return None, [ValueError('a recipient of a rule is written without the leading @')]
    return text, ()


_RECIPIENTS = ListOf(Parsed(_recipient, 'a recipient without the leading @'), 'recipients', 1, MAX_RECIPIENTS)


@dataclass(frozen=True)
class Filter:
    """Which notifications a rule is for: all of `tags`, or a `scope`."""

    ignored: ClassVar = _NOTHING
    tags: tuple[str, ...] = option(
        ListOf(Text('a tag', max_length=255, min_length=1), 'tags', 1, MAX_TAGS),
        absent=(),
        code=_INVALID,
        excludes=(Exclusion(other='scope', message='excludes scope', code=_INVALID, hint='leave one of the two out'),),
    )
    scope: NotificationScope | None = option(
        Parsed(_scope, 'a scope such as `team:harbor AND NOT env:dev`'), code=_INVALID
    )


@dataclass(frozen=True)
class Condition:
    ignored: ClassVar = _NOTHING
    scope: tuple[str, str] | None = option(
        Parsed(_condition, 'one term such as transition_type:is_alert'), required=True, code=_INVALID
    )
    recipients: tuple[str, ...] = option(_RECIPIENTS, absent=(), required=True, code=_INVALID)


@dataclass(frozen=True)
class ConditionalRecipients:
    """Recipients by transition or tag; `fallback_recipients` where no condition holds."""

    ignored: ClassVar = _NOTHING
    conditions: tuple[Condition, ...] = option(
        ListOf(Part(Condition), 'conditions', 1, MAX_CONDITIONS), absent=(), required=True, code=_INVALID
    )
    fallback_recipients: tuple[str, ...] = option(_RECIPIENTS, absent=(), code=_INVALID)


@dataclass(frozen=True)
class BundleConfig:
    """The period of bundling, in seconds: a preview."""

    ignored: ClassVar = _NOTHING
    duration: int | None = option(Whole(0, unit='seconds'))


@dataclass(frozen=True)
class NotificationRuleFields:
    """The attributes of a notification rule."""

    ignored: ClassVar = frozenset({'created_at', 'modified_at'})
    name: str = option(Text('a name', max_length=1000, min_length=1), absent='', required=True, code=_INVALID)
    filter: Filter = option(Part(Filter), absent=Filter(), required=True)
    recipients: tuple[str, ...] = option(
        _RECIPIENTS,
        absent=(),
        code=_INVALID,
        excludes=(
            Exclusion(
                other='conditional_recipients',
                message='excludes conditional_recipients',
                code=_INVALID,
                hint='leave one of the two out',
            ),
        ),
    )
    conditional_recipients: ConditionalRecipients | None = option(Part(ConditionalRecipients))
    bundle_config: BundleConfig | None = option(Part(BundleConfig))


@dataclass(frozen=True)
class NotificationRule(RequestedAsset[NotificationRuleFields]):
    """A notification rule; `body` is its attributes, `outer` the request or the element of an answer around them."""

    table = NotificationRuleFields
    api_type = 'monitor-notification-rule'
    invalid = _INVALID
    needed = ('filter', 'recipients', 'conditional_recipients')

    def _check(self, fields: NotificationRuleFields, report: Report) -> None:
        if report.failed:
            return
        if not fields.filter.tags and fields.filter.scope is None:
            report.add(_INVALID, ('filter',), 'filter: expected tags or scope')
        conditional = fields.conditional_recipients or self.is_withheld(('conditional_recipients',))
        if not fields.recipients and not conditional:
            report.add(_INVALID, ('recipients',), 'expected recipients or conditional_recipients')
        if fields.conditional_recipients:
            _check_transitions(fields.conditional_recipients.conditions, report)

    @property
    def label(self) -> str:
        return text(self.body.get('name'))

    @property
    def recipients(self) -> tuple[str, ...]:
        """All recipients that the rule may notify, without the leading @."""
        conditional = self.fields.conditional_recipients
        if conditional is None:
            return self.fields.recipients
        of_conditions = (recipient for condition in conditional.conditions for recipient in condition.recipients)
        return tuple(dict.fromkeys((*of_conditions, *conditional.fallback_recipients)))

    @property
    def name(self) -> str:
        return self.fields.name


def _check_transitions(conditions: Sequence[Condition], report: Report) -> None:
    for index, condition in enumerate(conditions):
        key, value = condition.scope or ('', '')
        if key == TRANSITION and value not in FLAGS:
            place: Place = ('conditional_recipients', 'conditions', index, 'scope')
            message = f'{dotted(place)}: no notification has the {TRANSITION} {value!r}{did_you_mean(value, FLAGS)}'
            report.add(_INVALID, place, message, Severity.WARNING, f'known: {", ".join(sorted(FLAGS))}')


def read_notification_rule(source: Source, body: Mapping[str, Any], place: Place = ()) -> NotificationRule:
    """Return a rule: of a request, of an element of an answer, or its attributes alone. Faults do not raise."""
    return NotificationRule.read(source, body, place)
