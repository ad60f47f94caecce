"""Carry out a plan: independent steps at once, each reported as it is done."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ddassets.org.client import ApiError
from ddassets.org.concurrency import as_they_end, at_once
from ddassets.org.difference import Difference
from ddassets.org.organisation import Organisation
from ddassets.org.plan import Do, Plan, Step, unlike


@dataclass(frozen=True)
class Outcome:
    """What became of a step. `error` is empty where it is done; `unlike` is what the server made otherwise of it."""

    step: Step
    id: str = ''
    link: str = ''
    error: str = ''
    unlike: tuple[Difference, ...] = ()


def invalid(organisation: Organisation, steps: Sequence[Step]) -> list[tuple[Step, str]]:
    """What Datadog itself would refuse of the bodies that are to be sent, asked without changing anything."""
    asked = [step for step in steps if step.wanted and (step.would or step.do) in (Do.CREATE, Do.UPDATE, Do.REPLACE)]
    answers = at_once(lambda step: _judged(organisation, step), asked)
    return [(step, reason) for step, reason in zip(asked, answers, strict=True) if reason]


def _judged(organisation: Organisation, step: Step) -> str:
    assert step.wanted
    # A new one takes the place of one that is replaced.
    stored = None if Do.REPLACE in (step.do, step.would) else step.stored
    return organisation.validate(step.wanted, stored)


def carry_out(organisation: Organisation, plan: Plan) -> Iterator[Outcome]:
    """Yield what became of each step, in the order in which they end. One that fails leaves the others alone.

    Deletions come last, when all that is to be there is there.
    """
    for steps in (plan.of(Do.CREATE, Do.UPDATE, Do.REPLACE), plan.of(Do.DELETE)):
        for index, task in as_they_end(lambda step: _DOING[step.do](organisation, step), steps):
            try:
                yield task.result()
            except ApiError as error:
                yield Outcome(steps[index], error=str(error))


def _create(organisation: Organisation, step: Step) -> Outcome:
    assert step.wanted
    made = organisation.create(step.wanted)
    return Outcome(step, made.id, organisation.link(step.kind, made.id), unlike=unlike(step.wanted, made, time.time()))


def _update(organisation: Organisation, step: Step) -> Outcome:
    assert step.wanted and step.stored
    made = organisation.update(step.wanted, step.stored)
    return Outcome(step, made.id, organisation.link(step.kind, made.id), unlike=unlike(step.wanted, made, time.time()))


def _replace(organisation: Organisation, step: Step) -> Outcome:
    assert step.stored
    outcome = _create(organisation, step)
    organisation.delete(step.stored)
    return outcome


def _delete(organisation: Organisation, step: Step) -> Outcome:
    assert step.stored
    organisation.delete(step.stored)
    return Outcome(step, step.stored.id)


_DOING: dict[Do, Callable[[Organisation, Step], Outcome]] = {
    Do.CREATE: _create,
    Do.UPDATE: _update,
    Do.REPLACE: _replace,
    Do.DELETE: _delete,
}
