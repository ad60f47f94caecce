"""An invalid or missing argument of a function or modifier."""

import re
from collections.abc import Iterator, Mapping

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Argument, Call, Metric, Modifier, Named, Number, Tags, Text, Word, walk
from ddassets.language.query.vocabulary import ARGUMENTS, CALENDAR_UNITS, METHODS, WEEKDAYS, is_percentile
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.queries import Reading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import suggestion
from ddassets.regex import regex
from ddassets.zones import zone_names

# A start time such as 12am; how minutes are written is not published.
_START_TIME = regex(r'(1[0-2]|[1-9])(:\d\d)?\s*[ap]m', re.IGNORECASE)
_FILLS = ('linear', 'last', 'zero', 'null')
_NUMBER = 'a number'

# The arguments after the query. More arguments may follow.
FUNCTIONS: Mapping[str, tuple[str | tuple[str, ...], ...]] = {
    **ARGUMENTS,
    'anomalies': (('basic', 'agile', 'robust', 'adaptive'), _NUMBER),
    'outliers': (('dbscan', 'mad', 'scaleddbscan', 'scaledmad'), _NUMBER),
    'forecast': (('linear', 'seasonal'), _NUMBER),
}


def check(subject: Subject) -> Iterator[Fault]:
    for counted in subject.counted:
        yield from counted.faults('argument')
    readings: list[Reading] = [*subject.queries, *subject.formulas]
    for reading in readings:
        for expression in reading.expressions:
            for node in walk(expression):
                if isinstance(node, Call) and node.name in FUNCTIONS:
                    yield from _function(reading, node)
                elif isinstance(node, Modifier) and node.name == 'rollup':
                    yield from _rollup(reading, node)
                elif isinstance(node, Modifier) and node.name == 'fill':
                    yield from _fill(reading, node)


def _function(reading: Reading, call: Call) -> Iterator[Fault]:
    given = [argument for argument in call.arguments if not isinstance(argument, Named)]
    if not given or isinstance(given[0], Text | Tags):
        yield reading.fault(f'{call.name}() takes a query as its first argument', call.span)
        return
    for number, wanted in enumerate(FUNCTIONS[call.name], 1):
        if number >= len(given):
            allowed = wanted if isinstance(wanted, str) else f'one of {", ".join(wanted)}'
            yield reading.fault(f'{call.name}() lacks argument {number + 1}: {allowed}', call.span)
            return
        yield from _word(reading, call.name, given[number], wanted)


def _word(reading: Reading, name: str, argument: Argument, wanted: str | tuple[str, ...]) -> Iterator[Fault]:
    if isinstance(wanted, str):
        # A template variable or an arithmetic expression may replace a number.
        if wanted.startswith(_NUMBER) and isinstance(argument, Text | Tags | Metric):
            yield reading.fault(f'{name}(): expected {wanted}', argument.span)
    elif isinstance(argument, Text | Word) and argument.value.lower() not in wanted:
        hint = suggestion(argument.value.lower(), wanted)
        message = f'{name}(): {argument.value!r} is not allowed, expected {", ".join(wanted)}'
        yield reading.fault(message, argument.span, hint)


def _rollup(reading: Reading, modifier: Modifier) -> Iterator[Fault]:
    yield from _alignment(reading, modifier)
    for argument in modifier.arguments[:2]:
        match argument:
            case Word(value=value) | Text(value=value):
                known = value in METHODS or value in CALENDAR_UNITS or is_percentile(value)
                if not known and not value.startswith('$'):
                    message = f'.rollup(): {value!r} is not a method, expected {", ".join(METHODS)}'
                    yield reading.fault(message, argument.span, suggestion(value, METHODS))
            case Number(value=value) if value <= 0:
                yield reading.fault(f'.rollup(): the interval is {value:g}; expected seconds above 0', argument.span)


def _alignment(reading: Reading, modifier: Modifier) -> Iterator[Fault]:
    """Where calendar units begin, and their time zone (rule 20.19)."""
    words = [argument for argument in modifier.arguments if isinstance(argument, Word | Text)]
    unit = words[1].value if len(words) > 1 else ''
    if unit not in CALENDAR_UNITS:
        return
    for argument in words[2:]:
        text = argument.value
        if text.startswith('$') or text in zone_names() or (unit == 'monthly' and argument is words[2]):
            continue
        if argument is words[2] and '/' not in text:
            known = text.lower() in WEEKDAYS if unit == 'weekly' else _START_TIME.fullmatch(text)
            expected = 'a day such as monday' if unit == 'weekly' else 'a time such as 12am'
            if not known:
                hint = suggestion(text.lower(), WEEKDAYS) if unit == 'weekly' else ''
                message = f'.rollup(): {text!r} is not where {unit} buckets begin; expected {expected}'
                yield reading.fault(message, argument.span, hint)
        else:
            hint = suggestion(text, zone_names())
            yield reading.fault(f'.rollup(): {text!r} is not a time zone', argument.span, hint)


def _fill(reading: Reading, modifier: Modifier) -> Iterator[Fault]:
    for argument in modifier.arguments[:1]:
        if isinstance(argument, Word | Text) and argument.value not in _FILLS:
            message = f'.fill(): {argument.value!r} is not a method, expected {", ".join(_FILLS)}'
            yield reading.fault(message, argument.span, suggestion(argument.value, _FILLS))


RULE = Rule(
    id='query/argument',
    severity=Severity.WARNING,
    reason='A function or modifier has an invalid argument, or lacks one.',
    explanation="""\
Datadog refuses the query or ignores the argument. The documented forms are `.rollup(avg|sum|min|max|count, seconds)` or
`.rollup(sum, daily|weekly|monthly, 12am|monday, 'Europe/Berlin')`, `.fill(linear|last|zero|null, seconds)`,
`clamp_min(query, number)` and similar functions, `timeshift(query, seconds)`,
`anomalies(query, 'basic'|'agile'|'robust', deviations)`, `outliers(query, 'dbscan'|'mad', tolerance)`,
`forecast(query, 'linear'|'seasonal', deviations)`. A monitor of logs, events and the like has
`.rollup("count")`, `.rollup("cardinality", "@facet")` or another method with one measure, and at most four keys in
`.by()`.""",
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}.rollup(median, 60)')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host}.rollup(max, 60)')]}},
    check=check,
    semantics=('1.10', '6.6', '7.4', '15.2', '15.6', '20.19', '20.27'),
)
