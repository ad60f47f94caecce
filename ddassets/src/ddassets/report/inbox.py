"""The messages of a rehearsal in columns: a year of a noisy signal has hundreds of thousands."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.counted import EventMonitor
from ddassets.engine.message import Delivery
from ddassets.engine.notification import Notification, Notifications
from ddassets.engine.state import State
from ddassets.engine.timeline import Group
from ddassets.rehearsal.result import DowntimeResult, MonitorResult, Rehearsal
from ddassets.report import model, prose

# The texts of more messages would be most of the page. Those sent come first, then the newest.
MAX_TEXTS = 2000
_REASONS = {'transition': '', 'renotify': 'renotification', 'downtime end': 'at the end of a downtime'}

type _Integers = NDArray[np.int64]


@dataclass(frozen=True)
class _Batch:
    """Messages of one group or downtime. `kinds` index all kinds; `text` gives the text and last trigger of a row."""

    instants: _Integers
    kinds: _Integers
    values: NDArray[np.float64]
    muted: NDArray[np.bool_]
    text: Callable[[int], tuple[str, int | None]]


def collect(result: Rehearsal, pool: model.Pool) -> tuple[list[model.Kind], model.Messages]:
    """Return the kinds and the columns of all messages, in order of time."""
    kinds: dict[model.Kind, int] = {}
    places = {downtime.name: index for index, downtime in enumerate(result.downtimes)}
    batches = [*_of_monitors(result, places, kinds), *_of_downtimes(result, kinds)]
    instants, codes, values, muted = (
        (
            np.concatenate([np.empty(0), *columns])
            for columns in zip(*((one.instants, one.kinds, one.values, one.muted) for one in batches), strict=True)
        )
        if batches
        else (np.empty(0),) * 4
    )
    order = np.argsort(instants, kind='stable')
    kept = np.sort(np.lexsort((-instants[order], muted[order]))[:MAX_TEXTS])
    offsets = np.cumsum([0, *(one.instants.size for one in batches)])
    texts = []
    for index in kept.tolist():
        place = int(order[index])
        batch = int(np.searchsorted(offsets, place, side='right')) - 1
        text, triggered = batches[batch].text(place - int(offsets[batch]))
        texts.append((index, prose.parse(text), triggered))
    columns = model.Messages(
        count=order.size,
        instants=pool.integers(np.diff(instants[order], prepend=0)),
        kinds=pool.integers(codes[order]),
        values=pool.singles(values[order]),
        texts=texts,
    )
    return [*kinds], columns


def _of_monitors(result: Rehearsal, places: Mapping[str, int], kinds: dict[model.Kind, int]) -> Iterator[_Batch]:
    for place, monitor in enumerate(result.monitors):
        for index, group in enumerate(monitor.timeline.groups):
            due = monitor.notifications.get(group, ())
            if len(due):
                yield _batch(
                    monitor, group, due, partial(_code, kinds, partial(_kind, monitor, group, place, index, places))
                )


def _code(kinds: dict[model.Kind, int], kind_of: Callable[[Notification], model.Kind], one: Notification) -> int:
    return kinds.setdefault(kind_of(one), len(kinds))


def _batch(
    monitor: MonitorResult, group: Group, due: Sequence[Notification], kind_of: Callable[[Notification], int]
) -> _Batch:
    def text(row: int) -> tuple[str, int | None]:
        return monitor.message(group, due[row]).delivery.text, due[row].last_triggered_at

    if isinstance(due, Notifications) and not (monitor.messages.varies or monitor.messages.titled_apart):
        # What has the same states, reason and downtimes differs in nothing but the instant, the value and the text.
        names: dict[tuple[str, ...], int] = {(): 0}
        muting = np.zeros(len(due), dtype=np.int64)
        rows = np.flatnonzero(due.muted)
        muting[rows] = [names.setdefault(due.muting.downtimes(at), len(names)) for at in due.instants[rows].tolist()]
        _, first, alike = np.unique(due.kinds.astype(np.int64) + 1000 * muting, return_index=True, return_inverse=True)
        # In the order in which they come.
        known = {row: kind_of(due[row]) for row in sorted(first.tolist())}
        codes = np.array([known[row] for row in first.tolist()])[alike]
        return _Batch(due.instants.astype(np.int64), codes, due.values, due.muted, text)
    every = list(due)
    return _Batch(
        np.array([one.instant for one in every], dtype=np.int64),
        np.array([kind_of(one) for one in every], dtype=np.int64),
        np.array([one.value for one in every], dtype=float),
        np.array([not one.sent for one in every], dtype=bool),
        text,
    )


def _kind(
    monitor: MonitorResult, group: Group, place: int, index: int, places: Mapping[str, int], one: Notification
) -> model.Kind:
    message = monitor.heading(group, one)
    return model.Kind(
        title=message.title,
        recipients=tuple(message.recipients),
        monitor=place,
        group=index,
        state=str(one.target),
        previous='' if one.source is State.ABSENT else str(one.source),
        reason=_REASONS[one.reason],
        host=message.host,
        ip=message.ip,
        muted=not one.sent,
        downtimes=tuple(places[name] for name in one.muted_by),
        arrival=_arrival(message.delivery, one.target is not State.OK and _samples(monitor)),
    )


def _samples(monitor: MonitorResult) -> bool:
    """Whether Datadog appends samples of the events (rule 15.14), unless an option says that it does not."""
    options = monitor.asset.body.get('options')
    chosen = [options.get(key) for key in ('enable_logs_sample', 'enable_samples')] if isinstance(options, dict) else ()
    return isinstance(monitor.monitor, EventMonitor) and False not in chosen


def _arrival(delivery: Delivery, samples: bool) -> model.Arrival:
    return model.Arrival(
        condition=delivery.condition,
        links=tuple((label, address) for label, address in delivery.links_between('{from}', '{to}')),
        tags=delivery.event_tags,
        webhook=tuple(delivery.lasting_variables().items()),
        hidden=tuple(sorted(delivery.hidden)),
        samples=samples,
    )


def _of_downtimes(result: Rehearsal, kinds: dict[model.Kind, int]) -> Iterator[_Batch]:
    for place, downtime in enumerate(result.downtimes):
        if downtime.messages:
            codes = [
                kinds.setdefault(_downtime_kind(place, downtime, what), len(kinds)) for _, what in downtime.messages
            ]
            instants = np.array([round(instant) for instant, _ in downtime.messages], dtype=np.int64)
            yield _Batch(
                instants,
                np.array(codes),
                np.full(instants.size, math.nan),
                np.zeros(instants.size, dtype=bool),
                partial(_text_of_downtime, downtime),
            )


def _text_of_downtime(downtime: DowntimeResult, row: int) -> tuple[str, int | None]:
    return downtime.message, None


def _downtime_kind(place: int, downtime: DowntimeResult, what: str) -> model.Kind:
    return model.Kind(
        title=downtime.title(what),
        recipients=tuple(downtime.recipients),
        monitor=None,
        group=None,
        state=what,
        previous='',
        reason='',
        host='',
        ip='',
        muted=False,
        downtimes=(place,),
    )
