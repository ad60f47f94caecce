"""A metric without a known source."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Metric
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.known_metrics import AGENT_METRICS, KNOWN_PREFIXES, SHARED
from ddassets.lint.nearest import nearest, one_letter_apart
from ddassets.lint.queries import Reading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import misspelt


def check(subject: Subject) -> Iterator[Fault]:
    # Without listed metrics no name can be checked; metadata/empty reports that.
    if not subject.bundle.metrics:
        return
    for reading in subject.queries:
        seen = set()
        for metric in reading.metrics:
            if metric.name not in seen and not subject.knows(metric.name):
                seen.add(metric.name)
                # metadata/unlisted reports a metric that the integration itself contains.
                if subject.mention(metric.name) is None:
                    yield from _judge(subject, reading, metric)


def _judge(subject: Subject, reading: Reading, metric: Metric) -> Iterator[Fault]:
    name = metric.name
    if subject.catalog.owner(name, subject.bundle.folder):
        return
    near, sure = _nearest(subject, name)
    if subject.is_own(name):
        yield _own(subject, reading, metric, near, sure)
    elif sure:
        yield reading.fault(f'{name} is not in metadata.csv', metric.name_span, _hint(near), Severity.ERROR)
    elif (first := name.partition('.')[0]) in KNOWN_PREFIXES:
        close = next((known for known in sorted(AGENT_METRICS) if one_letter_apart(name, known)), None)
        if close and name not in AGENT_METRICS:
            message = f'the Agent submits no metric {name}'
            yield reading.fault(message, metric.name_span, f'did you mean {close}?', Severity.WARNING)
    else:
        prefix = misspelt(first, KNOWN_PREFIXES | subject.own_prefixes)
        hint = f'did you mean {prefix}.?' if prefix else 'if another check submits it, list it under companions'
        message = f'{name} is not in metadata.csv, and {first} is not a known prefix'
        yield reading.fault(message, metric.name_span, hint, Severity.NOTE)


def _own(subject: Subject, reading: Reading, metric: Metric, near: list[str], sure: bool) -> Fault:
    """Return the fault of an unknown name with a prefix of the integration."""
    name, hint = metric.name, _hint(near)
    severity = Severity.ERROR if near else Severity.WARNING
    first = name.partition('.')[0]
    if subject.is_histogram(name):
        severity = Severity.NOTE
        hint = 'a histogram has this name if the instance sends its buckets as distributions'
    elif first in SHARED and not sure:
        severity = Severity.NOTE
        hint = hint or f'another integration may submit it: several share the prefix {first}.'
    return reading.fault(f'{name} is not in metadata.csv', metric.name_span, hint, severity)


def _nearest(subject: Subject, name: str) -> tuple[list[str], bool]:
    """Return the listed names nearest to `name`, and whether the first is certainly intended."""
    if meant := subject.listed_forms(name):
        return meant, True
    listed = subject.bundle.metrics
    near = nearest(name, listed)
    close = [found for found in near if one_letter_apart(name, found)]
    return close or near, bool(close)


def _hint(near: list[str]) -> str:
    return f'nearest: {", ".join(near)}' if near else ''


RULE = Rule(
    id='metric/unknown',
    severity=Severity.ERROR,
    reason='A query uses a metric that no known source submits.',
    explanation="""\
Datadog accepts a misspelt metric: the graph stays empty and the monitor never alerts.

Known metrics are: the rows of metadata.csv and the names derived from them for a histogram or distribution (`.avg`,
`.95percentile`), the emission if given, the metadata of the other integrations in the checkout, and the patterns under
`companions` in `.ddassets.yaml`. A name that the integration's own sources, tests, fixtures, metric maps or README
contain is not reported here: metadata.csv lacks its row (see `metadata/unlisted`). Metrics of the Agent, of Datadog's
products and of well-known integrations are recognised by their prefix.

The finding is an error if a listed name is similar, differs only by a prefix, or differs in one letter, also with a
prefix that several integrations share. It is a warning if no listed name is similar. It is a note if the prefix is
unknown or shared, or if metadata.csv lists the parts of an OpenMetrics histogram (`.bucket`, or `.sum` and `.count`)
and the query uses the name of the histogram.""",
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.lenght{$host} by {host}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} / avg:system.cpu.num_cores{$host}')]}},
    check=check,
)
