"""The table of a dashboard, and the keys without which a widget is empty."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ddassets.assets.option import Anything, Choice, Exclusion, Flag, ListOf, Part, Report, Text, Value, decode, option
from ddassets.assets.source import Place, dotted

_NOTHING: frozenset[str] = frozenset()
_OBJECT = Anything((Mapping,))


@dataclass(frozen=True)
class VariableFields:
    """An element of `template_variables`."""

    ignored: ClassVar = _NOTHING
    name: str = option(Text('the name of a variable', min_length=1), absent='', required=True)
    prefix: str | None = option(Text('a tag key'))
    type: str | None = option(Text())
    available_values: tuple[str, ...] = option(ListOf(Text(), 'texts'), absent=())
    default: str | None = option(
        Text(),
        excludes=(
            Exclusion(
                other='defaults',
                message='excludes defaults',
                code='file/value',
                hint='remove default, the older option',
            ),
        ),
    )
    defaults: tuple[str, ...] = option(ListOf(Text(), 'texts'), absent=())


@dataclass(frozen=True)
class DashboardFields:
    """The top level of a dashboard's body."""

    ignored: ClassVar = frozenset(
        {
            *('id', 'url', 'author_handle', 'author_name', 'author_info', 'created_at', 'modified_at', 'deleted_at'),
            *(
                'new_id',
                'resource',
                'created',
                'modified',
                'created_by',
                'disableCog',
                'disableEditing',
                'isIntegration',
            ),
            *(
                'isShared',
                'read_only',
                'originalHeight',
                'originalWidth',
                'original_title',
                'templated',
                'pause_auto_refresh',
            ),
        }
    )
    title: str = option(Text(), absent='')
    description: str = option(Text(), absent='')
    layout_type: str = option(Choice(('ordered', 'free')), absent='', required=True)
    widgets: tuple[Any, ...] = option(Anything((list,), 'a list of widgets'), absent=())
    template_variables: tuple[VariableFields, ...] = option(ListOf(Part(VariableFields), 'variables'), absent=())
    template_variable_presets: tuple[Any, ...] = option(ListOf(_OBJECT, 'objects'), absent=())
    reflow_type: str | None = option(Choice(('auto', 'fixed')))
    notify_list: tuple[str, ...] = option(ListOf(Text(), 'accounts'), absent=())
    restricted_roles: tuple[str, ...] = option(ListOf(Text(), 'roles'), absent=())
    tags: tuple[str, ...] = option(ListOf(Text(), 'tags', 0, 5), absent=())
    tabs: tuple[Any, ...] = option(ListOf(_OBJECT, 'objects'), absent=())
    is_read_only: bool = option(Flag(), absent=False)
    experience_type: str | None = option(Text())
    default_timeframe: Any = option(_OBJECT)


@dataclass(frozen=True)
class OldDashboardFields:
    """The checked keys of a timeboard or a screenboard."""

    ignored: ClassVar = _NOTHING
    open: ClassVar = True
    title: str = option(Text(), absent='')
    description: str = option(Text(), absent='')
    widgets: tuple[Any, ...] = option(Anything((list,), 'a list'), absent=())
    graphs: tuple[Any, ...] = option(Anything((list,), 'a list'), absent=())
    template_variables: tuple[Any, ...] = option(Anything((list,), 'a list'), absent=())


# The keys without which a widget of the type is empty.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        """
        bar_chart change cohort distribution funnel heatgrid heatmap hostmap list_stream point_plot query_table
        query_value retention_curve sankey scatterplot slo_list sunburst timeseries toplist topology_map treemap
        geomap wildcard
        """.split(),
        ('requests',),
    ),
    **dict.fromkeys(
        """
        embedded_app log_stream manage_status pie_chart pointplot powerpack run_workflow service_summary servicemap slo
        trace_service uptime
        """.split(),
        (),
    ),
    'alert_graph': ('alert_id',),
    'alert_value': ('alert_id',),
    'check_status': ('check',),
    'event_stream': ('query',),
    'event_timeline': ('query',),
    'free_text': ('text',),
    'group': ('widgets',),
    'iframe': ('url',),
    'image': ('url',),
    'note': ('content',),
    'split_group': ('source_widget_definition',),
}
TYPES = tuple(sorted(REQUIRED))
AGGREGATORS = ('avg', 'last', 'sum', 'min', 'max', 'area', 'l2norm', 'percentile')
_SOURCES = (
    *('metrics', 'logs', 'spans', 'rum', 'events', 'errors', 'audit', 'network', 'profiles', 'process', 'container'),
    *('apm_metrics', 'apm_resource_stats', 'apm_dependency_stats', 'ci_pipelines', 'ci_tests', 'cloud_cost', 'slo'),
    *('security_signals', 'incident_analytics', 'llm_observability', 'on_call_events', 'product_analytics'),
    *('product_analytics_extended', 'product_analytics_journey', 'product_analytics_retention'),
    # For lists of single events.
    *('logs_stream', 'audit_stream', 'event_stream', 'rum_stream', 'issue_stream', 'rum_issue_stream', 'trace_stream'),
    *('apm_issue_stream', 'logs_issue_stream', 'llm_observability_stream', 'logs_pattern_stream', 'ci_test_stream'),
    *('ci_pipeline_stream', 'logs_transaction_stream'),
)


@dataclass(frozen=True)
class _Query:
    """An element of the `queries` of a request. Its other keys depend on the product."""

    ignored: ClassVar = _NOTHING
    open: ClassVar = True
    data_source: str = option(Choice(_SOURCES, 'a data source such as metrics', grows=True), absent='', required=True)
    aggregator: str | None = option(Choice(AGGREGATORS))


@dataclass(frozen=True)
class _Request:
    ignored: ClassVar = _NOTHING
    open: ClassVar = True
    response_format: str | None = option(Choice(('timeseries', 'scalar', 'event_list')))
    queries: tuple[Any, ...] = option(ListOf(_OBJECT, 'queries'), absent=())
    formulas: tuple[Any, ...] = option(ListOf(_OBJECT, 'formulas'), absent=())


_DISPLAY_TYPE = Choice(('area', 'bars', 'line', 'overlay'))
_TYPE = Choice(TYPES, 'the type of a widget', grows=True)


def check_widget(body: Mapping[str, Any], report: Report) -> None:
    """Report faults that leave the widget empty: in its type, required keys and enumerations."""
    found = body.get('type')
    if found is None:
        report.add('file/missing-key', ('type',), f'type is missing; expected {_TYPE.expected}')
        return
    _read(_TYPE, found, ('type',), report)
    for key in REQUIRED.get(found, ()) if isinstance(found, str) else ():
        if key not in body:
            report.add('file/missing-key', (key,), f'{key} is missing: a {found} widget requires it')
    for place, request in _requests(body):
        decode(_Request, request, place, report)
        if found == 'timeseries' and request.get('display_type') is not None:
            _read(_DISPLAY_TYPE, request['display_type'], (*place, 'display_type'), report)
        queries = request.get('queries')
        for index, query in enumerate(queries if isinstance(queries, list) else ()):
            if isinstance(query, Mapping):
                here = (*place, 'queries', index)
                decode(_Query, query, here, report)
                _metric_query(query, here, report)


def _metric_query(query: Mapping[str, Any], place: Place, report: Report) -> None:
    if query.get('data_source') != 'metrics':
        return
    for key in ('name', 'query'):
        if key not in query:
            report.add('file/missing-key', (*place, key), f'{dotted((*place, key))} is missing')
        else:
            _read(Text(), query[key], (*place, key), report)


def _read(value: Value, found: Any, place: Place, report: Report) -> None:
    value.read(found, place, report, 'file/value')


def _requests(body: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    requests = body.get('requests')
    for index, request in enumerate(requests if isinstance(requests, list) else ()):
        if isinstance(request, Mapping):
            yield ('requests', index), request
