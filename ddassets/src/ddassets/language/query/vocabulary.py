"""The known words of the query language, to recognise misspelt words.

Datadog adds functions without notice. An unknown function or modifier is therefore accepted, unless it differs in one
letter from a known one.
"""

from collections.abc import Mapping

AGGREGATORS = frozenset(
    'avg sum min max count count_nonzero count_not_null count_values histogram percentile last median stddev'.split()
)
COMMON_AGGREGATORS = frozenset('avg sum min max count p50 p75 p90 p95 p99'.split())
TIME_AGGREGATORS = frozenset('avg sum min max percentile count last median'.split())
CHANGES = ('change', 'pct_change')
WINDOWS = (
    *(f'last_{length}' for length in '1m 5m 10m 15m 30m 1h 2h 4h 1d 2d 1w 1mo'.split()),
    *(f'next_{length}' for length in '1h 12h 1d 3d 1w 2w 1mo'.split()),
    *(f'current_{length}' for length in '1h 1d 1mo'.split()),
)
_NUMBER = 'a number'
_SECONDS = 'a number of seconds'
METHODS = ('avg', 'sum', 'min', 'max', 'count')
#: What reduces a formula, or a variable of it, over the window (rules 17.1 and 17.2).
FORMULA_METHODS = ('avg', 'sum', 'min', 'max', 'last', 'area', 'l2norm', 'percentile', 'stddev', 'mean', 'count_unique')
# The units of a rollup by the calendar (rule 20.19).
CALENDAR_UNITS = ('daily', 'weekly', 'monthly')
WEEKDAYS = ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')
#: What forecast() cannot contain (rule 19.19).
NOT_IN_FORECAST = (
    *('anomalies', 'cumsum', 'forecast', 'integral', 'outliers', 'piecewise_constant', 'robust_trend', 'trend_line'),
)
_RANKS = ('max', 'mean', 'min', 'sum', 'last', 'l2norm', 'area')
#: The arguments of a function after the query: each is a description, or the allowed words.
ARGUMENTS: Mapping[str, tuple[str | tuple[str, ...], ...]] = {
    **dict.fromkeys('abs log2 log10 exclude_null default_zero cumsum integral dt throughput trend_line'.split(), ()),
    **dict.fromkeys('count_nonzero count_nonzero_finite count_not_null'.split(), ()),
    **dict.fromkeys('diff monotonic_diff derivative per_second per_minute per_hour'.split(), ()),
    **dict.fromkeys('hour_before day_before week_before month_before'.split(), ()),
    **dict.fromkeys('median median_3 median_5 median_7 median_9'.split(), ()),
    **dict.fromkeys('ewma ewma_1 ewma_3 ewma_5 ewma_7 ewma_10 ewma_20'.split(), ()),
    **dict.fromkeys('clamp_min clamp_max cutoff_min cutoff_max default'.split(), (_NUMBER,)),
    'timeshift': (_SECONDS,),
    'calendar_shift': ('a shift such as "-7d"', 'a time zone such as "Europe/Berlin"'),
    'moving_rollup': (_SECONDS, METHODS),
    'top': (_NUMBER, _RANKS, ('asc', 'desc')),
    **{
        f'{end}{number}{rank}': ()
        for end in ('top', 'bottom')
        for number in (5, 10, 15, 20)
        for rank in ('', '_mean', '_min', '_max', '_last', '_area', '_l2norm')
    },
}
#: Every function that is known by name.
FUNCTIONS = frozenset(ARGUMENTS) | frozenset(
    """
    autosmooth mavg equiv_to robust_trend piecewise_constant anomalies outliers forecast
    rollingavg_5 rollingavg_13 rollingavg_21 rollingavg_29
    bottom top_offset bottom_offset count sum min max avg mean percentile rollup fill weighted
    """.split()
)
MODIFIERS = frozenset('as_count as_rate rollup fill weighted last mavg top bottom timeshift'.split())
# Bare arguments that could otherwise be the name of another query in a formula.
OPTION_WORDS = frozenset(
    """
    avg sum min max count mean last median first area norm l2norm asc desc null none nan true false
    linear seasonal zero cubic basic agile robust adaptive dbscan mad scaleddbscan scaledmad
    above below both daily weekly monthly hourly default simple reactive
    """.split()
)


def is_aggregator(word: str) -> bool:
    """Whether `word` aggregates over space; percentiles are `p50` to `p99.9`."""
    return word in AGGREGATORS or is_percentile(word) or word.startswith('count(')


def is_percentile(word: str) -> bool:
    whole, _, decimals = word[1:].partition('.')
    return (
        word[:1] == 'p'
        and whole.isascii()
        and whole.isdigit()
        and len(whole) <= 3
        and (decimals.isascii() and decimals.isdigit() or word == f'p{whole}')
    )
