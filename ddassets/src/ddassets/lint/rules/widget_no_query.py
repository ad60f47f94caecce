"""A graph without a query."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

GRAPHS = frozenset(
    """
    bar_chart change distribution funnel geomap heatmap hostmap list_stream pie_chart pointplot query_table query_value
    scatterplot sunburst timeseries toplist treemap wildcard
    """.split()
)


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        for widget_ in dashboard.widgets:
            asks = widget_.queries or widget_.body.get('requests') or 'tile_def' in widget_.body
            if widget_.type in GRAPHS and not asks:
                yield Fault(where=widget_, place=('requests',), message=f'the {widget_.type} has no query')


RULE = Rule(
    id='widget/no-query',
    severity=Severity.WARNING,
    reason='A graph has no request, so it can never show data.',
    explanation='The widget stays empty for every time frame and template variable.',
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}'), widget('', title='Workers', requests=[])]}},
    good={
        DASHBOARD: {
            'widgets': [widget('avg:acme.queue.length{$host}'), widget('avg:acme.workers{$host}', title='Workers')]
        }
    },
    check=check,
)
