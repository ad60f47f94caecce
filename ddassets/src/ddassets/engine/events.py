"""Events that a search finds, with tags and attributes, and their aggregation by group (section 15)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ddassets.engine.column import Column, Floats, Indices
from ddassets.engine.series import Series


@dataclass(frozen=True, eq=False)
class Events:
    """Events with equal tags and attributes.

    `series` has their times and how many there are at each; its tags are those of the events. `product` is the
    function of the query that finds them, such as `logs`; `monitor` the name of the only monitor whose search finds
    them, or None. `attributes` are by name, without the `@`; `fields` are those such as message, service and status.
    `variables_of` names the variables of a formula whose searches find them; None: the searches decide.
    """

    product: str
    series: Series
    monitor: str | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    variables_of: tuple[str, ...] | None = None

    def texts(self, key: str) -> Sequence[str]:
        """Return every value of a tag, facet or field as a text, for a search."""
        name = key.removeprefix('@')
        if name in self.attributes:
            return (shown(self.attributes[name]),)
        found = [tag.partition(':')[2] for tag in self.series.tags if tag.partition(':')[0] in (key, name)]
        return found or [self.fields[name]] if name in self.fields else found

    def value(self, key: str) -> str | float | None:
        """Return the value of a facet, measure or tag; None if the events have none."""
        name = key.removeprefix('@')
        if name in self.attributes:
            return self.attributes[name]
        tags = [tag.partition(':')[2] for tag in self.series.tags if tag.partition(':')[0] in (key, name)]
        return ','.join(sorted(tags)) if tags else self.fields.get(name)

    def variables(self, first: str) -> Mapping[str, str]:
        """Return the variables of a message about one of the events; `first` is such as `log` (rule 15.11)."""
        found = {f'{first}.{name}': text for name, text in self.fields.items()}
        for tag in sorted(self.series.tags):
            key, _, value = tag.partition(':')
            found[f'{first}.tags.{key}'] = value
        found |= {f'{first}.attributes.{name}': shown(value) for name, value in self.attributes.items()}
        if first == 'event' and self.series.tags:
            found.setdefault('event.tags', ', '.join(sorted(self.series.tags)))
        return found


def shown(value: str | float) -> str:
    """Return a value of an attribute in the format of a message."""
    return value if isinstance(value, str) else f'{value:.12g}'


class EventColumn:
    """The events of one group, in order of time."""

    def __init__(self, sources: Sequence[Events], measure: str | None = None) -> None:
        self._sources = sources
        times = [source.series.times[source.series.values > 0] for source in sources]
        counts = [source.series.values[source.series.values > 0] for source in sources]
        index = [np.full(one.size, number) for number, one in enumerate(times)]
        order = np.argsort(np.concatenate([*times, np.empty(0)]), kind='stable')
        self.times: Floats = np.concatenate([*times, np.empty(0)])[order]
        self._counts: Floats = np.concatenate([*counts, np.empty(0)])[order]
        self._index: Indices = np.concatenate([*index, np.empty(0)])[order].astype(np.int64)
        self._measure = measure

    def count(self, start: Indices, end: Indices) -> Floats:
        """Return the number of events in each range."""
        total = Column(self._counts).aggregate('sum', (start, end))
        return np.where(np.isnan(total), 0.0, total)

    def newest(self, start: int, end: int) -> Events | None:
        """Return the newest events of a range, None if it is empty."""
        return self._sources[self._index[end - 1]] if end > start else None

    def reduce(self, method: str, start: Indices, end: Indices) -> Floats:
        """Return the rollup of each range; NaN if no event has the measure or facet (rule 15.2)."""
        if method == 'count':
            return self.count(start, end)
        return np.array([self._one(method, first, last) for first, last in zip(start, end, strict=True)], dtype=float)

    def _one(self, method: str, start: int, end: int) -> float:
        held = self._values
        rows = [row for row in range(start, end) if held[self._index[row]] is not None]
        if not rows:
            return np.nan
        if method == 'cardinality':
            return float(len({shown(held[self._index[row]] or '') for row in rows}))
        found = ((held[self._index[row]], float(self._counts[row])) for row in rows)
        pairs = [(value, count) for value, count in found if isinstance(value, float)]
        if not pairs:
            return np.nan
        return _REDUCERS[method](sorted(pairs)) if method in _REDUCERS else _percentile(sorted(pairs), _SHARES[method])

    @cached_property
    def _values(self) -> list[str | float | None]:
        return [source.value(self._measure or '') for source in self._sources]


type _Pairs = Sequence[tuple[float, float]]


def _sum(pairs: _Pairs) -> float:
    return sum(value * count for value, count in pairs)


_REDUCERS: Mapping[str, Callable[[_Pairs], float]] = {
    'sum': _sum,
    'avg': lambda pairs: _sum(pairs) / sum(count for _, count in pairs),
    'min': lambda pairs: pairs[0][0],
    'max': lambda pairs: pairs[-1][0],
}
_SHARES = {'median': 0.5, 'pc75': 0.75, 'pc90': 0.9, 'pc95': 0.95, 'pc98': 0.98, 'pc99': 0.99}


def _percentile(pairs: _Pairs, share: float) -> float:
    """Return the value of rank `share * (n - 1)`, of two the lower, as for distributions (rule 17.20)."""
    rank = share * (sum(count for _, count in pairs) - 1)
    passed = 0.0
    for value, count in pairs:
        passed += count
        # The next value has the rank `passed`; the tolerance is that of the product.
        if passed > rank + 1e-9:
            return value
    return pairs[-1][0]
