"""Compare the files with the organisation, and list the necessary actions. Pure: no requests, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ddassets.org.difference import Difference, differences
from ddassets.org.kind import Body, Desired, Kind, Stored
from ddassets.org.kinds import KINDS
from ddassets.org.marker import fingerprint
from ddassets.org.references import ids_of, with_ids


class Action(StrEnum):
    CREATE = 'create'
    UPDATE = 'update'
    # Create a new object and delete the old one, because the API cannot make the change.
    REPLACE = 'replace'
    DELETE = 'delete'
    KEEP = 'keep'
    # An action is necessary, but it is impossible or requires --overwrite.
    REFUSE = 'refuse'


@dataclass(frozen=True)
class Step:
    """The action for one asset, or for one object without an asset. `reason` explains it, if necessary.

    `desired` is None for a deletion and `stored` for a creation. `by_hand`: the object was changed since it
    was applied. `overwritable`: `--overwrite` turns the refusal into `would`.
    """

    action: Action
    kind: Kind
    name: str
    title: str
    desired: Desired | None = None
    stored: Stored | None = None
    differences: tuple[Difference, ...] = ()
    reason: str = ''
    by_hand: bool = False
    would: Action | None = None
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.action not in (Action.KEEP, Action.REFUSE)


@dataclass(frozen=True)
class Foreign:
    """An object without our marker. Datadog may refuse one of ours because of it."""

    kind: Kind
    id: str
    body: Body = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """The steps in the order of the files, then those for objects without a file."""

    integration: str
    steps: tuple[Step, ...]

    def of(self, *actions: Action) -> list[Step]:
        return [step for step in self.steps if step.action in actions]

    @property
    def changes(self) -> list[Step]:
        return [step for step in self.steps if step.changes]


def make_plan(
    integration: str,
    desired: Sequence[Desired],
    stored: Sequence[Stored],
    foreign: Sequence[Foreign] = (),
    *,
    now: float,
    overwrite: bool = False,
) -> Plan:
    """Return the plan. `stored` are the objects with the integration's marker; `now` is in Unix seconds."""
    groups: dict[tuple[str, str], list[Stored]] = {}
    for one in sorted(stored, key=lambda one: one.age_order):
        groups.setdefault(one.key, []).append(one)
    # An object that is replaced gets another id.
    ids = ids_of([one for one in stored if not _is_replaced(one, desired, now)])
    desired = [with_ids(one, ids) for one in desired]
    # First: an object whose file was renamed is not a duplicate.
    adopted = _renamed(desired, groups, now)
    steps: list[Step] = []
    spare: list[Step] = []
    for asset in desired:
        found = [adopted[asset.key]] if asset.key in adopted else groups.pop(asset.key, [])
        if not found:
            steps.append(_creation(asset, foreign, now))
            continue
        kept = next((each for each in found if not diff(asset, each, now)), found[0])
        steps.append(_comparison(asset, kept, now))
        spare += [_spare(each) for each in found if each is not kept]
    for rest in groups.values():
        spare += [_deletion(rest[0]), *map(_spare, rest[1:])]
    return Plan(integration, tuple(_overwriting(step) if overwrite else step for step in (*steps, *_in_order(spare))))


def _is_replaced(stored: Stored, desired: Iterable[Desired], now: float) -> bool:
    return any(one.key == stored.key and one.kind.replaces(one.body, stored.body, now) for one in desired)


def make_removal(integration: str, stored: Sequence[Stored], *, overwrite: bool = False) -> Plan:
    """Return the plan to delete all objects with the integration's marker, except copies that were changed by hand."""
    groups: dict[tuple[str, str], list[Stored]] = {}
    for one in sorted(stored, key=lambda one: one.age_order):
        groups.setdefault(one.key, []).append(one)
    steps: list[Step] = []
    for found in groups.values():
        first = found[0]
        reason = 'changed in Datadog since it was applied' if changed_by_hand(first) else ''
        steps.append(_step(Action.DELETE, first, reason=reason, by_hand=bool(reason)))
        steps += map(_spare, found[1:])
    return Plan(integration, tuple(_overwriting(step) if overwrite else step for step in _in_order(steps)))


def _in_order(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: (KINDS.index(step.kind), step.name, step.stored.id if step.stored else ''))


def changed_by_hand(stored: Stored) -> bool:
    return fingerprint(stored.kind.canonical(stored.body)) != stored.marker.fingerprint


def diff(desired: Desired, stored: Stored, now: float) -> tuple[Difference, ...]:
    """Return the differences between the stored object and its file."""
    kind = desired.kind
    new, old = (kind.remaining(kind.canonical(body), now) for body in (desired.body, stored.body))
    return tuple(differences(old or {}, new or {}))


def _creation(desired: Desired, foreign: Iterable[Foreign], now: float) -> Step:
    kind = desired.kind
    if desired.has_ended(now):
        return _step(Action.KEEP, desired, reason='it has ended: nothing to create')
    for other in foreign:
        if other.kind is kind and kind.conflicts(desired.body, other.body, now):
            reason = f'a {kind.name} from elsewhere covers the same: {other.id}. Datadog accepts no duplicate'
            return _step(Action.REFUSE, desired, reason=reason)
    return _step(Action.CREATE, desired, notes=tuple(kind.notes(desired.body, now)))


def _comparison(desired: Desired, stored: Stored, now: float) -> Step:
    kind = desired.kind
    found = diff(desired, stored, now)
    renamed = stored.marker.name != desired.name
    if not found and not renamed:
        return _step(Action.KEEP, desired, stored)
    notes: tuple[str, ...] = ()
    if desired.has_ended(now):
        action, reason = Action.DELETE, 'it has ended'
    elif kind.replaces(desired.body, stored.body, now):
        action, reason = Action.REPLACE, 'Datadog cannot make this change to the existing object'
        notes = tuple(kind.notes(desired.body, now))
    else:
        action, reason = Action.UPDATE, ''
        notes = tuple(kind.notes_of_update(desired.body, stored.body))
    if renamed:
        reason = f'its file was renamed from {stored.marker.name}.json'
    step = _step(action, desired, stored, found, reason, notes=notes)
    return _refused(step) if changed_by_hand(stored) else step


def _deletion(stored: Stored) -> Step:
    if not stored.marker.name:
        return _refused(_step(Action.DELETE, stored, reason='its marker is damaged: a tag was removed'))
    step = _step(Action.DELETE, stored, reason='its file is gone')
    return _refused(step) if changed_by_hand(stored) else step


def _spare(stored: Stored) -> Step:
    """Delete a duplicate from an interrupted run; refuse to delete a copy that a person changed."""
    step = _step(Action.DELETE, stored, reason='a duplicate of the same name')
    return _refused(step) if changed_by_hand(stored) else step


def _refused(step: Step) -> Step:
    reason = '; '.join(filter(None, (step.reason, 'changed in Datadog since it was applied')))
    return replace(step, action=Action.REFUSE, would=step.action, by_hand=True, reason=reason)


def _overwriting(step: Step) -> Step:
    """Return the step that `--overwrite` allows."""
    return replace(step, action=step.would, would=None) if step.would else step


def _renamed(
    desired: Iterable[Desired], groups: dict[tuple[str, str], list[Stored]], now: float
) -> Mapping[tuple[str, str], Stored]:
    """Return the objects of renamed files, which equal the content of a new file, and remove them from `groups`."""
    desired = list(desired)
    names = {one.key for one in desired}
    adopted: dict[tuple[str, str], Stored] = {}
    for one in desired:
        if one.key in groups:
            continue
        for key, found in list(groups.items()):
            same = len(found) == 1 and key not in names and key[0] == one.kind.name and key[1]
            if same and (not diff(one, found[0], now) or one.kind.conflicts(one.body, found[0].body, now)):
                adopted[one.key] = groups.pop(key)[0]
                break
    return adopted


def _step(
    action: Action,
    subject: Desired | Stored,
    stored: Stored | None = None,
    found: tuple[Difference, ...] = (),
    reason: str = '',
    by_hand: bool = False,
    notes: tuple[str, ...] = (),
) -> Step:
    desired = subject if isinstance(subject, Desired) else None
    return Step(
        action=action,
        kind=subject.kind,
        name=desired.name if desired else subject.marker.name,  # type: ignore[union-attr]
        title=subject.title,
        desired=desired,
        stored=stored if desired else subject,  # type: ignore[arg-type]
        differences=found,
        reason=reason,
        by_hand=by_hand,
        notes=notes,
    )
