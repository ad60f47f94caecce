"""From what a scenario says of its signal to series: compact notation, CSV, and the integration's own check."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ddassets.bundle import Bundle
from ddassets.message import Host
from ddassets.rehearsal.scenario import KINDS, Check, Points, Scenario
from ddassets.series import Kind, Series, SeriesSet, from_compact, parse_compact, read_csv


class Simulate(Protocol):
    """Runs the check of the integration at `folder` on a simulated clock over [check.start, end), in seconds.

    Returns the series, and sentences about what the Agent would have dropped. Raises UnusableInputError for a check
    that cannot be run.
    """

    def __call__(self, folder: Path, check: Check, end: int) -> tuple[Sequence[Series], Sequence[str]]: ...


@dataclass(frozen=True, eq=False)
class Signal:
    """The series of a rehearsal. `until` says, by metric and tags, how far each is told: data or declared silence.

    `stubs` are (the monitor for which it stands in or None, the series). `warnings` are sentences.
    """

    series: SeriesSet
    until: Mapping[tuple[str, frozenset[str]], float]
    stubs: tuple[tuple[str | None, Series], ...] = ()
    warnings: tuple[str, ...] = ()

    def store(self, monitor: str) -> SeriesSet:
        """What one monitor is evaluated with: a stub of its own comes before one for all."""
        chosen: dict[tuple[str, frozenset[str]], Series] = {}
        for name, series in sorted(self.stubs, key=lambda stub: stub[0] is not None):
            if name in (None, monitor):
                chosen[series.metric, series.tags] = series
        return SeriesSet([*self.series, *chosen.values()]) if chosen else self.series

    def told_until(self, series: Series) -> float:
        """How far a series is told, in seconds since the epoch."""
        return self.until[series.metric, series.tags]


def signal(scenario: Scenario, bundle: Bundle, simulate: Simulate | None = None) -> Signal:
    """Return the series of a scenario, each with the tags of its host.

    Raises UnusableInputError with the line of the source at fault.
    """
    series: list[Series] = []
    stubs: list[tuple[str | None, Series]] = []
    until: dict[tuple[str, frozenset[str]], float] = {}
    warnings: list[str] = []
    for source in scenario.sources:
        for one, end in _read(source, scenario, bundle, simulate, warnings):
            joined = _with_host_tags(one, scenario.hosts)
            until[joined.metric, joined.tags] = end
            if isinstance(source, Points) and source.stub:
                stubs.append((source.monitor.text() if source.monitor else None, joined))
            else:
                series.append(joined)
    return Signal(scenario.top.keys['series'].within(SeriesSet, series), until, tuple(stubs), tuple(warnings))


def _read(
    source: Points | Check, scenario: Scenario, bundle: Bundle, simulate: Simulate | None, warnings: list[str]
) -> Iterator[tuple[Series, float]]:
    if isinstance(source, Check):
        if simulate is None:
            source.entry.refuse('there is nothing here that runs checks')
        found, dropped = source.entry.within(simulate, bundle.folder, source, scenario.end)
        warnings.extend(dropped)
        for one in found:
            yield one, scenario.end
        return
    kind, interval = _declared(source, bundle)
    if source.values is not None:
        compact = source.values
        place = source.entry.keys['values']
        one = place.within(from_compact, compact, source.metric, source.tags, source.start, kind, interval)
        yield one, source.start + interval * parse_compact(compact).size
        return
    for one in source.entry.keys['csv'].within(_csv, source, kind, interval):
        last = float(one.times[-1]) + interval if len(one) else source.start
        yield one, max(last, source.until or last)


def _csv(source: Points, kind: Kind, interval: int) -> Iterable[Series]:
    assert source.csv
    try:
        text = source.csv.read_bytes().decode()
    except UnicodeDecodeError as error:
        source.entry.keys['csv'].refuse(f'{source.csv}: not UTF-8 at byte {error.start}')
    except (OSError, ValueError) as error:
        source.entry.keys['csv'].refuse(f'{source.csv}: {getattr(error, "strerror", None) or error}')
    return read_csv(text, source.metric, source.tags, kind, interval)


def _declared(source: Points, bundle: Bundle) -> tuple[Kind, int]:
    """Type and interval, from metadata.csv where the scenario does not say (rule 2.15)."""
    known = bundle.metrics.get(source.metric)
    kind = source.kind or next((kind for kind in KINDS if known and known.type == kind), None)
    interval = source.interval or (known.interval if known else None)
    if kind is None or not interval:
        missing = ' and '.join(key for key, value in (('type', kind), ('interval', interval)) if not value)
        reason = 'metadata.csv has no such metric' if known is None else f'metadata.csv has type {known.type!r}'
        if known is not None and kind is not None:
            reason = 'metadata.csv has none'
        source.entry.refuse(f'{missing} of {source.metric} has to be said: {reason}')
    return kind, interval


def _with_host_tags(series: Series, hosts: Mapping[str, Host]) -> Series:
    """A host's tags are on every series that comes from it, as Datadog adds them."""
    names = [tag.removeprefix('host:') for tag in series.tags if tag.startswith('host:')]
    tags = {
        f'{key}:{value}' if value else key
        for name in names
        if name in hosts
        for key, values in hosts[name].tags.items()
        for value in values
    }
    return series if tags <= series.tags else replace(series, tags=series.tags | tags)
