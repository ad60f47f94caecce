"""A variable in single braces, which is printed unchanged."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity, Span
from ddassets.engine.message import BARE_VARIABLES
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.regex import regex

_SINGLE = regex(r'(?<![{$\w])\{([A-Za-z_@][\w.@]*)\}(?!\})')


def check(subject: Subject) -> Iterator[Fault]:
    for monitor in subject.bundle.monitors:
        for key in ('name', 'message'):
            text = monitor.body.get(key)
            for match in _SINGLE.finditer(text) if isinstance(text, str) else ():
                if match[1].endswith(('.name', '.ip')) or match[1] in BARE_VARIABLES:
                    yield Fault(
                        where=monitor,
                        place=(key,),
                        span=Span(match.start(), match.end()),
                        message=f'{match[0]} has single braces, so it is printed unchanged',
                        hint=f'write {{{match[0]}}}',
                    )


RULE = Rule(
    id='message/single-brace',
    severity=Severity.WARNING,
    reason='A variable in a title or message has single braces.',
    explanation=(
        'Template variables have two braces: `{{host.name}}`. With single braces, Datadog prints the text unchanged.'
    ),
    bad={MONITOR: {'definition': {'message': message(alert='The queue on {host.name} is long.')}}},
    good={MONITOR: {'definition': {'message': message(alert='The queue on {{host.name}} is long, see {"a": 1}.')}}},
    check=check,
    semantics=('4.1', '4.8'),
)
