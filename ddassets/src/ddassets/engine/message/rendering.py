"""A message as it would go out: text, recipients, and what was assumed on the way. Section 4 of the semantics."""

import html
import math
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.message.conditions import ALERT, NO_DATA, OK, WARN, Edge, assumed, conditions
from ddassets.engine.message.handles import find_handles
from ddassets.language.message.expression import ExpressionError
from ddassets.language.message.template import (
    BARE_VARIABLES,
    Block,
    Branch,
    Call,
    Condition,
    Fault,
    Literal,
    Node,
    Template,
    Text,
    Variable,
    bare_parts,
    quoted_parts,
    ways,
)
from ddassets.language.message.vocabulary import FLAGS


@dataclass(frozen=True)
class Host:
    """What a scenario knows of a host: `{{host.ip}}`, its tags by key, `{{host.metadata_machine}}`. Rule 4.9."""

    ip: str = ''
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Everything that a message can ask for. Instants are Unix seconds.

    `values` are the variables of rule 4.6 that are not times: value, threshold, warn_threshold, comparator… `tags` are
    those of the group and those that the filter fixes; `group` holds the group's alone, as `key:value`. `host` is None
    unless the monitor triggers by host. `choices` are the assumptions that are not at their default.
    """

    transition: Edge
    values: Mapping[str, float | str | None] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: Sequence[str] = ()
    host: Host | None = None
    priority: int | None = None
    now: float | None = None
    first_triggered_at: float | None = None
    last_triggered_at: float | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """`problems` are variables that do not exist and calculations without a result: they print nothing."""

    text: str
    handles: tuple[str, ...]
    reached: frozenset[Branch]
    assumptions: tuple[str, ...]
    problems: tuple[Fault, ...]
    priority: int | None


def render(template: Template, context: Context, escalation: Template | None = None) -> Rendered:
    """Render a message, then scan it for handles (rule 4.12).

    `escalation` is the monitor's escalation_message: it goes out with a renotification alone (rule 3.23).
    """
    run = _Run(context)
    text = run.nodes(template.nodes, ())
    reached = run.reached
    if escalation and context.transition.source == context.transition.target:
        run.assumptions.add('A15')
        run.reached = set()  # its offsets are of another text
        more = run.nodes(escalation.nodes, ())
        text = more if context.choices.get('A15') == 'replace' else f'{text}\n{more}'
    found = find_handles(text)
    if any(handle.doubtful for handle in found):
        run.assumptions.add('A32')
    return Rendered(
        text=text,
        handles=tuple(dict.fromkeys(handle.name for handle in found)),
        reached=frozenset(reached),
        assumptions=tuple(name for name in ASSUMPTIONS if name in run.assumptions),
        problems=tuple(run.problems),
        priority=run.priority,
    )


_PREFIXES = {ALERT: 'Triggered', WARN: 'Warn', NO_DATA: 'No data', OK: 'Recovered'}


def transition_words(edge: Edge, choices: Mapping[str, str]) -> tuple[str, bool]:
    """Return `Triggered`, `Re-Triggered`, `Recovered`, …, and whether assumption A26 chose them. Rule 3.24."""
    before, after = edge
    words = 'No Data' if after == NO_DATA and choices.get('A26') == 'No Data' else _PREFIXES[after]
    again = before == after
    return f'Re-{words}' if again else words, after == NO_DATA or (again and after == WARN)


def render_title(name: Template, context: Context, include_tags: bool = True) -> Rendered:
    """Render the title of a notification: `[P1] [Triggered on {host:h1}] Name`. Rule 3.24.

    The tags in it are those of the group, by key; a simple alert has none.
    """
    rendered = render(name, context)
    words, assumed_words = transition_words(context.transition, context.choices)
    tags = ','.join(sorted(context.group, key=lambda tag: tag.partition(':')[::2])) if include_tags else ''
    priority = f'[P{context.priority}] ' if context.priority is not None else ''
    prefix = f'{priority}[{words} on {{{tags}}}] ' if tags else f'{priority}[{words}] '
    relied = {*rendered.assumptions, *(['A26'] if assumed_words else [])}
    return replace(
        rendered, text=prefix + rendered.text, assumptions=tuple(name for name in ASSUMPTIONS if name in relied)
    )


type Value = float | int | str | None


class _Run:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.flags = conditions(context.transition, context.choices)
        self.reached: set[Branch] = set()
        self.assumptions: set[str] = set()
        self.problems: list[Fault] = []
        self.priority = context.priority

    def nodes(self, nodes: Sequence[Node], path: tuple[Literal, ...]) -> str:
        return ''.join(self.node(node, path) for node in nodes)

    def node(self, node: Node, path: tuple[Literal, ...]) -> str:
        match node:
            case Text():
                return node.text
            case Variable():
                return self.escape(self.printed(self.lookup(node.parts, node.offset), node.parts), node.escaped)
            case Call():
                return self.call(node)
            case Block():
                return self.block(node, path)
        return ''

    def block(self, block: Block, path: tuple[Literal, ...]) -> str:
        holds = self.holds(block.condition, block.offset)
        if block.otherwise is not None and block.condition.name != 'is_match':
            self.assumptions.add('A27')
        for literal, inside in ways(block):
            if literal.holds == holds:
                taken = (*path, literal)
                self.reached.add(Branch(block.offset, taken))
                return self.nodes(inside, taken)
        return ''

    def holds(self, condition: Condition, offset: int) -> bool:
        name = condition.name
        if name in FLAGS:
            if where := assumed(self.context.transition, name):
                self.assumptions.add(where)
            return name in self.flags
        if name == 'is_priority':
            return self.context.priority is not None and condition.arguments[0] == f'P{self.context.priority}'
        variable, *wanted = condition.arguments
        parts = quoted_parts(variable)
        value = self.lookup(parts, offset, tested=True)
        minded = self.matches(name, value, parts, wanted, fold=False)
        folded = self.matches(name, value, parts, wanted, fold=True)
        if minded != folded:
            self.assumptions.add('A29')
        return folded if self.context.choices.get('A29') == 'no' else minded

    def matches(self, name: str, value: Value, parts: tuple[str, ...], wanted: Sequence[str], fold: bool) -> bool:
        """Rule 4.5: any of the texts; an empty one asks for something, or, exactly, for nothing."""
        text = self.printed(value, parts) if name == 'is_match' else str('' if value is None else value)
        candidates = list(wanted)
        if fold:
            text, candidates = text.casefold(), [candidate.casefold() for candidate in candidates]
        if name == 'is_match':
            return any(bool(text) if candidate == '' else candidate in text for candidate in candidates)
        return any(candidate == text or _same_number(value, candidate) for candidate in candidates)

    def call(self, call: Call) -> str:
        match call.function:
            case 'eval':
                return self.calculated(call)
            case 'local_time':
                return self.local_time(call)
            case 'urlencode':
                parts = quoted_parts(call.arguments[0])
                return urllib.parse.quote(self.printed(self.lookup(parts, call.offset), parts), safe='')
        self.priority = int(call.arguments[0].removeprefix('P'))
        return ''

    def calculated(self, call: Call) -> str:
        assert call.expression
        if call.expression.mixed or call.expression.undescribed():
            self.assumptions.add('A31')
        try:
            return self.printed(call.expression.evaluate(lambda name: self.operand(name, call.offset)))
        except ExpressionError as error:
            self.problems.append(Fault(call.offset, f'eval {call.arguments[0]!r}: {error}'))
            return ''

    def operand(self, name: str, offset: int) -> float:
        value = self.lookup(bare_parts(name), offset)
        number = _number(value)
        if number is None:
            raise ExpressionError(0, f'{name} is no number here')
        return number

    def local_time(self, call: Call) -> str:
        name, zone = call.arguments
        seconds = self.times().get(name.removesuffix('_epoch'))
        if seconds is None:
            self.assumptions.add('A30')
            return ''
        local = datetime.fromtimestamp(int(seconds), ZoneInfo(zone))
        return local.isoformat(' ', timespec='seconds')

    def times(self) -> dict[str, float | None]:
        return {
            'first_triggered_at': self.context.first_triggered_at,
            'last_triggered_at': self.context.last_triggered_at,
        }

    def lookup(self, parts: tuple[str, ...], offset: int, tested: bool = False) -> Value:
        """Rules 4.6 to 4.9. A variable that does not exist is empty, and a problem.

        `tested`: in the quotes of a conditional a tag may stand without `.name` (rule 4.5).
        """
        match parts:
            case (name,) if name in self.context.values:
                return self.there(self.context.values[name])
            case (name,) if name in BARE_VARIABLES:
                return self.there(self.moment(name))
            case ('host', 'ip') if self.context.host:
                return self.context.host.ip
            case ('host', attribute) if self.context.host and attribute.startswith('metadata_'):
                return self.context.host.metadata.get(attribute.removeprefix('metadata_'), '')
            case (key, 'name'):
                values = self.tag(key)
            case (key,) if tested:
                values = self.tag(key)
            case _:
                values = None
        if values is None:
            self.problems.append(Fault(offset, f'{".".join(parts)} does not exist for this group'))
            return ''
        return ','.join(sorted(values))

    def moment(self, name: str) -> Value:
        """Rule 4.7: what follows from the two instants, or nothing."""
        times = self.times()
        if name == 'triggered_duration_sec':
            since, now = self.context.first_triggered_at, self.context.now
            return None if since is None or now is None else int(now - since)
        seconds = times.get(name.removesuffix('_epoch'))
        if seconds is None:
            return None
        if name in times:
            self.assumptions.add('A16')
            return datetime.fromtimestamp(int(seconds), UTC).isoformat()
        return round(seconds * 1000)

    def tag(self, key: str) -> Sequence[str] | None:
        values = self.context.tags.get(key)
        return self.context.host.tags.get(key) if values is None and self.context.host else values

    def there(self, value: Value) -> Value:
        if value is None:
            self.assumptions.add('A30')
        return value

    def printed(self, value: Value, parts: tuple[str, ...] = ()) -> str:
        """Rule 4.6: `value` has at most three decimals; thresholds and results of eval print as they are."""
        if isinstance(value, int | float):
            self.assumptions.add('A16')
        if isinstance(value, float) and parts == ('value',) and self.context.choices.get('A16') != 'raw':
            value = round(value, 3)
        return '' if value is None else str(value)

    def escape(self, text: str, escaped: bool) -> str:
        if escaped and (safe := html.escape(text)) != text:
            self.assumptions.add('A28')
            return safe
        return text


def _number(value: Value) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _same_number(value: Value, text: str) -> bool:
    number, wanted = _number(value), _number(text)
    return not isinstance(value, str) and number is not None and number == wanted
