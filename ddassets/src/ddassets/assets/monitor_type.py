"""Monitor types: the product of a query, and the types that match it."""

from ddassets.language.query.products import product_of_query, product_of_type, recognise
from ddassets.regex import regex

METRIC = frozenset({'metric alert', 'query alert'})
CHECK = frozenset({'service check'})
COMPOSITE = frozenset({'composite'})
SLO = frozenset({'slo alert'})
SYNTHETICS = frozenset({'synthetics alert'})
LOGS = frozenset({'log alert'})
CI = frozenset({'ci-pipelines alert', 'ci-tests alert'})
EVENTS = frozenset({'event alert', 'event-v2 alert'})
#: Types whose groups are kept for `group_retention_duration` (rule 3.20).
RETENTION = LOGS | CI | EVENTS | {'trace-analytics alert', 'audit alert', 'error-tracking alert', 'rum alert'}
#: Types that count what a search finds (rule 15.1).
COUNTED = RETENTION | {'database-monitoring alert', 'network-path alert', 'network-performance alert'}
ALL = (
    METRIC
    | CHECK
    | COMPOSITE
    | SLO
    | SYNTHETICS
    | RETENTION
    | {
        'cost alert',
        'data-jobs alert',
        'data-quality alert',
        'database-monitoring alert',
        'llm-observability alert',
        'network-path alert',
        'network-performance alert',
        'process alert',
    }
)
#: Types without `on_missing_data` (rule 3.13).
WITHOUT_ON_MISSING_DATA = CHECK | COMPOSITE | SLO
_METRIC_QUERY = regex(r'\s*(change|pct_change)?\s*\(?\s*[a-z]+\s*\(\s*(last|next|current)_\w+\s*\)\s*:')


def unfit(type: str, query: str) -> tuple[str, str] | None:
    """Return the product of a query and a matching type if the type does not match; else None.

    Unknown queries and types of unknown products always match.
    """
    product = product_of_query(query) or ('metrics' if _METRIC_QUERY.match(query) else None)
    own = 'metrics' if type in METRIC else product_of_type(type)
    if product is None or own is None or type not in ALL or product == own:
        return None
    fitting = sorted(one for one in ALL if (product_of_type(one) or 'metrics') == product)
    if not fitting or type in SYNTHETICS:
        return None
    return product, 'query alert' if product == 'metrics' else fitting[-1]


def product(type: str, query: str) -> str | None:
    """Return the product of a monitor's query, None for metrics.

    A metric query is recognised with any type; an unknown type counts as a separate product.
    """
    if _METRIC_QUERY.match(query):
        return None
    found = recognise(type, query)
    return type if found is None and type and type not in METRIC else found
