"""Evaluate the monitors of the organisation as time goes by: states, events and messages.

Each monitor continues from what its groups remember (`engine.resuming`), so an evaluation does not become slower with
the history. What the evaluations until an instant change (memories, states, events, messages) is written in one
transaction with that instant: after a kill nothing is lost or told twice.
"""

import json
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from ddassets.assets.members import find_member
from ddassets.assets.notification_rule import NotificationRule, read_notification_rule
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import downtime as downtimes
from ddassets.engine import message as messages
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.composite import Source
from ddassets.engine.context import HISTORY
from ddassets.engine.message import Attributes, Host
from ddassets.engine.notification import Mute
from ddassets.engine.resuming import Instalment, due
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.timeline import Group
from ddassets.language.composite import Member
from ddassets.rehearsal.message import Messages
from ddassets.rehearsal.result import DowntimeResult
from ddassets.sandbox import transitions
from ddassets.sandbox.mailbox import Mail, Mailbox
from ddassets.sandbox.organisation import Organisation
from ddassets.sandbox.request import Json
from ddassets.sandbox.store import Change, Store, host_tags
from ddassets.sandbox.stored import text_of
from ddassets.sandbox.watched import FindMember, Recorded, Shown, Watched, fault

# Seconds that are evaluated at a time: a driven clock may move by a week.
_INSTALMENT = 6 * 3600
# Seconds that the clock may go back, as that of the system does when it is set, before everything begins anew.
_BACK = 600
_END_STATES = {'alert': State.ALERT, 'warn': State.WARN, 'no data': State.NO_DATA}


@dataclass(frozen=True)
class _Muting:
    """A downtime of the organisation, when it is active, and how it ends each time."""

    result: DowntimeResult
    cause: str

    def mutes(self, tags: frozenset[str]) -> Iterator[Mute]:
        downtime = self.result.downtime
        if downtime.matches_group(tags):
            ends = frozenset(state for word, state in _END_STATES.items() if downtime.notifies_at_end(word, self.cause))
            for start, end in self.result.windows:
                yield Mute(start, end, downtime.name, downtime.fields.mute_first_recovery_notification, ends)


@dataclass(frozen=True)
class _Surroundings:
    """What a message can print beyond its monitor."""

    hosts: Mapping[str, Host]
    notification_rules: Sequence[NotificationRule]
    entities: Mapping[str, Mapping[str, Attributes]] = field(default_factory=dict)

    def addressed(self, text: str) -> str:
        return text

    def redirected(self, text: str) -> str:
        return text


class Live:
    """`follow` is called with the present. `lock` guards the objects of the organisation."""

    def __init__(self, store: Store, organisation: Organisation, lock: threading.RLock, mailbox: Mailbox) -> None:
        self._store = store
        self._organisation = organisation
        self._lock = lock
        self.mailbox = mailbox
        #: Why each downtime that mutes nothing cannot be read.
        self.unread: dict[str, str] = {}
        # Only `follow` replaces it: others read it meanwhile. None: to be read from the store.
        self._known: dict[int, Watched] | None = None
        self._written: dict[int, bytes] = {}

    @property
    def until(self) -> int | None:
        """The instant until which everything has been evaluated, in seconds; None before the first evaluation."""
        found = self._store.fact('evaluated')
        return None if found is None else int(found)

    def follow(self, now: float) -> None:
        """Evaluate everything that is due until `now`, and tell it.

        What fails for one monitor stands on its page. If anything else fails, the next call begins where the last
        transaction ended.
        """
        try:
            self._follow(now)
        except BaseException:
            # They may remember what was not committed.
            self._known = None
            raise

    def _follow(self, now: float) -> None:
        since = self.until
        if since is not None and now < since - _BACK:
            self._forget()
            since = None
        if since is None:
            # Nothing was due before the organisation was there.
            self._store.write(lambda change: change.put_fact('evaluated', int(now) - 1))
            return
        self._refresh()
        while since < int(now):
            # Between two minutes nothing is due but downtimes.
            until = min(int(now), since + _INSTALMENT)
            self._evaluate(since, until)
            since = until
        self.mailbox.deliver()

    def watched(self) -> dict[int, Watched]:
        """Return every monitor, as it was evaluated last."""
        known = self._known or {}
        with self._lock:
            bodies = dict(self._organisation.monitors)
        return {id: self._read(id, body, known.get(id)) for id, body in bodies.items()}

    def _read(self, id: int, body: Json, known: Watched | None) -> Watched:
        if known is not None and _definition(known.body) == _definition(body):
            return known
        # A changed monitor keeps the states of its groups unless its query is another one.
        return Watched(id, body, self._store.state(f'monitor {id}'))

    @property
    def _watched(self) -> dict[int, Watched]:
        return self._known or {}

    def groups(self, id: int) -> Json:
        """Return the states of a monitor's groups as `GET /monitor?group_states=all` does (B2.9)."""
        found = self._watched.get(id)
        return (
            {} if found is None else {','.join(group) or '*': _group(group, one) for group, one in found.shown.items()}
        )

    def history(self, id: int, start: float, end: float) -> dict[Group, list[tuple[int, State]]]:
        """Return the states that the groups of a monitor took, with the one that each had at `start`."""
        rows = self._store.rows(
            'SELECT tags, instant, state FROM history h WHERE monitor = ? AND instant <= ? AND instant >= coalesce('
            '(SELECT max(instant) FROM history WHERE monitor = h.monitor AND tags = h.tags AND instant <= ?), ?) '
            'ORDER BY tags, instant',
            (id, end, start, start),
        )
        found: dict[Group, list[tuple[int, State]]] = {}
        for tags, instant, state in rows:
            found.setdefault(tuple(json.loads(tags)), []).append((instant, State(state)))
        return found

    def _refresh(self) -> None:
        """Read monitors that are new or changed, and forget those that are gone."""
        if self._known is None:
            names = self._store.rows("SELECT name FROM states WHERE name LIKE 'monitor %'")
            before = {int(name.removeprefix('monitor ')) for (name,) in names}
        else:
            before = set(self._known)
        self._known = watched = self.watched()
        gone = [*before - watched.keys(), *(id for id, one in watched.items() if one.outdated)]

        def write(change: Change) -> None:
            for id in gone:
                change.delete_state(f'monitor {id}')
                change.connection.execute('DELETE FROM history WHERE monitor = ?', (id,))

        if gone:
            self._store.write(write)
        for id in gone:
            self._written.pop(id, None)
            if id in watched:
                watched[id].outdated = False

    def _forget(self) -> None:
        """Begin anew, since the clock was moved back: what monitors remember of the future says nothing about now."""

        def write(change: Change) -> None:
            change.connection.execute("DELETE FROM states WHERE name LIKE 'monitor %'")
            change.connection.execute('DELETE FROM history')

        self._store.write(write)
        self._known = None
        self._written.clear()

    def _evaluate(self, since: int, until: int) -> None:
        """Evaluate, and write what changed, in (since, until]."""
        mutings = list(self._mutings(since, until))
        surroundings = self._surroundings()
        found: dict[int, dict[Group, Instalment]] = {}
        # Composites come after their members (A38).
        for id, watched in sorted(self._watched.items(), key=lambda item: (item[1].composite, item[0])):
            find = partial(self._member, watched, found, since, until)
            found[id] = watched.advance(self._store, since, until, find)
        told = [mail for one in mutings for mail in _announcements(one.result, since, until)]
        for id, done in found.items():
            find = partial(self._member, self._watched[id], found, since, until)
            try:
                told += self._told(self._watched[id], done, mutings, surroundings, until, find)
            except Exception as error:
                self._watched[id].fail(error)
        told.sort(key=lambda mail: mail.instant)
        stored = {id: self._watched[id].stored() for id, done in found.items() if done}
        stored = {id: body for id, body in stored.items() if body != self._written.get(id)}

        def write(change: Change) -> None:
            change.put_fact('evaluated', until)
            for id, done in found.items():
                for one in done.values():
                    change.connection.executemany(
                        'INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)', [(id, *row) for row in _states(one)]
                    )
            for id, body in stored.items():
                change.put_state(f'monitor {id}', body)
            for mail in told:
                self.mailbox.add(change, mail)
                if mail.monitor and not mail.muted_by:
                    transitions.add_event(change, mail, self._watched[mail.monitor].body, self._organisation.url)

        self._store.write(write)
        self._written |= stored
        self._show(until)

    def _show(self, until: int) -> None:
        """Put the overall states into the monitors that the API returns."""
        with self._lock:
            monitors = self._organisation.monitors
            for id, watched in self._watched.items():
                state = str(watched.overall)
                if id in monitors and watched.shown and monitors[id]['overall_state'] != state:
                    moment = text_of(datetime.fromtimestamp(until, UTC))
                    monitors[id] = {**monitors[id], 'overall_state': state, 'overall_state_modified': moment}
            self._organisation.persist()

    def _told(
        self,
        watched: Watched,
        done: Mapping[Group, Instalment],
        mutings: Sequence['_Muting'],
        surroundings: '_Surroundings',
        until: int,
        find: FindMember,
    ) -> Iterator[Mail]:
        """Yield the messages of a monitor."""
        if watched.monitor is None or not done:
            return
        asset, monitor, texts = watched.asset, watched.monitor, None
        own = [one for one in mutings if one.result.downtime.matches_monitor(watched.id, asset.tags)]
        for group, one in done.items():
            mutes = [mute for muting in own for mute in muting.mutes(one.timeline.tags)]
            for notification in due(monitor, one, mutes, until=until):
                try:
                    if texts is None:
                        # For the variables that only the evaluator knows.
                        evaluator = watched.evaluator(self._store, until, until + 1, watched.begun or until, find)
                        texts = Messages(asset, monitor, evaluator, surroundings, Assumptions())
                    message = texts.render(group, one.timeline.tags, notification)
                    subject, text = message.delivery.email()
                    recipients, webhook = message.recipients, message.delivery.webhook()
                except Exception as error:
                    # The transition is told nevertheless, and why its message is missing.
                    subject = f'[{notification.target}] {asset.name}'
                    text = f'The message cannot be rendered: {fault(error)}\n\n{asset.message}'
                    recipients, webhook = (), None
                yield Mail(
                    instant=notification.instant,
                    title=subject,
                    text=text,
                    recipients=recipients,
                    monitor=watched.id,
                    name=asset.name,
                    group=','.join(group) or '*',
                    kind=notification.kind,
                    reason=notification.reason,
                    source=str(notification.source),
                    target=str(notification.target),
                    value=None if np.isnan(notification.value) else notification.value,
                    muted_by=notification.muted_by,
                    webhook=webhook,
                )

    def _member(
        self,
        composite: Watched,
        found: Mapping[int, Mapping[Group, Instalment]],
        since: int,
        until: int,
        member: Member,
    ) -> Source:
        """Return a member of a composite with the states that it had. Raises UnusableInputError."""
        asset = find_member(composite.asset, member, [one.asset for one in self._watched.values()])
        id = next(id for id, one in self._watched.items() if one.asset is asset)
        watched = self._watched[id]
        if watched.monitor is None or watched.reason:
            raise UnusableInputError(f'member {asset.name}: {watched.reason}')
        start = since + 1 - HISTORY
        newest = found.get(id, {})
        known = self.history(id, start, since)
        for group, one in newest.items():
            known.setdefault(group, []).extend((instant, State(state)) for _, instant, state in _states(one))
        series = tuple(_recorded(group, taken) for group, taken in known.items())
        recorded = Recorded(asset.name, series, max(start, watched.begun or since + 1), until + 1, newest)
        return Source(asset.name, watched.monitor, recorded)

    def _mutings(self, since: int, until: int) -> Iterator['_Muting']:
        """Yield the downtimes that matter: also past ones, since a group in trouble left OK."""
        left = [
            one.transitions[0].instant
            for watched in self._watched.values()
            for one in (watched.memories or {}).values()
            if one.transitions
        ]
        start = min([since, *left]) - HISTORY
        with self._lock:
            bodies = dict(self._organisation.downtimes)
        unread = {}
        for id, body in bodies.items():
            try:
                yield _muting(id, body['attributes'], start, until)
            except Exception as error:
                unread[id] = fault(error)
        self.unread = unread

    def _surroundings(self) -> '_Surroundings':
        with self._lock:
            bodies = list(self._organisation.notification_rules.values())
        rules = [read_notification_rule(Unplaced(Path('rule')), body) for body in bodies]
        hosts = {name: _host(body) for name, (_, body) in self._store.hosts().items()}
        return _Surroundings(hosts, [rule for rule in rules if not rule.errors])


def _states(instalment: Instalment) -> Iterator[tuple[str, int, int]]:
    """Yield the states that a group took in an instalment: its tags, the instant and the code."""
    timeline = instalment.timeline
    tags = json.dumps(timeline.group)
    before = None
    for tick, state in zip(timeline.ticks.tolist(), timeline.states.tolist(), strict=True):
        if tick > instalment.since and state != before:
            yield tags, tick, state
        before = state


def _recorded(group: Group, taken: Sequence[tuple[int, State]]) -> Series:
    times = np.array([instant for instant, _ in taken], dtype=np.float64)
    codes = np.array([state for _, state in taken], dtype=np.float64)
    return Series('states', frozenset(group), times, codes, 'gauge', 60)


def _muting(id: str, attributes: Json, start: int, until: int) -> '_Muting':
    """Return a stored downtime with its windows in [start, until]."""
    downtime = downtimes.parse(attributes, id)
    windows = [*downtime.intervals(start, until + 1)]
    cancelled = attributes.get('canceled')
    if cancelled is not None:
        end = datetime.fromisoformat(cancelled).timestamp()
        windows = [downtimes.Interval(one.start, min(one.end, end)) for one in windows if one.start < end]
    inner = downtimes.touching(windows)
    cause = 'canceled' if cancelled is not None else 'expired'
    recipients = messages.handles(attributes.get('message') or '')
    notices = [
        (int(instant), what)
        for window in windows
        for instant, what in ((window.start, 'started'), (window.end, cause))
        if math.isfinite(instant) and instant not in inner and recipients
    ]
    text = attributes.get('message') or ''
    return _Muting(DowntimeResult(downtime, text, recipients, tuple(windows), tuple(notices), ()), cause)


def _announcements(downtime: DowntimeResult, since: int, until: int) -> Iterator[Mail]:
    """Yield a downtime's own messages (rule 5.22)."""
    for instant, what in downtime.messages:
        if since < instant <= until:
            yield Mail(int(instant), downtime.title(what), downtime.message, downtime.recipients, name=downtime.name)


def _host(body: Json) -> Host:
    """Return what messages print of a host (rule 4.9, B2.12)."""
    tags: dict[str, list[str]] = {}
    for tag in sorted(host_tags(body)):
        key, colon, value = tag.partition(':')
        if colon:
            tags.setdefault(key, []).append(value)
    ip = ''
    try:
        gohai = json.loads(body['gohai']) if isinstance(body.get('gohai'), str) else body.get('gohai') or {}
        ip = str((gohai.get('network') or {}).get('ipaddress') or '')
    except (ValueError, AttributeError):
        pass
    return Host(ip=ip, tags=tags)


def _group(group: Group, shown: Shown) -> Json:
    times = dict.fromkeys(('last_triggered_ts', 'last_notified_ts', 'last_resolved_ts', 'last_nodata_ts'))
    return {'name': ','.join(group) or '*', 'status': str(shown.state), **times, **shown.times}


def _definition(body: Json) -> Json:
    """Return what a monitor is, without what the evaluation changes."""
    return {key: value for key, value in body.items() if not key.startswith('overall_state')}
