"""Ensures that an apply leaves one object of each name, also beside another apply and with listings that lag."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ddassets.org.client import ApiError
from ddassets.org.kind import Stored
from ddassets.org.organisation import LOOKS, Organisation
from ddassets.org.plan import changed_by_hand

# Seconds between two listings, and for how long they may disagree.
PAUSE = 1.0
LIMIT = 60.0


class Unsettled(ApiError):
    """Whether there are duplicates could not be established."""


@dataclass(frozen=True)
class Duplicate:
    """`spare` is deleted, unless `error` says why not; `kept` is the oldest object of the same name."""

    spare: Stored
    kept: Stored
    error: str = ''


def settle(organisation: Organisation, created: Sequence[Stored], deleted: Sequence[Stored]) -> Iterator[Duplicate]:
    """List until two listings agree, with all of `created` and none of `deleted`; remove younger ones of a name.

    Two clients that create the same name wait until they see their own objects, so the later one sees both, and both
    keep the oldest. Objects changed by hand stay. Raises Unsettled.
    """
    clock = organisation.client.clock
    end = clock.now() + LIMIT
    kinds = list(dict.fromkeys(one.kind for one in (*created, *deleted)))
    names = {one.key for one in created}
    gone = {one.id for one in deleted}
    previous: set[str] | None = None
    while True:
        try:
            listed = organisation.list(kinds).stored
        except ApiError as error:
            raise Unsettled(f'applied, but could not check for duplicates: {error}') from None
        ids = {one.id for one in listed}
        same_names = [one for one in listed if one.key in names and one.id not in gone]
        missing = {one.id: one for one in created if one.id not in ids and one.id not in gone}
        for duplicate in _removed_by_others(organisation, missing, same_names):
            del missing[duplicate.spare.id]
            gone.add(duplicate.spare.id)
            yield duplicate
        if ids == previous and not missing and not gone & ids and _is_quiet(organisation):
            current = _current(organisation, same_names)
            duplicates = _duplicates(current)
            # Another apply may remove our object after the listings: then one more listing tells.
            if not duplicates and {one.id for one in created} - gone <= {one.id for one in current}:
                return
            for duplicate in duplicates:
                gone.add(duplicate.spare.id)
                yield _delete(organisation, duplicate)
            end = clock.now() + LIMIT
        if clock.now() >= end:
            raise Unsettled(_unsettled(missing, gone & ids))
        previous = ids
        clock.sleep(PAUSE)


def _unsettled(missing: Collection[str], lingering: Collection[str]) -> str:
    parts = [
        *([f'{len(missing)} created objects are not listed'] if missing else []),
        *([f'{len(lingering)} deleted objects are still listed'] if lingering else []),
    ]
    return f'{" and ".join(parts) or "listings differ"} after {LIMIT:g} s; run `ddassets plan` later'


def _removed_by_others(
    organisation: Organisation, missing: Mapping[str, Stored], listed: Sequence[Stored]
) -> Iterator[Duplicate]:
    """Our objects that another apply removed, since it created one of the same name before."""
    for one in list(missing.values()):
        older = next((other for other in listed if other.key == one.key), None)
        kept = older and organisation.current(older)
        if kept and organisation.current(one) is None:
            yield Duplicate(one, kept)


def _is_quiet(organisation: Organisation) -> bool:
    """Whether an object whose creation was unclear would be listed by now."""
    last = organisation.last_unclear
    return last is None or organisation.client.clock.now() >= last + sum(LOOKS)


def _current(organisation: Organisation, listed: Sequence[Stored]) -> list[Stored]:
    """Read the objects of names that are listed more than once; others are returned as listed.

    A listing may show what is deleted, and of dashboards only the summaries.
    """
    number = Counter(one.key for one in listed)
    found = []
    for one in listed:
        try:
            now = organisation.current(one) if number[one.key] > 1 else one
        except ApiError as error:
            raise Unsettled(f'could not read the duplicates of {one.marker.name}: {error}') from None
        if now and now.key == one.key:
            found.append(now)
    return found


def _duplicates(current: Sequence[Stored]) -> list[Duplicate]:
    groups: dict[tuple[str, str], list[Stored]] = {}
    for one in current:
        groups.setdefault(one.key, []).append(one)
    found = []
    for group in groups.values():
        if len(group) > 1:
            ours = sorted((one for one in group if not changed_by_hand(one)), key=lambda one: one.age_order)
            found += [Duplicate(spare, ours[0]) for spare in ours[1:]]
    return found


def _delete(organisation: Organisation, duplicate: Duplicate) -> Duplicate:
    try:
        organisation.delete(duplicate.spare)
    except ApiError as error:
        return Duplicate(duplicate.spare, duplicate.kept, str(error))
    return duplicate
