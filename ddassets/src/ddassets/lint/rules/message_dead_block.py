"""A text that is never sent."""

from collections.abc import Iterator

from ddassets.assets.monitor_table import Thresholds
from ddassets.diagnostic import Severity
from ddassets.engine.message import FLAGS, TRANSITIONS, Literal, conditions
from ddassets.lint.example import MONITOR, message
from ddassets.lint.queries import CountedReading, MonitorReading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, notifies_no_data


def check(subject: Subject) -> Iterator[Fault]:
    monitors = {id(found.monitor): found for found in subject.single_queries}
    for reading in subject.messages:
        monitor = monitors.get(id(reading.monitor))
        if not monitor or not monitor.query or not reading.template:
            continue
        never = _never(monitor)
        for branch in reading.template.branches():
            last = branch.path[-1]
            outer = [one for one in branch.path[:-1] if one.holds and one.condition.name in FLAGS]
            if last.holds and last.condition.name in FLAGS and outer and not _together(last, outer):
                names = ' and '.join(dict.fromkeys(one.condition.name for one in (*outer, last)))
                yield reading.fault(
                    f'{last.condition.name} never holds here: {names} exclude each other', branch.offset
                )
                continue
            if last.holds and last.condition.name in never:
                text = f'{last.condition.name} never holds: {never[last.condition.name]}'
                yield reading.fault(text, branch.offset)


def _together(last: Literal, outer: list[Literal]) -> bool:
    """Whether all of these conditionals can hold for the same transition."""
    names = {one.condition.name for one in (last, *outer)}
    return any(names <= conditions(edge) for edge in TRANSITIONS) or 'is_unknown' in names


_RECOVERIES = (
    *('is_recovery', 'is_alert_recovery', 'is_warning_recovery', 'is_no_data_recovery'),
    'is_alert_to_warning',
)


def _never(reading: MonitorReading | CountedReading) -> dict[str, str]:
    found = {}
    thresholds = reading.monitor.options.thresholds
    if thresholds != Thresholds() and thresholds.warning is None:
        for name in ('is_warning', 'is_warning_recovery', 'is_alert_to_warning'):
            found[name] = 'the monitor has no warning threshold'
    if reading.monitor.options.scheduling_options.custom_schedule:
        reason = 'evaluations of a custom schedule are independent, and none is a recovery'
        found |= dict.fromkeys(_RECOVERIES, reason)
    unusable = reading.monitor.unusable
    if not notifies_no_data(reading.monitor) and not unusable & {'options.notify_no_data', 'options.on_missing_data'}:
        found['is_no_data'] = 'No Data does not notify'
    if not reading.monitor.options.renotify_interval and 'options.renotify_interval' not in unusable:
        found['is_renotify'] = 'renotify_interval is not set'
    return found


RULE = Rule(
    id='message/dead-block',
    severity=Severity.NOTE,
    reason='A message contains text that is never sent.',
    explanation=(
        'The message has a block for a warning, No Data or a repeated notification, but the options of the monitor '
        'rule it out. Delete the block or set the option. State conditionals cannot be combined: a transition has one '
        'state, so `is_warning` inside `is_alert` never holds.'
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
