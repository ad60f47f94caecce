"""Recognise queries of other Datadog products, which are not metric queries."""

from collections.abc import Iterator

# The types of monitors and the `data_source` of dashboard queries.
_PRODUCTS = {
    'APM': """
        trace-analytics alert; spans; apm; apm_stats; apm_query; apm_metrics; apm_resource_stats; apm_dependency_stats;
        trace_analytics; trace; traces
    """,
    'audit trail': 'audit alert; audit',
    'CI visibility': 'ci-pipelines alert; ci-tests alert; ci_pipelines; ci_tests',
    'cloud cost': 'cost alert; cloud_cost',
    'composite monitors': 'composite',
    'containers': 'container',
    'data quality': 'data-quality alert; data_quality',
    'database monitoring': 'database-monitoring alert; database_monitoring; dbm_queries',
    'error tracking': 'error-tracking alert; issue_stream; error_tracking',
    'events': 'event alert; event-v2 alert; events; event_stream; change_events; on_call_events',
    'incidents': 'incident_analytics',
    'LLM observability': 'llm_observability; llm-observability alert',
    'logs': 'log alert; logs; logs_stream; logs_pattern_stream; logs_transaction_stream',
    'network monitoring': """
        network-performance alert; network-path alert; network; network_device_flows; network_path; netflow
    """,
    'processes': 'process alert; process; processes',
    'product analytics': 'product_analytics; product_analytics_extended; user_journey; retention',
    'profiles': 'profiles; profiling',
    'RUM': 'rum alert; rum; rum_issue_stream',
    'security': 'security_signals; ci_security; application_security',
    'service checks': 'service check',
    'SLOs': 'slo alert; slo',
    'synthetic tests': 'synthetics alert; synthetics',
}
# The function at the start of a query.
_FUNCTIONS = {
    'APM': 'trace-analytics; spans',
    'audit trail': 'audit',
    'CI visibility': 'ci-pipelines; ci-tests',
    'cloud cost': 'cost',
    'database monitoring': 'database-monitoring',
    'error tracking': 'error-tracking; error-tracking-rum; error-tracking-logs; error-tracking-traces',
    'events': 'events',
    'LLM observability': 'llm-observability',
    'logs': 'logs',
    'network monitoring': 'network-performance; network-path; netflow',
    'processes': 'processes; process',
    'RUM': 'rum',
    'security': 'security',
    'SLOs': 'error_budget; burn_rate; slo',
    'synthetic tests': 'synthetics',
}


def _pairs(table: dict[str, str]) -> Iterator[tuple[str, str]]:
    return ((word.strip(), product) for product, words in table.items() for word in words.split(';'))


_BY_SOURCE = dict(_pairs(_PRODUCTS))
_BY_FUNCTION = dict(_pairs(_FUNCTIONS))


def recognise(source: str, query: str) -> str | None:
    """Return the product of a query, such as `logs`, or None for metrics.

    `source` is the monitor's `type` or the `data_source` in a dashboard. If it is unknown, `metric alert` or
    `query alert` (old monitors of every kind have these), the syntax of the query decides.
    """
    return product_of_type(source) or product_of_query(query)


def product_of_type(source: str) -> str | None:
    """Return the product of a monitor's type or a `data_source`; None if it is unknown, or metrics."""
    return _BY_SOURCE.get(source.strip().lower())


def product_of_query(query: str) -> str | None:
    """Return the product of a query by its syntax; None if it matches no other product."""
    query = query.strip()
    function, parenthesis, _ = query.partition('(')
    if parenthesis and function.strip().lower() in _BY_FUNCTION:
        return _BY_FUNCTION[function.strip().lower()]
    if query[:1] in ('"', "'") and '.over(' in query:
        return 'service checks'
    if ('&&' in query or '||' in query) and all(part.isdigit() or part in '&|!() ' for part in query):
        return 'composite monitors'
    return None
