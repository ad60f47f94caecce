"""Markdown of notes and messages as a tree of elements, which the page builds one by one: no markup passes through."""

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ddassets.report.model import Prose


def parse(text: str) -> Prose:
    """Parse Markdown with tables; HTML in it is plain text. A node is a text or `[tag, attributes, children]`."""
    return _nodes(SyntaxTreeNode(_reader().parse(text)))


@cache
def _reader() -> MarkdownIt:
    # Links keep their address as written; the page's script decides which schemes it makes a link of.
    return MarkdownIt('commonmark', {'html': False, 'breaks': True}).enable(['table', 'strikethrough']).disable('image')


def _nodes(parent: SyntaxTreeNode) -> Prose:
    nodes: Prose = []
    for child in parent.children:
        if child.type == 'text':
            nodes.append(child.content)
        elif child.type in ('softbreak', 'hardbreak'):
            nodes.append(['br', {}, []])
        elif child.type == 'code_inline':
            nodes.append(['code', {}, [child.content]])
        elif child.type in ('fence', 'code_block'):
            nodes.append(['pre', {}, [['code', {}, [child.content]]]])
        elif child.type == 'inline' or child.hidden:
            nodes.extend(_nodes(child))
        else:
            attributes = {key: str(value) for key, value in child.attrs.items() if key in ('href', 'start')}
            nodes.append([child.tag, attributes, _nodes(child) if child.children else []])
    return nodes
