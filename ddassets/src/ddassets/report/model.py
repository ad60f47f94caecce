"""What the page holds, as plain data: the page's script reads exactly these names from one JSON document.

Instants and lengths are Unix seconds. Columns of numbers are packed into `Page.pool`, behind the JSON, and every other
place refers to them by index, so that equal columns are stored once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

import numpy as np

# `[tag, attributes, children]` or a text: Markdown, parsed here and built from elements by the page's script.
type Prose = list[Any]
# The tree of a formula, for the scalars that the page's script computes: `['number', 100]`, `['query', name]` or
# `['act', operator or function, operand, …]`.
type Formula = list[Any]


@dataclass(frozen=True, slots=True)
class Level:
    """A series in buckets of `step` seconds. Column indices point into `Page.pool`.

    `gaps` is the distance of each bucket from the one before, in steps (None: all 1). `low` and `high` are the extremes
    of the finest points inside each bucket, None where a bucket never holds more than one. A level that is not
    `complete` holds only its newest part, to bound the size of the page.
    """

    step: int
    start: int
    count: int
    gaps: int | None
    values: int
    complete: bool = True
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its group's tags, and its points from the finest level to the coarsest.

    `lower` and `upper` are the edges of the band that its anomalies() is given, in the same levels; empty without.
    """

    name: str
    levels: list[Level]
    lower: list[Level] = field(default_factory=list)
    upper: list[Level] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a query for a selection of the template variables; `missing` names metrics without data."""

    series: list[Series] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a widget. `answers` is keyed by the values of `variables`, in that order, as a JSON list.

    `aggregator` makes one number of a series in the frame: avg, sum, min, max, last or count.
    """

    name: str
    variables: list[str]
    answers: dict[str, Answer]
    aggregator: str = 'avg'


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a widget: ready lines for a timeseries, or a formula over the queries' scalars."""

    name: str
    queries: list[Query]
    formula: Formula = field(default_factory=list)
    display: Literal['line', 'bars', 'area'] = 'line'
    palette: str = 'dog_classic'
    dashed: bool = False
    formats: list[dict[str, Any]] = field(default_factory=list)
    # How many groups a top list shows, the greatest first, or the least.
    limit: int = 10
    ascending: bool = False
    # What the reader has to know about these lines, such as an anomaly band that is not drawn.
    remark: str = ''


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget. The `remark` of a `placeholder` names the missing widget and the reason."""

    kind: Literal['group', 'note', 'timeseries', 'query_value', 'toplist', 'monitors', 'placeholder']
    title: str
    # x, y, width and height on the grid of 12 columns.
    layout: list[int]
    widgets: list['Widget'] = field(default_factory=list)
    prose: Prose = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    # Indices of the monitors that a monitor summary lists.
    monitors: list[int] = field(default_factory=list)
    # Seconds of a time frame of its own, ending where the page's frame ends.
    span: int | None = None
    markers: list[dict[str, Any]] = field(default_factory=list)
    axis: dict[str, Any] = field(default_factory=dict)
    colour: str = ''
    remark: str = ''
    precision: int | None = None
    unit: str = ''


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    values: list[str]
    default: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    title: str
    description: str
    variables: list[Variable]
    widgets: list[Widget]


@dataclass(frozen=True, slots=True)
class States:
    """The stretches of equal state from `start` to `end`, as columns: the length of all but the last, and the state.

    States are -1 absent, 0 OK, 1 Warn, 2 Alert, 3 No Data and 4 Unknown.
    """

    start: int
    end: int
    lengths: int
    codes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a composite. `monitor` is its index where it is rehearsed itself."""

    letter: str
    name: str
    monitor: int | None


@dataclass(frozen=True, slots=True)
class MemberStates:
    """The states of a member in one group of a composite.

    `values` is a column of what it compared where each stretch of the composite's states begins; None without one.
    """

    group: str
    states: States
    values: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a monitor. `muted` are `[from, to, downtime]`, in order of time."""

    name: str
    signal: Series | None
    states: States
    muted: list[tuple[int, int, int]]
    # Of a composite, in the order of its members.
    members: list[MemberStates] = field(default_factory=list)
    # When a percentile is so close to a threshold that the sketch's error decides (rule 17.20).
    uncertain: list[int] = field(default_factory=list)
    # Of an approximated monitor: when not all parameter sets give the state, `[from, to, words]`, and the doubtful
    # messages, `[instant, words]`.
    doubtful: list[tuple[int, int, str]] = field(default_factory=list)
    doubts: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Monitor:
    name: str
    type: str
    query: str
    tags: list[str]
    priority: int | None
    comparator: str
    # critical, warning, critical_recovery, warning_recovery: those that are set.
    thresholds: dict[str, float]
    # The message's template, and each option with its value as JSON.
    message: str
    options: list[tuple[str, str]]
    groups: list[Group]
    # `(what, whether a rehearsal reached it)`: states, recoveries, branches of the message.
    coverage: list[tuple[str, bool]] = field(default_factory=list)
    # Of a composite: its query in letters, and what they stand for.
    expression: str = ''
    members: list[Member] = field(default_factory=list)
    # Of an SLO alert: its SLO, and what the value is.
    legend: str = ''
    # Of an approximated monitor: how sure its result is, and what only other parameters would send.
    approximation: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Downtime:
    """A downtime; `windows` are its merged active intervals `[from, to)` inside the rehearsal."""

    name: str
    scope: str
    prose: Prose
    zone: str
    windows: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Kind:
    """The common properties of messages that differ only in their instant, value and text.

    They are notifications, sent or muted, or a downtime's own messages (then `monitor` is None).
    """

    title: str
    recipients: tuple[str, ...]
    monitor: int | None
    # Index into the monitor's groups.
    group: int | None
    # Of a notification the state that it reports; of a downtime's message what happened to the downtime.
    state: str
    previous: str
    # The reason if it is not a transition: a renotification, the end of a downtime.
    reason: str
    host: str
    ip: str
    muted: bool
    # Indices of the downtimes that muted it, or of the one whose message it is.
    downtimes: tuple[int, ...]
    arrival: 'Arrival | None' = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What Datadog adds to a notification. `{from}` and `{to}` in an address are milliseconds."""

    # Markdown.
    condition: str
    # Label and address; empty where no source has its form.
    links: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    # The variables of a webhook but for those of the instant and of the text; None: not known.
    webhook: tuple[tuple[str, str | None], ...]
    # The parts that the monitor's preset hides: query, handles, footer, snapshot.
    hidden: tuple[str, ...]
    # Whether Datadog appends samples of the events, which are not shown (rule 15.14).
    samples: bool = False


@dataclass(frozen=True, slots=True)
class Messages:
    """All messages in order of time, as columns: the distance of each from the one before, its kind, its value.

    `texts` are `(index, text, when the monitor was last triggered)` for those whose text is kept.
    """

    count: int
    instants: int
    kinds: int
    values: int
    texts: list[tuple[int, Prose, int | None]]


@dataclass(frozen=True, slots=True)
class Assumption:
    """An assumption. `effects` describe its other choices, as (choice, effect, whether it matters)."""

    id: str
    question: str
    choice: str
    effects: list[tuple[str, str, bool]] = field(default_factory=list)


class Change(NamedTuple):
    """One notification that another choice of an assumption changes: `monitor` and `group` are indices."""

    assumption: str
    choice: str
    # comes, goes, moves, is muted, is sent, changes
    what: str
    monitor: int
    group: int | None
    instant: int
    # Where it moves to.
    to: int | None


class Verdict(NamedTuple):
    """One expectation: `text` contains the actual result if it does not hold. `monitor` and `group` are indices."""

    text: str
    holds: bool
    monitor: int | None = None
    group: int | None = None
    instant: int | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One scenario's results. `offsets` are `[from instant, seconds east of UTC]` of the display time zone."""

    name: str
    description: str
    start: int
    end: int
    zone: str
    offsets: list[tuple[int, int]]
    dashboards: list[Dashboard]
    monitors: list[Monitor]
    downtimes: list[Downtime]
    kinds: list[Kind]
    messages: Messages
    assumptions: list[Assumption]
    # Of the changes that other choices would make, the earliest.
    changes: list[Change]
    verdicts: list[Verdict]
    # The warnings of the rehearsal, each a sentence.
    warnings: list[str]


MAX_GAP = 255


class Column(NamedTuple):
    """Where a column is in the pool's bytes, and how to read it: `raw * factor / divisor`.

    `type` is of NumPy: `u1`, `i2`, `i4`, `f4` or `f8`, little-endian, the first bytes of all numbers first, then the
    second ones. The least number of a signed integer is a missing value.
    """

    type: str
    offset: int
    size: int
    factor: int = 1
    divisor: int = 1


class Pool:
    """Columns of numbers, each stored once and identified by its index."""

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.bytes = bytearray()
        self._places: dict[tuple[object, ...], int] = {}

    def _put(self, kind: str, values: np.ndarray[Any, Any], factor: int = 1, divisor: int = 1) -> int:
        column = values.astype(f'<{kind}')
        # Bytes of the same weight are alike, and compress.
        packed = column.view(np.uint8).reshape(column.size, column.itemsize).T.tobytes()
        place = self._places.setdefault((kind, factor, divisor, packed), len(self.columns))
        if place == len(self.columns):
            self.columns.append(Column(kind, len(self.bytes), column.size, factor, divisor))
            self.bytes += packed
        return place

    def numbers(self, values: Sequence[float] | np.ndarray[Any, Any]) -> int:
        """The index of a column of values. NaN stays NaN.

        Numbers of few digits are exact: 0.7 is to equal the 0.7 of a conditional format. Others, such as averages, have
        seven digits.
        """
        whole = np.asarray(values, dtype='<f8')
        missing = np.isnan(whole)
        for divisor in (1, 10, 100, 1000, 10000):
            scaled = np.rint(whole * divisor)
            if (np.abs(scaled[~missing]) < 2**31).all() and np.array_equal(scaled / divisor, whole, equal_nan=True):
                kind = 'i2' if (np.abs(scaled[~missing]) < 2**15).all() else 'i4'
                scaled[missing] = -(2**15) if kind == 'i2' else -(2**31)
                return self._put(kind, scaled, divisor=divisor)
        with np.errstate(over='ignore', divide='ignore', invalid='ignore'):
            half = whole.astype('<f4')
            size = 10.0 ** (8 - np.floor(np.log10(np.abs(whole))))
            short = (np.rint(whole * size) / size == whole) & (half != whole)
        return self._put('f8' if short.any() or np.isinf(half).any() else 'f4', whole)

    def singles(self, values: np.ndarray[Any, Any]) -> int:
        """The index of a column of values with seven digits."""
        with np.errstate(over='ignore'):
            return self._put('f4', values)

    def integers(self, values: np.ndarray[Any, Any]) -> int:
        """The index of a column of whole numbers of at most 31 bits, divided by what all of them have in common."""
        whole = np.asarray(values, dtype=np.int64)
        factor = 60 if whole.size > 1 and (whole[1:] % 60 == 0).all() and whole[0] % 60 == 0 else 1
        raw = whole // factor
        kind = 'u1' if ((raw >= 0) & (raw < 256)).all() else 'i2' if (np.abs(raw) < 2**15).all() else 'i4'
        return self._put(kind, raw, factor=factor)

    def gaps(self, steps: np.ndarray[Any, Any]) -> int | None:
        """The index of a column of distances in steps, at most MAX_GAP each; None where all of them are 1."""
        if (steps == 1).all():
            return None
        return self._put('u1', steps)


@dataclass(frozen=True, slots=True)
class Survey:
    """What one monitor does with a signal made from its own query.

    `answers` are (yes, no or not set; reason) by state; `faults` are (severity, sentence). Delays are in seconds.
    """

    name: str
    file: str
    query: str
    unsupported: str
    answers: dict[str, tuple[str, str]]
    page_after: int | None
    recovery_after: int | None
    notified: dict[str, list[str]]
    faults: list[tuple[str, str]]
    stub: str
    # How fast an SLO alert triggers, or empty.
    pace: str
    assumptions: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page: rehearsals of one integration, or surveys of monitors."""

    integration: str
    version: str
    rehearsals: list[Rehearsal]
    pool: Pool
    surveys: list[Survey] = field(default_factory=list)

    def document(self) -> bytes:
        """What the page's script reads: the length of a JSON document in 4 bytes, the document, the pool's bytes."""
        text = json.dumps(self, default=_fields, ensure_ascii=False, separators=(',', ':'), allow_nan=False).encode()
        return len(text).to_bytes(4, 'little') + text + self.pool.bytes


def _fields(part: Any) -> Any:
    if isinstance(part, Pool):
        return part.columns
    return {field.name: getattr(part, field.name) for field in fields(part)}
