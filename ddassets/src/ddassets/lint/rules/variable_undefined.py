"""A template variable that the dashboard does not define."""

from collections.abc import Iterator
from typing import Any

from ddassets.assets import Dashboard, Widget
from ddassets.assets.source import Place
from ddassets.diagnostic import Severity, Span
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_variable_at, variables_in
from ddassets.nearest import closest, did_you_mean
from ddassets.regex import regex

# In texts a `$` has other meanings too: amounts of money, and shell variables in capitals.
_IN_TEXT = regex(r'(?<![\\$\w])\$([a-z_][\w-]*)(\.(?:value|key)\b)?')
# The keys whose texts are for people or for other products.
_TEXTS = frozenset(('content', 'text', 'title', 'link', 'label', 'query', 'search', 'query_string', 'url'))
_PROSE = frozenset(('content', 'text'))


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard, readings in subject.by_dashboard:
        names = [variable.name for variable in dashboard.variables if variable.name]
        metric = {(id(reading.asset), reading.place) for reading in readings}
        for reading in readings:
            for name, offset in variables_in(reading.text):
                if not any(is_variable_at(reading.text, offset, known) for known in names):
                    message = f'the dashboard has no template variable ${name}{did_you_mean(name, names)}'
                    yield reading.fault(message, Span(offset, offset + 1 + len(name)))
        for one in dashboard.widgets:
            for place, text in _texts(one.body):
                if (id(one), place) not in metric:
                    yield from _in_text(dashboard, one, place, text)


def _texts(body: Any) -> Iterator[tuple[Place, str]]:
    """Yield the texts of a widget without those of its inner widgets."""
    pending: list[tuple[Place, Any]] = [((), body)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, dict):
            pending += (
                ((*place, key), inner)
                for key, inner in value.items()
                if key not in ('widgets', 'source_widget_definition', 'formulas', 'q')
            )
        elif isinstance(value, list):
            pending += (((*place, index), inner) for index, inner in enumerate(value))
        elif isinstance(value, str) and '$' in value and place and place[-1] in _TEXTS:
            yield place, value


def _in_text(dashboard: Dashboard, one: Widget, place: Place, text: str) -> Iterator[Fault]:
    names = [variable.name for variable in dashboard.variables if variable.name]
    for match in _IN_TEXT.finditer(text):
        name = match[1]
        if any(is_variable_at(text, match.start(), known) for known in names):
            continue
        # Prose may quote a command: report only unambiguous variables there.
        if place[-1] in _PROSE and not match[2] and closest(name, names) is None:
            continue
        yield Fault(
            where=one,
            place=place,
            message=f'the dashboard has no template variable ${name}{did_you_mean(name, names)}',
            span=Span(match.start(), match.end(1)),
            severity=Severity.WARNING,
        )


RULE = Rule(
    id='variable/undefined',
    severity=Severity.ERROR,
    reason='A dashboard uses a template variable that it does not define.',
    explanation=(
        'The name is not replaced: the filter of a query matches no series and the graph stays empty. In titles, '
        'notes, links and queries of other products this is a warning, because a `$` may have another meaning there.'
    ),
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,$env}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host,env:prod}')]}},
    check=check,
)
