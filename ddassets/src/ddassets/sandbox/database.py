"""One SQLite file. A write is acknowledged after its commit; writes that wait at the same time share one commit."""

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from ddassets.diagnostic import UnusableInputError

type Work = Callable[[sqlite3.Connection], Any]

# Maximum of writes in one commit.
_MAX_BATCH = 500
_SETTINGS = ('PRAGMA journal_mode = WAL', 'PRAGMA synchronous = FULL', 'PRAGMA cache_size = -32000')


class Database:
    """`path` is the file; None keeps everything in memory, for tests.

    `write` runs a function in a transaction and returns after the commit: nothing acknowledged is lost if the process
    is killed. `reading` yields a connection to read with; readers do not wait for writers.
    """

    def __init__(self, path: Path | None, schema: str, version: int) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._jobs: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._rolled_back: list[Callable[[], None]] = []
        try:
            self._writer = self._connect()
            self._prepare(schema, version)
        except sqlite3.Error as error:
            raise UnusableInputError(f'{path}: not a database of the sandbox: {error}') from None
        self._thread: threading.Thread | None = None
        if path is not None:
            self._thread = threading.Thread(target=self._work, name='sandbox-writer', daemon=True)
            self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        name = ':memory:' if self._path is None else str(self._path)
        connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=30)
        for setting in _SETTINGS if self._path else ():
            connection.execute(setting)
        return connection

    def _prepare(self, schema: str, version: int) -> None:
        found = int(self._writer.execute('PRAGMA user_version').fetchone()[0])
        if found > version:
            raise UnusableInputError(
                f'{self._path}: found version {found}, expected up to {version}; use a newer ddassets'
            )
        self._writer.executescript(schema)
        self._writer.execute(f'PRAGMA user_version = {version}')

    def on_rollback(self, forget: Callable[[], None]) -> None:
        """Call `forget` after each rollback, to clear what was remembered of it."""
        self._rolled_back.append(forget)

    def write[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction, commit it, and return its result. What it raises is raised after a rollback."""
        future: Future[T] = Future()
        if self._thread is None:
            with self._lock:
                self._commit([(work, future)])
        else:
            self._jobs.put((work, future))
        return future.result()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            while len(jobs) < _MAX_BATCH and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    self._commit(jobs)
                    return
                jobs.append(following)
            self._commit(jobs)

    def _commit(self, jobs: Sequence[tuple[Work, Future[Any]]]) -> None:
        """Run the jobs in one transaction. A job that fails is undone alone."""
        results: list[tuple[Future[Any], Any]] = []
        try:
            self._writer.execute('BEGIN IMMEDIATE')
            for work, future in jobs:
                self._writer.execute('SAVEPOINT job')
                try:
                    results.append((future, work(self._writer)))
                except BaseException as error:
                    self._writer.execute('ROLLBACK TO job')
                    self._forget()
                    future.set_exception(error)
                self._writer.execute('RELEASE job')
            self._writer.execute('COMMIT')
        except sqlite3.Error as error:
            # A full disk, for example: none of them is there.
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute('ROLLBACK')
            self._forget()
            for _, future in jobs:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in results:
            future.set_result(result)

    def _forget(self) -> None:
        for forget in self._rolled_back:
            forget()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees all acknowledged writes."""
        if self._path is None:
            with self._lock:
                yield self._writer
            return
        with self._lock:
            connection = self._idle.pop() if self._idle else self._connect()
        try:
            yield connection
        finally:
            with self._lock:
                self._idle.append(connection)

    def copy_to(self, other: 'Database') -> None:
        """Replace what another database has in memory by what this one has."""
        with self.reading() as connection, other._lock:
            connection.backup(other._writer)

    def close(self) -> None:
        """Commit what waits, and close the file."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        with self._lock:
            for connection in (*self._idle, self._writer):
                connection.close()
            self._idle.clear()
