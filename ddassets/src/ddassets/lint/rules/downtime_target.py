"""A downtime that covers no monitor of the integration."""

from collections.abc import Iterator

from ddassets.assets.asset import texts
from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    monitors = [{*monitor.tags, *texts(monitor.envelope.get('tags'))} for monitor in subject.bundle.monitors]
    for reading in subject.downtimes:
        downtime = reading.downtime
        if downtime is None or not downtime.monitor_tags or not monitors:
            continue
        if not any(downtime.matches_monitor(None, tags) for tags in monitors):
            yield reading.fault_at(
                ('monitor_identifier', 'monitor_tags'),
                f'no monitor of the integration has the tags {", ".join(downtime.monitor_tags)}',
            )


RULE = Rule(
    id='downtime/target',
    severity=Severity.NOTE,
    reason='No monitor of the integration has the tags that a downtime mutes.',
    explanation=(
        'A monitor needs all of the tags. This is a note, because the downtime may be for monitors that are not '
        'shipped.'
    ),
    bad={DOWNTIME: {'data': {'attributes': {'monitor_identifier': {'monitor_tags': ['integration:acne']}}}}},
    good={DOWNTIME: {'data': {'attributes': {'monitor_identifier': {'monitor_tags': ['integration:acme']}}}}},
    check=check,
    semantics=('5.2',),
)
