"""A widget that ignores a template variable of all other widgets."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Everything, Metric
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, variables_in

# The number of queries with the variable from which its absence in one query looks like a mistake.
MIN_USES = 3


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard, readings in subject.by_dashboard:
        names = {variable.name for variable in dashboard.variables}
        own = [
            reading
            for reading in readings
            if reading.metrics and all(subject.is_own(metric.name) for metric in reading.metrics)
        ]
        used = {id(reading): {name for name, _ in variables_in(reading.text)} & names for reading in own}
        for name in sorted(names):
            without = [reading for reading in own if name not in used[id(reading)]]
            if len(own) - len(without) < MIN_USES or len(without) != 1:
                continue
            [reading] = without
            if not used[id(reading)] and all(_unfiltered(metric) for metric in reading.metrics):
                yield reading.fault(f'the query ignores ${name}, which every other query of the dashboard uses')


def _unfiltered(metric: Metric) -> bool:
    return isinstance(metric.scope, Everything)


_QUEUE = [widget(f'{aggregator}:acme.queue.length{{$host}}', title=aggregator) for aggregator in ('avg', 'max', 'min')]

RULE = Rule(
    id='widget/ignores-variable',
    severity=Severity.NOTE,
    reason='A single widget ignores a template variable that all other widgets use.',
    explanation=(
        'When a reader selects a value at the top of the dashboard, this widget still shows everything. This is '
        f'reported if at least {MIN_USES} queries use the variable and one query without any filter does not.'
    ),
    bad={DASHBOARD: {'widgets': [*_QUEUE, widget('sum:acme.workers{*}', title='Workers')]}},
    good={DASHBOARD: {'widgets': [*_QUEUE, widget('sum:acme.workers{$host}', title='Workers')]}},
    check=check,
)
