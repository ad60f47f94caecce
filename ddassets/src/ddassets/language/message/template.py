"""Parse the template language of a notification message. Rule 4.1."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ddassets.language.message.expression import Expression, ExpressionError, parse_expression
from ddassets.language.message.tree import (
    Block,
    Call,
    Comment,
    Condition,
    Fault,
    MessageSyntaxError,
    Node,
    Template,
    Text,
    Variable,
    bare_parts,
    position,
    quoted_parts,
)
from ddassets.language.message.vocabulary import BARE_VARIABLES, CONDITIONALS, FLAGS
from ddassets.nearest import did_you_mean
from ddassets.regex import regex
from ddassets.zones import find_zone, zone_names

MAX_DEPTH = 32
MAX_FAULTS = 50
PRIORITIES = ('P1', 'P2', 'P3', 'P4', 'P5')
TRIGGER_TIMES = ('first_triggered_at', 'last_triggered_at')

# Name: the minimum and maximum number of arguments.
_FUNCTIONS = {'eval': (1, 1), 'local_time': (2, 2), 'urlencode': (1, 1), 'override_priority': (1, 1)}
_TAG = regex(r'\{\{((?:"[^"]*"|\'[^\']*\'|(?!\}\}|\{\{)[^"\'])*)\}\}')
_RAW_TAG = regex(r'\{\{\{\{((?:"[^"]*"|\'[^\']*\'|(?!\}\}|\{\{)[^"\'])*)\}\}\}\}')
_QUOTED = r'(?:"([^"]*)"|\'([^\']*)\')'
_ARGUMENT = regex(rf'\s*(?:{_QUOTED}|(\(\s*eval\s+){_QUOTED}\s*\))(?=\s|$)')
_NAME = r'(?:\[[^\][{}]+\]|[\w@/-]+)'
_PATH = regex(rf'{_NAME}(?:\.{_NAME}|\[[^\][{{}}]+\])*')


class _Argument(NamedTuple):
    """`calculated`: it is `(eval "…")`."""

    text: str
    calculated: bool


def parse(text: str, comment_end: str = 'at --}}') -> Template:
    """Parse a message. Raises MessageSyntaxError with at most 50 faults.

    `comment_end` is the end of comments that contain braces (A87); other comments end at the first `}}`.
    """
    reader = _Reader(text, comment_end)
    nodes = reader.read()
    if reader.faults:
        raise MessageSyntaxError(text, reader.faults)
    return Template(text, nodes, tuple(reader.warnings))


@dataclass
class _Open:
    """An open block."""

    offset: int
    end: int
    condition: Condition
    inverted: bool
    marks: list[tuple[int, int]]
    body: list[Node]
    otherwise: list[Node] | None = None


class _Reader:
    def __init__(self, text: str, comment_end: str) -> None:
        self.text = text
        self.comment_end = comment_end
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.top: list[Node] = []
        self.open: list[_Open] = []

    def fault(self, offset: int, message: str) -> None:
        self.faults.append(Fault(offset, message))
        if len(self.faults) == MAX_FAULTS:
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
        """Parse what begins with `{{`, and return its end."""
        text = self.text
        if text.startswith('{{{{', at):
            return self.raw(at)
        if text.startswith('{{!', at):
            return self.comment(at)
        bare = text.startswith('{{{', at)
        match = _TAG.match(text, at + bare)
        if not match or (bare and not text.startswith('}', match.end())):
            closing = '}}}' if bare else '}}'
            self.fault(at, f'`{"{{{" if bare else "{{"}` is not closed: expected {closing}')
            return at + len(closing)
        end = match.end() + bare
        self.inside(match[1].strip(), at, end, escaped=not bare)
        return end

    def comment(self, at: int) -> int:
        """Parse a comment. If it contains `{{` before its first `}}`, it ends at `--}}` (A87)."""
        first, closing = self.text.find('}}', at), '}}'
        nested = self.text.startswith('{{!--', at) and '{{' in self.text[at + 2 : max(first, at)]
        if nested and self.comment_end == 'at --}}':
            closing = '--}}'
        end = self.text.find(closing, at + 3)
        if end < 0:
            self.fault(at, f'the comment is not closed: expected {closing}')
            return len(self.text)
        self.add(Comment(at, end + len(closing), nested))
        return end + len(closing)

    def raw(self, at: int) -> int:
        """Parse `{{{{raw}}}}…{{{{/raw}}}}`, or a raw conditional, whose content is printed unchanged."""
        match = _RAW_TAG.match(self.text, at)
        content = match[1].strip() if match else ''
        name = content.split(None, 1)[0] if content else ''
        if not match or (content != 'raw' and name.lstrip('#^') not in CONDITIONALS):
            self.fault(at, '`{{{{` opens a raw block: expected {{{{raw}}}} or a conditional, such as {{{{is_alert}}}}')
            return at + 4
        start, closing = match.end(), f'{{{{{{{{/{name.lstrip("#^")}}}}}}}}}'
        end = self.text.find(closing, start)
        if end < 0:
            self.fault(at, f'{{{{{{{{{name}}}}}}}}} is not closed: expected {closing}')
            return len(self.text)
        text = (Text(start, end, self.text[start:end]),) if end > start else ()
        stop = end + len(closing)
        if content == 'raw':
            # The marks are not text: the texts before and after them are joined only in the output.
            for node in (Comment(at, start), *text, Comment(end, stop)):
                self.add(node)
        elif name[0] in '#^':
            self.fault(at, f'a raw conditional has no `{name[0]}`: write {{{{{{{{{content[1:]}}}}}}}}}')
        elif condition := self.condition(content, at):
            self.add(Block(at, stop, condition, False, text, None, ((at, start), (end, stop))))
        return stop

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
            self.fault(at, 'the braces are empty')
        else:
            self.call(content, at, end)

    def variable(self, content: str, at: int, end: int, escaped: bool) -> None:
        if content in CONDITIONALS:
            self.warnings.append(Fault(at, f'{content} is a conditional: write {{{{#{content}}}}}…{{{{/{content}}}}}'))
        if content in _FUNCTIONS:
            self.fault(at, f'{content} needs an argument in quotes')
        self.add(Variable(at, end, bare_parts(content), escaped))

    def arguments(self, content: str, at: int) -> tuple[str, tuple[_Argument, ...]] | None:
        """Return the name and its arguments, in quotes or `(eval "…")`."""
        name, *rest = content.split(None, 1)
        arguments: list[_Argument] = []
        end, text = 0, rest[0].rstrip() if rest else ''
        while end < len(text):
            match = _ARGUMENT.match(text, end)
            if not match:
                straight = '; quotes are " or \', not typographic' if re.search('[“”„‘’]', text) else ''
                self.fault(at, f'{name}: expected arguments in quotes, found {text[end:].strip()[:40]!r}{straight}')
                return None
            arguments.append(_Argument(next(match[i] for i in (1, 2, 4, 5) if match[i] is not None), bool(match[3])))
            end = match.end()
        return name, tuple(arguments)

    def expression(self, text: str, at: int) -> Expression | None:
        try:
            return parse_expression(text)
        except ExpressionError as error:
            self.fault(self.text.find(text, at) + error.offset, f'eval: {error}')
            return None

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
        if any(argument.calculated for argument in given[1]):
            self.fault(
                at, f'{name}: expected arguments in quotes; (eval "…") is allowed in is_match and is_exact_match'
            )
            return
        arguments = tuple(argument.text for argument in given[1])
        least, greatest = _FUNCTIONS[name]
        if not least <= len(arguments) <= greatest:
            self.fault(at, f'{name}: expected {least} argument{"s" * (least > 1)}, found {len(arguments)}')
            return
        expression = None
        if name == 'eval':
            expression = self.expression(arguments[0], at)
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
        if find_zone(zone) is None:
            close = did_you_mean(zone, zone_names())
            self.fault(at, f'local_time: {zone[:40]!r} is not a time zone{close}')

    def block(self, content: str, inverted: bool, at: int, end: int) -> None:
        condition = self.condition(content, at) or Condition(content.split(None, 1)[0] if content else '', ('', ''))
        if len(self.open) == MAX_DEPTH:
            self.fault(at, f'more than {MAX_DEPTH} conditionals within each other')
            raise MessageSyntaxError(self.text, self.faults)
        self.open.append(_Open(at, end, condition, inverted, [(at, end)], []))

    def condition(self, content: str, at: int) -> Condition | None:
        """Parse a conditional and its arguments; None if they are invalid."""
        given = self.arguments(content, at) if content else ('', ())
        name, arguments = given or (content.split(None, 1)[0], ())
        if name not in CONDITIONALS:
            problem = f'unknown conditional {name[:40]!r}' if name else 'a conditional has no name'
            self.fault(at, f'{problem}{did_you_mean(name, CONDITIONALS)}')
            return None
        count = len(self.faults)
        if not given:
            return None
        self.check(name, arguments, at)
        expression = self.expression(arguments[0].text, at) if arguments and arguments[0].calculated else None
        texts = tuple(argument.text for argument in arguments)
        return Condition(name, texts, expression) if len(self.faults) == count else None

    def check(self, name: str, arguments: tuple[_Argument, ...], at: int) -> None:
        if name in FLAGS:
            if arguments:
                self.fault(at, f'{name} takes no arguments')
        elif name == 'is_priority':
            if len(arguments) != 1 or arguments[0].text not in PRIORITIES:
                self.fault(at, f'is_priority: expected one of {", ".join(PRIORITIES)} in quotes')
        elif len(arguments) < 2:
            self.fault(at, f'{name}: expected a variable and at least one text, each in quotes')
        elif any(argument.calculated for argument in arguments[1:]):
            self.fault(at, f'{name}: (eval "…") is allowed only as the first argument')
        elif not arguments[0].calculated:
            self.operand(name, arguments[0].text, at)

    def operand(self, name: str, variable: str, at: int) -> None:
        """Check the variable that is_match or is_exact_match compares."""
        if not _PATH.fullmatch(variable):
            self.fault(at, f'{name}: expected a variable, found {variable[:40]!r}')
        elif len(quoted_parts(variable)) == 1 and variable not in BARE_VARIABLES:
            self.warnings.append(
                Fault(
                    at,
                    f'{name} "{variable}" is read as "{variable}.name"; the documentation has both spellings, but '
                    f'a user reports that it does not match without .name: write "{variable}.name"',
                )
            )

    def otherwise(self, at: int, end: int) -> None:
        if not self.open:
            self.fault(at, '{{else}} is outside all conditionals')
        elif self.open[-1].otherwise is not None:
            self.fault(at, f'{{{{#{self.open[-1].condition.name}}}}} has two {{{{else}}}}')
        else:
            self.open[-1].otherwise = []
            self.open[-1].marks.append((at, end))

    def closing(self, name: str, at: int, end: int) -> None:
        names = [block.condition.name for block in self.open]
        if name not in names:
            inner = f'; the innermost open block is {{{{#{names[-1]}}}}}' if names else ''
            self.fault(at, f'{{{{/{name[:40]}}}}} closes no open block{inner}')
            return
        while self.open[-1].condition.name != name:
            block = self.open[-1]
            line, column = position(self.text, block.offset)
            self.fault(
                at,
                f'{{{{/{name}}}}} overlaps {{{{#{block.condition.name}}}}}, '
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
