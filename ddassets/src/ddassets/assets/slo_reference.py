"""Find the SLO that an alert names, and the monitors that a monitor-based SLO is made of (rules 18.2 and 18.11)."""

from collections import Counter
from collections.abc import Sequence

from ddassets.assets.members import named as named_monitors
from ddassets.assets.monitor import Monitor
from ddassets.assets.slo import Slo
from ddassets.diagnostic import Excerpt, Span, UnusableInputError
from ddassets.language.composite import Member
from ddassets.language.slo import SloQuery
from ddassets.nearest import did_you_mean, listed
from ddassets.regex import regex

# References of Terraform and of kennel.
_REFERENCE = regex(r'\s*[$%]\{\s*([^{}]+?)\s*\}\s*')


def find_slo(alert: Monitor, query: SloQuery, slos: Sequence[Slo]) -> Slo:
    """Return the SLO that the query of an alert names.

    Raises UnusableInputError for one that is not there, or that is named by several.
    """
    found = named_slos(alert, query, slos)
    if not found:
        names = sorted({one.id or one.name for one in slos})
        raise _fault(alert, query, f'no SLO {query.slo!r}{did_you_mean(query.slo, names)}; there are: {listed(names)}')
    if len(found) > 1:
        places = ', '.join(sorted({one.address or str(one.path) for one in found}))
        raise _fault(alert, query, f'several SLOs are named {query.slo!r}: {places}; write an id or a file')
    return found[0]


def named_slos(alert: Monitor, query: SloQuery, slos: Sequence[Slo]) -> list[Slo]:
    """Return the SLOs that a query may mean: by id, name, file or address, in this order."""
    text = plain(query.slo)
    # A reference of Terraform is relative to the module of its resource.
    module = alert.address.rpartition('datadog_')[0]
    counts = Counter(one.path for one in slos)
    candidates = (
        [one for one in slos if one.id == text],
        [one for one in slos if one.name == text],
        [one for one in slos if module and one.address == f'{module}{text}'],
        [one for one in slos if one.address == text],
        [one for one in slos if counts[one.path] == 1 and text in (one.path.stem, one.path.name)],
    )
    return next(filter(None, candidates), [])


def plain(reference: str) -> str:
    """Return the name in a reference: `a` for `%{a}` and for `${a.id}`, other texts unchanged."""
    match = _REFERENCE.fullmatch(reference)
    return (match[1] if match else reference).removesuffix('.id')


def monitors_of(slo: Slo, monitors: Sequence[Monitor]) -> list[Monitor]:
    """Return the monitors of a monitor-based SLO, in its order.

    Raises UnusableInputError for one that is not there, or that is named by several.
    """
    return [monitor_of(slo, index, monitors) for index in range(len(slo.fields.monitor_ids))]


def monitor_of(slo: Slo, index: int, monitors: Sequence[Monitor]) -> Monitor:
    """Return one of the monitors of a monitor-based SLO. Raises UnusableInputError as above."""
    module = slo.address.rpartition('datadog_')[0]
    text = plain(str(slo.fields.monitor_ids[index]))
    member = Member(text, Span(0, len(text)))
    candidates = named_monitors(Member(f'{module}{text}', member.span), monitors) if module else []
    candidates = candidates or named_monitors(member, monitors)
    if len(candidates) != 1:
        what = 'no monitor' if not candidates else 'several monitors are named'
        raise UnusableInputError(f'{slo.where("monitor_ids", index)}: {what} {text!r}')
    return candidates[0]


def _fault(alert: Monitor, query: SloQuery, message: str) -> UnusableInputError:
    caret = Excerpt(alert.query, query.slo_span.start, query.slo_span.end).caret()
    return UnusableInputError(f'query: column {query.slo_span.start + 1}: {message}', '\n'.join(caret))
