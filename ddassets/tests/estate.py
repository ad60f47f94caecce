"""Rehearse several monitors of a scenario, and describe the results in words."""

import math
from datetime import UTC, datetime
from pathlib import Path

from ddassets.assets import Bundle, read
from ddassets.engine.state import State
from ddassets.rehearsal import of_data, rehearse
from ddassets.rehearsal.inbox import Mail, inbox

EMPTY: Bundle = read(Path(__file__).parent / 'nowhere')
START = '2027-01-04T10:00:00'


def points(metric, values, tags=(), **more):
    """A series of one gauge, a point a minute from 09:50 on."""
    given = {'metric': metric, 'type': 'gauge', 'interval': '60s', 'values': values, 'tags': list(tags)}
    return {**given, 'from': '2027-01-04T09:50:00', **more}


def states(monitor, words, *tags):
    """Return the states of a member, one a minute; the last one continues."""
    return {'monitor': str(monitor), 'states': f'{words} {words.split()[-1].split("x")[0]}x9999', 'tags': list(tags)}


def runs(statuses, *tags, check='acme.can_connect', **more):
    """Runs of a check, one a minute from 10:00 on."""
    return {'service_check': check, 'statuses': statuses, 'tags': list(tags), **more}


def rehearsed(monitors, series, length='1h', second=30, **more):
    """Rehearse monitors, given by name without their common keys."""
    bodies = [{'name': name, 'type': 'query alert', 'message': '', **body} for name, body in monitors.items()]
    scenario = {'start': START, 'length': length, 'tick_second': second, 'series': series, 'monitors': bodies, **more}
    return rehearse(of_data(scenario, Path('estate.yaml')), EMPTY, keep=True)


def monitor(rehearsal, name):
    return next(one for one in rehearsal.monitors if one.name == name)


def clock(instant):
    return datetime.fromtimestamp(instant, UTC).strftime('%H:%M')


def changes(rehearsal, name):
    """Return every change of a monitor's states: `10:05 host:a Alert`, without the group of a simple alert."""
    found = sorted(
        (change.instant, ','.join(group), str(change.target))
        for group, result in monitor(rehearsal, name).results.items()
        for change in result.transitions
    )
    return [' '.join(filter(None, (clock(at), group, state))) for at, group, state in found]


def told(rehearsal, name):
    """Return every sent notification: `10:05 Alert`."""
    mails = [mail for mail in inbox(rehearsal, sent_only=True) if isinstance(mail, Mail) and mail.monitor.name == name]
    return [f'{clock(mail.instant)} {mail.notification.target}' for mail in mails]


def texts(rehearsal, name):
    """The texts of all notifications."""
    return [mail.text for mail in inbox(rehearsal) if isinstance(mail, Mail) and mail.monitor.name == name]


def final(rehearsal, name):
    """Return the last state of each group, and its last value if there is one."""
    return {
        ','.join(group) or '*': (str(State(line.states[-1])), None if math.isnan(line.values[-1]) else line.values[-1])
        for group, line in monitor(rehearsal, name).timeline.groups.items()
    }
