"""Write a first scenario for a monitor: a commented signal from its own query, with the expectations filled in."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ddassets import assets, duration
from ddassets.assets import Bundle, Monitor
from ddassets.assets.monitor_type import COUNTED, SLO
from ddassets.assets.source_document import SourceDocument
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import kinds, slo
from ddassets.engine import monitor as monitors
from ddassets.engine.counted import CountedMonitor
from ddassets.engine.event_formula import FormulaMonitor
from ddassets.engine.series import Series
from ddassets.rehearsal import writing
from ddassets.rehearsal.auto import START, MadeSignal, make_signal
from ddassets.rehearsal.auto.counted import MadeEvents, make_events
from ddassets.rehearsal.auto.estate import declared
from ddassets.rehearsal.auto.slo import make_slo_signal
from ddassets.rehearsal.discovery import FOLDER, integration_of, with_sources
from ddassets.rehearsal.one_line import flow_list, scalar
from ddassets.rehearsal.parsing import parse
from ddassets.rehearsal.run import rehearse

#: The states of the signal in order.
_STATES = {'ok': 'OK', 'warn': 'Warn', 'alert': 'Alert'}
MAX_NAME = 60
# Items of the notation per line.
_WIDTH = 100


@dataclass(frozen=True)
class Start:
    """The result for one monitor: the text of a scenario, or why there is none."""

    monitor: Monitor
    path: Path
    text: str = ''
    reason: str = ''


def file_name(name: str, taken: set[str]) -> str:
    """Return a file name for a monitor's scenario, and add it to the used names."""
    stem = re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')[:MAX_NAME] or 'monitor'
    number, found = 1, stem
    while found in taken:
        number += 1
        found = f'{stem}_{number}'
    taken.add(found)
    return f'{found}.yaml'


def start(monitor: Monitor, bundle: Bundle, path: Path, schema: str) -> Start:
    """Create the scenario for the file `path`. `schema` is the path of the JSON Schema in its header."""
    try:
        if withheld := monitor.withheld_among(('query', 'type')):
            raise UnusableInputError(f'its {withheld[0]} is not known here')
        made = _made(monitor, bundle)
        text = '\n'.join(_lines(monitor, bundle, path, schema, made)) + '\n'
        around = bundle if bundle.source is None else with_sources(assets.read(integration_of(path)), bundle)
        scenario = parse(text, path)
        filled, _ = writing.write(rehearse(scenario, around))
    except UnusableInputError as error:
        return Start(monitor, path, reason=str(error).removeprefix(f'{monitor.name}: '))
    return Start(monitor, path, filled.replace('\nexpect:', f'\n{_EXPECT}expect:', 1))


_COURSE = 'above its thresholds and back, then no points'
_EXPECT = '# The complete list of what happens: what the monitor does, not what it should do. Review it.\n'


def _made(monitor: Monitor, bundle: Bundle) -> MadeSignal | MadeEvents:
    """Generate the signal of a monitor. Raises UnusableInputError for a type or a query without one."""
    if monitor.type in SLO:
        return make_slo_signal(monitor, slo.of(monitor), bundle.slos, *declared(bundle))
    if monitor.type not in COUNTED and monitor.formula is None:
        return make_signal(monitor, monitors.of(monitor), *declared(bundle))
    found = kinds.read(monitor)
    if isinstance(found, CountedMonitor):
        return make_events(monitor, found)
    if not isinstance(found, monitors.Monitor) or found.critical_query is not None:
        what = 'a formula over events' if isinstance(found, FormulaMonitor) else 'a dynamic threshold'
        raise UnusableInputError(f'no signal is generated for {what}: docs/rehearsals.md has an example')
    return make_signal(monitor, found, *declared(bundle))


def _lines(monitor: Monitor, bundle: Bundle, path: Path, schema: str, made: MadeSignal | MadeEvents) -> Iterator[str]:
    name = monitor.name
    yield f'# yaml-language-server: $schema={schema}'
    yield f'# Written by `ddassets init` for the monitor {scalar(name)}.'
    quoted = shlex.quote(str(path))
    yield f'#   ddassets rehearse {quoted}            # does the monitor still do this?'
    yield f'#   ddassets rehearse --write {quoted}    # after a change: fill in what happens now'
    course = 'errors up to its thresholds and back' if monitor.type in SLO else _COURSE
    yield f'description: {scalar(f"{name}: {course}")}'
    yield f'start: {_instant(START)}    # UTC, unless there is a `timezone`'
    yield f'length: {duration.write(made.seconds)}'
    sources = [one.series for one in made.events] if isinstance(made, MadeEvents) else made.sources
    if hosts := sorted({tag.partition(':')[2] for one in sources for tag in one.tags if tag.startswith('host:')}):
        yield '# Attributes of hosts for {{host.ip}} and {{host.metadata_…}}, and tags of all their series.'
        yield 'hosts:'
        yield from (f'  {scalar(host)}: {{ip: 192.0.2.{number}}}' for number, host in enumerate(hosts, 1))
    yield from _events(monitor, made) if isinstance(made, MadeEvents) else _series(monitor, made)
    yield from _chosen(monitor, bundle, path)


def _series(monitor: Monitor, made: MadeSignal) -> Iterator[str]:
    levels = ', '.join(f'{made.levels[key]:g} for {state}' for key, state in _STATES.items() if key in made.levels)
    yield '# The signal was generated from the query; replace the values by realistic ones.'
    yield f'#   {" ".join(monitor.query.split())}'
    if monitor.type in SLO:
        errors = ', '.join(
            f'{made.levels[key]:.4g} % for {state}' for key, state in _STATES.items() if key in made.levels
        )
        yield f'# Its errors: {errors}. `5x20` is 20 points of 5.'
    else:
        yield f'# Its levels: {levels}; then points are missing for a while (`_`). `5x20` is 20 points of 5.'
    yield 'series:'
    for source, series in zip(made.sources, _ordered(made), strict=True):
        if made.stub:
            yield f'- stub: {made.stub}    # {made.stub}() is not documented by Datadog: these are its results'
        else:
            yield f'- metric: {scalar(source.metric)}'
            yield f'  type: {source.kind}    # as the metric is submitted: gauge, count, rate or distribution'
        yield f'  interval: {duration.write(source.interval)}    # between two points'
        if source.tags:
            yield f'  tags: {flow_list(sorted(source.tags))}'
        yield f'  from: {_instant(float(series.times[0]))}    # early enough for the first window'
        yield '  values: >-'
        yield from (f'    {line}' for line in _wrapped(notation(series, START + made.seconds)))


def _events(monitor: Monitor, made: MadeEvents) -> Iterator[str]:
    levels = ', '.join(f'{made.levels[key]:g} for {state}' for key, state in _STATES.items() if key in made.levels)
    yield '# The events were generated from the query; replace the numbers by realistic ones.'
    yield f'#   {" ".join(monitor.query.split())}'
    yield f'# The query gives {levels}; then there are no events for a while. `5x20` is 20 times 5 events.'
    yield '# The search is not run: these are the events that it finds.'
    yield 'series:'
    for one in made.events:
        yield f'- events: {one.product}'
        if one.series.tags:
            yield f'  tags: {flow_list(sorted(one.series.tags))}'
        for key, values in (('attributes', one.attributes), ('fields', one.fields)):
            if values:
                each = ', '.join(f'{scalar(name)}: {_plain(value)}' for name, value in values.items())
                yield f'  {key}: {{{each}}}'
        yield f'  interval: {duration.write(made.interval)}    # each window has the events of one instant'
        yield f'  from: {_instant(float(one.series.times[0]))}'
        yield '  counts: >-'
        yield from (f'    {line}' for line in _wrapped(notation(one.series, START + made.seconds)))


def _plain(value: str | float) -> str:
    return scalar(value) if isinstance(value, str) else f'{value:.12g}'


def _ordered(made: MadeSignal) -> list[Series]:
    """Return the series in the order of the sources."""
    found = {(one.metric, one.tags): one for one in made.series}
    return [found[source.metric, source.tags] for source in made.sources]


def notation(series: Series, end: float) -> list[str]:
    """Return a series as items of the compact notation, including gaps before `end`."""
    count = round((end - series.times[0]) / series.interval)
    steps = np.round((series.times - series.times[0]) / series.interval).astype(int)
    values = np.full(max(count, int(steps[-1]) + 1), np.nan)
    values[steps] = series.values if series.numbers is None else series.numbers
    raw = series.kind == 'distribution'
    items: list[str] = []
    position = 0
    while position < values.size:
        length = _run(values, position, rising=not raw)
        first = values[position]
        step = values[position + 1] - first if length > 1 else 0.0
        word = '_' if np.isnan(first) else _number(first) + (f'{step:+.12g}' if step and length > 2 else '')
        word = f'{{1:{word}}}' if series.numbers is not None and word != '_' else word
        if step and length == 2:
            length = 1
        items.append(word if length == 1 else f'{word}x{length}')
        position += length
    return items


def _run(values: 'np.typing.NDArray[np.float64]', position: int, rising: bool = True) -> int:
    """Return how many points from `position` on are missing, equal, or, if `rising`, rise by the same step."""
    rest = values[position:]
    missing = np.isnan(rest)
    if missing[0]:
        present = np.flatnonzero(~missing)
        return int(present[0]) if present.size else rest.size
    if rest.size == 1 or missing[1]:
        return 1
    with np.errstate(invalid='ignore'):
        step = rest[1] - rest[0] if rising else 0.0
        other = np.flatnonzero(~np.isclose(np.diff(rest), step, rtol=1e-9, atol=1e-12))
    return int(other[0]) + 1 if other.size else rest.size


def _number(value: float) -> str:
    return f'{value:.12g}'


def _wrapped(items: Sequence[str]) -> Iterator[str]:
    line = ''
    for item in items:
        if line and len(line) + len(item) >= _WIDTH:
            yield line
            line = ''
        line = f'{line} {item}'.strip()
    yield line


def _chosen(monitor: Monitor, bundle: Bundle, path: Path) -> Iterator[str]:
    if bundle.source is None:
        yield f'monitors: {flow_list([monitor.name])}'
    else:
        source = monitor.source
        origin = source.origin if isinstance(source, SourceDocument) and source.origin else monitor.path
        file = os.path.relpath(origin, path.parent)
        file = file if '/' in file else f'./{file}'
        yield '# The file of the monitor, and its name or address in it.'
        only = flow_list([monitor.address or monitor.name])
        yield f'monitors: [{{file: {scalar(file)}, only: {only}}}]'
    yield f'# All downtimes of the {"integration" if bundle.source is None else "sources"} apply. To choose:'
    yield '# `downtimes: []` for none, or a list of names or files.'


def schema_path(path: Path, root: Path, name: str) -> str:
    """Return the path of a JSON Schema for the header of a file."""
    return os.path.relpath(root / '.ddassets' / name, path.parent).replace(os.sep, '/')


def scenario_folder(bundle: Bundle) -> Path:
    """Return the folder of the scenarios for a bundle."""
    return bundle.folder / FOLDER


def _instant(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime('%Y-%m-%dT%H:%M:%S')
