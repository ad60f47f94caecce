"""An unused template variable."""

from collections.abc import Iterator

from ddassets.assets.source import REMOVED
from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_variable_at, texts, variables_in


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        # The content of a powerpack is not in the file.
        if any(widget.type == 'powerpack' for widget in dashboard.widgets):
            continue
        names = {variable.name for variable in dashboard.variables if variable.name}
        body = {key: value for key, value in dashboard.body.items() if not key.startswith('template_variable')}
        for text in texts(body) if names else ():
            if '$' in text:
                found = variables_in(text)
                names -= {name for name in names if any(is_variable_at(text, offset, name) for _, offset in found)}
        for variable in dashboard.variables:
            if variable.name in names:
                yield Fault(
                    where=variable,
                    message=f'nothing on the dashboard uses ${variable.name}',
                    # A saved view that sets it has to go with it.
                    fix=None if dashboard.body.get('template_variable_presets') else variable.edit(REMOVED),
                )


RULE = Rule(
    id='variable/unused',
    severity=Severity.WARNING,
    reason='A template variable is defined but not used.',
    explanation=(
        'Setting it does not change any graph. Any occurrence on the dashboard counts as a use, also in queries of '
        'other products, links and notes.'
    ),
    bad={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{*}')]}},
    good={DASHBOARD: {'widgets': [widget('avg:acme.queue.length{host:$host.value}')]}},
    check=check,
)
