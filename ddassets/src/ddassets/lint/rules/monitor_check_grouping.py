"""A check monitor without a grouping."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.service_check import CheckQuery
from ddassets.lint.example import MONITOR, check_query
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        query = monitor.service_check
        if isinstance(query, CheckQuery) and not query.by:
            yield Fault(
                where=monitor,
                place=('query',),
                message='the query has no .by(): Datadog answers 400 "A grouping must be specified for custom checks"',
                hint='add .by("host") or .by("*")',
            )


RULE = Rule(
    id='monitor/check-grouping',
    severity=Severity.ERROR,
    reason='The query of a service check has no grouping.',
    explanation=(
        'Since 2022 Datadog refuses a check monitor without `.by(…)`. Older ones are stored, and cannot be written '
        'again. `.by("*")` makes a group of each combination of tags.'
    ),
    bad={MONITOR: {'definition': check_query('.over("*").last(4).count_by_status()')}},
    good={MONITOR: {'definition': check_query('.over("*").by("*").last(4).count_by_status()')}},
    check=check,
    semantics=('14.4',),
)
