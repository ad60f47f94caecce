"""Local times and time zones as the API spells them."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ddassets.assets.option import shown
from ddassets.language.recurrence import YEARS, RuleFault
from ddassets.nearest import did_you_mean
from ddassets.regex import regex
from ddassets.zones import find_zone, zone_names

LOCAL_TIME = 'a local time without offset such as 2027-01-03T19:00:00'
ZONE = 'a time zone such as Europe/Berlin'
_MOMENT = regex(r'\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?')


def parse_moment(text: str) -> datetime | None:
    """Read ISO 8601 to the minute or the second, with or without offset, in the supported years."""
    if _MOMENT.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.year in YEARS:
            return moment.replace(microsecond=0)
    return None


def read_local_time(text: str) -> tuple[datetime | None, Sequence[Exception]]:
    """Read a local time (rules 5.4 and 16.13)."""
    moment = parse_moment(text)
    if moment is None or moment.tzinfo is not None:
        return None, [RuleFault(f'expected {LOCAL_TIME}, found {shown(text)}', '5.4')]
    return moment, ()


def read_zone(text: str) -> tuple[ZoneInfo | None, Sequence[Exception]]:
    """Read the name of a time zone."""
    zone = find_zone(text)
    if zone is not None:
        return zone, ()
    near = did_you_mean(text, zone_names())
    return None, [RuleFault(f'expected {ZONE}, found {shown(text)}{near}', '5.4')]
