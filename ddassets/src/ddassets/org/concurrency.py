"""Requests that are under way at once. Whoever is interrupted waits for none of them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from ddassets.org.client import CONNECTIONS


def as_they_end[T, R](act: Callable[[T], R], things: Sequence[T]) -> Iterator[tuple[int, Future[R]]]:
    """The index of each thing, and what came of it; the caller looks at all of them.

    The threads are daemons, for those of an executor outlive Ctrl-C: they would go on until the last time limit of the
    last attempt, and create what nobody wants any more.
    """
    todo: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, Future[R]]] = SimpleQueue()
    for index in range(len(things)):
        todo.put(index)
    left = threading.Event()

    def work() -> None:
        while not left.is_set():
            try:
                index = todo.get_nowait()
            except Empty:
                return
            future: Future[R] = Future()
            try:
                future.set_result(act(things[index]))
            except BaseException as error:
                future.set_exception(error)
            done.put((index, future))

    for _ in range(min(CONNECTIONS, len(things))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in things:
            yield done.get()
    finally:
        left.set()


def at_once[T, R](act: Callable[[T], R], things: Sequence[T]) -> list[R]:
    """What came of each, in order. Raises what the first that failed, in order, has raised."""
    found = dict(as_they_end(act, things))
    return [found[index].result() for index in range(len(things))]
