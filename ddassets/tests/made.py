"""A monitor generated from its query, in the form of an integration's file."""

import re
from pathlib import Path

from ddassets.assets import read_monitor
from ddassets.assets.source import Unplaced

MESSAGE = (
    '{{#is_alert}}High. @pager{{/is_alert}}{{#is_warning}}Higher than usual.{{/is_warning}}'
    '{{#is_recovery}}Fine.{{/is_recovery}}{{#is_no_data}}Silent.{{/is_no_data}} @team-acme'
)


def asset_of(query, message=MESSAGE, **options):
    """Return a monitor of a query; a threshold of True becomes a number on the right side of critical."""
    critical = float(re.search(r'[<>=!]=?\s*(-?[\d.]+)\s*$', query)[1])
    side = 1 if '<' in query else -1
    step = abs(critical) * 0.2 or 0.2
    asked = {'warning': critical + side * step, 'critical_recovery': critical + side * step / 2}
    thresholds = {key: asked[key] if value is True else value for key, value in options.pop('thresholds', {}).items()}
    body = {'name': 'Acme', 'type': 'query alert', 'query': query, 'message': message, 'tags': ['team:acme']}
    body['options'] = {'thresholds': {'critical': critical, **thresholds}, **options}
    return read_monitor(Unplaced(Path('acme.json')), body)


def reached(rehearsal):
    """Return the states that the groups of a rehearsal, in JSON, change to."""
    return {change['to'] for one in rehearsal['monitors'] for group in one['groups'] for change in group['transitions']}
