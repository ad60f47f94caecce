"""Parse YAML text to nodes with lines.

PyYAML's composer is recursive, so a hostile file would crash Python.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any, NoReturn

import yaml

from ddassets.diagnostic import Position

# Limits the expansion of aliases: a small file could otherwise exceed the memory.
MAX_VALUES = 1_000_000
MAX_DEPTH = 50


class YamlError(Exception):
    """Text that is not YAML, or exceeds a limit. `position` is None if the parser gives none."""

    def __init__(self, message: str, position: Position | None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def compose_document(text: str) -> yaml.Node | None:
    """Return the top node of a text with one document, None for an empty text. Raises YamlError."""
    return _guarded(lambda: Composer().compose(_events(text)))


def compose_stream(text: str) -> list[yaml.Node]:
    """Return the top nodes of all documents of a text, without empty documents. Raises YamlError."""
    return _guarded(lambda: list(_documents(_events(text))))


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader)))


def _documents(events: Iterator[Any]) -> Iterator[yaml.Node]:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            inside = takewhile(lambda each: not isinstance(each, yaml.DocumentEndEvent), events)
            if (node := Composer().compose(inside)) is not None and not is_null(node):
                yield node


def _guarded[T](compose: Callable[[], T]) -> T:
    try:
        return compose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else None
        raise YamlError(f'not YAML: {error.problem or error.context}', position) from None
    except yaml.YAMLError as error:
        raise YamlError(f'not YAML: {" ".join(str(error).split())}', None) from None


def is_null(node: yaml.Node) -> bool:
    return bool(node.tag == 'tag:yaml.org,2002:null')


class Composer:
    """Creates the nodes of a document. `sizes` are the sizes of the anchors: an alias has the size of its anchor."""

    def __init__(self) -> None:
        self.resolver: Any = yaml.resolver.Resolver()
        self.anchors: dict[str | None, yaml.Node] = {}
        self.sizes: dict[str | None, int] = {}
        self.size = 0

    def compose(self, events: Iterable[Any]) -> yaml.Node | None:
        """Return the top node of the document, None if it is empty. Raises YamlError if the document is too large."""
        top: yaml.Node | None = None
        # Each open list or mapping, its anchor, and the size at its start.
        opened: list[tuple[yaml.CollectionNode, str | None, int]] = []
        for event in events:
            if isinstance(event, yaml.CollectionEndEvent):
                node, anchor, size = opened.pop()
                node.end_mark = event.end_mark
                self._name(anchor, node, self.size - size)
            elif isinstance(event, yaml.NodeEvent):
                if top is not None and not opened:
                    self._refuse(event, 'found a second document, expected only one')
                found = self._node(event)
                if opened:
                    opened[-1][0].value.append(found)
                top = found if top is None else top
                if isinstance(event, yaml.CollectionStartEvent):
                    if len(opened) == MAX_DEPTH:
                        self._refuse(event, f'found more than {MAX_DEPTH} levels')
                    opened.append((found, event.anchor, self.size))
        return self._paired(top)

    def _node(self, event: Any) -> Any:
        self.size += 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                self._refuse(
                    event,
                    f'found the alias *{event.anchor}, expected a complete anchor above it; '
                    'a text that begins with * must be in quotes',
                )
            self.size += self.sizes[event.anchor]
        if self.size > MAX_VALUES:
            self._refuse(event, f'found more than {MAX_VALUES:,} values, with aliases expanded')
        if isinstance(event, yaml.AliasEvent):
            return self.anchors[event.anchor]
        marks = (event.start_mark, event.end_mark)
        if isinstance(event, yaml.ScalarEvent):
            tag = event.tag or self.resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
            node = yaml.ScalarNode(tag, event.value, *marks, style=event.style)
            self._name(event.anchor, node, 0)
            return node
        kind = yaml.SequenceNode if isinstance(event, yaml.SequenceStartEvent) else yaml.MappingNode
        return kind(event.tag, [], *marks, flow_style=event.flow_style)

    def _name(self, anchor: str | None, node: yaml.Node, size: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
            self.sizes[anchor] = size

    def _paired(self, top: yaml.Node | None) -> yaml.Node | None:
        """Combine the alternating keys and values of mappings into pairs."""
        seen: set[int] = set()
        pending = [top] if top is not None else []
        while pending:
            node = pending.pop()
            if isinstance(node, yaml.CollectionNode) and id(node) not in seen:
                seen.add(id(node))
                pending.extend(node.value)
                if isinstance(node, yaml.MappingNode):
                    node.value = list(zip(node.value[::2], node.value[1::2], strict=True))
        return top

    def _refuse(self, event: Any, message: str) -> NoReturn:
        mark = event.start_mark
        raise YamlError(message, Position(mark.line + 1, mark.column + 1))
