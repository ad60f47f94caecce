"""A constructed rehearsal, and a browser to view its page.

The signal, its states and its messages come from the few lines below and not from the evaluator, so these tests say
what the page does with any result.
"""

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from chromium import Browser, executable
from missing import unavailable

from ddassets import assets as bundle
from ddassets import report
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.graph import Line
from ddassets.engine.message import Delivery, Edge, Sender, trigger
from ddassets.engine.monitor import Monitor, Thresholds
from ddassets.engine.notification import Mute, Notification
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.timeline import GroupTimeline, MonitorTimeline, State, Transitions
from ddassets.language.query import tree
from ddassets.language.query.syntax import parse_monitor
from ddassets.rehearsal.verdict import Moment
from ddassets.rehearsal.what_if import WhatIf

REPOSITORY = Path(__file__).parents[3]
DAY = 86400
HOSTS = {'alpha-1': '192.0.2.11', 'beta-2': '192.0.2.12', 'gamma-3': '192.0.2.13'}
NIGHTS, WEEKENDS = 'weeknights', 'weekends'


COVERAGE = (('Alert', True), ('Warn', True), ('No Data', True), ('renotification', False))


@dataclass
class RehearsedVerdict:
    text: str
    holds: bool
    moment: Moment | None = None

    def __str__(self) -> str:
        return self.text


@dataclass
class Rehearsed:
    """A rehearsal and its judgement in one, for `days` days of `my_metric` on some hosts, a point every 45 s."""

    Verdict: ClassVar = RehearsedVerdict

    folder: Path
    days: int = 7
    hosts: dict[str, str] = field(default_factory=lambda: dict(HOSTS))
    name: str = 'A working week'
    description: str = 'Three hosts, one of them silent for an hour and a half on Wednesday.'
    zone: ZoneInfo = ZoneInfo('Europe/Berlin')
    assumptions: dict[str, str] = field(default_factory=lambda: {'A1': '(from,to]', 'A13': 'elapsed'})
    verdicts: tuple[RehearsedVerdict, ...] = ()
    warnings: tuple[str, ...] = ()
    banded: bool = False
    what_if: WhatIf = WhatIf()

    @property
    def rehearsal(self) -> 'Rehearsed':
        return self

    @property
    def coverage(self) -> dict[str, tuple[tuple[str, bool], ...]]:
        return {one.asset.name: COVERAGE for one in self.monitors}

    @cached_property
    def start(self) -> int:
        return int(datetime(2027, 1, 4, tzinfo=self.zone).timestamp())

    @cached_property
    def end(self) -> int:
        return self.start + self.days * DAY

    @cached_property
    def bundle(self) -> bundle.Bundle:
        return bundle.read(self.folder)

    @cached_property
    def series(self) -> SeriesSet:
        random = np.random.default_rng(7)
        return SeriesSet(self._host(random, index, host) for index, host in enumerate(self.hosts))

    def _host(self, random: np.random.Generator, index: int, host: str) -> Series:
        times = np.arange(self.start + 7 * index, self.end, 45.0)
        day = (times - self.start) / DAY
        # Highest in the early afternoon, so that something happens in office hours too.
        shape = 420 + 330 * np.sin((day - 0.33 - 0.03 * index) * 2 * np.pi) + 90 * np.sin(day * 38 + index)
        values = np.clip(np.round(shape + random.normal(0, 25, times.size)), 0, 1000)
        hour = (times - self.start) / 3600
        there = ~((index == 2) & (hour > 59) & (hour < 60.5))
        return Series('my_metric', frozenset({f'host:{host}'}), times[there], values[there], 'gauge', 45)

    def lines(self, expression: tree.Expression, start: int, end: int) -> list[Line]:
        """Evaluate one metric with a rollup, point by point."""
        if isinstance(expression, tree.Binary):
            sides = [self.lines(side, start, end)[0] for side in (expression.left, expression.right)]
            assert expression.operator == '-'
            return [Line('*', sides[0].times, sides[0].values - sides[1].values)]
        if not isinstance(expression, tree.Metric):
            raise UnusableInputError(f'{type(expression).__name__} is outside of the subset')
        (rollup,) = [modifier for modifier in expression.modifiers if modifier.name == 'rollup']
        match rollup.arguments:
            case (tree.Word(value=method), tree.Number(value=bucket)):
                pass
            case _:
                raise UnusableInputError('a rollup of another form is outside of the subset')
        scope = expression.scope
        chosen = [f'host:{host}' for host in self.hosts]
        if isinstance(scope, tree.TagFilter):
            chosen = [tag for tag in chosen if tag == f'{scope.key}:{scope.value}']
        lines = []
        for one in self.series.of(expression.name):
            (tag,) = one.tags
            if tag in chosen:
                lines.append(Line(tag, *_grouped(one.times // bucket * bucket, one.values, method)))
        if expression.by or not lines:
            return lines
        times, values = (np.concatenate(column) for column in list(zip(*lines, strict=True))[1:])
        return [Line('*', *_grouped(times, values, expression.aggregator))]

    def edges(self, expression: tree.Expression, start: int, end: int) -> tuple[list[Line], list[Line]]:
        """A band of a tenth of the value below and above, where there is to be one."""
        lines = self.lines(expression, start, end) if self.banded else []
        lower, upper = ([one._replace(values=one.values * factor) for one in lines] for factor in (0.9, 1.1))
        for one in lower:
            # An anomaly: the band expects more than there is.
            one.values[one.times >= end - 6 * 3600] *= 1.2
        return lower, upper

    @cached_property
    def downtimes(self) -> list[SimpleNamespace]:
        midnights = [self.start + day * DAY for day in range(-1, self.days)]
        nights = [(day + 19 * 3600, day + 33 * 3600) for day in midnights if (day - self.start) // DAY % 7 != 5]
        weekends = [(day, day + DAY) for day in midnights if (day - self.start) // DAY % 7 >= 5 and day >= self.start]
        return [
            SimpleNamespace(
                name=name,
                scope='*',
                message='@you@example.com The monitor is silenced.',
                recipients=['@you@example.com'],
                zone='Europe/Berlin',
                windows=[window for window in windows if window[1] > self.start],
                messages=[(at, 'started') for at, _ in windows if self.start <= at < self.end],
                title=lambda event, name=name: f'Downtime {event}: {name}',
            )
            for name, windows in ((NIGHTS, nights), (WEEKENDS, weekends))
        ]

    @cached_property
    def monitors(self) -> list['RehearsedMonitor']:
        return [RehearsedMonitor(self, asset) for asset in self.bundle.monitors]


def _grouped(times: np.ndarray, values: np.ndarray, method: str | None) -> tuple[np.ndarray, np.ndarray]:
    """One value for each time, the average or the sum of those that it has."""
    found, place, counts = np.unique(times, return_inverse=True, return_counts=True)
    sums = np.bincount(place, values)
    return found, sums / counts if method == 'avg' else sums


class RehearsedMonitor:
    """The average of five minutes, minute by minute."""

    composite = None
    approximation = None

    def __init__(self, rehearsed: Rehearsed, asset: bundle.Monitor) -> None:
        self.rehearsed = rehearsed
        self.asset = asset
        limits = Thresholds(critical=800, warning=500)
        self.monitor = Monitor(name=asset.name, query=parse_monitor(asset.query), thresholds=limits)
        self.notifications: dict[tuple[str, ...], list[Notification]] = {}
        groups: dict[tuple[str, ...], GroupTimeline] = {
            (f'host:{host}',): self._group((f'host:{host}',)) for host in rehearsed.hosts
        }
        self.timeline = MonitorTimeline(asset.name, rehearsed.start, rehearsed.end, groups, frozenset(), ())
        self.mutes = {
            group: sorted(
                (Mute(start, end, one.name) for one in rehearsed.downtimes for start, end in one.windows),
                key=lambda mute: mute.start,
            )
            for group in groups
        }

    def _group(self, group: tuple[str]) -> GroupTimeline:
        series = next(one for one in self.rehearsed.series if group[0] in one.tags)
        ticks = np.arange(self.rehearsed.start + 300, self.rehearsed.end, 60)
        low, high = np.searchsorted(series.times, [ticks - 300, ticks], side='right')
        sums = np.concatenate(([0], np.cumsum(series.values)))
        with np.errstate(invalid='ignore'):
            values = (sums[high] - sums[low]) / (high - low)
        states = np.select(
            [np.isnan(values), values > 800, values > 500], [State.NO_DATA, State.ALERT, State.WARN], State.OK
        ).astype(np.int8)
        changes = np.flatnonzero(np.diff(states)) + 1
        downtimes = self.rehearsed.downtimes
        self.notifications[group] = [
            Notification(
                instant=int(ticks[at]),
                kind=State(states[at]).kind,
                reason='transition',
                source=State(states[at - 1]),
                target=State(states[at]),
                value=float(values[at]),
                muted_by=tuple(
                    one.name for one in downtimes if any(start <= ticks[at] < end for start, end in one.windows)
                ),
                first_triggered_at=None,
                last_triggered_at=None,
            )
            for at in changes
        ]
        return GroupTimeline(group, frozenset(group), ticks, values, states, _none(), self.rehearsed.end)

    def message(self, group: tuple[str], notification: Notification) -> SimpleNamespace:
        host = group[0].removeprefix('host:')
        ip = self.rehearsed.hosts[host]
        word = {'alert': 'Triggered', 'warn': 'Warn', 'no data': 'No data', 'recovery': 'Recovered'}[notification.kind]
        title = f'[{word} on {{{group[0]}}}] {self.asset.name}'
        text = (
            f'my_metric on {host} ({ip}) averaged {notification.value:.6g} over the past 5 minutes.\n\n'
            f'1. Open the dashboard.\n2. On {host}, run `datadog-agent check my_metric`.\n\n@oncall@example.com'
        )
        recipients = ('@oncall@example.com',)
        edge = Edge(notification.source, notification.target)
        delivery = Delivery(
            sender=Sender(self.asset.query, 'my_metric'),
            title=title,
            message=text,
            recipients=recipients,
            trigger=trigger(self.monitor, self.asset.query, edge, group),
            edge=edge,
            group=group,
            event_tags=(*group, 'monitor'),
            priority=None,
            instant=notification.instant,
            last_triggered_at=notification.last_triggered_at,
        )
        return SimpleNamespace(title=title, text=text, recipients=recipients, host=host, ip=ip, delivery=delivery)

    heading = message


def _none() -> Transitions:
    columns: list[Any] = [np.empty(0) for _ in range(8)]
    return Transitions(*columns)


@pytest.fixture(scope='session')
def rehearsed() -> type[Rehearsed]:
    return Rehearsed


@pytest.fixture(scope='session')
def week(tmp_path_factory) -> tuple[Path, Rehearsed]:
    """The page of the working week, and what it was made from."""
    result = Rehearsed(REPOSITORY / 'my_metric')
    judgements: list[Any] = [result]
    return report.write(result.bundle, judgements, tmp_path_factory.mktemp('week')), result


INSTALL = 'no Chromium here: apt-get install -y --no-install-recommends chromium chromium-driver'


@pytest.fixture(scope='session')
def browser(tmp_path_factory):
    if not (executable() and shutil.which('chromedriver')):
        unavailable(INSTALL)
    browser = Browser(tmp_path_factory.mktemp('profile'))
    yield browser
    browser.driver.quit()
