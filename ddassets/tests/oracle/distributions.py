"""Random monitors of distributions: percentiles of windows and of buckets, and exact aggregates (17.17 to 17.22)."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from ddassets.engine.assumptions import ASSUMPTIONS
from oracle import cases
from oracle.cases import Case
from oracle.evaluation import MonitorQuery, Refused
from oracle.queries import Calendar, Leaf
from oracle.series import Kind
from oracle.states import Options

PERCENTILES = ('p0', 'p29', 'p50', 'p50', 'p95', 'p99.9', 'p100')
SWITCHED = (*cases.SWITCHED, 'A63')


def make(seed: int) -> Case:
    """Return the case of a number, always the same."""
    random = Random(f'distributions {seed}')
    while True:
        try:
            return _Maker(random).case()
        except Refused:
            continue


class _Maker(cases.Maker):
    def kind_of_each(self) -> dict[str, Kind]:
        return {'m': 'distribution', 'n': self.random.choice(('distribution', 'gauge', 'count'))}

    def samples(self, interval: int, kind: Kind) -> tuple[tuple[float, float, float], ...]:
        found = super().samples(interval, kind)
        if kind != 'distribution':
            return found
        steps = (0, 0, 0.25, 1, -3, 40)
        return tuple((time, value + self.random.choice(steps), arrival) for time, value, arrival in found)

    def choices(self) -> dict[str, str]:
        found = super().choices()
        if self.chance(0.4):
            found['A63'] = self.random.choice(ASSUMPTIONS['A63'].alternatives)
        return found

    def monitor_query(self) -> MonitorQuery:
        query = super().monitor_query()
        if query.stub:
            return self.monitor_query()
        if self.chance(0.5):
            return query
        leaf = Leaf('m', self.random.choice(PERCENTILES), self.scope(), self.by)
        return MonitorQuery('percentile', query.number, query.unit, leaf)

    def leaf(self) -> Leaf:
        leaf = super().leaf()
        if self.kinds[leaf.metric] != 'distribution' or self.chance(0.15):
            return leaf
        space = self.random.choice((*PERCENTILES, 'avg', 'sum', 'min', 'max'))
        rollup = leaf.rollup
        if rollup:
            # Of a percentile the method has no effect; other aggregates have none but their own.
            methods = ('avg', 'sum', 'max') if space in PERCENTILES else (space,)
            none = () if isinstance(rollup[1], Calendar) else (None,)
            rollup = self.random.choice((*methods, *none)), rollup[1]
        return replace(leaf, space=space, counting=None, rollup=rollup, weighted=False)

    def options(self, case: Case, values: Sequence[float]) -> Options:
        while True:
            found = super().options(case, values)
            # With == there is no share of points.
            if found.comparator not in ('==', '!=') or case.choices['A63'] != 'share of points':
                return found
