"""Recipients: @-handles in a rendered message, and in a template before rendering. Rules 4.4, 4.11, 4.12."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.message.conditions import TRANSITIONS, Edge, conditions, notified_conditions
from ddassets.language.message.template import parse
from ddassets.language.message.tree import Call, Literal, Node, Template, Text, Variable
from ddassets.language.message.vocabulary import FLAGS
from ddassets.regex import regex

# Stand-ins in a template's text, one for each character of a variable and of a mark that prints nothing.
_HOLE, _MARK = '\ue000', '\ue001'
_WORD = rf'[\w.+\-{_HOLE}]'
_HANDLE = regex(
    rf'(?<![\w@])@(?P<name>workflow-[\w\-{_HOLE}]+(?=\()|{_WORD}+@{_WORD}+|{_WORD}+)(?P<arguments>\([^()\n{_MARK}]*\))?'
)
_RUN = regex(rf'(?<!\w)@(?:(?P<run>[\w.+\-@{_HOLE}]+)|(?={_MARK}))(?P<arguments>\([^()\n{_MARK}]*\))?')
_NO_SPACE_BEFORE = frozenset(' \t\r\n)]}>,;:!?"\'*')


class Handle(NamedTuple):
    """A mention. `name` begins with `@`; `arguments` are those of a workflow, in their parentheses."""

    name: str
    arguments: str
    start: int
    end: int
    doubtful: bool  # a `.` or `,` follows, which may or may not count as part of it (rule 4.12)


def find_handles(text: str) -> list[Handle]:
    """Find the handles in a rendered text. A final `.` or `,` is not part of a handle (rule 4.12, A32)."""
    return _find(text.replace(_HOLE, ' ').replace(_MARK, ' '))


def _find(text: str) -> list[Handle]:
    found = []
    for match in _HANDLE.finditer(text):
        name = match['name'].rstrip('.+-')
        if not name or name[0] in '.+-':
            continue
        whole = name == match['name']
        arguments = (match['arguments'] or '') if whole and name.startswith('workflow-') else ''
        end = match.start('name') + len(name) + len(arguments)
        found.append(Handle(f'@{name}', arguments, match.start(), end, text[end : end + 1] in ('.', ',')))
    return found


def handles(text: str) -> tuple[str, ...]:
    """Return each handle in a rendered text once, in order, without the arguments of a workflow."""
    return tuple(dict.fromkeys(handle.name for handle in find_handles(text)))


# Before rendering


class Mention(NamedTuple):
    """A handle as written in the template, such as `@slack-{{service.name}}`, and the conditions under which it is
    sent.
    """

    name: str
    offset: int
    path: tuple[Literal, ...]
    doubtful: bool


def mentions(template: Template) -> list[Mention]:
    """Return each handle of a template, in order."""
    shape, paths = _shape(template)
    found = []
    for handle in _find(shape):
        name = template.text[handle.start : handle.start + len(handle.name)]
        found.append(Mention(name, handle.start, paths[handle.start], handle.doubtful))
    return found


@dataclass(frozen=True)
class Reach:
    """The transitions on which a handle is notified: always, or depending on is_match."""

    handle: str
    offsets: tuple[int, ...]
    always: frozenset[Edge]
    sometimes: frozenset[Edge]


def reach(
    template: Template, assumptions: Assumptions | None = None, edges: Iterable[Edge] = TRANSITIONS
) -> list[Reach]:
    """Return, for each handle of a template, the transitions of `edges` that notify it. Rules 4.3 and 4.4."""
    by_name: dict[str, list[Mention]] = {}
    for mention in mentions(template):
        by_name.setdefault(mention.name, []).append(mention)
    return [_reach(name, found, assumptions, tuple(edges)) for name, found in by_name.items()]


def _reach(name: str, found: Sequence[Mention], assumptions: Assumptions | None, edges: Sequence[Edge]) -> Reach:
    always, sometimes = set(), set()
    for edge in edges:
        flags = conditions(edge, assumptions)
        heard = notified_conditions(flags, edge)
        open_paths = [
            tuple(literal for literal in mention.path if literal.condition.name not in FLAGS)
            for mention in found
            if _holds(mention.path, flags) or _holds(mention.path, heard)
        ]
        if _covers(open_paths, _MAX_TESTS):
            always.add(edge)
        elif any(_possible(path) for path in open_paths):
            sometimes.add(edge)
    return Reach(name, tuple(mention.offset for mention in found), frozenset(always), frozenset(sometimes))


def _holds(path: Sequence[Literal], flags: frozenset[str]) -> bool:
    states = (literal for literal in path if literal.condition.name in FLAGS)
    return all((literal.condition.name in flags) == literal.holds for literal in states)


# Beyond so many different tests for one handle, `sometimes` is as much as is said.
_MAX_TESTS = 10


def _covers(paths: Sequence[tuple[Literal, ...]], left: int) -> bool:
    """Whether one of the paths is taken whatever the results of the tests: tries both results of the first test."""
    if not paths or all(paths) and not left:
        return False
    if not all(paths):
        return True
    condition = paths[0][0].condition
    for holds in (True, False):
        rest = [
            tuple(literal for literal in path if literal.condition != condition)
            for path in paths
            if Literal(condition, not holds) not in path
        ]
        if not _covers(rest, left - 1):
            return False
    return True


def _possible(path: tuple[Literal, ...]) -> bool:
    return not any(Literal(literal.condition, not literal.holds) in path for literal in path)


def _shape(template: Template) -> tuple[str, dict[int, tuple[Literal, ...]]]:
    """Return the template's text with placeholders of equal length, and the path of each printed character."""
    shape = [_MARK] * len(template.text)
    paths: dict[int, tuple[Literal, ...]] = {}
    for node, path in template.walk():
        for offset, character in _printed(node):
            shape[offset] = character
            if character == '@':
                paths[offset] = path
    return ''.join(shape), paths


def _printed(node: Node) -> Iterator[tuple[int, str]]:
    match node:
        case Text():
            for offset, character in enumerate(node.text, node.offset):
                yield offset, ' ' if character in (_HOLE, _MARK) else character
        case Variable():
            yield from ((offset, _HOLE) for offset in range(node.offset, node.end))
        case Call() if node.function != 'override_priority':
            yield from ((offset, _HOLE) for offset in range(node.offset, node.end))


# Rewriting


def redirect(text: str, handle: str) -> str:
    """Replace every handle of a message, also those built with variables, so that only `handle` is notified.

    Variables are assumed to contain no `@`, as a tag value cannot. Raises UnusableInputError for an invalid `handle`,
    and MessageSyntaxError.
    """
    _checked(handle)
    shape, _ = _shape(parse(text))
    pieces, at = [], 0
    for match in _RUN.finditer(shape):
        run = match['run'] or ''
        if match['run'] is not None and not run.strip('.+-@'):
            following = shape[match.end() : match.end() + 1]
            if following != _MARK:
                continue
        # A final stop ends the sentence, unless something is glued to it.
        end = match.end()
        stop = 0
        if not match['arguments'] and (end == len(shape) or shape[end].isspace()):
            stop = len(run) - len(run.rstrip('.'))
        end -= stop
        glued = not stop and end < len(shape) and shape[end] not in _NO_SPACE_BEFORE
        # In `@a-@b` behind a variable the second counts whatever the variable prints: it may not be lost.
        several = '@' in run and run.rstrip('.') != handle[1:]
        kept = several and shape[match.start() - 1 : match.start()] in (_HOLE, _MARK, '@')
        pieces += [text[at : match.start()], ' ' * kept, handle, ' ' * glued]
        at = end
    return ''.join([*pieces, text[at:]])


def notify(text: str, handle: str) -> str:
    """Add a recipient outside all conditionals, unless it is there already, so that it is notified of each transition.

    Raises UnusableInputError for an invalid `handle`, and MessageSyntaxError.
    """
    _checked(handle)
    if any(mention.name == handle and not mention.path for mention in mentions(parse(text))):
        return text
    if not text:
        return handle
    return f'{text}{handle}\n' if text.endswith('\n') else f'{text}\n{handle}'


def _checked(handle: str) -> None:
    found = find_handles(handle)
    if len(found) != 1 or found[0].name != handle:
        raise UnusableInputError(f'expected a handle such as @you@example.com or @slack-ops, found {handle!r}')
