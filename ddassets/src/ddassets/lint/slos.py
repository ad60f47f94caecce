"""SLO alerts with the SLOs that they name, and the arithmetic of burn rates in decimals (rule 18.8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ddassets import duration
from ddassets.assets import Bundle, Monitor, Slo
from ddassets.assets.slo_reference import named_slos
from ddassets.diagnostic import Severity, Span
from ddassets.language.slo import SloQuery
from ddassets.lint.rule import Fault


@dataclass(frozen=True)
class SloAlert:
    """`slo` is None if the source has none of this name, or several."""

    monitor: Monitor
    query: SloQuery
    slo: Slo | None

    def fault(self, message: str, span: Span, hint: str = '', severity: Severity | None = None) -> Fault:
        """Return a fault at a part of the query."""
        place = ('query',)
        return Fault(where=self.monitor, place=place, message=message, span=span, hint=hint, severity=severity)

    @property
    def target(self) -> Fraction | None:
        """The target of the timeframe as a fraction of 1; None if it is not known, or leaves no error budget."""
        threshold = self.slo.timeframes.get(self.query.timeframe) if self.slo else None
        if threshold is None or threshold.target is None or not 0 < threshold.target < 100:
            return None
        return exact(threshold.target) / 100

    @property
    def consumed(self) -> Fraction | None:
        """The per cent of the budget that a burn rate at the threshold consumes in the long window (rule 18.9)."""
        if self.query.long_window is None:
            return None
        return exact(self.query.threshold) * self.query.long_window / self.query.seconds * 100


def slo_alerts(bundle: Bundle) -> Iterator[SloAlert]:
    for monitor in bundle.monitors:
        if isinstance(query := monitor.slo, SloQuery):
            found = named_slos(monitor, query, bundle.slos)
            yield SloAlert(monitor, query, found[0] if len(found) == 1 else None)


def exact(number: float) -> Fraction:
    """Return the decimal number that is written.

    >>> exact(0.0144) / (1 - exact(0.999))
    Fraction(72, 5)
    """
    return Fraction(repr(number))


def consumption(alert: SloAlert) -> str:
    """Return what a burn rate at the threshold means, in words.

    The budget lasts for the timeframe divided by the burn rate (rule 18.9).
    """
    if alert.consumed is None or not alert.query.threshold:
        return ''
    query = alert.query
    lasts = duration.write(float(query.seconds / exact(query.threshold)))
    return (
        f'a burn rate of {query.threshold:g} for {duration.write(query.long_window or 0)} uses up '
        f'{float(alert.consumed):g} per cent of the budget of {query.timeframe}, which lasts {lasts}'
    )
