"""Print a query in canonical form: one blank around operators, `by {…}` before the modifiers, single quotes."""

from collections.abc import Iterable
from functools import singledispatch

from ddassets.duration import in_one_unit
from ddassets.language.query.tree import (
    And,
    Binary,
    Call,
    Change,
    Everything,
    GroupKey,
    Metric,
    Modified,
    Modifier,
    MonitorQuery,
    Named,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Reference,
    TagFilter,
    TagIn,
    Tags,
    TemplateVariable,
    Text,
    Variable,
    Window,
    Word,
)


@singledispatch
def render(node: Node) -> str:
    """Return the node as text; parsing it gives an equal query, formula or monitor query."""
    raise TypeError(f'not a part of a query: {node!r}')


@render.register
def _(node: Number) -> str:
    value = node.value
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


@render.register
def _(node: Text) -> str:
    value = node.value.replace('\\', '\\\\')
    return f'"{value}"' if "'" in value and '"' not in value else "'" + value.replace("'", "\\'") + "'"


@render.register
def _(node: Word) -> str:
    return node.value


@render.register
def _(node: Tags) -> str:
    if node.brackets:
        return f'[{", ".join(render(Text(value, span=node.span)) for value in node.values)}]'
    return f'{{{", ".join(node.values)}}}'


@render.register
def _(node: Named) -> str:
    return f'{node.name}={render(node.value)}'


@render.register
def _(node: Modifier) -> str:
    return f'.{node.name}({_each(node.arguments, ", ")})'


@render.register
def _(node: Reference) -> str:
    return node.name + _each(node.modifiers)


@render.register
def _(node: Call) -> str:
    return f'{node.name}({_each(node.arguments, ", ")}){_each(node.modifiers)}'


@render.register
def _(node: Metric) -> str:
    aggregator = '' if node.aggregator is None else f'{node.aggregator}:'
    scope = '' if node.scope is None else f'{{{render(node.scope)}}}'
    by = f' by {{{_each(node.by, ",")}}}' if node.by else ''
    return f'{aggregator}{node.name}{scope}{by}{_each(node.modifiers)}'


@render.register
def _(node: GroupKey) -> str:
    return node.name


@render.register
def _(node: Binary) -> str:
    closer = node.operator in '*/'
    left = _in_parentheses(node.left, closer and isinstance(node.left, Binary) and node.left.operator in '+-')
    right = _in_parentheses(node.right, isinstance(node.right, Binary) and (closer or node.right.operator in '+-'))
    return f'{left} {node.operator} {right}'


@render.register
def _(node: Negative) -> str:
    return '-' + _in_parentheses(node.operand, isinstance(node.operand, Binary))


@render.register
def _(node: Modified) -> str:
    return f'({render(node.operand)}){_each(node.modifiers)}'


@render.register
def _(node: Variable) -> str:
    return node.name


@render.register
def _(node: Everything) -> str:
    return '*'


@render.register
def _(node: TagFilter) -> str:
    return node.value if node.key is None else f'{node.key}:{node.value}'


@render.register
def _(node: TagIn) -> str:
    return f'{node.key} IN ({", ".join(node.values)})'


@render.register
def _(node: TemplateVariable) -> str:
    return f'${node.name}'


@render.register
def _(node: Not) -> str:
    if isinstance(node.scope, TagIn) and not node.symbolic:
        return f'{node.scope.key} NOT IN ({", ".join(node.scope.values)})'
    return ('!' if node.symbolic else 'NOT ') + _in_parentheses(node.scope, isinstance(node.scope, And | Or))


@render.register
def _(node: And) -> str:
    parts = (_in_parentheses(scope, isinstance(scope, And | Or)) for scope in node.scopes)
    return (',' if node.symbolic else ' AND ').join(parts)


@render.register
def _(node: Or) -> str:
    return ' OR '.join(_in_parentheses(scope, isinstance(scope, Or)) for scope in node.scopes)


@render.register
def _(node: Window) -> str:
    return f'{node.kind}_{node.count}{node.unit}'


@render.register
def _(node: Change) -> str:
    """Print only the shift; the rest of `change(…)` is around the time aggregation."""
    count, unit = in_one_unit(node.shift, ('w', 'd', 'h', 'm'))
    return f'{count}{unit}_ago'


@render.register
def _(node: MonitorQuery) -> str:
    limit = 'threshold' if node.dynamic else render(Number(node.threshold, span=node.span))
    test = f'{node.comparator} {limit}'
    if node.aggregator == 'formula':
        text = render(node.expression).replace('\\', '\\\\').replace('"', '\\"')
        rollup = '' if node.rollup is None else f'.rollup("{node.rollup}")'
        by = f'.by("{",".join(node.by)}")' if node.by else ''
        return f'formula("{text}"){rollup}{by}.last("{node.window.count}{node.window.unit}") {test}'
    time = f'{node.aggregator}({render(node.window)})'
    if node.change is not None:
        time = f'{node.change.kind}({time},{render(node.change)})'
    return f'{time}:{render(node.expression)} {test}'


def _each(nodes: Iterable[Node], separator: str = '') -> str:
    return separator.join(map(render, nodes))


def _in_parentheses(node: Node, needed: bool) -> str:
    return f'({render(node)})' if needed else render(node)
