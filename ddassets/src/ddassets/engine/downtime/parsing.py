"""Convert a decoded downtime to the engine's."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from ddassets.assets.downtime import Downtime as DowntimeAsset
from ddassets.assets.downtime import DowntimeSchedule, read_downtime
from ddassets.assets.refusal import refuse
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError
from ddassets.engine.downtime.intervals import Downtime, Once, Recurring
from ddassets.engine.recurrence import Recurrence


def read(asset: DowntimeAsset, name: str = '') -> tuple[Downtime | None, tuple[Diagnostic, ...]]:
    """Return the downtime and the diagnostics of its asset; no downtime if there is an error.

    There is no downtime either if the source withholds its scope or schedule (`asset.unknown`). A recurrence without
    any occurrence is an error (rule 5.8). `name` is for reports; the default is the name of the file.
    """
    diagnostics = [*asset.judged]
    schedule = None
    if not asset.errors and not asset.unknown:
        schedule = _schedule(asset.fields.schedule)
        for index, recurrence in enumerate(schedule.recurrences if isinstance(schedule, Recurring) else ()):
            if not recurrence.ever():
                place = ('schedule', 'recurrences', index, 'rrule')
                since = f' from {recurrence.start.isoformat()} on' if recurrence.start else ''
                message = f'{recurrence.rule.text!r} has no occurrence{since}'
                message = f'schedule.recurrences[{index}].rrule: {message}'
                diagnostics.append(asset.diagnostic('downtime/invalid', Severity.ERROR, place, message))
    if schedule is None or any(one.severity is Severity.ERROR for one in diagnostics):
        return None, tuple(diagnostics)
    fields = asset.fields
    assert fields.scope and fields.monitor_identifier
    zone = schedule.zone if isinstance(schedule, Recurring) else fields.display_timezone
    downtime = Downtime(
        name=name or asset.label,
        monitor_id=fields.monitor_identifier.monitor_id,
        monitor_tags=fields.monitor_identifier.monitor_tags,
        scope=fields.scope,
        schedule=schedule,
        zone=zone or ZoneInfo('UTC'),
        fields=fields,
        id=asset.id,
        file=asset.path,
        line=position.line if (position := asset.position()) else None,
    )
    return downtime, tuple(diagnostics)


def parse(body: object, name: str) -> Downtime:
    """Read a v2 body, or only its attributes.

    Raises UnusableInputError with all faults.
    """
    if not isinstance(body, Mapping):
        raise UnusableInputError(f'{name}: expected an object with keys')
    downtime, diagnostics = read(read_downtime(Unplaced(Path(name)), body), name)
    if downtime is None:
        refuse(diagnostics)
    return downtime


def _schedule(schedule: DowntimeSchedule) -> Once | Recurring:
    if schedule.recurrences:
        recurrences = tuple(
            Recurrence(one.start, one.duration, one.rrule) for one in schedule.recurrences if one.duration and one.rrule
        )
        return Recurring(schedule.timezone or ZoneInfo('UTC'), recurrences)
    bounds = [None if moment is None else int(moment.timestamp()) for moment in (schedule.start, schedule.end)]
    return Once(*bounds)
