"""A composite whose member is a composite."""

from collections.abc import Iterator

from ddassets.assets.members import named
from ddassets.diagnostic import Severity
from ddassets.language.composite import CompositeQuery
from ddassets.lint.example import MANIFEST, MONITOR, composite
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    monitors = subject.bundle.monitors
    for monitor in monitors:
        query = monitor.composite
        for member in query.members.values() if isinstance(query, CompositeQuery) else ():
            if any(isinstance(one.composite, CompositeQuery) for one in named(member, monitors)):
                yield Fault(
                    where=monitor,
                    place=('query',),
                    span=member.span,
                    message=f'{member.text} is a composite, which cannot be a member of another',
                    hint='put its query in parentheses instead',
                )


_LISTED = {MANIFEST: {'assets': {'monitors': {'Outer': 'assets/monitors/outer.json'}}}}
RULE = Rule(
    id='monitor/composite-nested',
    severity=Severity.ERROR,
    reason='A composite monitor has a composite as a member.',
    explanation='Datadog refuses a composite as a member. The query of the inner one can stand in its place.',
    bad={
        MONITOR: {'definition': composite('4711 && 4712')},
        **_LISTED,
        'assets/monitors/outer.json': composite('"Queue is long" || 4713', name='Outer'),
    },
    good={
        MONITOR: {'definition': composite('4711 && 4712')},
        **_LISTED,
        'assets/monitors/outer.json': composite('(4711 && 4712) || 4713', name='Outer'),
    },
    check=check,
    semantics=('13.3',),
)
