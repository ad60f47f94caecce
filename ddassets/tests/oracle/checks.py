"""A second evaluator of service-check monitors, evaluation by evaluation, from section 14 of the semantics.

Instants are in seconds. A run is (instant, status); a combination of tags has runs in order of time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

TARGET = {'OK': 'OK', 'WARNING': 'Warn', 'CRITICAL': 'Alert', 'UNKNOWN': 'Unknown'}
DAY = 86400
RETENTION = {'12 h': DAY // 2, '1 h': 3600}

type Run = tuple[int, str]
# An instant, the states before and after, whether it notifies, and the cause.
type Change = tuple[int, str, str, bool, str]


@dataclass(frozen=True)
class Check:
    """`thresholds` by status; a status without one has no effect. Thresholds of a cluster alert are percentages."""

    runs: Mapping[tuple[str, ...], Sequence[Run]]
    thresholds: Mapping[str, float]
    last: int
    start: int
    end: int
    second: int
    host: bool
    grouped: bool
    notify_no_data: bool
    timeframe: int | None
    timeout: int | None
    choices: Mapping[str, str] = field(default_factory=dict)
    instants: tuple[int, ...] = ()

    @cached_property
    def ticks(self) -> list[int]:
        """Return every minute; A43 adds the given instants."""
        return list(self.instants) or [at for at in range(self.start, self.end) if (at - self.second) % 60 == 0]

    @property
    def retention(self) -> int:
        return 2 * DAY if self.notify_no_data else DAY

    @property
    def dropped_after(self) -> int:
        return RETENTION.get(self.choices['A88'], self.retention)

    def silent(self, age: int) -> bool:
        """Whether No Data is due (rules 14.12 and 14.18)."""
        frame = DAY if self.timeframe is None else self.timeframe
        return self.notify_no_data and (age > frame if self.host else age >= frame)

    @cached_property
    def all_runs(self) -> list[Run]:
        return sorted((run for runs in self.runs.values() for run in runs), key=lambda run: run[0])

    @cached_property
    def parted(self) -> set[int]:
        """Return the indices of runs that begin a new count: No Data was due before them, or the group was dropped."""
        return {
            place
            for place, (earlier, later) in enumerate(pairwise(self.all_runs), 1)
            if any(
                self.silent(at - earlier[0]) or at - earlier[0] >= self.retention
                for at in self.ticks
                if earlier[0] <= at < later[0]
            )
        }

    def counted(self, tick: int) -> tuple[str, int]:
        """Return the newest status until an evaluation, and how many runs count for it (rules 14.7, 14.8 and 14.13)."""
        own = []
        for place, run in reversed([*enumerate(run for run in self.all_runs if run[0] <= tick)]):
            own.append(run)
            if place in self.parted:
                break
        status = own[0][1]
        if self.choices['A42'] == 'among the last n':
            return status, sum(one == status for _, one in own[: self.last])
        count = 0
        while count < len(own) and own[count][1] == status:
            count += 1
        return status, count

    def decide(self, tick: int, state: str) -> tuple[str, str]:
        """Return the state after an evaluation, and its cause."""
        age = tick - max(at for at, _ in self.all_runs if at <= tick)
        frame = DAY if self.timeframe is None else self.timeframe
        no_data = self.silent(age)
        if self.timeout and age >= self.timeout:
            if not (no_data and frame > self.timeout and self.choices['A22'] == 'stays'):
                return 'OK', 'timeout'
        if no_data:
            return 'No Data', 'data'
        status, count = self.counted(tick)
        if status in self.thresholds and count >= self.thresholds[status]:
            return TARGET[status], 'data'
        return state, 'data'

    def decide_cluster(self, tick: int, state: str) -> tuple[str, str]:
        """Return the state and cause of a cluster alert (rules 14.15 to 14.19)."""
        last = [max(run for run in runs if run[0] <= tick) for runs in self.runs.values() if runs[0][0] <= tick]
        age = tick - max(at for at, _ in last)
        frame = DAY if self.timeframe is None else self.timeframe
        no_data = not self.host and self.silent(age)
        if not self.host and self.timeout and age >= self.timeout:
            if not (no_data and frame > self.timeout and self.choices['A22'] == 'stays'):
                return 'OK', 'timeout'
        if no_data:
            return 'No Data', 'data'
        statuses = [self.counts_as(tick - at, status) for at, status in last if self.is_counted(tick - at)]
        return (self.compare(statuses) if statuses else state), 'data'

    def is_counted(self, age: int) -> bool:
        """Whether a combination of tags counts in the percentage (rule 14.17)."""
        if age >= self.retention:
            return False
        frame = DAY if self.timeframe is None else self.timeframe
        return self.host or self.choices['A46'] == 'until its group is dropped' or age < frame

    def counts_as(self, age: int, status: str) -> set[str]:
        """Return the statuses for which a combination counts: a silent host counts for all (rule 14.19)."""
        if not self.host:
            return {status}
        return {'CRITICAL', 'WARNING'} if age > (self.timeframe or 120) else set()

    def compare(self, statuses: Sequence[set[str]]) -> str:
        """Return the state for the percentages (rule 14.16)."""
        after = 'OK'
        for status in ('WARNING', 'CRITICAL'):
            if status in self.thresholds:
                part = 100 * sum(status in one for one in statuses)
                limit = self.thresholds[status] * len(statuses)
                if part > limit or (part == limit and self.choices['A45'] == '>='):
                    after = TARGET[status]
        return after

    def run(self, cluster: bool) -> tuple[list[str], list[Change]]:
        """Return the state at each evaluation, and the changes."""
        fresh = 'absent' if self.grouped else 'No Data'
        state, states, changes = fresh, [], []
        born = False
        for tick in self.ticks:
            times = [at for at, _ in self.all_runs if at <= tick]
            if not times:
                states.append(state)
                continue
            if self.grouped and tick - times[-1] >= self.dropped_after:
                state, born = 'absent', False
            elif not born:
                state, born = 'absent', True
            if born:
                before = state
                kept = 'OK' if before == 'absent' else before
                after, cause = (self.decide_cluster if cluster else self.decide)(tick, kept)
                if after != before and (before, after) != ('absent', 'OK'):
                    # No Data is there only where it notifies.
                    changes.append((tick, before, after, True, cause if after == 'OK' else 'data'))
                state = after
            states.append(state)
        return states, changes
