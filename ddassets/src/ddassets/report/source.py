"""The data of the page's dashboards: the evaluator and the series of one rehearsal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ddassets.engine.graph import Line, own_bucket, rolled_up
from ddassets.language.query import tree
from ddassets.report.columns import BUCKETS, kept_buckets, pack
from ddassets.report.model import Answer, Pool, Series


@dataclass(frozen=True)
class Source:
    """One rehearsal's signal. `end` is not included.

    `evaluate` gives the lines of an expression, one per group, over [start, end); it raises UnusableInputError for what
    is outside its subset. `edges` gives those of the lower and upper edge of the band that anomalies() of it is given,
    none of each where it is given no band. `tags` are those of every series, by metric.
    """

    start: int
    end: int
    evaluate: Callable[[tree.Expression, int, int], Sequence[Line]]
    edges: Callable[[tree.Expression, int, int], tuple[Sequence[Line], Sequence[Line]]]
    tags: Mapping[str, frozenset[str]]
    pool: Pool
    # Dashboards of one integration ask the same.
    _answers: dict[tuple[tree.Expression, bool], Answer] = field(default_factory=dict)

    def values(self, key: str) -> list[str]:
        """Return every value of a tag key, sorted."""
        tags = (tag.partition(':') for tags in self.tags.values() for tag in tags)
        return sorted({value for name, colon, value in tags if colon and name == key})

    def answer(self, expression: tree.Expression, banded: bool = False) -> Answer:
        """Evaluate an expression for each length of bucket that a time frame may need, and its band."""
        if (expression, banded) not in self._answers:
            self._answers[expression, banded] = self._answer(expression, banded)
        return self._answers[expression, banded]

    def _answer(self, expression: tree.Expression, banded: bool) -> Answer:
        read = [*tree.metrics(expression)]
        missing = sorted({metric.name for metric in read} - self.tags.keys())
        if missing:
            return Answer(missing=missing)
        own = [bucket for metric in read for bucket in own_bucket(metric)]
        buckets = (max(own),) if own and len(own) == len(read) else BUCKETS
        rollups = {bucket: rolled_up(expression, bucket) for bucket in buckets}
        starts = self._starts(expression, buckets)
        series = self._packed({b: self.evaluate(one, starts[b], self.end) for b, one in rollups.items()})
        if banded:
            edges = {b: self.edges(one, starts[b], self.end) for b, one in rollups.items()}
            lower, upper = (self._packed({b: pair[side] for b, pair in edges.items()}) for side in (0, 1))
            for name in series:
                low, high = (side[name].levels if name in side else [] for side in (lower, upper))
                series[name] = replace(series[name], lower=low, upper=high)
        return Answer(list(series.values()))

    def _starts(self, expression: tree.Expression, buckets: Sequence[int]) -> dict[int, int]:
        """From where each length of bucket is evaluated: no more than is kept, for what has no memory.

        The finest is evaluated whole, for its extremes stand behind all others.
        """
        if any(isinstance(node, tree.Call) for node in tree.walk(expression)):
            return dict.fromkeys(buckets, self.start)
        # One bucket more than is kept, and whole ones: their ends are at multiples of their length.
        kept = kept_buckets(self.end - self.start) + 1
        starts = {b: max(self.start, (self.end - kept * b) // b * b) for b in buckets}
        return {**starts, buckets[0]: self.start}

    def _packed(self, levels: Mapping[int, Sequence[Line]]) -> dict[str, Series]:
        named = {bucket: {line.name: line for line in lines} for bucket, lines in levels.items()}
        finest = next(iter(named.values()))
        return {name: self.pack(name, {b: lines.get(name) for b, lines in named.items()}) for name in finest}

    def pack(self, name: str, levels: Mapping[int, Line | None]) -> Series:
        """Pack the levels of one line, by length of bucket."""
        return pack(self.pool, self.start, self.end, name, levels.get, tuple(levels))
