"""A composite that mixes `&&` and `||` without parentheses."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.composite import CompositeQuery, render
from ddassets.lint.example import MONITOR, composite
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        query = monitor.composite
        if isinstance(query, CompositeQuery) and query.bare_mix:
            yield Fault(
                where=monitor,
                place=('query',),
                span=query.bare_mix,
                message=f'&& and || are mixed without parentheses; read as {render(query.root)}',
                hint='write the parentheses',
            )


RULE = Rule(
    id='monitor/composite-precedence',
    severity=Severity.WARNING,
    reason='A composite mixes && and || without parentheses.',
    explanation=(
        'Datadog advises parentheses where both operators stand in one query, and does not state which of them binds '
        'first. A rehearsal takes `&&` before `||`.'
    ),
    bad={MONITOR: {'definition': composite('1 || 2 && 3')}},
    good={MONITOR: {'definition': composite('1 || (2 && 3)')}},
    check=check,
    semantics=('13.2',),
)
