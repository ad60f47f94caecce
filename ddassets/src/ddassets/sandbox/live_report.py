"""The report's page of the last hours: a rehearsal of the stored points with the organisation's objects."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ddassets.assets import Bundle
from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets.asset import Asset
from ddassets.assets.dashboard import read_dashboard
from ddassets.assets.downtime import read_downtime
from ddassets.assets.source import Unplaced
from ddassets.engine.context import HISTORY
from ddassets.engine.monitor import Monitor
from ddassets.engine.series import Series
from ddassets.rehearsal import Judgement, Rehearsal, parse, rehearse
from ddassets.rehearsal.signal import signal
from ddassets.report.page import render
from ddassets.report.rehearsed import page
from ddassets.sandbox.live import Live
from ddassets.sandbox.organisation import Organisation
from ddassets.sandbox.store import Store

# Seconds that a page is kept, because evaluating and packing takes a moment.
_KEPT = 10


class LiveReport:
    def __init__(self, store: Store, organisation: Organisation, live: Live) -> None:
        self._store = store
        self._organisation = organisation
        self._live = live
        self._lock = threading.Lock()
        self._made: tuple[int, int, str] | None = None

    def page(self, now: int, hours: int) -> str:
        """Return the page of the last hours. It is as old as _KEPT seconds at most."""
        with self._lock:
            if self._made is None or self._made[1] != hours or not 0 <= now - self._made[0] < _KEPT:
                self._made = now, hours, self._page(now, hours)
            return self._made[2]

    def _page(self, now: int, hours: int) -> str:
        end = now - now % 60 + 60
        start = end - hours * 3600
        monitors, downtimes, dashboards = [*self._monitors()], [*self._downtimes()], [*self._dashboards()]
        series = [*self._series(start - HISTORY, now)]

        def drawn(monitors: list[Asset], downtimes: list[Asset], hours: int, series: list[Series]) -> str:
            judgement = _judged([*monitors, *downtimes, *dashboards], start, hours, series)
            return render(page(judgement.rehearsal.bundle, [judgement]))

        def fits(monitors: list[Asset], downtimes: list[Asset]) -> bool:
            """Whether they can be rehearsed, with one hour without points."""
            try:
                drawn(monitors, downtimes, 1, [])
            except Exception:
                return False
            return True

        try:
            return drawn(monitors, downtimes, hours, series)
        except Exception:
            # The others do not need what cannot be rehearsed.
            monitors = [one for one in monitors if fits([one], [])]
            downtimes = [one for one in downtimes if fits([], [one])]
            return drawn(monitors, downtimes, hours, series)

    def _monitors(self) -> Iterator[Asset]:
        for watched in self._live.watched().values():
            if isinstance(watched.monitor, Monitor) and not watched.reason:
                yield watched.asset

    def _downtimes(self) -> Iterator[Asset]:
        for id, body in dict(self._organisation.downtimes).items():
            if body['attributes'].get('canceled') is None:
                yield read_downtime(Unplaced(Path(id)), body['attributes'])

    def _dashboards(self) -> Iterator[Asset]:
        for id, body in dict(self._organisation.dashboards).items():
            yield read_dashboard(Unplaced(Path(id)), body)

    def _series(self, start: int, end: int) -> Iterator[Series]:
        for metric in self._store.metrics():
            yield from self._store.series(metric, start, end)


def _judged(assets: list[Asset], start: int, hours: int, series: list[Series]) -> Judgement:
    text = {'start': f'{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%S}', 'length': f'{hours}h', 'series': []}
    scenario = parse(json.dumps(text), Path('live.yaml'))
    bundle = Bundle(Path('sandbox'), None, {}, tuple(assets), ())
    if any(isinstance(one, MonitorAsset) for one in assets):
        return Judgement(rehearse(scenario, bundle, given=series, keep=True))
    # A scenario has a monitor, but an organisation need not.
    return Judgement(Rehearsal(scenario, bundle, signal(scenario, bundle, None, series), (), ()))
