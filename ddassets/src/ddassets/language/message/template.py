"""The template language of a notification message, read into a tree whose every node knows its offset. Rule 4.1."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from ddassets.diagnostic import Excerpt, UnusableInputError
from ddassets.language.message.expression import Expression, ExpressionError, parse_expression
from ddassets.language.message.vocabulary import CONDITIONALS, FLAGS
from ddassets.nearest import did_you_mean

DEEPEST = 32
MOST_FAULTS = 50
PRIORITIES = ('P1', 'P2', 'P3', 'P4', 'P5')
TRIGGER_TIMES = ('first_triggered_at', 'last_triggered_at')

# Name: the least and the greatest number of arguments.
_FUNCTIONS = {'eval': (1, 1), 'local_time': (2, 2), 'urlencode': (1, 1), 'override_priority': (1, 1)}
_TAG = re.compile(r'\{\{((?:"[^"]*"|\'[^\']*\'|(?!\}\}|\{\{)[^"\'])*)\}\}')
_ARGUMENT = re.compile(r'\s*(?:"([^"]*)"|\'([^\']*)\')(?=\s|$)')
_PATH = re.compile(r'(?:\[[^\][{}]+\]|[\w@/-]+)(?:\.(?:\[[^\][{}]+\]|[\w@/-]+))*')
_PART = re.compile(r'\[([^\][{}]+)\]|([\w@/-]+)')


class Fault(NamedTuple):
    """One thing in a message that is not of the language, or that is but will surprise. `offset` is in characters."""

    offset: int
    message: str


class MessageSyntaxError(UnusableInputError):
    """A text that is no message, with every fault of it. The details put a caret under each."""

    def __init__(self, text: str, faults: Collection[Fault]) -> None:
        self.text = text
        self.faults = tuple(sorted(faults))
        first = self.faults[0]
        line, column = position(text, first.offset)
        super().__init__(
            f'line {line}, column {column}: {first.message}',
            '\n'.join(f'{_caret(text, fault.offset)} {fault.message}' for fault in self.faults),
        )


def position(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column, both from 1."""
    return text.count('\n', 0, offset) + 1, offset - text.rfind('\n', 0, offset)


def _caret(text: str, offset: int) -> str:
    return '\n'.join(Excerpt(text, offset, offset + 1).caret())


# The tree


@dataclass(frozen=True)
class Text:
    offset: int
    end: int
    text: str


@dataclass(frozen=True)
class Comment:
    offset: int
    end: int


@dataclass(frozen=True)
class Variable:
    """`{{host.name}}`. `[a.b].name` has the parts `a.b` and `name` (rule 4.8)."""

    offset: int
    end: int
    parts: tuple[str, ...]
    escaped: bool


@dataclass(frozen=True)
class Call:
    """`{{eval "…"}}`, `{{local_time '…' '…'}}`, `{{urlencode "…"}}`, `{{override_priority '…'}}`. Rule 4.10."""

    offset: int
    end: int
    function: str
    arguments: tuple[str, ...]
    expression: Expression | None


@dataclass(frozen=True)
class Condition:
    """What a block asks: `is_alert`, or `is_match` with its arguments."""

    name: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ' '.join([self.name, *(f'"{argument}"' for argument in self.arguments)])


@dataclass(frozen=True)
class Block:
    """`{{#is_alert}}…{{else}}…{{/is_alert}}`, or `{{^…}}`, which is `inverted`. `otherwise` is None without an else."""

    offset: int
    end: int
    condition: Condition
    inverted: bool
    body: 'tuple[Node, ...]'
    otherwise: 'tuple[Node, ...] | None'
    marks: tuple[tuple[int, int], ...]  # where its own tags stand


type Node = Text | Comment | Variable | Call | Block


class Literal(NamedTuple):
    """A condition, and whether it has to hold."""

    condition: Condition
    holds: bool

    def __str__(self) -> str:
        return str(self.condition) if self.holds else f'not {self.condition}'


class Branch(NamedTuple):
    """One way through a block. `path` is what has to hold, the outermost block first."""

    offset: int
    path: tuple[Literal, ...]

    def __str__(self) -> str:
        return ' and '.join(map(str, self.path))


class Use(NamedTuple):
    """A variable that the message reads."""

    offset: int
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return '.'.join(f'[{part}]' if '.' in part else part for part in self.parts)


@dataclass(frozen=True)
class Template:
    """A message that has been read. `warnings` are what is of the language and will surprise."""

    text: str
    nodes: tuple[Node, ...]
    warnings: tuple[Fault, ...]

    def walk(self) -> Iterator[tuple[Node, tuple[Literal, ...]]]:
        """Yield each node and what has to hold for it to be rendered, in the order of the text."""
        return _walk(self.nodes, ())

    @cached_property
    def _branches(self) -> tuple[Branch, ...]:
        found = []
        for node, path in self.walk():
            if isinstance(node, Block):
                found += [Branch(node.offset, (*path, literal)) for literal, _ in ways(node)]
        return tuple(found)

    def branches(self) -> tuple[Branch, ...]:
        """Return every branch that the message spells out: each body, and each `{{else}}`."""
        return self._branches

    def variables(self) -> tuple[Use, ...]:
        """Return every variable that is printed, tested or calculated with, in the order of the text."""
        return tuple(use for node, _ in self.walk() for use in _uses(node))


def ways(block: Block) -> Iterator[tuple[Literal, tuple[Node, ...]]]:
    """Yield each way through a block: what has to hold, and what is rendered then."""
    yield Literal(block.condition, not block.inverted), block.body
    if block.otherwise is not None:
        yield Literal(block.condition, block.inverted), block.otherwise


def _walk(nodes: tuple[Node, ...], path: tuple[Literal, ...]) -> Iterator[tuple[Node, tuple[Literal, ...]]]:
    for node in nodes:
        yield node, path
        if isinstance(node, Block):
            for literal, inside in ways(node):
                yield from _walk(inside, (*path, literal))


def _uses(node: Node) -> Iterator[Use]:
    match node:
        case Variable():
            yield Use(node.offset, node.parts)
        case Block() if node.condition.name in ('is_match', 'is_exact_match'):
            yield Use(node.offset, quoted_parts(node.condition.arguments[0]))
        case Call() if node.expression:
            yield from (Use(node.offset, bare_parts(name.name)) for name in node.expression.names())
        case Call() if node.function in ('local_time', 'urlencode'):
            yield Use(node.offset, quoted_parts(node.arguments[0]))


def bare_parts(path: str) -> tuple[str, ...]:
    """Split `[a.b].name` into `a.b` and `name`."""
    return tuple(bracketed or plain for bracketed, plain in _PART.findall(path))


def quoted_parts(path: str) -> tuple[str, ...]:
    """Split the name of a variable in quotes, where a dotted key needs no brackets: `a.b.name` is of the key `a.b`."""
    if '[' in path or '.' not in path:
        return bare_parts(path)
    return tuple(path.rsplit('.', 1))


# Reading


def parse(text: str) -> Template:
    """Read a message. Raises MessageSyntaxError with every fault, the first 50 if there are more."""
    reader = _Reader(text)
    nodes = reader.read()
    if reader.faults:
        raise MessageSyntaxError(text, reader.faults)
    return Template(text, nodes, tuple(reader.warnings))


@dataclass
class _Open:
    """A block that is not closed yet."""

    offset: int
    end: int
    condition: Condition
    inverted: bool
    marks: list[tuple[int, int]]
    body: list[Node]
    otherwise: list[Node] | None = None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.top: list[Node] = []
        self.open: list[_Open] = []

    def fault(self, offset: int, message: str) -> None:
        self.faults.append(Fault(offset, message))
        if len(self.faults) == MOST_FAULTS:
            raise MessageSyntaxError(self.text, self.faults)

    def add(self, node: Node) -> None:
        if not self.open:
            self.top.append(node)
        elif self.open[-1].otherwise is not None:
            self.open[-1].otherwise.append(node)
        else:
            self.open[-1].body.append(node)

    def read(self) -> tuple[Node, ...]:
        at = 0
        while at < len(self.text):
            tag = self.text.find('{{', at)
            tag = len(self.text) if tag < 0 else tag
            if tag > at:
                self.add(Text(at, tag, self.text[at:tag]))
            at = self.tag(tag) if tag < len(self.text) else tag
        while self.open:
            block = self.open[-1]
            self.fault(block.offset, f'{{{{#{block.condition.name}}}}} is not closed')
            self.close(block, len(self.text))
        return tuple(self.top)

    def tag(self, at: int) -> int:
        """Read what begins with `{{`, and return where it ends."""
        text = self.text
        if text.startswith('{{{{', at):
            return self.raw(at)
        if text.startswith('{{!', at):
            closing = '--}}' if text.startswith('{{!--', at) else '}}'
            end = text.find(closing, at + 3)
            if end < 0:
                self.fault(at, f'the comment is not closed: expected {closing}')
                return len(text)
            self.add(Comment(at, end + len(closing)))
            return end + len(closing)
        bare = text.startswith('{{{', at)
        match = _TAG.match(text, at + bare)
        if not match or (bare and not text.startswith('}', match.end())):
            closing = '}}}' if bare else '}}'
            self.fault(at, f'`{"{{{" if bare else "{{"}` is not closed: expected {closing}')
            return at + len(closing)
        end = match.end() + bare
        self.inside(match[1].strip(), at, end, escaped=not bare)
        return end

    def raw(self, at: int) -> int:
        opening, closing = '{{{{raw}}}}', '{{{{/raw}}}}'
        if not self.text.startswith(opening, at):
            self.fault(at, f'`{{{{{{{{` opens a raw block: expected {opening}')
            return at + 4
        end = self.text.find(closing, at)
        if end < 0:
            self.fault(at, f'{opening} is not closed: expected {closing}')
            return len(self.text)
        start = at + len(opening)
        # The marks are no text: what stands around them meets what stands between only once it is rendered.
        self.add(Comment(at, start))
        if end > start:
            self.add(Text(start, end, self.text[start:end]))
        self.add(Comment(end, end + len(closing)))
        return end + len(closing)

    def inside(self, content: str, at: int, end: int, escaped: bool) -> None:
        if content[:1] in ('#', '^', '/') and not escaped:
            self.fault(at, f'`{{{{{{` prints a variable: write {{{{{content}}}}} for a conditional')
        elif content == 'else':
            self.otherwise(at, end)
        elif content[:1] in ('#', '^'):
            self.block(content[1:].strip(), content[0] == '^', at, end)
        elif content[:1] == '/':
            self.closing(content[1:].strip(), at, end)
        elif _PATH.fullmatch(content):
            self.variable(content, at, end, escaped)
        elif not content:
            self.fault(at, 'nothing stands between the braces')
        else:
            self.call(content, at, end)

    def variable(self, content: str, at: int, end: int, escaped: bool) -> None:
        if content in CONDITIONALS:
            self.warnings.append(Fault(at, f'{content} is a conditional: write {{{{#{content}}}}}…{{{{/{content}}}}}'))
        if content in _FUNCTIONS:
            self.fault(at, f'{content} needs an argument in quotes')
        self.add(Variable(at, end, bare_parts(content), escaped))

    def arguments(self, content: str, at: int) -> tuple[str, tuple[str, ...]] | None:
        """Return the name and what stands in quotes behind it."""
        name, *rest = content.split(None, 1)
        found: list[str] = []
        position, text = 0, rest[0].rstrip() if rest else ''
        while position < len(text):
            match = _ARGUMENT.match(text, position)
            if not match:
                straight = '; quotes are " or \', not typographic' if re.search('[“”„‘’]', text) else ''
                self.fault(
                    at, f'{name}: expected arguments in quotes, found {text[position:].strip()[:40]!r}{straight}'
                )
                return None
            found.append(match[1] if match[1] is not None else match[2])
            position = match.end()
        return name, tuple(found)

    def call(self, content: str, at: int, end: int) -> None:
        name = content.split(None, 1)[0]
        if name in CONDITIONALS:
            self.fault(at, f'{name} is a conditional: write {{{{#{content}}}}}')
            return
        if name not in _FUNCTIONS:
            what = 'function' if _PATH.fullmatch(name) else 'variable or function'
            self.fault(at, f'unknown {what} {name[:40]!r}{did_you_mean(name, _FUNCTIONS)}')
            return
        given = self.arguments(content, at)
        if given is None:
            return
        _, arguments = given
        least, greatest = _FUNCTIONS[name]
        if not least <= len(arguments) <= greatest:
            self.fault(at, f'{name}: expected {least} argument{"s" * (least > 1)}, found {len(arguments)}')
            return
        expression = None
        if name == 'eval':
            try:
                expression = parse_expression(arguments[0])
            except ExpressionError as error:
                self.fault(self.text.find(arguments[0], at) + error.offset, f'eval: {error}')
        elif name == 'override_priority' and arguments[0] not in PRIORITIES:
            self.fault(at, f'override_priority: expected one of {", ".join(PRIORITIES)}, found {arguments[0][:40]!r}')
        elif name == 'local_time':
            self.local_time(arguments, at)
        elif name == 'urlencode' and not _PATH.fullmatch(arguments[0]):
            self.fault(at, f'urlencode: expected a variable, found {arguments[0][:40]!r}')
        self.add(Call(at, end, name, arguments, expression))

    def local_time(self, arguments: tuple[str, ...], at: int) -> None:
        name, zone = arguments
        if name.removesuffix('_epoch') not in TRIGGER_TIMES:
            close = did_you_mean(name, TRIGGER_TIMES)
            self.fault(at, f'local_time: expected {" or ".join(TRIGGER_TIMES)}, found {name[:40]!r}{close}')
        if _zone(zone) is None:
            close = did_you_mean(zone, _zones())
            self.fault(at, f'local_time: {zone[:40]!r} is no time zone{close}')

    def block(self, content: str, inverted: bool, at: int, end: int) -> None:
        given = self.arguments(content, at) if content else ('', ())
        name, arguments = given or (content.split(None, 1)[0], ('', ''))
        if name not in CONDITIONALS:
            found = f'unknown conditional {name[:40]!r}' if name else 'a conditional has no name'
            self.fault(at, f'{found}{did_you_mean(name, CONDITIONALS)}')
        elif given:
            self.check(name, arguments, at)
        if len(self.open) == DEEPEST:
            self.fault(at, f'more than {DEEPEST} conditionals within each other')
            raise MessageSyntaxError(self.text, self.faults)
        self.open.append(_Open(at, end, Condition(name, arguments), inverted, [(at, end)], []))

    def check(self, name: str, arguments: tuple[str, ...], at: int) -> None:
        if name in FLAGS:
            if arguments:
                self.fault(at, f'{name} takes no arguments')
        elif name == 'is_priority':
            if len(arguments) != 1 or arguments[0] not in PRIORITIES:
                self.fault(at, f'is_priority: expected one of {", ".join(PRIORITIES)} in quotes')
        elif len(arguments) < 2:
            self.fault(at, f'{name}: expected a variable and at least one text, each in quotes')
        elif not _PATH.fullmatch(arguments[0]):
            self.fault(at, f'{name}: expected a variable, found {arguments[0][:40]!r}')
        elif len(quoted_parts(arguments[0])) == 1 and arguments[0] not in BARE_VARIABLES:
            self.warnings.append(Fault(at, f'{name}: write "{arguments[0]}.name" for the tag {arguments[0]!r}'))

    def otherwise(self, at: int, end: int) -> None:
        if not self.open:
            self.fault(at, '{{else}} stands outside every conditional')
        elif self.open[-1].otherwise is not None:
            self.fault(at, f'{{{{#{self.open[-1].condition.name}}}}} has two {{{{else}}}}')
        else:
            self.open[-1].otherwise = []
            self.open[-1].marks.append((at, end))

    def closing(self, name: str, at: int, end: int) -> None:
        names = [block.condition.name for block in self.open]
        if name not in names:
            inner = f'; the innermost open one is {{{{#{names[-1]}}}}}' if names else ''
            self.fault(at, f'{{{{/{name[:40]}}}}} closes nothing{inner}')
            return
        while self.open[-1].condition.name != name:
            block = self.open[-1]
            line, column = position(self.text, block.offset)
            self.fault(
                at,
                f'{{{{/{name}}}}} crosses {{{{#{block.condition.name}}}}}, '
                f'opened at line {line}, column {column} and not closed',
            )
            self.close(block, at)
        self.open[-1].marks.append((at, end))
        self.close(self.open[-1], end)

    def close(self, block: _Open, end: int) -> None:
        self.open.pop()
        otherwise = None if block.otherwise is None else tuple(block.otherwise)
        node = Block(
            block.offset, end, block.condition, block.inverted, tuple(block.body), otherwise, tuple(block.marks)
        )
        self.add(node)


#: The variables of rule 4.6, which belong to no tag.
BARE_VARIABLES = frozenset({
    'value', 'threshold', 'warn_threshold', 'alert_recovery_threshold', 'warn_recovery_threshold', 'ok_threshold',
    'comparator', 'first_triggered_at', 'first_triggered_at_epoch', 'last_triggered_at', 'last_triggered_at_epoch',
    'triggered_duration_sec',
})  # fmt: skip


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
