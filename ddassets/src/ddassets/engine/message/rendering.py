"""Render a message: text, recipients, and the assumptions that it relied on. Section 4 of the semantics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.message.conditions import (
    ALERT,
    NO_DATA,
    OK,
    UNKNOWN,
    WARN,
    Edge,
    assumed,
    conditions,
    notified_conditions,
)
from ddassets.engine.message.handles import Handle, find_handles, mentions
from ddassets.engine.message.variables import Context, Variables, escape
from ddassets.language.message.expression import Expression, ExpressionError
from ddassets.language.message.functions import Value
from ddassets.language.message.tree import (
    Block,
    Branch,
    Call,
    Comment,
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
class Rendered:
    """`problems` are unknown variables and calculations without a result, which print nothing.

    `textless` are the recipients with an empty text (rule 4.3b).
    """

    text: str
    handles: tuple[str, ...]
    reached: frozenset[Branch]
    assumptions: tuple[str, ...]
    problems: tuple[Fault, ...]
    priority: int | None
    textless: tuple[str, ...] = ()


def render(template: Template, context: Context, escalation: Template | None = None) -> Rendered:
    """Render a message, then find its handles (rule 4.12).

    `escalation` is the monitor's escalation_message, which only a renotification contains (rule 3.23).
    """
    flags = conditions(context.transition, context.assumptions)
    run = _Run(context, flags)
    text = run.nodes(template.nodes)
    reached = frozenset(run.reached)
    if escalation and context.transition.source == context.transition.target:
        more = run.nodes(escalation.nodes)
        text = more if run.assumptions.escalation_place == 'replace' else f'{text.rstrip()}\n\n{more}'
    handles = _names(find_handles(text), text, run)
    textless: tuple[str, ...] = ()
    heard = notified_conditions(flags, context.transition)
    if heard != flags:
        handles, textless = _hidden(template, handles, text, run, _Run(context, heard, heard - flags))
    return Rendered(
        text=text,
        handles=handles,
        reached=reached,
        assumptions=run.assumptions.relied_ids,
        problems=tuple(run.problems),
        priority=run.priority,
        textless=textless,
    )


def _names(handles: Sequence[Handle], text: str, run: '_Run') -> tuple[str, ...]:
    """Return the name of each handle once, with or without a final `.` or `,` (A32)."""
    final = any(handle.doubtful for handle in handles) and run.assumptions.handle_punctuation == 'yes'
    names = (f'{handle.name}{text[handle.end]}' if final and handle.doubtful else handle.name for handle in handles)
    return tuple(dict.fromkeys(names))


def _hidden(
    template: Template, handles: tuple[str, ...], text: str, run: '_Run', heard: '_Run'
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return all recipients of a partly hidden text, and those whose text is empty.

    The handles of the hidden part are notified (rule 4.3b), with the shown text or with an empty one (A92).
    """
    whole = heard.nodes(template.nodes)
    everyone = tuple(dict.fromkeys((*_names(find_handles(whole), whole, heard), *handles)))
    only_hidden = tuple(name for name in everyone if name not in handles)
    if only_hidden and text.strip():
        return everyone, only_hidden if run.assumptions.hidden_recovery == 'an empty text' else ()
    return everyone, only_hidden


class Unheard(NamedTuple):
    """A handle, as written, that a message does not notify. `reasons` say what excludes each of its mentions."""

    handle: str
    reasons: tuple[str, ...]


def unheard(
    template: Template, context: Context, recipients: Sequence[str], escalation: Template | None = None
) -> list[Unheard]:
    """Return the handles of a message, and of the escalation_message, that are not among its recipients.

    >>> from ddassets.engine.message import Context, Edge, parse
    >>> from ddassets.engine.state import State
    >>> context = Context(Edge(State.OK, State.ALERT), tags={'host': ['pg-3']})
    >>> unheard(parse('{{#is_match "host.name" "db-"}} @ops {{/is_match}}'), context, ())
    [Unheard(handle='@ops', reasons=('is_match "host.name" "db-" is false, host.name is pg-3',))]
    """
    flags = conditions(context.transition, context.assumptions)
    runs = [_Run(context, flags), _Run(context, notified_conditions(flags, context.transition))]
    again = context.transition.source == context.transition.target
    replaced = again and escalation is not None and runs[0].assumptions.escalation_place == 'replace'
    reasons: dict[str, dict[str, None]] = {}
    reached = set(recipients)
    for one in (template, escalation) if escalation else (template,):
        excluded = 'the escalation_message replaces the message' if replaced and one is template else ''
        if one is escalation and not again:
            excluded = 'only renotifications contain the escalation_message'
        for mention in mentions(one):
            unmet = [excluded] if excluded else [run.unmet(mention.path) for run in runs]
            if all(unmet):
                reasons.setdefault(mention.name, {})[unmet[0]] = None
            else:
                reached.add(mention.name)
    return [Unheard(name, tuple(why)) for name, why in reasons.items() if name not in reached]


_PREFIXES = {ALERT: 'Triggered', WARN: 'Warn', NO_DATA: 'No data', OK: 'Recovered', UNKNOWN: 'Unknown'}


def transition_words(edge: Edge, assumptions: Assumptions) -> str:
    """Return `Triggered`, `Re-Triggered`, `Recovered`, … Rule 3.24."""
    before, after = edge
    again = before == after
    words = _PREFIXES[after]
    if after == NO_DATA or (again and after == WARN):
        chosen = assumptions.title_words
        words = chosen if after == NO_DATA else words
    return f'Re-{words}' if again else words


def render_title(name: Template, context: Context, include_tags: bool = True) -> Rendered:
    """Render the title of a notification: `[P1] [Triggered on {host:h1}] Name`. Rule 3.24.

    It contains the tags of the group, by key; a simple alert has none.
    """
    run = _Run(context, conditions(context.transition, context.assumptions))
    text = run.nodes(name.nodes)
    words = transition_words(context.transition, run.assumptions)
    tags = ','.join(sorted(context.group, key=lambda tag: tag.partition(':')[::2])) if include_tags else ''
    priority = f'[P{context.priority}] ' if context.priority is not None else ''
    prefix = f'{priority}[{words} on {{{tags}}}] ' if tags else f'{priority}[{words}] '
    return Rendered(
        text=prefix + text,
        handles=(),
        reached=frozenset(run.reached),
        assumptions=run.assumptions.relied_ids,
        problems=tuple(run.problems),
        priority=run.priority,
    )


class _Run:
    """Renders the nodes of one template; `flags` are the state conditionals that hold.

    `hidden` are those whose blocks are rendered only for their handles.
    """

    def __init__(self, context: Context, flags: frozenset[str], hidden: frozenset[str] = frozenset()) -> None:
        self.context = context
        self.flags = flags
        self.hidden = hidden
        self.variables = Variables(context)
        self.assumptions = self.variables.assumptions
        self.reached: set[Branch] = set()
        self.problems: list[Fault] = []
        self.priority = context.priority

    def nodes(self, nodes: Sequence[Node], path: tuple[Literal, ...] = ()) -> str:
        return ''.join(self.node(node, path) for node in nodes)

    def node(self, node: Node, path: tuple[Literal, ...]) -> str:
        match node:
            case Text():
                return node.text
            case Variable():
                text = self.variables.shown(self.lookup(node.parts, node.offset), node.parts)
                return escape(text) if node.escaped else text
            case Call():
                return self.call(node)
            case Block():
                return self.block(node, path)
            case Comment(nested=True):
                self.assumptions.rely_on(Assumptions.comment_end)
        return ''

    def block(self, block: Block, path: tuple[Literal, ...]) -> str:
        holds = self.holds(block.condition, block.offset)
        alternatives = list(ways(block))
        if block.otherwise is not None and block.condition.name != 'is_match':
            if self.assumptions.else_everywhere == 'is_match alone':
                # The mark has no meaning: both parts belong to the block.
                alternatives = [(alternatives[0][0], (*block.body, *block.otherwise))]
        for literal, inside in alternatives:
            if literal.holds == holds:
                taken = (*path, literal)
                self.reached.add(Branch(block.offset, taken))
                text = self.nodes(inside, taken)
                # A text that is not shown does not meet the one around it.
                return f'\n{text}\n' if block.condition.name in self.hidden else text
        return ''

    def holds(self, condition: Condition, offset: int) -> bool:
        name = condition.name
        if name in FLAGS:
            if where := assumed(self.context.transition, name):
                self.assumptions.rely_on(where)
            return name in self.flags
        if name == 'is_priority':
            return self.context.priority is not None and condition.arguments[0] == f'P{self.context.priority}'
        variable, *wanted = condition.arguments
        parts = () if condition.expression else quoted_parts(variable)
        value = (
            self.result(condition.expression, offset)
            if condition.expression
            else self.lookup(parts, offset, tested=True)
        )
        if name == 'is_match':
            text = self.variables.shown(value, parts)
            minded, folded = (self.contains(text, wanted, fold) for fold in (False, True))
        else:
            minded, folded = (_equals(value, wanted, fold) for fold in (False, True))
        return folded if minded != folded and self.assumptions.match_case == 'no' else minded

    def unmet(self, path: Sequence[Literal]) -> str:
        """Return a sentence about the outermost condition that is not as required; empty if all are."""
        for condition, required in path:
            holds = self.holds(condition, 0)
            if holds != required:
                return f'{condition} is {"true" if holds else "false"}{self.compared(condition)}'
        return ''

    def compared(self, condition: Condition) -> str:
        """Return the value that a condition compares, for the end of a sentence."""
        if condition.name in FLAGS:
            return ''
        if condition.name == 'is_priority':
            priority = self.context.priority
            return ', there is no priority' if priority is None else f', the priority is P{priority}'
        if condition.expression:
            name, text = 'the result', self.variables.shown(self.result(condition.expression, 0))
        else:
            name = condition.arguments[0]
            parts = quoted_parts(name)
            text = self.variables.shown(self.lookup(parts, 0, tested=True), parts)
        return f', {name} is {text or "empty"}'

    def contains(self, text: str, wanted: Sequence[str], fold: bool) -> bool:
        """Whether the text contains any of the texts; an empty one matches any text (A93, rule 4.5)."""
        if '' in wanted and (self.assumptions.match_nothing == 'no' or text):
            return True
        if fold:
            text, wanted = text.casefold(), [candidate.casefold() for candidate in wanted]
        return any(candidate in text for candidate in wanted if candidate)

    def call(self, call: Call) -> str:
        match call.function:
            case 'eval':
                assert call.expression
                return self.variables.shown(self.result(call.expression, call.offset))
            case 'local_time':
                return self.local_time(call)
            case 'urlencode':
                parts = quoted_parts(call.arguments[0])
                from urllib.parse import quote

                return quote(self.variables.shown(self.lookup(parts, call.offset), parts), safe='')
        self.priority = int(call.arguments[0].removeprefix('P'))
        return ''

    def result(self, expression: Expression, offset: int) -> Value:
        """Return the result of an expression; without a result, an empty text and a problem."""
        doubtful = expression.mixed or expression.undescribed()
        from_left = doubtful and self.assumptions.eval_format == 'from the left'
        try:
            return expression.evaluate(lambda name: self.operand(name, offset), from_left)
        except ExpressionError as error:
            self.problems.append(Fault(offset, f'eval {expression.text!r}: {error}'))
            return ''

    def operand(self, name: str, offset: int) -> Value:
        value = self.lookup(bare_parts(name), offset)
        return '' if value is None else value

    def local_time(self, call: Call) -> str:
        name, zone = call.arguments
        seconds = self.variables.time(name)
        if seconds is None:
            return ''
        local = datetime.fromtimestamp(int(seconds), ZoneInfo(zone))
        return local.isoformat(' ', timespec='seconds')

    def lookup(self, parts: tuple[str, ...], offset: int, tested: bool = False) -> Value | None:
        """Look a variable up. An unknown variable is empty, and a problem."""
        value = self.variables.value(parts, tested)
        while self.variables.missing:
            name = self.variables.missing.pop()
            self.problems.append(Fault(offset, f'{name} does not exist for this group'))
        return value


def _equals(value: Value | None, wanted: Sequence[str], fold: bool) -> bool:
    """Whether the value equals any of the texts, numbers by value; an empty text matches a missing value (rule 4.5)."""
    text = '' if value is None else str(value)
    if fold:
        text, wanted = text.casefold(), [candidate.casefold() for candidate in wanted]
    return any(candidate == text or _same_number(value, candidate) for candidate in wanted)


def _number(value: Value | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _same_number(value: Value | None, text: str) -> bool:
    number, wanted = _number(value), _number(text)
    return not isinstance(value, str) and number is not None and number == wanted
