"""Carries out a plan: independent steps concurrently, each reported when it is done."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ddassets.org.client import ApiError
from ddassets.org.concurrency import as_completed, map_concurrently
from ddassets.org.difference import Difference
from ddassets.org.kind import Stored
from ddassets.org.organisation import Organisation
from ddassets.org.plan import Action, Plan, Step, diff
from ddassets.org.references import Ids, creation_rank, ids_of, unknown_references, with_ids
from ddassets.org.settling import Duplicate, settle


@dataclass(frozen=True)
class Outcome:
    """The result of a step. `error` is empty for success; `differences` are those between stored object and file.

    `duplicate`: the step deletes an object that another apply created, too.
    """

    step: Step
    id: str = ''
    link: str = ''
    error: str = ''
    differences: tuple[Difference, ...] = ()
    stored: Stored | None = None
    duplicate: bool = False


def invalid(organisation: Organisation, steps: Sequence[Step]) -> list[tuple[Step, str]]:
    """Ask Datadog to validate the bodies that the steps would send: (step, why it is refused)."""
    asked = [
        step
        for step in steps
        if step.desired and (step.would or step.action) in (Action.CREATE, Action.UPDATE, Action.REPLACE)
    ]
    answers = map_concurrently(lambda step: _judged(organisation, step), asked)
    return [(step, reason) for step, reason in zip(asked, answers, strict=True) if reason]


def _judged(organisation: Organisation, step: Step) -> str:
    assert step.desired
    if unknown_references(step.desired):
        # A named object has no id yet.
        return ''
    # An object that is replaced is created anew.
    stored = None if Action.REPLACE in (step.action, step.would) else step.stored
    return organisation.validate(step.desired, stored)


def carry_out(organisation: Organisation, plan: Plan) -> Iterator[Outcome]:
    """Yield the outcome of each step, in order of completion; a failed step leaves the others alone.

    The order is that of `_waves`. Afterwards, duplicates of an object are deleted. Raises Unsettled.
    """
    created: list[Stored] = []
    deleted: list[Stored] = []
    ids = ids_of([step.stored for step in plan.steps if step.stored])
    for steps in _waves(plan):
        for index, task in as_completed(lambda step: _act(organisation, step, ids), steps):
            step = steps[index]
            try:
                outcome = replace(task.result(), step=step)
            except ApiError as error:
                yield Outcome(step, error=str(error))
                continue
            if outcome.stored:
                ids.update(ids_of([outcome.stored]))
            if outcome.stored and step.action is not Action.UPDATE:
                created.append(outcome.stored)
            if step.stored and step.action in (Action.REPLACE, Action.DELETE):
                deleted.append(step.stored)
            yield outcome
    if created or deleted:
        desired = {step.desired.key: step for step in plan.steps if step.desired}
        for duplicate in settle(organisation, created, deleted):
            yield _removed(organisation, desired[duplicate.spare.key], duplicate)


def _waves(plan: Plan) -> Iterator[list[Step]]:
    """Yield the steps in the order in which they are carried out; those of one list are independent.

    Deletions come last, in the opposite order of creations.
    """
    made, deleted = plan.of(Action.CREATE, Action.UPDATE, Action.REPLACE), plan.of(Action.DELETE)
    ranks = sorted({_rank_of(step) for step in plan.steps})
    for rank in ranks:
        yield [step for step in made if _rank_of(step) == rank]
    for rank in reversed(ranks):
        yield [step for step in deleted if _rank_of(step) == rank]


def _rank_of(step: Step) -> int:
    subject = step.desired or step.stored
    assert subject
    return creation_rank(step.kind, subject.body)


def _act(organisation: Organisation, step: Step, ids: Ids) -> Outcome:
    """Carry out a step. Raises ApiError."""
    if step.desired and step.action is not Action.DELETE:
        step = replace(step, desired=with_ids(step.desired, ids))
        assert step.desired
        if unknown := unknown_references(step.desired):
            raise ApiError(unknown)
    return _ACTIONS[step.action](organisation, step)


def _removed(organisation: Organisation, step: Step, duplicate: Duplicate) -> Outcome:
    """The outcome for a duplicate: an error where the object that stays is not as the file has it."""
    spare, kept = duplicate.spare, duplicate.kept
    link = organisation.link(kept.kind, kept.id)
    error = duplicate.error
    if not error and step.desired and diff(step.desired, kept, time.time()):
        error = f'another apply created {link} at the same time with other content; run the command again'
    reason = f'a duplicate, created at the same time; the oldest stays: {link}'
    deletion = Step(Action.DELETE, spare.kind, spare.marker.name, spare.title, stored=spare, reason=reason)
    return Outcome(deletion, spare.id, error=error, duplicate=True)


def _create(organisation: Organisation, step: Step) -> Outcome:
    assert step.desired
    return _made(organisation, step, organisation.create(step.desired))


def _update(organisation: Organisation, step: Step) -> Outcome:
    assert step.desired and step.stored
    return _made(organisation, step, organisation.update(step.desired, step.stored))


def _made(organisation: Organisation, step: Step, stored: Stored) -> Outcome:
    assert step.desired
    differences = diff(step.desired, stored, time.time())
    return Outcome(step, stored.id, organisation.link(step.kind, stored.id), differences=differences, stored=stored)


def _replace(organisation: Organisation, step: Step) -> Outcome:
    assert step.stored
    outcome = _create(organisation, step)
    organisation.delete(step.stored)
    return outcome


def _delete(organisation: Organisation, step: Step) -> Outcome:
    assert step.stored
    organisation.delete(step.stored)
    return Outcome(step, step.stored.id)


_ACTIONS: dict[Action, Callable[[Organisation, Step], Outcome]] = {
    Action.CREATE: _create,
    Action.UPDATE: _update,
    Action.REPLACE: _replace,
    Action.DELETE: _delete,
}
