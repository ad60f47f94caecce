"""Time zones by name, read once.

>>> find_zone('Europe/Berlin'), find_zone('Europe/Atlantis')
(zoneinfo.ZoneInfo(key='Europe/Berlin'), None)
"""

from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

# Debian's names, which are not locations.
_NO_LOCATIONS = ('localtime', 'posixrules', 'Factory')


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())


@lru_cache
def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone of a name, None if there is none."""
    try:
        return None if name in _NO_LOCATIONS else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
