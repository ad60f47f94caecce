"""Parse the YAML of a scenario, key by key. Errors contain the line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ddassets.assets.document import read_bytes
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.approximation import APPROXIMATED
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.dynamic import GIVEN as LIMIT_OPTIONS
from ddassets.engine.message import ENTITIES, Attributes, Host, notify
from ddassets.engine.notification import REASONS
from ddassets.engine.planner import STUBBED
from ddassets.engine.state import State
from ddassets.language.counted import PRODUCTS
from ddassets.nearest import did_you_mean, joined
from ddassets.rehearsal import entry as entries
from ddassets.rehearsal.entry import Entry
from ddassets.rehearsal.keys import (
    BAND,
    BOUNDS,
    CHECK,
    CORRECTION,
    EXCEPT,
    EXPECTED,
    FILE,
    FOUND,
    GIVEN,
    HOST,
    LIMITS,
    POINTS,
    PROPERTY,
    RUNS,
    SCENARIO,
    SPENT,
    STATES,
    STRETCH,
)
from ddassets.rehearsal.scenario import (
    KINDS,
    Band,
    Check,
    Choice,
    Correction,
    Expectation,
    FoundEvents,
    Points,
    Property,
    Scenario,
    Source,
    Spent,
    Statuses,
)
from ddassets.rehearsal.statuses import CHECK_WORDS
from ddassets.rehearsal.times import read_instant, read_length, read_week
from ddassets.zones import find_zone, zone_names

# The keys that give the values of a dynamic threshold.
LIMIT_VALUES = tuple(LIMIT_OPTIONS.values())
# Limits the tables of an evaluation, which grow with the length.
MAX_LENGTH = 10 * 366 * 86400


def read(path: Path) -> Scenario:
    """Read a scenario. Raises UnusableInputError with file, line, key, value and allowed values."""
    try:
        text = read_bytes(path, 4 * entries.MAX_CHARACTERS).decode()
    except UnicodeDecodeError as error:
        raise UnusableInputError(f'{path}: not UTF-8: {error.reason} at byte {error.start}') from None
    except (OSError, ValueError) as error:
        raise UnusableInputError(f'{path}: {getattr(error, "strerror", None) or error}') from None
    return parse(text, path)


def parse(text: str, path: Path) -> Scenario:
    """Parse a scenario from its text. `path` is its name, and the base of relative paths."""
    return _scenario(entries.read(text, path), text)


def of_data(data: Mapping[str, Any], path: Path) -> Scenario:
    """Parse a scenario from data; `path` is as above."""
    return _scenario(entries.of_data(data, path), '')


def _scenario(top: Entry, text: str) -> Scenario:
    path = top.path
    keys = top.mapping(SCENARIO.names, SCENARIO.required)
    zone = _zone(keys['timezone']) if 'timezone' in keys else ZoneInfo('UTC')
    times = _Times(zone, keys['start'].word(lambda word: read_instant(word, zone)))
    length = keys['length'].word(read_length)
    if not 60 <= length <= MAX_LENGTH:
        keys['length'].refuse(f'expected 1m to {MAX_LENGTH // 86400}d, found {keys["length"].shown()}')
    if 'notify' in keys and 'redirect' in keys:
        keys['redirect'].refuse('notify and redirect exclude each other')
    for key in ('notify', 'redirect'):
        if key in keys:
            keys[key].within(notify, '', keys[key].text())
    coverage = keys['min_coverage'].number(0, 100) if 'min_coverage' in keys else None
    return Scenario(
        path=path,
        text=text,
        top=top,
        description=keys['description'].text().strip() if 'description' in keys else '',
        start=times.start,
        end=times.start + length,
        zone=zone,
        sources=tuple(_source(entry, times) for entry in keys['series'].items()),
        hosts={name: _host(entry) for name, entry in keys['hosts'].keys.items()} if 'hosts' in keys else {},
        entities={key: _entities(keys[key]) for key, _ in ENTITIES.values() if key in keys},
        monitors=_choice(keys.get('monitors')),
        downtimes=_choice(keys.get('downtimes')),
        rules=_choice(keys.get('notification_rules')),
        slos=_choice(keys.get('slos')),
        corrections=_corrections(keys.get('corrections'), times),
        before=_before(keys.get('before')),
        notify=keys['notify'].text() if 'notify' in keys else None,
        redirect=keys['redirect'].text() if 'redirect' in keys else None,
        assumptions=_assumptions(keys.get('assumptions')),
        approximate=_approximate(keys.get('approximate')),
        tick_second=keys['tick_second'].whole(0, 59) if 'tick_second' in keys else 0,
        expectations=_expectations(keys['expect'], times) if 'expect' in keys else None,
        properties=_properties(keys.get('properties'), length),
        min_coverage=coverage,
    )


@dataclass(frozen=True)
class _Times:
    zone: ZoneInfo
    start: int

    def instant(self, entry: Entry) -> int:
        return entry.word(lambda word: read_instant(word, self.zone))


def _zone(entry: Entry) -> ZoneInfo:
    name = entry.text()
    zone = find_zone(name)
    if zone is None:
        close = did_you_mean(name, zone_names())
        entry.refuse(f'expected a time zone such as Europe/Berlin, found {entry.shown()}{close}')
    return zone


def _host(entry: Entry) -> Host:
    if entry.is_null:
        return Host()
    keys = entry.mapping(HOST.names)
    tags: dict[str, list[str]] = {}
    for tag in keys['tags'].items() if 'tags' in keys else ():
        key, _, value = _tag(tag).partition(':')
        tags.setdefault(key, []).append(value)
    metadata = {key: value.text() for key, value in keys['metadata'].keys.items()} if 'metadata' in keys else {}
    return Host(ip=keys['ip'].text() if 'ip' in keys else '', tags=tags, metadata=metadata)


def _entities(entry: Entry) -> dict[str, Attributes]:
    """Parse the attributes of services, namespaces, pods or devices: texts, or texts by name as for links."""
    return {
        name: {
            attribute: {key: text.text() for key, text in value.keys.items()}
            if value.kind == 'mapping'
            else value.text()
            for attribute, value in attributes.keys.items()
        }
        for name, attributes in entry.keys.items()
    }


def _tag(entry: Entry) -> str:
    tag = entry.text()
    key, colon, value = tag.partition(':')
    if not key or (colon and not value) or any(character.isspace() or character == ',' for character in tag):
        entry.refuse(f'expected a tag such as env:prod, found {entry.shown()}')
    return tag


def _source(entry: Entry, times: _Times) -> Source:
    if 'band' in entry.keys:
        return _band(entry, times)
    if 'events' in entry.keys:
        return _events(entry, times)
    if 'service_check' in entry.keys or 'statuses' in entry.keys:
        return _runs(entry, times)
    if 'states' in entry.keys:
        return _states(entry, times)
    if {*LIMIT_VALUES} & {*entry.keys}:
        return _limits(entry, times)
    keys = entry.mapping((*POINTS.names, 'check', 'band', 'events', 'service_check', 'states'))
    if 'check' in entry.keys:
        if len(entry.keys) > 1:
            entry.refuse(f'check must be the only key, found {", ".join(entry.keys)}')
        return _check(entry.keys['check'], times)
    return _points(entry, keys, times)


def _band(entry: Entry, times: _Times) -> Band:
    keys = entry.mapping(BAND.names, BAND.required)
    if 'lower' not in keys and 'upper' not in keys:
        entry.refuse('expected lower, upper or both')
    return Band(
        entry=entry,
        metric=keys['band'].text(),
        tags=_tags(keys.get('tags')),
        start=times.instant(keys['from']) if 'from' in keys else times.start,
        interval=_interval(keys['interval']) if 'interval' in keys else None,
        lower=keys['lower'].text() if 'lower' in keys else None,
        upper=keys['upper'].text() if 'upper' in keys else None,
    )


def _limits(entry: Entry, times: _Times) -> Points:
    keys = entry.mapping(LIMITS.names)
    found = [key for key in LIMIT_VALUES if key in keys]
    if len(found) != 1:
        entry.refuse(f'expected one of {", ".join(LIMIT_VALUES)}, found {", ".join(found) or "nothing"}')
    return Points(
        entry=entry,
        metric=found[0],
        tags=_tags(keys.get('tags')),
        start=times.instant(keys['from']) if 'from' in keys else times.start,
        values=keys[found[0]].text(),
        kind='gauge',
        interval=_interval(keys['interval']) if 'interval' in keys else 60,
        stub=found[0],
        monitor=keys.get('monitor'),
        key=found[0],
    )


def _runs(entry: Entry, times: _Times) -> Statuses:
    keys = entry.mapping(RUNS.names, RUNS.required)
    texts = {}
    for word, value in keys['messages'].keys.items() if 'messages' in keys else ():
        if word not in CHECK_WORDS:
            keys['messages'].refuse(
                f'found {word!r}{did_you_mean(word, CHECK_WORDS)}; allowed: {", ".join(CHECK_WORDS)}'
            )
        texts[CHECK_WORDS[word]] = value.texts() if value.kind == 'sequence' else (value.text(),)
    return _statuses(entry, keys, times, keys['service_check'].text(), 'statuses', texts)


def _states(entry: Entry, times: _Times) -> Statuses:
    keys = entry.mapping(GIVEN.names, GIVEN.required)
    return _statuses(entry, keys, times, keys['monitor'].text(), 'states', {})


def _statuses(
    entry: Entry, keys: Mapping[str, Entry], times: _Times, name: str, words: str, texts: Mapping[int, Sequence[str]]
) -> Statuses:
    return Statuses(
        entry=entry,
        name=name,
        tags=_tags(keys.get('tags')),
        start=times.instant(keys['from']) if 'from' in keys else times.start,
        interval=_interval(keys['interval']) if 'interval' in keys else 60,
        words=keys[words].text(),
        check=words == 'statuses',
        messages=texts,
    )


def _events(entry: Entry, times: _Times) -> FoundEvents:
    keys = entry.mapping(FOUND.names, FOUND.required)
    if ('counts' in keys) == ('at' in keys):
        entry.refuse('expected either counts or at')
    for key in ('interval', 'from'):
        if 'at' in keys and key in keys:
            keys[key].refuse('has no meaning with at, which contains the instants')
    instants: list[Entry] = []
    if 'at' in keys:
        instants = list(keys['at'].items()) if keys['at'].kind == 'sequence' else [keys['at']]
    return FoundEvents(
        entry=entry,
        product=keys['events'].choice(tuple(PRODUCTS)),
        tags=_tags(keys.get('tags')),
        start=times.instant(keys['from']) if 'from' in keys else times.start,
        interval=_interval(keys['interval']) if 'interval' in keys else 60,
        counts=keys['counts'].text() if 'counts' in keys else None,
        instants=tuple(map(times.instant, instants)),
        monitor=keys.get('monitor'),
        variables=keys['variables'].texts() if 'variables' in keys else None,
        attributes=_attributes(keys['attributes']) if 'attributes' in keys else {},
        fields={name: value.text() for name, value in keys['fields'].keys.items()} if 'fields' in keys else {},
    )


def _attributes(entry: Entry) -> dict[str, str | float]:
    """Parse attributes by name, without the @ of a query; numbers are measures."""
    found: dict[str, str | float] = {}
    for name, value in entry.keys.items():
        data = value.data()
        number = isinstance(data, int | float) and not isinstance(data, bool)
        found[name.removeprefix('@')] = float(data) if number else value.text()
    return found


def _tags(entry: Entry | None) -> frozenset[str]:
    return frozenset(map(_tag, entry.items())) if entry else frozenset()


def _points(entry: Entry, keys: Mapping[str, Entry], times: _Times) -> Points:
    if ('metric' in keys) == ('stub' in keys):
        kinds = 'metric, check, events, service_check, states, stub and band'
        entry.refuse(f'expected one of {kinds}, found {", ".join(keys) or "nothing"}')
    if ('values' in keys) == ('csv' in keys):
        entry.refuse(f'expected either values or csv, found {", ".join(keys)}')
    stub = keys['stub'].choice(STUBBED) if 'stub' in keys else None
    for key in ('monitor',) if stub is None else ('type',):
        if key in keys:
            keys[key].refuse(f'has no meaning for a {"metric" if stub is None else "stub"}')
    if 'csv' in keys and 'from' in keys:
        keys['from'].refuse('has no meaning for csv, which contains the times')
    if 'values' in keys and 'until' in keys:
        keys['until'].refuse('has no meaning for values: use `_x20` for 20 missing points')
    return Points(
        entry=entry,
        metric=stub or keys['metric'].text(),
        tags=_tags(keys.get('tags')),
        start=times.instant(keys['from']) if 'from' in keys else times.start,
        values=keys['values'].text() if 'values' in keys else None,
        csv=entry.path.parent / keys['csv'].text() if 'csv' in keys else None,
        kind=keys['type'].choice(KINDS) if 'type' in keys else 'gauge' if stub else None,
        interval=_interval(keys['interval']) if 'interval' in keys else 60 if stub else None,
        stub=stub,
        monitor=keys.get('monitor'),
        until=times.instant(keys['until']) if 'until' in keys else None,
    )


def _interval(entry: Entry) -> int:
    seconds = entry.word(read_length)
    if seconds < 1:
        entry.refuse('expected at least 1s')
    return seconds


def _check(entry: Entry, times: _Times) -> Check:
    keys = entry.mapping(CHECK.names) if not entry.is_null else {}
    if 'config' in keys and 'instances' in keys:
        keys['instances'].refuse('config and instances exclude each other')
    if 'uncomment' in keys and 'instances' in keys:
        keys['uncomment'].refuse('has no meaning for instances in the scenario')
    return Check(
        entry=entry,
        host=keys['host'].text() if 'host' in keys else '',
        start=times.instant(keys['from']) if 'from' in keys else times.start,
        configuration=_configuration(keys),
        uncommented=keys['uncomment'].texts() if 'uncomment' in keys else (),
        jitter=keys['jitter'].word(read_length) if 'jitter' in keys else 0,
        seed=keys['seed'].whole(0) if 'seed' in keys else 0,
        down=_stretches(keys.get('down'), times),
        late=keys['late'].word(read_length) if 'late' in keys else 0,
        cut_off=_stretches(keys.get('cut_off'), times),
    )


def _configuration(keys: Mapping[str, Entry]) -> Path | Mapping[str, Any] | None:
    if 'instances' in keys:
        for item in keys['instances'].items():
            assert item.keys is not None  # refused if it is invalid
        return {'instances': keys['instances'].data()}
    config = keys.get('config')
    if config is None:
        return None
    if config.kind == 'scalar':
        return config.path.parent / config.text()
    return dict(config.data()) if config.keys else {}


def _stretches(entry: Entry | None, times: _Times) -> tuple[tuple[int, int], ...]:
    found = []
    for item in entry.items() if entry else ():
        keys = item.mapping(STRETCH.names, STRETCH.required)
        start, end = times.instant(keys['from']), times.instant(keys['to'])
        if end <= start:
            keys['to'].refuse(f'expected a time after from, found {keys["to"].shown()}')
        found.append((start, end))
    return tuple(found)


def _corrections(entry: Entry | None, times: _Times) -> tuple[Correction, ...]:
    found = []
    for item in entry.items() if entry else ():
        keys = item.mapping(CORRECTION.names, CORRECTION.required)
        start, end = times.instant(keys['from']), times.instant(keys['to'])
        if end <= start:
            keys['to'].refuse(f'expected a time after from, found {keys["to"].shown()}')
        found.append(Correction(keys['slo'], start, end))
    return tuple(found)


def _before(entry: Entry | None) -> tuple[Spent, ...]:
    found: list[Spent] = []
    for item in entry.items() if entry else ():
        keys = item.mapping(SPENT.names, SPENT.required)
        good, total = keys['good'].number(0), keys['total'].number(0)
        if good > total:
            keys['good'].refuse(f'expected at most the total of {keys["total"].shown()}, found {keys["good"].shown()}')
        group = keys['group'].text() if 'group' in keys else None
        if any((one.slo.text(), one.group) == (keys['slo'].text(), group) for one in found):
            item.refuse(f'the SLO {keys["slo"].shown()} is given twice{f", in {group}" if group else ""}')
        found.append(Spent(keys['slo'], good, total, group))
    return tuple(found)


def _choice(entry: Entry | None) -> Choice:
    if entry is None or (entry.kind == 'scalar' and entry.text() == 'all'):
        return Choice(entry)
    if entry.kind == 'mapping':
        keys = entry.mapping(EXCEPT.names, EXCEPT.required)
        return Choice(entry, without=tuple(keys['except'].items()))
    if entry.kind == 'scalar':
        entry.refuse(f'found {entry.shown()}; allowed: all, a list, except with a list')
    for item in entry.items():
        if item.kind == 'mapping' and 'file' in item.keys:
            item.mapping(FILE.names, FILE.required)
    return Choice(entry, tuple(entry.items()))


def _assumptions(entry: Entry | None) -> dict[str, str]:
    if entry is None:
        return {}
    chosen = {}
    for key, value in entry.keys.items():
        chosen[key] = value.text()
        value.within(Assumptions, {key: chosen[key]})
    return chosen


def _approximate(entry: Entry | None) -> frozenset[str]:
    if entry is None:
        return frozenset()
    names = entry.items()
    if not names:
        entry.refuse(f'expected at least one of {joined(APPROXIMATED)}')
    return frozenset(one.choice(APPROXIMATED) for one in names)


def _expectations(entry: Entry, times: _Times) -> tuple[Expectation, ...]:
    return tuple(_expectation(item, times) for item in entry.items())


def _expectation(entry: Entry, times: _Times) -> Expectation:
    keys = entry.mapping(EXPECTED.names, EXPECTED.required)
    found = Expectation(
        entry=entry,
        at=times.instant(keys['at']),
        reason=keys['reason'].choice(REASONS) if 'reason' in keys else 'transition',
        monitor=keys.get('monitor'),
        group=keys.get('group'),
        source=_state(keys['from']) if 'from' in keys else None,
        target=_state(keys['to']) if 'to' in keys else None,
        value=keys['value'].number() if 'value' in keys else None,
        notification=keys['notification'].choice(('sent', 'muted', 'none')) if 'notification' in keys else None,
        muted_by=keys['muted_by'].texts() if 'muted_by' in keys else None,
        recipients=keys['recipients'].texts() if 'recipients' in keys else None,
        message=keys['message'].texts() if 'message' in keys else (),
    )
    if found.reason != 'transition':
        if found.source is not None and found.target not in (None, found.source):
            keys['from'].refuse(f'a {found.reason} changes no state')
        if found.notification == 'none':
            keys['notification'].refuse(f'a {found.reason} is a notification')
    elif found.source is not None and found.source == found.target:
        keys['to'].refuse(f'found {found.target}, the same as from: not a transition')
    if found.notification == 'none':
        for key in ('recipients', 'message', 'muted_by'):
            if key in keys:
                keys[key].refuse('cannot be met: no notification is due')
    if found.notification == 'sent' and found.muted_by:
        keys['muted_by'].refuse('cannot be met: a sent notification is not muted')
    return found


def _state(entry: Entry) -> State:
    return STATES[entry.choice(tuple(STATES))]


def _properties(entry: Entry | None, length: int) -> tuple[Property, ...]:
    return tuple(_property(item, length) for item in entry.items()) if entry else ()


def _property(entry: Entry, length: int) -> Property:
    keys = entry.mapping(PROPERTY.names)
    if ('notifications' in keys) == ('time_in' in keys):
        entry.refuse(f'expected either notifications or time_in, found {", ".join(keys) or "nothing"}')
    if 'time_in' in keys:
        return _time_in(entry, keys, length)
    least, most = _bounds(keys['notifications'])
    for key in ('at_least', 'at_most'):
        if key in keys:
            keys[key].refuse(f'belongs under notifications: `notifications: {{{key}: 3}}`')
    if 'downtime' in keys:
        for key in ('monitor', 'group', 'state', 'reason', 'muted'):
            if key in keys:
                keys[key].refuse('has no meaning for the messages of a downtime itself')
    states = keys.get('state')
    return Property(
        entry=entry,
        least=least,
        most=most,
        monitor=keys.get('monitor'),
        group=keys.get('group'),
        downtime=keys.get('downtime'),
        states=None if states is None else _some_states(states),
        recipient=keys.get('recipient'),
        reason=keys['reason'].choice(REASONS) if 'reason' in keys else None,
        muted=keys['muted'].flag() if 'muted' in keys else False,
        inside=keys['inside'].word(read_week) if 'inside' in keys else None,
        outside=keys['outside'].word(read_week) if 'outside' in keys else None,
    )


def _some_states(entry: Entry) -> tuple[State, ...]:
    entries = entry.items() if entry.kind == 'sequence' else [entry]
    if not entries:
        entry.refuse('expected at least one state')
    return tuple(map(_state, entries))


def _bounds(entry: Entry) -> tuple[int, int | None]:
    if entry.kind == 'scalar':
        entry.choice(('none',), what=', or exactly, at_least, at_most with a number')
        return 0, 0
    keys = entry.mapping(BOUNDS.names)
    if not keys or ('exactly' in keys and len(keys) > 1):
        entry.refuse(f'expected exactly, or at_least, at_most or both, found {", ".join(keys) or "nothing"}')
    if 'exactly' in keys:
        count = keys['exactly'].whole(0)
        return count, count
    least = keys['at_least'].whole(1) if 'at_least' in keys else 0
    most = keys['at_most'].whole(0) if 'at_most' in keys else None
    if most is not None and most < least:
        keys['at_most'].refuse(f'cannot be met: found {most}, expected {least} or more')
    return least, most


def _time_in(entry: Entry, keys: Mapping[str, Entry], length: int) -> Property:
    for key in keys:
        if key not in ('time_in', 'monitor', 'group', 'at_least', 'at_most'):
            keys[key].refuse('has no meaning for time_in')
    if 'at_least' not in keys and 'at_most' not in keys:
        entry.refuse('expected at_least, at_most or both')
    least = keys['at_least'].word(read_length) if 'at_least' in keys else 0
    most = keys['at_most'].word(read_length) if 'at_most' in keys else None
    if 'at_least' in keys and not 0 < least <= length:
        meets = 'always holds' if not least else 'is longer than the rehearsal: it cannot be met'
        keys['at_least'].refuse(f'{keys["at_least"].shown()} {meets}')
    if most is not None and most >= length:
        keys['at_most'].refuse(f'{keys["at_most"].shown()} is as long as the rehearsal: it always holds')
    if most is not None and most < least:
        keys['at_most'].refuse(f'cannot be met: {keys["at_most"].shown()} is less than at_least')
    state = _state(keys['time_in'])
    if state is State.ABSENT:
        keys['time_in'].refuse('absent groups have no time in a state')
    return Property(entry, least, most, state, keys.get('monitor'), keys.get('group'))
