"""Read the settings of datadog.yaml for the check sampler."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddassets import duration
from ddassets.agent.configuration import read_document
from ddassets.agent.sampler import AGGREGATES, DEFAULT_SETTINGS, Settings
from ddassets.diagnostic import UnusableInputError

_PREFIX = 'check_sampler_'


def read_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read a datadog.yaml. Returns the settings, and a warning for each value that the Agent skips.

    Raises UnusableInputError if the file is not YAML, or for a value that the Agent cannot parse.
    """
    document = read_document(path, str(path), from_pipe=True)
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise UnusableInputError(f'{path}: expected a mapping such as histogram_aggregates: [max, avg]')
    return settings_of(document, str(path))


def settings_of(document: Mapping[str, Any], shown: str) -> tuple[Settings, list[str]]:
    """Like `read_settings`, for the content of the file."""
    warnings: list[str] = []
    changes: dict[str, Any] = {}
    if (aggregates := _texts(document, 'histogram_aggregates', shown)) is not None:
        changes['aggregates'] = tuple(name for name in aggregates if name in AGGREGATES)
        warnings += [
            f'{shown}: histogram_aggregates: the Agent skips {name!r}; allowed are {", ".join(AGGREGATES)}'
            for name in aggregates
            if name not in AGGREGATES
        ]
    if (percentiles := _texts(document, 'histogram_percentiles', shown)) is not None:
        shares = {text: _share(text) for text in percentiles}
        # The Agent adds 0.5, so that 0.29 becomes 29 despite binary fractions.
        changes['percentiles'] = tuple(int(share * 100 + 0.5) for share in shares.values() if share is not None)
        warnings += [
            f'{shown}: histogram_percentiles: the Agent skips {text!r}; expected a number from 0 to 1 such as "0.95"'
            for text, share in shares.items()
            if share is None
        ]
    if (expire := document.get(f'{_PREFIX}expire_metrics')) is not None:
        if not isinstance(expire, bool):
            raise UnusableInputError(f'{shown}: {_PREFIX}expire_metrics: expected true or false, found {expire!r}')
        changes['expire'] = expire
    if (runs := document.get(f'{_PREFIX}bucket_commits_count_expiry')) is not None:
        if not isinstance(runs, int) or isinstance(runs, bool) or runs < 1:
            raise UnusableInputError(
                f'{shown}: {_PREFIX}bucket_commits_count_expiry: expected a number of runs, at least 1, found {runs!r}'
            )
        changes['expiry_runs'] = runs
    if (expiry := document.get(f'{_PREFIX}stateful_metric_expiration_time')) is not None:
        seconds = duration.parse(str(expiry), ('h', 'm', 's'))
        if seconds is None:
            raise UnusableInputError(
                f'{shown}: {_PREFIX}stateful_metric_expiration_time: expected a length of time such as 25h, '
                f'found {expiry!r}'
            )
        changes['stateful_expiry'] = seconds
    return replace(DEFAULT_SETTINGS, **changes), warnings


def _texts(document: Mapping[str, Any], key: str, shown: str) -> list[str] | None:
    """Return a list of texts; the Agent also accepts a text separated by spaces."""
    value = document.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        return value.split()
    if not isinstance(value, list):
        raise UnusableInputError(f'{shown}: {key}: expected a list, found {value!r}')
    return [str(item) for item in value]


def _share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if math.isfinite(share) and 0 <= share <= 1 else None
