"""Convert the results of rehearsals to the page."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ddassets.assets import Bundle
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.graph import Line
from ddassets.engine.timeline import GroupTimeline
from ddassets.rehearsal import Judgement, doubts
from ddassets.rehearsal.result import DowntimeResult, MonitorResult
from ddassets.rehearsal.verdict import Verdict
from ddassets.rehearsal.what_if import Effect
from ddassets.report import dashboards, inbox, model, prose
from ddassets.report.columns import BUCKETS, average
from ddassets.report.source import Source

MAX_CHANGES = 5000
# Maximum of evaluations of a group that are marked as decided within a sketch's error.
MAX_UNCERTAIN = 5000
# Maximum of listed messages that only other parameters of an approximation would send.
MAX_OTHERS = 20


def page(
    bundle: Bundle, judgements: Iterable[Judgement], progress: Callable[[str], None] = lambda text: None
) -> model.Page:
    """Return the page of these rehearsals. `progress` is called with a short text about each step."""
    pool = model.Pool()
    rehearsals = [_Builder(bundle, judgement, pool, progress).build() for judgement in judgements]
    return model.Page(bundle.name, version('ddassets'), rehearsals, pool)


class _Builder:
    def __init__(self, bundle: Bundle, judgement: Judgement, pool: model.Pool, progress: Callable[[str], None]) -> None:
        self.bundle = bundle
        self.judgement = judgement
        self.result = result = judgement.rehearsal
        self.progress = progress
        self.places = {downtime.name: index for index, downtime in enumerate(result.downtimes)}
        metrics = {metric: result.series.of(metric) for metric in result.series.metrics}
        tags = {metric: frozenset[str]().union(*(one.tags for one in series)) for metric, series in metrics.items()}
        # The index of each monitor, and those of its groups, by name.
        self.groups = {
            monitor.asset.name: (index, {group.name: at for at, group in enumerate(monitor.timeline.groups.values())})
            for index, monitor in enumerate(result.monitors)
        }
        self.source = Source(result.start, result.end, result.lines, result.edges, tags, pool)

    def build(self) -> model.Rehearsal:
        result = self.result
        self.progress(f'{result.name}: monitors and messages')
        monitors = [self._monitor(monitor) for monitor in result.monitors]
        kinds, messages = inbox.collect(result, self.source.pool)
        return model.Rehearsal(
            name=result.name,
            description=result.description,
            start=result.start,
            end=result.end,
            zone=result.zone.key,
            offsets=offsets(result.zone, result.start, result.end),
            dashboards=[self._dashboard(name, monitors) for name in self._order()],
            monitors=monitors,
            downtimes=[self._downtime(downtime) for downtime in result.downtimes],
            kinds=kinds,
            messages=messages,
            assumptions=[
                model.Assumption(
                    name, ASSUMPTIONS[name].question if name in ASSUMPTIONS else '', choice, self._effects(name)
                )
                for name, choice in result.assumptions.items()
            ],
            changes=self._changes(),
            verdicts=[self._verdict(verdict) for verdict in self.judgement.verdicts],
            warnings=list(result.warnings),
        )

    def _effects(self, assumption: str) -> list[tuple[str, str, bool]]:
        tried = [
            (effect.choice, _described(effect), effect.matters)
            for effect in self.judgement.what_if.effects
            if effect.assumption == assumption
        ]
        untried = [choice for name, choice in self.judgement.what_if.untried if name == assumption]
        return [*tried, *((choice, 'was not tried', False) for choice in untried)]

    def _changes(self) -> list[model.Change]:
        found = [
            model.Change(
                effect.assumption, effect.choice, one.kind, *self._indices(one.monitor, one.group), one.at, one.to
            )
            for effect in self.judgement.what_if.effects
            for one in effect.changes.of(self.groups).earliest(MAX_CHANGES)
        ]
        return sorted(found, key=lambda change: change.instant)[:MAX_CHANGES]

    def _verdict(self, verdict: Verdict) -> model.Verdict:
        moment = verdict.moment
        if moment is None or moment.monitor not in self.groups:
            return model.Verdict(str(verdict), verdict.holds)
        return model.Verdict(str(verdict), verdict.holds, *self._indices(moment.monitor, moment.group), moment.at)

    def _indices(self, monitor: str, group: str) -> tuple[int, int | None]:
        """Return the index of a monitor and that of its group; None for a group that does not exist here."""
        place, groups = self.groups[monitor]
        return place, groups.get(group)

    def _order(self) -> list[int]:
        """Return the dashboards in the order of the manifest, then the others."""
        manifest = self.bundle.manifest
        paths = [self.bundle.folder / path for path in manifest.dashboards.values()] if manifest else []
        ranks = {path: rank for rank, path in enumerate(paths)}
        files = [dashboard.source.path for dashboard in self.bundle.dashboards]
        return sorted(range(len(files)), key=lambda index: ranks.get(files[index], len(ranks)))

    def _dashboard(self, index: int, monitors: Sequence[model.Monitor]) -> model.Dashboard:
        dashboard = self.bundle.dashboards[index]
        self.progress(f'{self.result.name}: dashboard {dashboard.title}')
        return dashboards.convert(dashboard, self.source, monitors)

    def _monitor(self, monitor: MonitorResult) -> model.Monitor:
        priority = monitor.asset.body.get('priority')
        composite = monitor.composite
        return model.Monitor(
            name=monitor.asset.name,
            type=monitor.asset.type,
            query=monitor.asset.query,
            tags=list(monitor.asset.tags),
            priority=priority if isinstance(priority, int) else None,
            comparator=monitor.monitor.comparator,
            thresholds=dict(monitor.monitor.limits),
            message=monitor.asset.message,
            options=[(key, json.dumps(value, ensure_ascii=False)) for key, value in _options(monitor.asset.body)],
            groups=[self._group(monitor, group) for group in monitor.timeline.groups.values()],
            coverage=list(self.judgement.coverage[monitor.asset.name]),
            expression=composite.expression if composite else '',
            legend='' if composite else monitor.monitor.legend,
            members=[
                model.Member(letter, member.name, self.groups[member.name][0] if member.name in self.groups else None)
                for letter, member in (composite.members.items() if composite else ())
            ],
            approximation=list(self._approximation(monitor)),
        )

    def _approximation(self, monitor: MonitorResult) -> Iterable[str]:
        if monitor.approximation is None:
            return
        yield doubts.summary(monitor)
        found = [*doubts.others(monitor)]
        for result, event, doubt in found[:MAX_OTHERS]:
            yield doubts.other_words(result, event, doubt, monitor, self.result.zone)
        if len(found) > MAX_OTHERS:
            yield f'… and {len(found) - MAX_OTHERS:,} more'

    def _doubts(self, monitor: MonitorResult, group: GroupTimeline) -> Iterable[tuple[int, str]]:
        found = monitor.results[group.group].agreement if monitor.approximation else None
        if found is None or monitor.approximation is None:
            return
        due = monitor.notifications[group.group]
        for row, doubt in enumerate(found.notifications):
            if doubt is not None:
                yield int(due.instants[row]), doubts.doubt_words(doubt, monitor.approximation, self.result.zone)

    def _group(self, monitor: MonitorResult, group: GroupTimeline) -> model.Group:
        evaluated = Line('value', group.ticks.astype(float), group.values).held()
        buckets = BUCKETS[1:]
        mutes = monitor.mutes.get(group.group, ())
        agreed = monitor.results[group.group].agreement if monitor.approximation else None
        return model.Group(
            name=group.name,
            signal=self.source.pack('value', {bucket: average(evaluated, bucket) for bucket in buckets})
            if evaluated.times.size
            else None,
            states=self._states(group),
            muted=[(*self._clipped(mute.start, mute.end), self.places[mute.downtime]) for mute in mutes],
            members=list(self._members(monitor, group)),
            doubtful=[
                (one.start, one.end, doubts.parameters(one.parameters))
                for one in (agreed.periods[:MAX_UNCERTAIN] if agreed else ())
            ],
            doubts=[*self._doubts(monitor, group)][:MAX_UNCERTAIN],
            uncertain=[] if group.uncertain is None else group.ticks[group.uncertain].tolist()[:MAX_UNCERTAIN],
        )

    def _members(self, monitor: MonitorResult, group: GroupTimeline) -> Iterable[model.MemberStates]:
        composite = monitor.composite
        # Under notify_by a group holds several groups of the composite.
        if composite is None or group.group not in composite.groups:
            return
        starts = group.ticks[group.firsts]
        for letter, line in composite.member_timelines(group.group).items():
            row = np.searchsorted(line.ticks, starts, side='right') - 1
            values = np.where(row >= 0, np.append(line.values, np.nan)[row], np.nan)
            known = composite.members[letter].has_value and not np.isnan(values).all()
            yield model.MemberStates(
                group=line.name,
                states=self._states(line),
                values=self.source.pool.numbers(values) if known else None,
            )

    def _states(self, group: GroupTimeline) -> model.States:
        first = group.firsts
        starts = group.ticks[first].astype(np.int64)
        pool = self.source.pool
        return model.States(
            start=int(starts[0]) if starts.size else 0,
            end=int(group.end),
            lengths=pool.integers(np.diff(starts)),
            codes=pool.integers(group.states[first].astype(np.int64)),
        )

    def _clipped(self, start: float, end: float) -> tuple[int, int]:
        return round(max(start, self.result.start)), round(min(end, self.result.end))

    def _downtime(self, downtime: DowntimeResult) -> model.Downtime:
        windows = [self._clipped(start, end) for start, end in downtime.windows]
        return model.Downtime(downtime.name, downtime.scope, prose.parse(downtime.message), downtime.zone, windows)


def _options(body: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    options = body.get('options')
    return options.items() if isinstance(options, dict) else ()


def _described(effect: Effect) -> str:
    """Describe in one line how another choice would change the notifications."""
    if effect.refused:
        return f'is refused: {effect.refused}'
    kinds = Counter(change.kind for change in effect.changes)
    return ', '.join(f'{number:,} {kind}' for kind, number in kinds.items()) or 'changes nothing'


def offsets(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int]]:
    """Return the offsets of a time zone in seconds east of UTC, each with its first instant, from `start` to `end`."""

    def east(instant: int) -> int:
        delta = datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()
        return round(delta.total_seconds()) if delta else 0

    found = [(start - 86400, east(start - 86400))]
    for hour in range(start - start % 3600, end + 3600, 3600):
        if east(hour) != found[-1][1]:
            found.append((hour, east(hour)))
    return found
