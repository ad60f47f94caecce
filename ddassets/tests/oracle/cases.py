"""Random monitors and series, small enough for a slow evaluation and varied enough to reach every rule."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from ddassets.engine.assumptions import ASSUMPTIONS
from oracle.arithmetic import DIFFERENCES, gapped
from oracle.boundaries import Current
from oracle.evaluation import UNITS, Evaluation, MonitorQuery, Refused, has_keys, prepared
from oracle.notifications import Downtime
from oracle.queries import (
    Binary,
    Both,
    Calendar,
    Either,
    Everything,
    In,
    Leaf,
    Not,
    Number,
    Query,
    Scope,
    Tag,
    Wrapped,
    leaves,
    names,
)
from oracle.schedule import Scheduled
from oracle.series import Kind, Source
from oracle.smoothing import family
from oracle.states import Options, evaluated_as, ticks

# A Friday, 2027-01-15T08:00:00Z.
START = 1_800_000_000
SWITCHED = tuple(
    name
    for name in 'A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A17 A19 A22 A23 A74 A75 A76 A77 A78 A79 A80 A89 A94 A95 A96'.split()
    if name in ASSUMPTIONS and ASSUMPTIONS[name].alternatives
)
# Functions that two evaluators may round differently: no value of theirs is a threshold.
ROUNDED = ('trend_line', 'ewma', 'log2', 'log10')
HOSTS, ENVS = ('a', 'b', 'bb'), ('prod', 'dev')


@dataclass(frozen=True)
class Case:
    query: MonitorQuery
    options: Options
    choices: Mapping[str, str]
    sources: tuple[Source, ...]
    start: int
    end: int
    second: int
    downtimes: tuple[Downtime, ...]
    schedule: Scheduled | None = None

    @property
    def body(self) -> dict[str, Any]:
        """Return the monitor in the API's form."""
        one = self.options
        thresholds = {
            'critical': one.critical,
            'warning': one.warning,
            'critical_recovery': one.critical_recovery,
            'warning_recovery': one.warning_recovery,
        }
        options: dict[str, Any] = {
            'thresholds': {key: value for key, value in thresholds.items() if value is not None},
            'notify_no_data': one.notify_no_data,
            'no_data_timeframe': one.no_data_timeframe and one.no_data_timeframe / 60,
            'require_full_window': one.require_full_window,
            'evaluation_delay': one.evaluation_delay,
            # The API takes none above 0 for a query without groups, and 60 is the default.
            'new_group_delay': one.new_group_delay if self.query.by or not one.new_group_delay else None,
            'timeout_h': one.timeout / 3600,
            'renotify_interval': one.renotify_interval / 60,
            'renotify_occurrences': one.renotify_occurrences,
        }
        if one.on_missing_data:
            options['on_missing_data'] = one.on_missing_data
        if self.schedule:
            # A custom schedule may not ask for a full window.
            options['require_full_window'] = False
            options['scheduling_options'] = {'custom_schedule': self.schedule.option}
        if self.query.current:
            options['scheduling_options'] = {'evaluation_window': self.query.current.option}
        if one.renotify_statuses:
            options['renotify_statuses'] = list(one.renotify_statuses)
        if self.query.stub and self.query.recovery:
            options['threshold_windows'] = {
                'trigger_window': f'last_{self.query.number}{self.query.unit}',
                'recovery_window': f'last_{self.query.recovery // 60}m',
            }
        return {
            'name': 'random',
            'type': 'query alert',
            'query': f'{self.query} {one.comparator} {one.critical!r}',
            'draft_status': 'draft' if one.draft else 'published',
            'options': options,
        }

    @property
    def groups(self) -> dict[tuple[str, ...], list[Source]]:
        """Return the sources of each group that match the scope and have all keys (rule 1.7)."""
        found: dict[tuple[str, ...], list[Source]] = {} if self.query.by else {(): []}
        for source in self.sources:
            values = [[tag for tag in source.tags if tag.startswith(f'{key}:')] for key in self.query.by]
            taken = any(
                leaf.metric == source.metric and leaf.scope.takes(source.tags) and has_keys(leaf, source)
                for leaf in self.each
            )
            if taken and source.samples and all(values):
                # Each key once: the series of the cases have no key twice.
                found.setdefault(tuple(each[0] for each in values), []).append(source)
        if not found and 'default' in names(self.query.query):
            # Rule 20.7: a grouped query without any series has one group.
            return {(): []}
        return dict(sorted(found.items()))

    @property
    def each(self) -> list[Leaf]:
        return list(leaves(self.query.query))


def make(seed: int) -> Case:
    """Return the case of a number, always the same."""
    random = Random(seed)
    while True:
        try:
            return Maker(random).case()
        except Refused:
            continue


def shares(source: Source) -> Source:
    """The source as a stub of anomalies(): shares of points outside the band, from 0 to 1."""
    samples = tuple((time, min(1.0, abs(value) / 8), arrival) for time, value, arrival in source.samples)
    return replace(source, metric='anomalies', kind='gauge', samples=samples)


# (chance, windows, intervals of the series, length in seconds of the time evaluated)
REGIMES = (
    (0.71, ((1, 'm'), (2, 'm'), (5, 'm'), (10, 'm'), (15, 'm')), (15, 30, 45, 60, 60, 90), (1200, 4200)),
    (0.12, ((1, 'h'), (2, 'h')), (60, 120, 300, 600), (7200, 10800)),
    (0.07, ((1, 'd'), (2, 'd'), (36, 'h'), (1, 'w')), (3600, 7200), (2 * 86400, 4 * 86400)),
    (0.05, ((1, 'd'), (36, 'h')), (3600, 7200), (62 * 3600, 86 * 3600)),
    (0.05, ((1, 'd'), (2, 'd'), (36, 'h'), (1, 'w')), (3600, 7200), (86400, 3 * 86400)),
)
# Where days and weeks have other lengths, and months begin: about 03-01, 03-14, 03-28, 10-31 and 11-01 of 2027.
CALENDAR = (1_803_772_800, 1_804_888_800, 1_806_098_400, 1_824_854_400, 1_824_940_800)
ZONES = (None, 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'America/Havana')


class Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        (regime,) = random.choices(REGIMES, [regime[0] for regime in REGIMES])
        self.intervals: tuple[int, ...] = regime[2]
        _, windows, _, lengths = regime
        self.window = random.choice(windows)
        self.seconds = self.window[0] * UNITS[self.window[1]]
        self.long, self.silent, self.calendar = regime in REGIMES[2:], regime == REGIMES[3], regime == REGIMES[4]
        begin = random.choice(CALENDAR) if self.calendar else START
        self.start = begin + random.choice((0, 0, 60 * random.randrange(60), random.randrange(3600)))
        self.length = random.randrange(*lengths)
        self.end = self.start + self.length

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def case(self) -> Case:
        random = self.random
        self.kinds = self.kind_of_each()
        sources = tuple(self.sources())
        query = self.monitor_query()
        if query.stub:
            sources = tuple(shares(source) for source in sources if source.metric == 'm')
        second = random.choice((0, 0, 0, 17, 59))
        choices = self.choices()
        query = replace(query, query=gapped(query.query, choices))
        case = Case(query, Options('>', 0.0), choices, sources, self.start, self.end, second, ())
        case = replace(case, options=self.options(case, self.probe(case)))
        case = replace(case, query=replace(self.recovering(case), comparator=case.options.comparator))
        return replace(case, downtimes=tuple(self.downtimes()))

    def kind_of_each(self) -> dict[str, Kind]:
        """Return the types of the metrics."""
        kinds: tuple[Kind, ...] = ('gauge', 'gauge', 'count', 'rate')
        found = {name: self.random.choice(kinds) for name in ('m', 'n')}
        if self.chance(0.08):
            found['n'] = 'distribution'
        return found

    def recovering(self, case: Case) -> MonitorQuery:
        """The query of a stub with a recovery window, long enough that it cannot trigger and recover at once (6.4)."""
        minutes = case.query.window // 60
        least = math.ceil(minutes * (1 - case.options.critical)) + 1
        if not case.query.stub or least > minutes or self.chance(0.3):
            return case.query
        return replace(case.query, recovery=60 * self.random.randint(least, minutes))

    # The series.

    def sources(self) -> 'list[Source]':
        random = self.random
        found = []
        for metric in ('m', 'n'):
            for host in random.sample(HOSTS, random.choice((1, 1, 2, 2, 3))):
                tags = {f'host:{host}'}
                if self.chance(0.7):
                    tags.add(f'env:{random.choice(ENVS)}')
                interval = random.choice(self.intervals)
                found.append(
                    Source(
                        metric,
                        frozenset(tags),
                        self.kinds[metric],
                        interval,
                        self.samples(interval, self.kinds[metric]),
                    )
                )
        return found

    def samples(self, interval: int, kind: Kind) -> tuple[tuple[float, float, float], ...]:
        random = self.random
        at = self.start - random.choice((0, 1, 1, 2)) * random.randrange(self.length) // 2
        at -= at % interval if self.chance(0.5) else 0
        if self.chance(0.15):
            at = self.start + random.randrange(self.length // 2)
        stop = self.end if self.chance(0.6) else self.start + random.randrange(self.length)
        if self.silent:
            # Time enough to be forgotten (rule 3.20), and now and then to come back.
            stop = self.start + random.randrange(3 * 3600)
        jitter = 0 if self.chance(0.5) else interval // 3
        gap = random.choice((0.0, 0.02, 0.1, 0.3))
        longest = random.choice((3, 10, 40)) * (1 if interval < 600 else 2)
        late = 0 if self.chance(0.75) else random.choice((30, 120, 600))
        value = random.choice((0.0, 5.0, 20.0))
        # A distribution has several raw values at one instant.
        most = 4 if kind == 'distribution' else 1
        found: list[tuple[float, float, float]] = []
        arrived = 0.0
        while at < stop and len(found) < 400:
            if self.chance(gap):
                at += interval * random.randrange(1, longest)
                continue
            value = value + random.choice((-4, -1, -0.25, 0, 0, 0.25, 1, 4)) if self.chance(0.8) else value
            if self.chance(0.05):
                value = random.choice((0.0, 0.0, 50.0, -3.0))
            time = at + random.randrange(jitter + 1)
            arrived = max(arrived, time + (random.randrange(late) if late and self.chance(0.4) else 0))
            found += [(time, value, arrived)] * random.randint(1, most)
            at += interval
        if self.silent and self.chance(0.5):
            found += [(time, value, time) for time in range(self.end - 8 * 3600, self.end, interval)]
        return tuple(found)

    # The query.

    def monitor_query(self) -> MonitorQuery:
        random = self.random
        number, unit = self.window
        self.by = random.choice(
            (('host',),) if self.silent else ((), (), ('host',), ('host',), ('env',), ('env', 'host'))
        )
        if self.chance(0.04):
            stub = Leaf('anomalies', 'avg', Everything(), self.by)
            return MonitorQuery('avg', number, unit, stub, None, True)
        self.rollup: tuple[str | None, int | Calendar] | None = None
        if self.calendar:
            self.rollup = (random.choice(('avg', 'sum', 'min', 'max', 'count')), self.units())
        elif self.chance(0.3):
            least = self.intervals[0]
            seconds = random.choice((least, 2 * least, *((60, 300, 420) if least < 600 else (5400,))))
            self.rollup = (random.choice((None, 'avg', 'sum', 'min', 'max', 'count')), seconds)
        self.counting = self.chance(0.3)
        change = None
        if self.chance(0.12):
            shift, text = random.choice(((300, '5m_ago'), (600, 'last_10m'), (3600, '1h_ago'), (86400, '1d_ago')))
            change = (random.choice(('change', 'pct_change')), shift, text)
        query = self.query(random.choice((0, 0, 1, 1, 2, 3)))
        if self.by and self.chance(0.15) and next(leaves(query), None):
            query = Wrapped(random.choice(('count_nonzero', 'count_nonzero_finite', 'count_not_null')), query)
        counted = any(leaf.counting == 'as_count' for leaf in leaves(query))
        aggregator = 'sum' if counted else random.choice(('avg', 'sum', 'min', 'max'))
        return MonitorQuery(aggregator, number, unit, query, change)

    def units(self) -> Calendar:
        random = self.random
        unit, zone = random.choice(('daily', 'daily', 'daily', 'weekly', 'monthly')), random.choice(ZONES)
        hour = random.choice((None, 0, 2, 5, 12, 17)) if unit == 'daily' else None
        return Calendar(unit, zone, hour, random.choice((None, 'monday', 'sunday')) if unit == 'weekly' else None)

    def query(self, depth: int) -> Query:
        random = self.random
        if depth == 0:
            return self.leaf()
        if self.chance(0.55):
            sign = random.choice('+-*/')
            if self.chance(0.25):
                number = Number(float(random.choice((1, 2, 10, 100))))
                return random.choice((Binary(sign, self.query(depth - 1), number), Binary(sign, number, self.leaf())))
            return Binary(sign, self.query(depth - 1), self.query(random.randrange(depth)))
        name = random.choice(
            'abs clamp_min clamp_max default_zero default_zero default diff diff per_second per_minute per_hour '
            'derivative timeshift timeshift hour_before day_before month_before monotonic_diff cutoff_min cutoff_max '
            'log2 log10 throughput exclude_null median_3 median_5 ewma_3 ewma_10 moving_rollup trend_line'.split()
            + ([] if self.by else ['dt'])
        )
        argument = None
        method = None
        if name == 'moving_rollup':
            argument = float(random.choice((60, 100, 300, 1800)) * (60 if self.long else 1))
            method = random.choice(('avg', 'sum', 'min', 'max', 'count'))
        if name.startswith(('clamp', 'cutoff')) or name == 'default':
            argument = float(random.choice((0, 3, 10)))
        if name == 'timeshift':
            argument = float(-random.choice((60, 90, 300, 3600)))
        inner = self.query(depth - 1)
        if name in DIFFERENCES and set(DIFFERENCES) & set(names(inner)):
            # How far back a difference of differences reaches is not a rule of its own (A19).
            return inner
        return Wrapped(name, inner, argument, method)

    def leaf(self) -> Leaf:
        random = self.random
        metric = random.choice(('m', 'm', 'n'))
        counting = random.choice(('as_count', 'as_count', 'as_rate')) if self.counting and self.chance(0.8) else None
        fill = None
        if self.chance(0.15):
            fill = (random.choice(('linear', 'last', 'zero', 'null')), random.choice((None, 60, 120, 600)))
        rollup = self.rollup if self.chance(0.8) else None
        if counting and rollup and self.chance(0.5) and not self.calendar:
            rollup = (None, rollup[1])
        space = None if self.chance(0.04) else random.choice(('avg', 'sum', 'min', 'max'))
        if self.kinds[metric] == 'distribution':
            # Rule 20.22: its rollup has no method.
            space, rollup = 'count', rollup and ('sum' if self.calendar else None, rollup[1])
        weighted = space == 'sum' and (not rollup or rollup[0] in (None, 'avg')) and self.chance(0.15)
        return Leaf(metric, space, self.scope(), self.by, counting, rollup, fill, weighted)

    def scope(self) -> Scope:
        random = self.random

        def tag() -> Scope:
            key, value = random.choice(
                (('host', 'a'), ('host', 'b'), ('host', 'b*'), ('host', '*b'), ('env', 'prod'), ('env', 'd*'))
            )
            return Tag(key, value)

        kind = random.randrange(10)
        if kind < 5:
            return Everything()
        if kind == 5:
            return tag()
        if kind == 6:
            return Not(tag(), '!')
        if kind == 7:
            return Both(tag(), Not(tag(), '!') if self.chance(0.5) else tag(), ', ')
        if kind == 8:
            return Either(tag(), Both(tag(), Not(tag())) if self.chance(0.3) else In('host', ('a', 'bb')))
        return Both(Either(tag(), tag()), Not(In('env', ('dev',))))

    # The options.

    def choices(self) -> dict[str, str]:
        random = self.random
        found = {assumption.id: assumption.default for assumption in ASSUMPTIONS.values()}
        if self.chance(0.4):
            for name in SWITCHED:
                if self.chance(0.3):
                    found[name] = self.random.choice([*ASSUMPTIONS[name].alternatives, found[name]])
        if found['A5'] == 'error':
            found['A5'] = '1x window'
        # Buckets of seconds in windows of hours only cost time.
        if found['A2'] != 'native' and (self.long or (found['A2'] in ('1', '2', '5') and self.seconds > 300)):
            allowed = ('3600', '14400') if self.long else ('table',)
            found['A2'] = random.choice(
                ['native', *(choice for choice in allowed if choice in ASSUMPTIONS['A2'].alternatives)]
            )
        return found

    def probe(self, case: Case) -> list[float]:
        """Return some of the expected values, to choose thresholds that matter."""
        found = []
        every = ticks(case.start, case.end, case.second, evaluated_as(case.query, case.choices))
        for sources in case.groups.values():
            query = prepared(case.query, sources)
            for tick in self.random.sample(every, min(len(every), 5)):
                value = Evaluation(query, sources, tick, 0, case.choices, {}, case.start).result().value
                if value is not None:
                    found.append(value)
        return sorted(found) or [0.0]

    def options(self, case: Case, values: Sequence[float]) -> Options:
        random = self.random
        comparator = random.choice(('>', '>', '>=', '<', '<=', '<', '==', '!='))
        exact = not any(family(name) in ROUNDED for name in names(case.query.query))
        found = {self.limit(random.choice(values), values, exact) for _ in range(4)}
        if case.query.stub:
            # A condition that no share meets is refused.
            comparator, found = random.choice(('>=', '>=', '>')), {min(0.96875, limit) for limit in found}
        limits = sorted(found, reverse=comparator[0] == '>')
        picked: list[float | None] = [*limits, None, None, None, None]
        critical, warning = picked[0], picked[random.choice((1, 2, 9 - 5))]
        assert critical is not None
        critical_recovery = warning_recovery = None
        if comparator in ('==', '!='):
            warning = None if warning is None or self.chance(0.5) else warning
        else:
            critical_recovery = random.choice((None, *limits))
            if warning is not None:
                beyond = [one for one in limits if (one <= warning if comparator[0] == '>' else one >= warning)]
                warning_recovery = random.choice((None, *beyond))
        on_missing_data = None
        notify_no_data = self.chance(0.35)
        if self.chance(0.1 if notify_no_data else 0.6):
            # Rule 3.17: beside default_zero() there is no other choice.
            zero = 'default_zero' in names(case.query.query)
            allowed = ('default',) if zero else ('show_no_data', 'show_and_notify_no_data', 'resolve', 'default')
            on_missing_data = random.choice(allowed)
        hours = 3600 if self.long else 60
        timeout = random.choice((0, 2, 7, 20)) * hours if on_missing_data != 'resolve' and self.chance(0.5) else 0
        statuses = random.choice(((), ('alert',), ('warn', 'alert'), ('no data', 'warn'), ('alert', 'no data', 'warn')))
        return Options(
            comparator,
            critical,
            warning,
            critical_recovery,
            warning_recovery,
            notify_no_data=notify_no_data,
            no_data_timeframe=random.choice((None, 2, 5, 10, 60)) and random.choice((2, 5, 10, 60)) * 60,
            on_missing_data=on_missing_data,
            require_full_window=self.chance(0.3),
            evaluation_delay=random.choice((0, 0, 0, 30, 60, 300, 900)),
            new_group_delay=min(random.choice((0, 60, 60, 300, 1000)), 1000 if case.query.by else 60),
            timeout=min(timeout, 86400),
            renotify_interval=random.choice((0, 1, 5, 7, 30)) * 60 if self.chance(0.6) else 0,
            renotify_statuses=statuses,
            renotify_occurrences=random.choice((None, None, 0, 1, 2, 5)),
            draft=self.chance(0.03),
        )

    def limit(self, value: float, values: Sequence[float], exact: bool) -> float:
        """Return an exact value itself, so that > and >= differ; otherwise a number that no value is close to."""
        if exact and value * 4 == int(value * 4) and abs(value) < 1e9:
            return value if self.chance(0.7) else value + 0.125
        return float(f'{value:.6g}') + 0.0123456789 * (max(values) - min(values) + 1)

    def downtimes(self) -> list[Downtime]:
        random = self.random
        found: list[Downtime] = []
        for name in random.choice((' ', ' ', 'd', 'dd', 'def')).strip():
            start = self.start + random.randrange(-self.length // 4, self.length)
            start -= start % 60 if self.chance(0.7) else 0
            end: float = start + random.choice((0, 60, 600, self.length // 3, self.length // 3 // 60 * 60))
            if found and self.chance(0.3):
                start = int(found[-1].end) if found[-1].end < float('inf') else start
                end = max(end, start)
            if self.chance(0.1):
                end = float('inf')
            begin: float = float('-inf') if self.chance(0.1) else start
            states = frozenset(random.sample(('Alert', 'Warn', 'No Data'), random.randrange(4)))
            found.append(Downtime(begin, end, name, self.chance(0.25), states))
        return found


# (window, intervals of the series, length in seconds of the time evaluated, where the clocks change)
CUMULATIVE = (
    (0.4, 'h', (60, 120, 300), (5400, 9000)),
    (0.35, 'd', (1800, 3600), (43200, 129_600)),
    (0.25, 'mo', (3600, 7200), (86400, 3 * 86400)),
)
# Times of interest in 2027: the ends of February and April, and where the clocks of a zone change. Those of Lord Howe
# are turned by half an hour, those of Havana at midnight.
MONTHS = (1_803_859_200, 1_809_129_600)
# By zone: a local time in a change, and the changes.
CLOCKS: Mapping[str | None, tuple[tuple[int, int], tuple[int, ...]]] = {
    None: ((0, 0), MONTHS),
    'Asia/Kathmandu': ((3, 0), MONTHS),
    'Europe/Berlin': ((2, 30), (1_806_195_600, 1_824_944_400)),
    'America/Havana': ((0, 30), (1_805_000_400, 1_825_563_600)),
    'Australia/Lord_Howe': ((2, 15), (1_806_764_400, 1_822_491_000)),
}


class CumulativeMaker(Maker):
    """Makes monitors with a cumulative window, of what the engine takes there."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        (regime,) = random.choices(CUMULATIVE, [regime[0] for regime in CUMULATIVE])
        _, unit, self.intervals, lengths = regime
        self.window = (1, unit)
        self.long, self.silent, self.calendar = unit != 'h', False, False
        self.length = random.randrange(*lengths)
        zone = random.choice((*CLOCKS, *CLOCKS))
        odd, changes = CLOCKS[zone]
        near = random.choice(MONTHS if unit == 'mo' and self.chance(0.6) else changes) - random.randrange(self.length)
        self.start = near - near % random.choice((1, 60, 1800, 3600))
        self.end = self.start + self.length
        at = random.choice((None, odd, odd, odd, (1, 45), (23, 45)))
        minute = random.choice((None, 0, 15, 15, 30, 30))
        if unit == 'h':
            self.current = Current('h', minute, zone=zone)
        else:
            day = random.choice((None, 1, 17, 28, 31, 31)) if unit == 'mo' else None
            self.current = Current(unit, at=at, day=day, zone=zone)
        self.seconds = self.current.extent

    def monitor_query(self) -> MonitorQuery:
        while True:
            found = super().monitor_query()
            # Not evaluated in a cumulative window: a change, a stub, and differences of whole windows.
            if not found.change and not found.stub and not self.of_windows(found):
                return replace(found, current=self.current)

    def of_windows(self, query: MonitorQuery) -> bool:
        each = names(query.query)
        counted = any(leaf.counting == 'as_count' for leaf in leaves(query.query))
        return counted and bool(set(each) & {*DIFFERENCES, 'throughput', 'moving_rollup', 'dt'})

    def choices(self) -> dict[str, str]:
        found = super().choices()
        found['A53'] = self.random.choice(('new window', 'new window', 'old, full window'))
        # Every minute of days takes a slow evaluation too long.
        if not self.long:
            found['A54'] = self.random.choice(('by its longest extent', 'every minute'))
        return found


def make_cumulative(seed: int) -> Case:
    """Return the case with a cumulative window of a number, always the same."""
    random = Random(seed)
    while True:
        try:
            return CumulativeMaker(random).case()
        except Refused:
            continue


class ScheduledMaker(Maker):
    """Makes monitors with a custom schedule, over a week or two."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.window = random.choice(((5, 'm'), (1, 'h'), (4, 'h'), (1, 'd'), (2, 'd')))
        self.seconds = self.window[0] * UNITS[self.window[1]]
        self.long, self.silent, self.calendar = True, False, False
        self.intervals = (1800, 3600, 7200)
        self.length = random.randrange(5 * 86400, 12 * 86400)
        near = random.choice((START, *MONTHS, *CLOCKS['Europe/Berlin'][1])) - random.randrange(self.length)
        self.start = near - near % random.choice((1, 60, 3600))
        self.end = self.start + self.length

    def case(self) -> Case:
        found = super().case()
        # How far back an ewma reaches is a question of memory, not of the schedule.
        if found.query.stub or any(family(name) == 'ewma' for name in names(found.query.query)):
            return self.case()
        options = replace(found.options, require_full_window=False)
        choices = {**found.choices, **{name: self.random.choice(ASSUMPTIONS[name].choices) for name in TOLD}}
        return replace(found, options=options, choices=choices, schedule=self.schedule())

    def schedule(self) -> Scheduled:
        random = self.random
        frequency = random.choice(('DAILY', 'DAILY', 'WEEKLY', 'MONTHLY'))
        zone = random.choice((None, 'Europe/Berlin', 'Europe/Berlin', 'Asia/Kathmandu'))
        begin = datetime.fromtimestamp(self.start, UTC).replace(tzinfo=None) - timedelta(days=random.choice((0, 1, 40)))
        start = (
            None if self.chance(0.2) else begin.replace(hour=random.choice((2, 8, 20)), minute=random.choice((0, 30)))
        )
        days: tuple[int | tuple[int, int], ...] = ()
        place = None
        weekdays = [(0, day) for day in random.sample(range(7), 3)]
        if frequency == 'MONTHLY':
            ordinals = [(random.choice((1, 2, -1)), day) for _, day in weekdays]
            days = random.choice(((28, 29, 30, 31), (-1, 1, 15), tuple(ordinals), tuple(weekdays), (14, 15, 16, 17)))
            place = random.choice((None, None, 1, -1, 2))
        elif self.chance(0.6):
            days = tuple(weekdays)
        hour = random.choice((None, None, 2, 7, 23))
        minute = random.choice((None, None, 0, 30))
        return Scheduled(frequency, random.choice((1, 1, 2)), start, zone, days, place, hour, minute)


TOLD = ('A34', 'A58', 'A59')


def make_scheduled(seed: int) -> Case:
    """Return the case with a custom schedule of a number, always the same."""
    random = Random(seed)
    while True:
        try:
            return ScheduledMaker(random).case()
        except Refused:
            continue
