"""Create the series of a scenario from compact notation, CSV, and the integration's own check."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ddassets.assets import Bundle
from ddassets.assets.document import read_bytes
from ddassets.engine.column import Floats
from ddassets.engine.events import Events
from ddassets.engine.given import PREFIX as GIVEN
from ddassets.engine.message import Host
from ddassets.engine.series import (
    MAX_POINTS,
    Kind,
    Series,
    SeriesSet,
    from_values,
    parse_compact,
    parse_distribution,
    read_csv,
)
from ddassets.engine.service_check import PREFIX as CHECK
from ddassets.engine.service_check import CheckRuns
from ddassets.nearest import did_you_mean
from ddassets.rehearsal import statuses
from ddassets.rehearsal.bands import Bands
from ddassets.rehearsal.entry import Entry
from ddassets.rehearsal.scenario import KINDS, Band, Check, FoundEvents, Points, Scenario, Statuses
from ddassets.rehearsal.statuses import CHECK_WORDS, STATE_WORDS
from ddassets.rehearsal.times import shown_time

# Maximum of bytes of a CSV file. The points of all series together are limited to MAX_POINTS.
MAX_CSV = 1_000_000_000


class Simulate(Protocol):
    """Runs the check of the integration at `folder` on a simulated clock over [check.start, end), in seconds.

    Returns the series, and sentences about samples that the Agent would drop. Raises UnusableInputError if the check
    cannot run.
    """

    def __call__(self, folder: Path, check: Check, end: int) -> tuple[Sequence[Series], Sequence[str]]: ...


@dataclass(frozen=True, eq=False)
class Signal:
    """The series of a rehearsal. `until` is the end of the data of each series, by metric and tags.

    `stubs` are (monitor or None, series), `bands` the bounds of anomalies(), `events` the results of searches,
    `warnings` sentences.
    """

    series: SeriesSet
    until: Mapping[tuple[str, frozenset[str]], float]
    stubs: tuple[tuple[str | None, Series], ...] = ()
    bands: Bands = field(default_factory=Bands)
    events: tuple[Events, ...] = ()
    warnings: tuple[str, ...] = ()

    def store(self, monitor: str, banded: Iterable[Series] = ()) -> SeriesSet:
        """Return the series for one monitor. Its own stub takes precedence over a general stub, then a band."""
        chosen: dict[tuple[str, frozenset[str]], Series] = {(one.metric, one.tags): one for one in banded}
        for name, series in sorted(self.stubs, key=lambda stub: stub[0] is not None):
            if name in (None, monitor):
                chosen[series.metric, series.tags] = series
        return SeriesSet([*self.series, *chosen.values()]) if chosen else self.series

    def data_end(self, series: Series) -> float:
        """Return the end of a series' data, in seconds since the epoch."""
        # The stub from a band has the length of its metric.
        return self.until.get((series.metric, series.tags), math.inf)


def signal(
    scenario: Scenario, bundle: Bundle, simulate: Simulate | None = None, given: Iterable[Series] = ()
) -> Signal:
    """Return the series of a scenario and the additional series, each with the tags of its host.

    Raises UnusableInputError with the line of the faulty source.
    """
    reader = _Reader(scenario, bundle, simulate)
    for source in scenario.sources:
        match source:
            case Check():
                reader.check(source)
            case Band():
                reader.band(source)
            case FoundEvents():
                reader.found(source)
            case Points():
                reader.points(source)
            case Statuses():
                reader.statuses(source)
    for one in given:
        last = float(one.times[-1]) + one.interval if len(one) else scenario.start
        reader.series.append(reader.with_data_end(one, last))
    reader.warnings += _unknown_hosts(scenario, [*reader.series, *(one for _, one in reader.stubs)])
    bands = Bands(*(scenario.top.keys['series'].within(SeriesSet, side) for side in (reader.lower, reader.upper)))
    series = scenario.top.keys['series'].within(SeriesSet, reader.series)
    return Signal(series, reader.until, tuple(reader.stubs), bands, tuple(reader.events), tuple(reader.warnings))


class _Reader:
    """Collects the series of all sources."""

    def __init__(self, scenario: Scenario, bundle: Bundle, simulate: Simulate | None) -> None:
        self.scenario = scenario
        self.bundle = bundle
        self.simulate = simulate
        self.series: list[Series] = []
        self.stubs: list[tuple[str | None, Series]] = []
        self.lower: list[Series] = []
        self.upper: list[Series] = []
        self.until: dict[tuple[str, frozenset[str]], float] = {}
        self.events: list[Events] = []
        self.warnings: list[str] = []
        self._times: Floats = np.empty(0)
        self._points = 0

    def check(self, source: Check) -> None:
        if self.simulate is None:
            source.entry.refuse('no simulator was given, so `check` cannot be used here')
        found, dropped = source.entry.within(self.simulate, self.bundle.folder, source, self.scenario.end)
        self.warnings.extend(dropped)
        for one in found:
            self.count_points(source.entry, len(one))
            self.series.append(self.with_data_end(one, self.scenario.end))

    def band(self, source: Band) -> None:
        known = self.bundle.metrics.get(source.metric)
        interval = source.interval or (known.interval if known else None)
        if not interval:
            source.entry.refuse(
                f'interval is required: metadata.csv has none for {source.metric}{_meant(source.metric, self.bundle)}'
            )
        for key, text, side in (('lower', source.lower, self.lower), ('upper', source.upper, self.upper)):
            if text is not None:
                place = source.entry.keys[key]
                limit = self.limit(source.start, interval)
                values = place.within(parse_compact, text, limit)
                self.count_points(source.entry, values.size)
                one = place.within(from_values, values, source.metric, source.tags, source.start, 'gauge', interval)
                side.append(_with_host_tags(one, self.scenario.hosts))

    def found(self, source: FoundEvents) -> None:
        # Each entry is a separate series, whatever its tags are.
        name = f'{source.product} {len(self.events) + 1}'
        if source.counts is None:
            self.count_points(source.entry, len(source.instants))
            times, counts = np.unique(np.array(source.instants, dtype=np.float64), return_counts=True)
            series = Series(name, source.tags, times, counts.astype(np.float64), 'count', source.interval)
        else:
            place = source.entry.keys['counts']
            limit = self.limit(source.start, source.interval)
            values = place.within(parse_compact, source.counts, limit)
            self.count_points(source.entry, values.size)
            if (values[~np.isnan(values)] < 0).any():
                place.refuse('expected numbers of events, found one below 0')
            series = place.within(from_values, values, name, source.tags, source.start, 'count', source.interval)
            # There are no events between those of an entry.
            self.until[name, source.tags] = source.start + source.interval * values.size
        self.check_times(source.entry, f'{source.product} events', source.start, [series])
        monitor = source.monitor.text() if source.monitor else None
        self.events.append(Events(source.product, series, monitor, source.attributes, source.fields, source.variables))

    def check_times(self, entry: Entry, name: str, start: float, series: Iterable[Series]) -> None:
        """Warn if all points of a source are outside the rehearsal, or if its first one, at `start`, is after it."""
        scenario = self.scenario
        bounds = [float(one.times[end]) for one in series if len(one) for end in (0, -1)] or [start]
        first, last = min(bounds), max(bounds)
        if first >= scenario.end or last < scenario.start:
            where = 'after' if first >= scenario.end else 'before'
            shown = ' to '.join(shown_time(bound, scenario.zone) for bound in sorted({first, last}))
            place = f'line {entry.line}: ' if entry.line else ''
            self.warnings.append(f'{place}all data of {name} is {where} the rehearsal: {shown}')

    def count_points(self, entry: Entry, number: int) -> None:
        """Add to the number of points of all series. Raises UnusableInputError for more than MAX_POINTS."""
        self._points += number
        if self._points > MAX_POINTS:
            entry.refuse(f'all series together have more than {MAX_POINTS:,} points')

    def limit(self, start: float, interval: int) -> int:
        """Return the number of points until the scenario's end; further points are not generated."""
        return max(0, math.floor((self.scenario.end - start) / interval) + 1)

    def points(self, source: Points) -> None:
        kind, interval = _declared(source, self.bundle)
        if source.values is None:
            text = _text(source)
            found = source.entry.keys['csv'].within(read_csv, text, source.metric, source.tags, kind, interval)
            self.check_times(source.entry, source.metric, source.start, found)
            for one in found:
                self.count_points(source.entry, len(one))
                last = float(one.times[-1]) + interval if len(one) else source.start
                self.add(source, self.with_data_end(one, max(last, source.until or last)))
            return
        place = source.entry.keys[source.key]
        if kind == 'distribution':
            self.distribution(source, place, source.values, interval)
            return
        values = place.within(parse_compact, source.values, self.limit(source.start, interval))
        self.count_points(source.entry, values.size)
        one = place.within(from_values, values, source.metric, source.tags, source.start, kind, interval)
        self.check_times(source.entry, source.metric, source.start, [one])
        self.add(source, self.with_data_end(one, source.start + interval * values.size))

    def distribution(self, source: Points, place: Entry, text: str, interval: int) -> None:
        limit = self.limit(source.start, interval)
        steps, values, numbers, size = place.within(parse_distribution, text, limit)
        self.count_points(source.entry, values.size)
        times = source.start + interval * steps
        one = Series(source.metric, source.tags, times, values, 'distribution', interval, numbers=numbers)
        self.check_times(source.entry, source.metric, source.start, [one])
        self.add(source, self.with_data_end(one, source.start + interval * size))

    def statuses(self, source: Statuses) -> None:
        words, prefix, key = (CHECK_WORDS, CHECK, 'statuses') if source.check else (STATE_WORDS, GIVEN, 'states')
        place = source.entry.keys[key]
        codes = place.within(statuses.parse, source.words, words, self.limit(source.start, source.interval))
        self.count_points(source.entry, codes.size)
        known = ~np.isnan(codes)
        times = source.start + np.arange(codes.size, dtype=np.float64)[known] * source.interval
        texts = statuses.messages(codes[known], source.messages)
        name = prefix + source.name
        runs = place.within(CheckRuns, name, source.tags, times, codes[known], 'gauge', source.interval, messages=texts)
        self.check_times(source.entry, source.name, source.start, [runs])
        self.series.append(self.with_data_end(runs, source.start + source.interval * codes.size))

    def with_data_end(self, series: Series, until: float) -> Series:
        """Return the series with the tags of its host, and record the end of its data."""
        joined = _with_host_tags(series, self.scenario.hosts)
        # Share equal times between series, to save memory.
        if np.array_equal(joined.times, self._times):
            joined = replace(joined, times=self._times)
        self._times = joined.times
        self.until[joined.metric, joined.tags] = until
        return joined

    def add(self, source: Points, series: Series) -> None:
        if source.stub:
            self.stubs.append((source.monitor.text() if source.monitor else None, series))
        else:
            self.series.append(series)


def _unknown_hosts(scenario: Scenario, series: Sequence[Series]) -> Iterator[str]:
    known = {tag.removeprefix('host:') for one in series for tag in one.tags if tag.startswith('host:')}
    for name in scenario.hosts:
        if name not in known:
            yield f'hosts.{name}: no series has the tag host:{name}{did_you_mean(name, known)}'


def _text(source: Points) -> str:
    """Return the content of a source's file."""
    assert source.csv
    try:
        return read_bytes(source.csv, MAX_CSV).decode()
    except UnicodeDecodeError as error:
        source.entry.keys['csv'].refuse(f'{source.csv}: not UTF-8 at byte {error.start}')
    except (OSError, ValueError) as error:
        source.entry.keys['csv'].refuse(f'{source.csv}: {getattr(error, "strerror", None) or error}')


def _meant(metric: str, bundle: Bundle) -> str:
    return '' if metric in bundle.metrics else did_you_mean(metric, bundle.metrics)


def _declared(source: Points, bundle: Bundle) -> tuple[Kind, int]:
    """Return type and interval, from metadata.csv if the scenario does not give them (rule 2.15)."""
    known = bundle.metrics.get(source.metric)
    kind = source.kind or next((kind for kind in KINDS if known and known.type == kind), None)
    interval = source.interval or (known.interval if known else None)
    if kind is None or not interval:
        missing = ' and '.join(key for key, value in (('type', kind), ('interval', interval)) if not value)
        reason = (
            f'metadata.csv has no such metric{_meant(source.metric, bundle)}'
            if known is None
            else f'metadata.csv has type {known.type!r}'
        )
        if known is not None and kind is not None:
            reason = 'metadata.csv has none'
        source.entry.refuse(f'{missing} of {source.metric} is required: {reason}')
    return kind, interval


def _with_host_tags(series: Series, hosts: Mapping[str, Host]) -> Series:
    """Add the tags of a host to every series of it, as Datadog does."""
    names = [tag.removeprefix('host:') for tag in series.tags if tag.startswith('host:')]
    tags = {
        f'{key}:{value}' if value else key
        for name in names
        if name in hosts
        for key, values in hosts[name].tags.items()
        for value in values
    }
    return series if tags <= series.tags else replace(series, tags=series.tags | tags)
