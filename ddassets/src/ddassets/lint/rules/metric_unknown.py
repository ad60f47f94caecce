"""A metric that nothing is known to submit."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Metric
from ddassets.language.query.vocabulary import misspelt
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.known_metrics import DERIVED_SUFFIXES, SHARED, known_prefix, known_prefixes
from ddassets.lint.nearest import nearest
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Reading, Subject


def check(subject: Subject) -> Iterator[Fault]:
    # With nothing listed no name can be judged; metadata/empty says so.
    if not subject.bundle.metrics:
        return
    for reading in subject.queries:
        seen = set()
        for metric in reading.metrics:
            if metric.name not in seen and not subject.knows(metric.name):
                seen.add(metric.name)
                yield from _judge(subject, reading, metric)


def _judge(subject: Subject, reading: Reading, metric: Metric) -> Iterator[Fault]:
    name, first = metric.name, metric.name.partition('.')[0]
    own = subject.is_own(name)
    if not own and known_prefix(first):
        return
    if subject.catalog.owner(name, subject.bundle.folder):
        return
    # Who leaves out the `.count` of a counter has its name in mind, however short it is.
    derived = [f'{name}.{suffix}' for suffix in sorted(DERIVED_SUFFIXES)]
    near = [found for found in derived if found in subject.bundle.metrics] or nearest(name, subject.bundle.metrics)
    hint = f'nearest: {", ".join(near)}' if near else ''
    if own:
        severity = Severity.ERROR if near else Severity.WARNING
        if subject.is_histogram(name):
            severity = Severity.NOTE
            hint = 'a histogram has this name if the instance sends its buckets as distributions'
        elif first in SHARED:
            severity = Severity.NOTE
            hint = hint or f'another integration may submit it: several share the prefix {first}.'
        yield reading.fault(f'{name} is not in metadata.csv', metric.name_span, hint, severity)
    elif misspelt(first, subject.own_prefixes) and near:
        yield reading.fault(f'{name} is not in metadata.csv', metric.name_span, hint, Severity.ERROR)
    else:
        prefix = misspelt(first, known_prefixes() | subject.own_prefixes)
        hint = f'did you mean {prefix}.?' if prefix else 'if it comes from elsewhere, list it under companions'
        message = f'{name} is not in metadata.csv, and {first} is no prefix that is known'
        yield reading.fault(message, metric.name_span, hint, Severity.NOTE)


RULE = Rule(
    id='metric/unknown',
    severity=Severity.ERROR,
    reason='A query names a metric that metadata.csv lacks.',
    explanation="""\
A misspelt metric is no error to Datadog: the graph stays empty and the monitor never fires.

Known are: the rows of metadata.csv, what a histogram or distribution derives from them (`.avg`, `.95percentile`), the
emission where one is given, the metadata of the other integrations in the checkout, and the patterns under `companions`
in `.ddassets.yaml`. Metrics of the Agent, of Datadog's products and of well-known integrations are told by their first
part and left alone.

It is an error where a listed name is near, a warning where none is (metadata.csv may lack the row), and a note where
the prefix is another's or shared by several integrations, or where the parts of an OpenMetrics histogram are listed
(`.bucket`, or `.sum` and `.count`) and the query names the whole.""",
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.lenght{$host} by {host}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} / avg:system.cpu.num_cores{$host}')]}},
    check=check,
)
