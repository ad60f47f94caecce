"""What a check really submits: the authority on metrics and tags if the check can run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ddassets.diagnostic import UnusableInputError

_DERIVED = {
    'gauge': (('', 'gauge'),),
    'rate': (('', 'gauge'),),
    'counter': (('', 'rate'),),
    'count': (('', 'count'),),
    'monotonic_count': (('', 'count'),),
    'distribution': (('', 'distribution'),),
    **dict.fromkeys(
        ('histogram', 'historate'),
        (
            ('.avg', 'gauge'),
            ('.median', 'gauge'),
            ('.max', 'gauge'),
            ('.95percentile', 'gauge'),
            ('.count', 'rate'),
        ),
    ),
}


@dataclass(frozen=True)
class Emitted:
    """A metric as submitted to Datadog: its type (gauge, rate, count, distribution) and its tags."""

    type: str
    tags: frozenset[str]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(tag.partition(':')[0] for tag in self.tags)


@dataclass(frozen=True)
class Emission:
    """The metrics of one or more runs, by name. Other metrics may exist, because a run covers only one environment."""

    metrics: Mapping[str, Emitted]

    @classmethod
    def of_samples(cls, samples: Iterable[tuple[str, str, Iterable[str]]]) -> Self:
        """Create an emission from (name, kind, tags). The kind is the method of the check, such as `monotonic_count`.

        Raises ValueError for an unknown kind.
        """
        seen: dict[str, tuple[str, set[str]]] = {}
        for name, kind, tags in samples:
            if kind not in _DERIVED:
                raise ValueError(f'{name}: expected one of {", ".join(_DERIVED)}, found {kind!r}')
            for suffix, type_ in _DERIVED[kind]:
                seen.setdefault(name + suffix, (type_, set()))[1].update(tags)
        return cls({name: Emitted(type_, frozenset(tags)) for name, (type_, tags) in seen.items()})

    @classmethod
    def of_aggregator(cls, aggregator: Any) -> Self:
        """Create an emission from the `aggregator` fixture of datadog-checks-dev, after the check has run."""
        kinds = {number: kind for kind, number in aggregator.METRIC_ENUM_MAP.items()}
        samples = [sample for name in aggregator.metric_names for sample in aggregator.metrics(name)]
        return cls.of_samples((sample.name, kinds[sample.type], sample.tags) for sample in samples)


def read_emission(path: Path) -> tuple[str, Emission]:
    """Read the output of `ddassets check --json`; return the integration's name and its emission.

    Raises UnusableInputError for other content, and for a check that submitted nothing.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UnusableInputError(f'{path}: cannot be read: {error.strerror}') from error
    except (ValueError, RecursionError) as error:
        raise UnusableInputError(f'{path}: not JSON: {error}') from error
    name = document.get('integration') if isinstance(document, dict) else None
    series = document.get('series') if isinstance(document, dict) else None
    if not isinstance(name, str) or not isinstance(series, list) or not all(map(_is_series, series)):
        raise UnusableInputError(f'{path}: expected the output of `ddassets check PATH --json`')
    if not series:
        raise UnusableInputError(f'{path}: the check submitted no series, so this file cannot be used')
    seen: dict[str, tuple[str, set[str]]] = {}
    for item in series:
        _, tags = seen.setdefault(item['metric'], (item['type'], set()))
        tags.update(item['tags'])
        if isinstance(item.get('device'), str):
            tags.add(f'device:{item["device"]}')
    return name, Emission({metric: Emitted(type_, frozenset(tags)) for metric, (type_, tags) in seen.items()})


def _is_series(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get('metric'), str)
        and isinstance(item.get('type'), str)
        and isinstance(item.get('tags'), list)
        and all(isinstance(tag, str) for tag in item['tags'])
    )
