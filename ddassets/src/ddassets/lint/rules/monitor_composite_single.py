"""A composite of one monitor."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.composite import CompositeQuery
from ddassets.lint.example import MONITOR, composite
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        query = monitor.composite
        if isinstance(query, CompositeQuery) and len(query.members) == 1:
            member = query.members['a']
            yield Fault(
                where=monitor,
                place=('query',),
                span=member.span,
                message=f'{member.text} is the only member of the composite',
                hint='add another member, or let the member notify by itself',
            )


RULE = Rule(
    id='monitor/composite-single',
    severity=Severity.WARNING,
    reason='A composite monitor has one member.',
    explanation='Datadog warns about a composite of one monitor, which adds nothing but another notification.',
    bad={MONITOR: {'definition': composite('!4711')}},
    good={MONITOR: {'definition': composite('4711 && !4712')}},
    check=check,
    semantics=('13.3',),
)
