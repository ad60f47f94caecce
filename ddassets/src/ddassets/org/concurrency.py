"""Runs requests concurrently. An interruption waits for none of them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from queue import Empty, SimpleQueue

from ddassets.org.client import CONNECTIONS


def as_completed[T, R](act: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, Future[R]]]:
    """Yield (index of the item, its finished future) in order of completion.

    The threads are daemons: those of an executor outlive Ctrl-C and would go on to create objects until the last
    attempt has timed out.
    """
    todo: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, Future[R]]] = SimpleQueue()
    for index in range(len(items)):
        todo.put(index)
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            try:
                index = todo.get_nowait()
            except Empty:
                return
            future: Future[R] = Future()
            try:
                future.set_result(act(items[index]))
            except BaseException as error:
                future.set_exception(error)
            done.put((index, future))

    for _ in range(min(CONNECTIONS, len(items))):
        # What the caller may read, its threads may read, and nothing else.
        threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
    try:
        for _ in items:
            yield done.get()
    finally:
        stopped.set()


def map_concurrently[T, R](act: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Results in the order of `items`. Raises the exception of the first item, in that order, that failed."""
    futures = dict(as_completed(act, items))
    return [futures[index].result() for index in range(len(items))]
