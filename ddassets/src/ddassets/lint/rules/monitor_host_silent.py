"""A host monitor that can never trigger."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.service_check import CheckQuery
from ddassets.lint.example import MONITOR, check_query
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

CHECK = 'datadog.agent.up'


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        query = monitor.service_check
        if not isinstance(query, CheckQuery) or query.check != CHECK or query.percentage:
            continue
        if not monitor.options.notify_no_data:
            yield Fault(
                where=monitor,
                place=('options', 'notify_no_data'),
                message=f'the monitor can never trigger: the Agent submits {CHECK} as OK, or nothing',
                hint='set notify_no_data, and no_data_timeframe such as 2',
            )


_QUERY = '.over("*").by("host").last(2).count_by_status()'
_OPTIONS = {'thresholds': None, 'no_data_timeframe': 2}
RULE = Rule(
    id='monitor/host-silent',
    severity=Severity.WARNING,
    reason='A monitor of datadog.agent.up does not notify on missing data.',
    explanation=(
        'The Agent never submits `datadog.agent.up` as CRITICAL. A host that is down is one that submits nothing, so '
        'without `notify_no_data` the monitor does nothing.'
    ),
    bad={MONITOR: {'definition': check_query(_QUERY, CHECK, {**_OPTIONS, 'notify_no_data': False})}},
    good={MONITOR: {'definition': check_query(_QUERY, CHECK, {**_OPTIONS, 'notify_no_data': True})}},
    check=check,
    semantics=('14.18', '14.20'),
)
