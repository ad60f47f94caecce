"""What the organisation knows: objects, points, runs of checks, events, hosts, states of monitors.

Instants are seconds since the epoch. Points are read as series of the engine.
"""

import fcntl
import functools
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.column import Floats
from ddassets.engine.context import HISTORY
from ddassets.engine.series import Kind, Series
from ddassets.engine.service_check import PREFIX, CheckRuns
from ddassets.sandbox.database import Database

type Json = dict[str, Any]

FILE = 'sandbox.sqlite'
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id)
);
CREATE TABLE IF NOT EXISTS metrics (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, unit TEXT NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, metric TEXT NOT NULL, host TEXT NOT NULL, tags TEXT NOT NULL, interval INTEGER NOT NULL,
    UNIQUE (metric, host, tags)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL, instant REAL NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, instant)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    series INTEGER NOT NULL, instant REAL NOT NULL, message TEXT NOT NULL, PRIMARY KEY (series, instant)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, instant REAL NOT NULL, monitor TEXT, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_instant ON events (instant);
CREATE INDEX IF NOT EXISTS events_by_monitor ON events (monitor, instant) WHERE monitor IS NOT NULL;
CREATE TABLE IF NOT EXISTS hosts (name TEXT PRIMARY KEY, seen REAL NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    monitor INTEGER NOT NULL, tags TEXT NOT NULL, instant INTEGER NOT NULL, state INTEGER NOT NULL,
    PRIMARY KEY (monitor, tags, instant)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY, instant INTEGER NOT NULL, monitor INTEGER NOT NULL, body TEXT NOT NULL,
    delivered INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS mails_to_deliver ON mails (id) WHERE delivered = 0;
CREATE INDEX IF NOT EXISTS mails_by_monitor ON mails (monitor, instant);
CREATE TABLE IF NOT EXISTS states (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""
# The last point of each source of a metric before an instant.
_LAST = (
    'SELECT p.series, p.instant, p.value FROM series s JOIN points p ON p.series = s.id '
    'AND p.instant = (SELECT max(instant) FROM points WHERE series = s.id AND instant < ?) '
    'WHERE s.metric = ? AND p.instant >= ?'
)
# Gaps between points that the interval of a series is taken from.
_GAPS = 20
_ROW = np.dtype([('series', np.int64), ('instant', np.float64), ('value', np.float64)])


@dataclass(frozen=True)
class Source:
    """What submits points: a metric with tags, in order and each once, from a host, or '' for none.

    `interval` is in seconds, 0 where the sender names none. `unit` is '' for none.
    """

    metric: str
    tags: tuple[str, ...] = ()
    host: str = ''
    kind: Kind = 'gauge'
    interval: int = 0
    unit: str = ''


@dataclass(frozen=True)
class Run:
    """A run of a check: `status` is 0 to 3 (OK, WARNING, CRITICAL, UNKNOWN)."""

    check: str
    tags: tuple[str, ...]
    host: str
    instant: float
    status: int
    message: str = ''


@dataclass(frozen=True)
class Event:
    """`body` has the fields of an event of the v1 API, and `attributes` of the v2 API where there are any.

    `monitor` is the id of the monitor for one of its transitions.
    """

    id: int
    instant: float
    body: Json
    monitor: str | None = None


class Change:
    """The writes of one transaction; `Store.write` makes it."""

    def __init__(self, connection: sqlite3.Connection, ids: dict[tuple[str, str, str], int]) -> None:
        self.connection = connection
        self._ids = ids

    def put_fact(self, name: str, value: Any) -> None:
        self.connection.execute('INSERT OR REPLACE INTO facts VALUES (?, ?)', (name, json.dumps(value)))

    def next_number(self) -> int:
        """Return 1, 2, 3 and so on, also after a restart."""
        row = self.connection.execute("SELECT value FROM facts WHERE name = 'number'").fetchone()
        number = int(row[0]) + 1 if row else 1
        self.put_fact('number', number)
        return number

    def put_object(self, kind: str, id: str | int, body: Json) -> None:
        self.connection.execute(
            'INSERT INTO objects (kind, id, body) VALUES (?, ?, ?) '
            'ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body',
            (kind, str(id), json.dumps(body)),
        )

    def delete_object(self, kind: str, id: str | int) -> None:
        self.connection.execute('DELETE FROM objects WHERE kind = ? AND id = ?', (kind, str(id)))

    def put_state(self, name: str, body: bytes) -> None:
        """Store the state of a monitor, or of anything else that resumes after a restart."""
        self.connection.execute('INSERT OR REPLACE INTO states VALUES (?, ?)', (name, body))

    def delete_state(self, name: str) -> None:
        self.connection.execute('DELETE FROM states WHERE name = ?', (name,))

    def add_points(self, submitted: Iterable[tuple[Source, Sequence[tuple[float, float]]]]) -> None:
        """Add points (instant, value) of sources. The last value of an instant replaces an earlier one."""
        rows: list[tuple[int, float, float]] = []
        for source, points in submitted:
            id = self._series(source)
            rows += [(id, instant, value) for instant, value in points]
        self.connection.executemany('INSERT OR REPLACE INTO points VALUES (?, ?, ?)', rows)

    def add_runs(self, runs: Iterable[Run]) -> None:
        for run in runs:
            id = self._series(Source(PREFIX + run.check, run.tags, run.host))
            row = (id, run.instant, run.status)
            self.connection.execute('INSERT OR REPLACE INTO points VALUES (?, ?, ?)', row)
            if run.message:
                self.connection.execute(
                    'INSERT OR REPLACE INTO messages VALUES (?, ?, ?)', (id, run.instant, run.message)
                )

    def _series(self, source: Source) -> int:
        """Return the number of a source. A metric keeps the kind of its first points."""
        tags = _text(source.tags)
        key = source.metric, source.host, tags
        if (id := self._ids.get(key)) is not None:
            return id
        self.connection.execute(
            "INSERT OR IGNORE INTO metrics VALUES (?, ?, ?, '{}')", (source.metric, source.kind, source.unit)
        )
        (id,) = self.connection.execute(
            'INSERT INTO series (metric, host, tags, interval) VALUES (?, ?, ?, ?) '
            'ON CONFLICT (metric, host, tags) DO UPDATE SET interval = max(interval, excluded.interval) RETURNING id',
            (*key, source.interval),
        ).fetchone()
        self._ids[key] = id
        return int(id)

    def add_event(self, id: int, instant: float, body: Json, monitor: str | None = None) -> None:
        """Add an event. An event with the same id replaces it."""
        row = (id, instant, monitor, json.dumps(body))
        self.connection.execute('INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?)', row)

    def see_host(self, name: str, seen: float) -> None:
        """Note that a host submitted something."""
        self.connection.execute(
            "INSERT INTO hosts VALUES (?, ?, '{}') ON CONFLICT (name) DO UPDATE SET seen = max(seen, excluded.seen)",
            (name, seen),
        )

    def put_host(self, name: str, seen: float, body: Json) -> None:
        """Store a host; the keys of `body` replace those that are there."""
        row = self.connection.execute('SELECT body, seen FROM hosts WHERE name = ?', (name,)).fetchone()
        merged = (json.loads(row[0]) if row else {}) | body
        latest = max(seen, row[1]) if row else seen
        self.connection.execute('INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)', (name, latest, json.dumps(merged)))


class Store:
    """The organisation's memory in the folder `path`, or, where that is None, in this process.

    `write` takes a function of a `Change` and returns after its commit. All other methods read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._held = _hold(path) if path is not None else None
        self._ids: dict[tuple[str, str, str], int] = {}
        try:
            self._database = Database(path / FILE if path is not None else None, _SCHEMA, _VERSION)
        except UnusableInputError:
            self._release()
            raise
        self._database.on_rollback(self._ids.clear)

    def write[T](self, work: Callable[[Change], T]) -> T:
        """Run `work` with the writes of one transaction; what it raises undoes all of them."""
        return self._database.write(lambda connection: work(Change(connection, self._ids)))

    def close(self) -> None:
        self._database.close()
        self._release()

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()

    def __deepcopy__(self, memo: object) -> 'Store':
        """Return a copy of a store in memory."""
        made = Store()
        self._database.copy_to(made._database)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._database.reading() as connection:
            return connection.execute(statement, parameters).fetchall()

    def fact(self, name: str, default: Any = None) -> Any:
        rows = self.rows('SELECT value FROM facts WHERE name = ?', (name,))
        return json.loads(rows[0][0]) if rows else default

    def objects(self, kind: str) -> dict[str, Json]:
        """Return all objects of a kind by id, in the order of their creation."""
        rows = self.rows('SELECT id, body FROM objects WHERE kind = ? ORDER BY position', (kind,))
        return {id: json.loads(body) for id, body in rows}

    def states(self) -> dict[str, bytes]:
        return dict(self.rows('SELECT name, body FROM states'))

    def state(self, name: str) -> bytes | None:
        rows = self.rows('SELECT body FROM states WHERE name = ?', (name,))
        return rows[0][0] if rows else None

    # Metrics

    def metrics(self) -> dict[str, tuple[Kind, str]]:
        """Return the kind and the unit of each metric."""
        rows = self.rows('SELECT name, kind, unit FROM metrics ORDER BY name')
        return {name: (kind, unit) for name, kind, unit in rows if not name.startswith(PREFIX)}

    def kind(self, metric: str) -> Kind | None:
        """Return the kind of a metric, which is that of its first points; None if there are none."""
        rows = self.rows('SELECT kind FROM metrics WHERE name = ?', (metric,))
        return rows[0][0] if rows else None

    def tag_sets(self, metric: str) -> list[frozenset[str]]:
        """Return the tags of each series of a metric, with those of its host."""
        with self._database.reading() as connection:
            rows = connection.execute('SELECT host, tags FROM series WHERE metric = ?', (metric,)).fetchall()
            own = self._host_tags(connection, {host for host, _ in rows})
        return [_tags(tags) | own.get(host, frozenset()) for host, tags in rows]

    def series(self, metric: str, start: float, end: float) -> list[Series]:
        """Return the points of a metric from `start` to `end`, both included, by source.

        The tags of a series are its own, those of its host, and `host:NAME`. A series without points in the range is
        left out.
        """
        return self._read(metric, self.kind(metric) or 'gauge', start, end)

    def recent(self, metric: str, start: float, end: float) -> list[Series]:
        """Return the same, with the last point of each source before `start` too, if it is not older than two days."""
        return self._read(metric, self.kind(metric) or 'gauge', start, end, before=True)

    def runs(self, check: str, start: float, end: float) -> list[CheckRuns]:
        """Return the runs of a check from `start` to `end`, both included, by combination of tags."""
        runs = []
        for found in self._read(PREFIX + check, 'gauge', start, end):
            messages = self._messages(found.metric, start, end) if found else {}
            texts = [messages.get((found.tags, instant), '') for instant in found.times.tolist()]
            runs.append(
                CheckRuns(
                    found.metric, found.tags, found.times, found.values, 'gauge', found.interval, messages=tuple(texts)
                )
            )
        return runs

    def checks(self) -> list[str]:
        """Return the names of the checks that have run."""
        rows = self.rows('SELECT name FROM metrics WHERE name >= ? AND name < ? ORDER BY name', (PREFIX, PREFIX + '~'))
        return [name.removeprefix(PREFIX) for (name,) in rows]

    def _read(self, metric: str, kind: Kind, start: float, end: float, before: bool = False) -> list[Series]:
        with self._database.reading() as connection:
            sources = {
                id: (host, tags, interval)
                for id, host, tags, interval in connection.execute(
                    'SELECT id, host, tags, interval FROM series WHERE metric = ?', (metric,)
                )
            }
            # One range of the primary key for each series.
            rows = np.fromiter(
                connection.execute(
                    'SELECT p.series, p.instant, p.value FROM series s JOIN points p ON p.series = s.id '
                    'WHERE s.metric = ? AND p.instant >= ? AND p.instant <= ?',
                    (metric, start, end),
                ),
                dtype=_ROW,
            )
            if before:
                rows = np.append(np.fromiter(connection.execute(_LAST, (start, metric, start - HISTORY)), _ROW), rows)
            # As a stable sort keeps the order of instants within a series.
            rows = rows[np.argsort(rows['series'], kind='stable')]
            numbers, first = np.unique(rows['series'], return_index=True)
            own = self._host_tags(connection, {sources[int(id)][0] for id in numbers})
            merged: dict[frozenset[str], list[tuple[Floats, Floats, int]]] = {}
            for id, part in zip(numbers.tolist(), np.split(rows, first[1:]), strict=True) if numbers.size else ():
                host, tags, interval = sources[id]
                merged.setdefault(_tags(tags) | own.get(host, frozenset()), []).append(
                    (part['instant'], part['value'], interval or _usual_gap(connection, id))
                )
        return [_series(metric, tags, kind, parts) for tags, parts in merged.items()]

    def _messages(self, metric: str, start: float, end: float) -> dict[tuple[frozenset[str], float], str]:
        with self._database.reading() as connection:
            rows = connection.execute(
                'SELECT s.host, s.tags, m.instant, m.message FROM series s JOIN messages m ON m.series = s.id '
                'WHERE s.metric = ? AND m.instant >= ? AND m.instant <= ?',
                (metric, start, end),
            ).fetchall()
            own = self._host_tags(connection, {host for host, *_ in rows})
        return {(_tags(tags) | own.get(host, frozenset()), instant): text for host, tags, instant, text in rows}

    # Hosts

    @staticmethod
    def _host_tags(connection: sqlite3.Connection, names: set[str]) -> dict[str, frozenset[str]]:
        """Return the tags that a series has from its host: `host:NAME`, and those of the host itself."""
        found = {}
        for name in names - {''}:
            row = connection.execute('SELECT body FROM hosts WHERE name = ?', (name,)).fetchone()
            found[name] = frozenset({f'host:{name}', *(_tags_of_host(row[0]) if row else ())})
        return found

    def hosts(self) -> dict[str, tuple[float, Json]]:
        """Return, by name, when each host was last seen, and its body: `tags_by_source`, `meta`, `gohai`, …"""
        rows = self.rows('SELECT name, seen, body FROM hosts ORDER BY name')
        return {name: (seen, json.loads(body)) for name, seen, body in rows}

    # Events

    def events(
        self, start: float, end: float, monitor: str | None = None, newest_first: bool = False, after: int | None = None
    ) -> Iterator[Event]:
        """Yield the events from `start` to `end`, both included, in order of time and id.

        `after` is the id of the event after which to go on.
        """
        order = 'DESC' if newest_first else 'ASC'
        sign = '<' if newest_first else '>'
        conditions, parameters = 'instant >= ? AND instant <= ?', [start, end]
        if monitor is not None:
            conditions, parameters = conditions + ' AND monitor = ?', [*parameters, monitor]  # type: ignore[list-item]
        if after is not None:
            conditions += f' AND (instant, id) {sign} (SELECT instant, id FROM events WHERE id = ?)'
            parameters.append(after)
        statement = (
            f'SELECT id, instant, body, monitor FROM events WHERE {conditions} ORDER BY instant {order}, id {order}'
        )
        for id, instant, body, monitor_id in self.rows(statement, parameters):
            yield Event(id, instant, json.loads(body), monitor_id)

    def event(self, id: int) -> Event | None:
        rows = self.rows('SELECT id, instant, body, monitor FROM events WHERE id = ?', (id,))
        return Event(rows[0][0], rows[0][1], json.loads(rows[0][2]), rows[0][3]) if rows else None


def _hold(path: Path) -> IO[str]:
    """Make the folder for its owner alone and hold it against a second process. Raises UnusableInputError."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = open(path / 'lock', 'w', encoding='utf-8')
    except OSError as error:
        raise UnusableInputError(f'{path}: cannot be used as the folder of the sandbox: {error.strerror}') from None
    (path / FILE).touch(mode=0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise UnusableInputError(f'{path}: in use by another sandbox; end that one, or pass another --data') from None
    return held


@functools.lru_cache(maxsize=20_000)
def _text(tags: tuple[str, ...]) -> str:
    return json.dumps(tags)


@functools.lru_cache(maxsize=100_000)
def _tags(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


@functools.lru_cache(maxsize=10_000)
def _tags_of_host(body: str) -> frozenset[str]:
    return host_tags(json.loads(body))


def host_tags(body: Mapping[str, Any]) -> frozenset[str]:
    """Return the tags of a host from all sources."""
    return frozenset(tag for tags in body.get('tags_by_source', {}).values() for tag in tags)


def _usual_gap(connection: sqlite3.Connection, series: int) -> int:
    """Return the median gap of the newest points of a series in whole seconds, 60 for a single point."""
    rows = connection.execute(
        'SELECT instant FROM points WHERE series = ? ORDER BY instant DESC LIMIT ?', (series, _GAPS + 1)
    ).fetchall()
    gaps = -np.diff([instant for (instant,) in rows])
    return max(1, round(float(np.median(gaps)))) if gaps.size else 60


def _series(metric: str, tags: frozenset[str], kind: Kind, parts: list[tuple[Floats, Floats, int]]) -> Series:
    """Return one series. Sources with the same tags, such as a tag `host:a` and the host a, are one."""
    times, values, interval = parts[0]
    if len(parts) > 1:
        times = np.concatenate([part[0] for part in parts])
        values = np.concatenate([part[1] for part in parts])
        interval = min(part[2] for part in parts)
        # The last of each instant.
        times, index = np.unique(times[::-1], return_index=True)
        values = values[::-1][index]
    return Series(metric, tags, np.ascontiguousarray(times), np.ascontiguousarray(values), kind, interval)
