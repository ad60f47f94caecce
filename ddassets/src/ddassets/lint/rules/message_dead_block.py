"""A text that is never sent."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import MonitorReading, Subject, notifies_no_data


def check(subject: Subject) -> Iterator[Fault]:
    monitors = {id(found.monitor): found for found in subject.monitors}
    for reading in subject.messages:
        monitor = monitors.get(id(reading.monitor))
        if not monitor or not monitor.query or not reading.template:
            continue
        never = _never(monitor)
        for branch in reading.template.branches():
            last = branch.path[-1]
            if last.holds and last.condition.name in never:
                text = f'{last.condition.name} never holds: {never[last.condition.name]}'
                yield reading.fault(text, branch.offset)


def _never(reading: MonitorReading) -> dict[str, str]:
    found = {}
    if reading.thresholds and 'warning' not in reading.thresholds:
        for name in ('is_warning', 'is_warning_recovery', 'is_alert_to_warning'):
            found[name] = 'the monitor has no warning threshold'
    if not notifies_no_data(reading.monitor):
        found['is_no_data'] = 'No Data does not notify'
    if not reading.monitor.options.get('renotify_interval'):
        found['is_renotify'] = 'renotify_interval is not set'
    return found


RULE = Rule(
    id='message/dead-block',
    severity=Severity.NOTE,
    reason='A message has a text that is never sent.',
    explanation=(
        'The monitor has no warning threshold, does not notify of No Data, or repeats nothing: the block for it is '
        'dead. Either the text or the option is missing its other half.'
    ),
    bad={MONITOR: {'definition': {'message': message(more='{{#is_warning}}Longer than usual.{{/is_warning}}')}}},
    good={
        MONITOR: {
            'definition': {
                'message': message(more='{{#is_warning}}Longer than usual.{{/is_warning}}'),
                'options': {'thresholds': {'warning': 80}},
            }
        }
    },
    check=check,
    semantics=('4.2', '4.3'),
)
