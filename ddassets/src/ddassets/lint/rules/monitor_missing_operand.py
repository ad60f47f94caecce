"""A formula over events that has no result for a group that one of its variables lacks."""

from collections.abc import Iterator

from ddassets.assets.variable_table import EventVariable
from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, MonitorQuery, Node, Reference, children
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        query = monitor.formula
        if not isinstance(query, MonitorQuery):
            continue
        grouped = [one.name for one in monitor.options.variables if isinstance(one, EventVariable) and one.group_by]
        used = [reference for reference in _bare(query) if reference.name in grouped]
        if len({reference.name for reference in used}) > 1:
            first = used[0]
            text = f'a group without events of {first.name} has no result and keeps its state'
            hint = f'write default_zero({first.name}) if such a group is to be evaluated'
            yield Fault(where=monitor, place=('query',), message=text, span=first.span, hint=hint)


def _bare(node: Node) -> Iterator[Reference]:
    """Yield every name of a variable that is not within default_zero() or default()."""
    if isinstance(node, Reference):
        yield node
    elif not (isinstance(node, Call) and node.name in ('default_zero', 'default')):
        for child in children(node):
            yield from _bare(child)


def _monitor(formula: str) -> dict[str, object]:
    variables = [
        {
            'data_source': 'logs',
            'name': name,
            'search': {'query': search},
            'compute': {'aggregation': 'count'},
            'group_by': [{'facet': 'service', 'limit': 10}],
        }
        for name, search in (('failed', 'status:error'), ('all', '*'))
    ]
    options = {'thresholds': {'critical': 50}, 'variables': variables}
    query = f'formula("{formula}").last("5m") > 50'
    return {'definition': {'type': 'log alert', 'query': query, 'message': message(), 'options': options}}


RULE = Rule(
    id='monitor/missing-operand',
    severity=Severity.NOTE,
    reason='A formula over events has no result for a group without events of one variable.',
    explanation=(
        'The variables of the formula are grouped. In a window in which a group has events of one variable and none of '
        'another, the formula has no result for it: a service without errors keeps its state, Alert too. '
        '`default_zero()` around a variable takes 0 instead.'
    ),
    bad={MONITOR: _monitor('failed / all * 100')},
    good={MONITOR: _monitor('default_zero(failed) / all * 100')},
    check=check,
    semantics=('17.10',),
)
