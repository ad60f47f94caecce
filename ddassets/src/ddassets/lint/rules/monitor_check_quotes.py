"""A check monitor whose names are not in double quotes."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.service_check import CheckQuery
from ddassets.lint.example import MONITOR, check_query
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        query = monitor.service_check
        if isinstance(query, CheckQuery) and query.loose:
            span = query.loose[0]
            text = query.text[span.start : span.end]
            message = f'{text} is not in double quotes'
            yield Fault(where=monitor, place=('query',), span=span, message=message, hint=f'write "{text}"')


RULE = Rule(
    id='monitor/check-quotes',
    severity=Severity.WARNING,
    reason='A name in the query of a service check is not in double quotes.',
    explanation='The documented form has the name of the check and each tag in double quotes.',
    bad={MONITOR: {'definition': check_query('.over(*).by("*").last(4).count_by_status()')}},
    good={MONITOR: {'definition': check_query('.over("*").by("*").last(4).count_by_status()')}},
    check=check,
    semantics=('14.1',),
)
