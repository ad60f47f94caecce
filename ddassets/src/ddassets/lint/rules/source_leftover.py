"""Keys that the editor left in an export."""

from typing import Any

from ddassets.diagnostic import Severity
from ddassets.lint.example import message
from ddassets.lint.rule import Rule
from ddassets.lint.subject import notes


def _export(**options: Any) -> dict[str, Any]:
    return {
        'name': 'Lag',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 9',
        'message': message(),
        'options': {'thresholds': {'critical': 9}, 'notify_no_data': True, 'no_data_timeframe': 10, **options},
    }


RULE = Rule(
    id='source/leftover',
    severity=Severity.NOTE,
    reason='An export has keys that the editor left and nothing reads.',
    explanation=(
        'The monitor editor keeps its own state among the options, such as `queryConfig`. It has no effect '
        'on the monitor.'
    ),
    file='monitor.json',
    bad={'monitor.json': _export(queryConfig={'queryString': '*'})},
    good={'monitor.json': _export()},
    check=notes('source/leftover'),
)
