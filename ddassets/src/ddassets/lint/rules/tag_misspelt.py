"""A tag key that differs in one letter from a common tag key."""

from collections import Counter
from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.known_tags import comes_with_the_host
from ddassets.lint.queries import keys_used
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import misspelt

# A key that is used this often is intended.
_USUAL = 3


def check(subject: Subject) -> Iterator[Fault]:
    if subject.emission:
        return
    uses = [
        (reading, key, span)
        for reading, variables in subject.with_variables
        for metric in reading.metrics
        for key, span in keys_used(metric, variables)
    ]
    counts = Counter(key for _, key, _ in uses)
    usual = {key for key, count in counts.items() if count >= _USUAL}
    for reading, key, span in uses:
        if counts[key] == 1 and not comes_with_the_host(key) and (near := misspelt(key, usual)):
            yield reading.fault(f'the tag key {key} is used only here', span, hint=f'did you mean {near}?')


RULE = Rule(
    id='tag/misspelt',
    severity=Severity.NOTE,
    reason='A tag key differs in one letter from a key that the other queries use.',
    explanation=(
        'Without an emission the existing keys are not known. With an emission, `tag/unknown` replaces this rule.'
    ),
    bad={
        DASHBOARD: {
            'widgets': [
                widget('avg:acme.queue.length{$host} by {queue}', title='Length'),
                widget('avg:acme.workers{$host} by {queue}', title='Workers'),
                widget('sum:acme.requests{$host} by {queue}.as_count()', title='Requests'),
                widget('p95:acme.request.duration{$host} by {qeue}', title='Duration'),
            ]
        }
    },
    good={
        DASHBOARD: {
            'widgets': [
                widget('avg:acme.queue.length{$host} by {queue}', title='Length'),
                widget('avg:acme.workers{$host} by {queue}', title='Workers'),
                widget('sum:acme.requests{$host} by {queue}.as_count()', title='Requests'),
                widget('p95:acme.request.duration{$host} by {queue}', title='Duration'),
            ]
        }
    },
    check=check,
)
