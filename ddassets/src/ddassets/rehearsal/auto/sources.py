"""Generate the series of a query: tags for its scopes and groups, types and intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from ddassets.diagnostic import Unsupported
from ddassets.engine.plan import Leaf, Plan
from ddassets.engine.series import Kind
from ddassets.language.query.scope import matches
from ddassets.language.query.tree import And, Or, Scope, TagFilter, TagIn
from ddassets.language.query.vocabulary import is_percentile

# Maximum of combinations of alternatives for one scope.
MAX_COMBINATIONS = 64
# Maximum of values of a group key.
MAX_VALUES = 3
# Points per evaluation window, if the query sets no bucket size.
POINTS_PER_WINDOW = 30


@dataclass(frozen=True, slots=True)
class Source:
    """A series of a query. `interval` is in seconds; `leaves` are the queries that use it first."""

    metric: str
    tags: frozenset[str]
    kind: Kind
    interval: int
    leaves: tuple[Leaf, ...]


def sources(plan: Plan, kinds: Mapping[str, Kind], intervals: Mapping[str, int], group: int = 1) -> list[Source]:
    """Return a series for each query of a plan, all in one group. `group` numbers the generated tag values.

    `kinds` and `intervals` (seconds) are those that metadata.csv declares, by metric. Raises Unsupported for a scope
    that no series can match.
    """
    leaves = plan.leaves
    fixed = _fixed(leaves)
    by_series: dict[tuple[str, frozenset[str]], list[Leaf]] = {}
    # A filter may exclude the generated value.
    for number in range(group, group + MAX_VALUES):
        own = {key: fixed.get(key, f'{key}:{key.lstrip("@")}-{number}') for key in plan.by}
        tags = [_tags(leaf, own) for leaf in leaves]
        if None not in tags:
            break
    for leaf, found in zip(leaves, tags, strict=True):
        if found is None:
            raise Unsupported(leaf.metric.name, leaf.metric.span.start + 1, 'no series can match the filter')
        by_series.setdefault((plan.stub or leaf.metric.name, found), []).append(leaf)
    return [
        Source(metric, tags, _kind(readers, kinds), _interval(plan, readers, intervals), tuple(readers))
        for (metric, tags), readers in by_series.items()
    ]


def satisfying(scope: Scope | None) -> Iterator[frozenset[str]]:
    """Yield sets of tags that a scope requires; the caller checks what the scope excludes."""
    match scope:
        case TagFilter(key=key, value=value):
            text = value.strip('"').replace('*', '1') or '1'
            yield frozenset({text if key is None else f'{key}:{text}'})
        case TagIn(key=key, values=values):
            for value in values:
                yield frozenset({f'{key}:{value.strip(chr(34)).replace("*", "1")}'})
        case And(scopes=scopes):
            for parts in islice(product(*(list(satisfying(part)) for part in scopes)), MAX_COMBINATIONS):
                yield frozenset().union(*parts)
        case Or(scopes=scopes):
            for part in scopes:
                yield from satisfying(part)
        case _:
            yield frozenset()


def _fixed(leaves: Sequence[Leaf]) -> dict[str, str]:
    """Return the first suitable tag of each key in the scopes."""
    fixed: dict[str, str] = {}
    for leaf in leaves:
        for tag in next(satisfying(leaf.metric.scope), frozenset()):
            fixed.setdefault(tag.partition(':')[0], tag)
    return fixed


def _tags(leaf: Leaf, own: Mapping[str, str]) -> frozenset[str] | None:
    """Return the tags of a series and its group; None if the filter excludes them."""
    for asked in islice(satisfying(leaf.metric.scope), MAX_COMBINATIONS):
        keys = {tag.partition(':')[0] for tag in asked}
        tags = asked | {tag for key, tag in own.items() if key not in keys}
        if matches(leaf.metric.scope, tags):
            return tags
    return None


def _kind(leaves: Sequence[Leaf], kinds: Mapping[str, Kind]) -> Kind:
    """Return the declared type, or the type for count:, percentiles, as_count() and as_rate()."""
    if any(leaf.space == 'count' or is_percentile(leaf.space) for leaf in leaves):
        return 'distribution'
    declared = next((kinds[leaf.metric.name] for leaf in leaves if leaf.metric.name in kinds), None)
    if declared == 'distribution' and any(leaf.counting for leaf in leaves):
        # Only its number of values is a count (rule 20.22).
        declared = None
    return declared or ('count' if any(leaf.counting for leaf in leaves) else 'gauge')


def _interval(plan: Plan, leaves: Sequence[Leaf], intervals: Mapping[str, int]) -> int:
    """Return the declared interval, or whole minutes that give a window enough points."""
    declared = next((intervals[leaf.metric.name] for leaf in leaves if leaf.metric.name in intervals), None)
    buckets = [leaf.bucket for leaf in plan.leaves if leaf.bucket]
    fitting = max(60, plan.window // POINTS_PER_WINDOW // 60 * 60)
    return declared or min([fitting, *buckets])
