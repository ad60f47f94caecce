"""Read the monitors of constructs.yaml, rehearse them, and describe the results in the words of that file."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ddassets.assets import Bundle, read
from ddassets.engine.state import State
from ddassets.engine.timeline import GroupTimeline
from ddassets.rehearsal import Rehearsal, of_data, rehearse
from ddassets.rehearsal.inbox import Mail, inbox
from ddassets.rehearsal.result import MonitorResult

FILE = Path(__file__).parent / 'constructs.yaml'
START = '2027-01-04T10:00:00'
BODY = ('name', 'type', 'query', 'message', 'options', 'tags')
SCENARIO = ('start', 'length', 'assumptions', 'downtimes', 'notification_rules')
# What an entry of a signal has unless it says otherwise. Given states begin with the rehearsal.
USUAL = {'metric': {'type': 'gauge', 'interval': '60s'}, 'service_check': {}, 'events': {}}


@dataclass(frozen=True)
class Construct:
    """A monitor, its signal and the result; or an unsupported monitor, and the name in its refusal."""

    name: str
    rules: tuple[str, ...]
    data: Mapping[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        given = {'type': 'query alert', 'message': '', 'options': {}, **self.data, 'name': self.name}
        return {key: given[key] for key in BODY if key in given}

    @property
    def switched(self) -> Mapping[str, str]:
        """The choices of assumptions that its signal needs."""
        found: Mapping[str, str] = self.data.get('assumptions', {})
        return found


@cache
def constructs() -> Mapping[str, tuple[Construct, ...]]:
    """Return the content of the file: `monitors` and `refused`."""
    document = yaml.safe_load(FILE.read_text(encoding='utf-8'))
    return {
        key: tuple(
            Construct(
                one.get('name') or one.get('query') or json.dumps(one['rule']['filter']), tuple(one['rules']), one
            )
            for one in document[key]
        )
        for key in ('monitors', 'refused')
    }


def write(folder: Path) -> Bundle:
    """Write all monitors as the files of an integration, and read them."""
    monitors = folder / 'assets' / 'monitors'
    monitors.mkdir(parents=True)
    for number, construct in enumerate(constructs()['monitors']):
        (monitors / f'{number:02}.json').write_text(json.dumps(construct.body))
    return read(folder)


def run(
    construct: Construct, bundle: Bundle, monitors: Iterable[Any], choices: Mapping[str, str] | None = None
) -> Rehearsal:
    """Rehearse a construct's signal, with other choices of assumptions. Raises UnusableInputError."""
    given = {key: construct.data[key] for key in SCENARIO if key in construct.data}
    given['assumptions'] = {**construct.switched, **(choices or {})}
    scenario = {
        'start': START,
        'length': '30m',
        'tick_second': 30,
        'downtimes': [],
        'notification_rules': [],
        **given,
        **({'notification_rules': [construct.data['rule']]} if 'rule' in construct.data else {}),
        'series': [_entry(one) for one in construct.data.get('signal', ())],
        'monitors': [*monitors],
    }
    return rehearse(of_data(scenario, FILE), bundle, keep=True)


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    usual = next((usual for key, usual in USUAL.items() if key in entry), None)
    if usual is None or 'at' in entry:
        return dict(entry)
    return {'from': '2027-01-04T09:50:00', **usual, **entry}


class Outcome:
    """The rehearsal's result for one monitor."""

    def __init__(self, rehearsal: Rehearsal, monitor: MonitorResult) -> None:
        self.rehearsal = rehearsal
        self.monitor = monitor

    def _clock(self, instant: float) -> str:
        first, at = (datetime.fromtimestamp(one, UTC) for one in (self.rehearsal.start, instant))
        return at.strftime('%H:%M' if at.date() == first.date() else '%m-%dT%H:%M')

    @property
    def states(self) -> dict[str, str]:
        """The states of each group: `OK 10:00, Alert 10:05`."""
        lines = ((line.name, self._walk(line)) for line in self.monitor.timeline.groups.values())
        return {name: walk for name, walk in lines if walk}

    def _walk(self, line: GroupTimeline) -> str:
        """Return the states from the first present one on; `gone` if the group is dropped."""
        found: list[str] = []
        before = State.ABSENT
        for tick, code in zip(line.ticks.tolist(), line.states.tolist(), strict=True):
            if code != before:
                found.append(f'{"gone" if code == State.ABSENT else State(code)} {self._clock(tick)}')
            before = State(code)
        return ', '.join(found)

    @property
    def _mails(self) -> list[Mail]:
        mails = [one for one in inbox(self.rehearsal) if isinstance(one, Mail) and one.monitor is self.monitor]
        return sorted(mails, key=lambda mail: (mail.instant, mail.group.name))

    @property
    def told(self) -> list[str]:
        """Return every notification: `10:05 host:a Alert @slack-ops`; `again` for a renotification, `muted` if
        muted.
        """
        return [' '.join(filter(None, self._told(mail))) for mail in self._mails]

    def _told(self, mail: Mail) -> Iterable[str]:
        due = mail.notification
        yield from (self._clock(mail.instant), mail.group.name, str(due.target))
        yield '' if due.reason == 'transition' else 'again' if due.reason == 'renotify' else due.reason
        yield from ('muted',) if mail.muted_by else sorted(mail.recipients)

    @property
    def texts(self) -> list[str]:
        """The texts of the notifications, without the handles."""
        return [re.sub(r'(^|\s+)@\S+', '', mail.text).strip() for mail in self._mails]

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.rehearsal.warnings


def outcomes(rehearsal: Rehearsal) -> dict[str, Outcome]:
    return {one.name: Outcome(rehearsal, one) for one in rehearsal.monitors}
