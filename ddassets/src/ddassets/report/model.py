"""What the page holds, as plain data: the page's script reads exactly these names from one JSON document.

Instants and lengths are Unix seconds. Numbers that a chart draws do not stand in the JSON one by one: they are packed
into `Page.pool`, and every other place refers to them by index, so that equal columns are stored once.
"""

import base64
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
type State = Literal['OK', 'Warn', 'Alert', 'No Data']


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
    """What a query says under one selection of the template variables; `missing` names metrics without data."""

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
    """A widget. A `placeholder` says in `remark` what would stand there and why it does not."""

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
class Group:
    """One group of a monitor. `states` are `[from, to, state]`, `muted` `[from, to, downtime]`, in order of time."""

    name: str
    signal: Series | None
    states: list[tuple[int, int, State]]
    muted: list[tuple[int, int, int]]


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
    """What messages have in common that differ in nothing but the instant, the value and the text.

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
    # Why it is there when no transition brought it: a renotification, the end of a downtime.
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


class Message(NamedTuple):
    """One message: a short list in the document, for a year may hold hundreds of thousands."""

    instant: int
    # Index into the rehearsal's kinds.
    kind: int
    value: str
    # None where the text is left out, to bound the size of the page.
    prose: Prose | None
    # When the monitor was last triggered.
    triggered: int | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """An assumption. `effects` are what its other choices would do, each as (choice, effect, whether it matters)."""

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
    """One expectation: `text` says what was found instead where it does not hold. `monitor` and `group` are indices."""

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
    messages: list[Message]
    assumptions: list[Assumption]
    # Of the changes that other choices would make, the earliest.
    changes: list[Change]
    verdicts: list[Verdict]
    # What the rehearsal warns of, each a sentence.
    warnings: list[str]


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
    assumptions: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page: rehearsals of one integration, or surveys of monitors."""

    integration: str
    version: str
    rehearsals: list[Rehearsal]
    pool: list[str]
    surveys: list[Survey] = field(default_factory=list)

    def json(self) -> str:
        """The document that the page's script reads."""
        return json.dumps(self, default=_fields, ensure_ascii=False, separators=(',', ':'), allow_nan=False)


def _fields(part: Any) -> dict[str, Any]:
    return {field.name: getattr(part, field.name) for field in fields(part)}


LONGEST_GAP = 255


class Pool:
    """Columns, each once: a letter, and base64 of bytes (b), or of little-endian floats of 32 (f) or 64 bits (d)."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self._places: dict[str, int] = {}

    def _put(self, kind: str, column: np.ndarray[Any, Any]) -> int:
        packed = kind + base64.b64encode(column.tobytes()).decode()
        place = self._places.setdefault(packed, len(self.columns))
        if place == len(self.columns):
            self.columns.append(packed)
        return place

    def numbers(self, values: Sequence[float] | np.ndarray[Any, Any]) -> int:
        """The index of a column of values, exact: 0.7 is to equal the 0.7 of a conditional format. NaN stays NaN."""
        whole = np.asarray(values, dtype='<f8')
        with np.errstate(over='ignore'):
            half = whole.astype('<f4')
        exact = np.array_equal(half, whole, equal_nan=True)
        return self._put('f', half) if exact else self._put('d', whole)

    def gaps(self, steps: np.ndarray[Any, Any]) -> int | None:
        """The index of a column of distances in steps, at most LONGEST_GAP each; None where all of them are 1."""
        if (steps == 1).all():
            return None
        return self._put('b', steps.astype(np.uint8))
