"""A count of groups that is to alert at zero, and has no value at zero."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, MonitorQuery
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        query = reading.query
        if query and _counts(query) and _holds_only_at_zero(query):
            yield reading.fault(
                'count_not_null() may return nothing instead of 0 when no group has a value',
                query.expression.span,
                hint='write default_zero(count_not_null(…))',
            )


def _counts(query: MonitorQuery) -> bool:
    return isinstance(query.expression, Call) and query.expression.name == 'count_not_null'


def _holds_only_at_zero(query: MonitorQuery) -> bool:
    """Whether 0 groups meet the condition, and 1 group does not."""
    limit = query.threshold
    return {'<': 0 < limit <= 1, '<=': 0 <= limit < 1, '==': limit == 0}.get(query.comparator, False)


def _monitor(expression: str) -> dict[str, object]:
    options = {'thresholds': {'critical': 1, 'warning': None}, 'new_group_delay': None}
    return {'definition': {'query': f'avg(last_5m):{expression} < 1', 'options': options}}


RULE = Rule(
    id='monitor/count-of-nothing',
    severity=Severity.WARNING,
    reason='A monitor that is to alert when no group reports may get no value then.',
    explanation=(
        '`count_not_null()` returns the number of groups with a value. Datadog does not document whether it returns 0 '
        'or nothing if no group has one; without a value the monitor does not alert. `default_zero()` makes it 0.'
    ),
    bad={MONITOR: _monitor('count_not_null(avg:acme.queue.length{*} by {host})')},
    good={MONITOR: _monitor('default_zero(count_not_null(avg:acme.queue.length{*} by {host}))')},
    check=check,
    semantics=('20.3',),
)
