"""The permission that a request requires of the application key and its owner, from the API reference."""

from ddassets.org.kinds import KINDS

# By the beginning of the path: to read, and to change.
_PERMISSIONS = {
    **{kind.path: kind.permissions for kind in KINDS},
    '/api/v1/query': ('timeseries_query', ''),
    # To post one, the API key is enough.
    '/api/v1/events': ('events_read', ''),
}


def permission_for(method: str, path: str) -> str:
    """Empty where none is needed."""
    reads = method == 'GET' or path.endswith('/validate')
    found = next((both for start, both in _PERMISSIONS.items() if path == start or path.startswith(f'{start}/')), None)
    return found[0 if reads else 1] if found else ''
