"""From the events of a YAML parser to nodes that know their line.

The library's own composer calls itself for each level, so that a hostile file ends Python itself.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ddassets.diagnostic import UnusableInputError

# A small file whose aliases repeat what they name could ask for more than fits into memory.
MOST_VALUES = 1_000_000
DEEPEST = 50


class Composer:
    """Makes the nodes of one document. `sizes` are those of the anchors: an alias is as large as what it repeats."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.resolver: Any = yaml.resolver.Resolver()
        self.anchors: dict[str | None, yaml.Node] = {}
        self.sizes: dict[str | None, int] = {}
        self.size = 0

    def compose(self, events: Iterable[Any]) -> yaml.Node | None:
        """Return the top of the document, None for an empty one. Raises UnusableInputError for what is too much."""
        top: yaml.Node | None = None
        # Each open list or mapping, its anchor, and the size at its beginning.
        opened: list[tuple[yaml.CollectionNode, str | None, int]] = []
        for event in events:
            if isinstance(event, yaml.CollectionEndEvent):
                node, anchor, size = opened.pop()
                node.end_mark = event.end_mark
                self._name(anchor, node, self.size - size)
            elif isinstance(event, yaml.NodeEvent):
                if top is not None and not opened:
                    self._refuse(event, 'found a second document, expected one')
                found = self._node(event)
                if opened:
                    opened[-1][0].value.append(found)
                top = found if top is None else top
                if isinstance(event, yaml.CollectionStartEvent):
                    if len(opened) == DEEPEST:
                        self._refuse(event, f'found more than {DEEPEST} levels')
                    opened.append((found, event.anchor, self.size))
        return self._paired(top)

    def _node(self, event: Any) -> Any:
        self.size += 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                self._refuse(event, f'found the alias *{event.anchor}, expected one of what stands complete above')
            self.size += self.sizes[event.anchor]
        if self.size > MOST_VALUES:
            self._refuse(event, f'found more than {MOST_VALUES:,} values, aliases counted where they stand')
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
        """Keys and values of mappings stand one after the other so far."""
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
        raise UnusableInputError(f'{self.path}:{mark.line + 1}:{mark.column + 1}: {message}')
