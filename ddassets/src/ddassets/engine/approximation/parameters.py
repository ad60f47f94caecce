"""Sets of plausible parameters of an algorithm whose constants are not published, and which parameter decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One choice of every parameter: pairs of name and choice, in order."""

    choices: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ', '.join(f'{name} {choice}' for name, choice in self.choices)

    def __getitem__(self, name: str) -> str:
        return dict(self.choices)[name]

    def differences(self, other: 'ParameterSet') -> tuple[str, ...]:
        """Return the names of the parameters with another choice."""
        pairs = zip(self.choices, other.choices, strict=True)
        return tuple(name for (name, choice), (_, another) in pairs if choice != another)


def parameter_sets(**parameters: Sequence[str]) -> tuple[ParameterSet, ...]:
    """Return every combination of choices. The first set is the default: the first choice of each parameter.

    >>> [str(one) for one in parameter_sets(constant=['1', '1.4826'])]
    ['constant 1', 'constant 1.4826']
    """
    combinations = product(*parameters.values())
    return tuple(ParameterSet(tuple(zip(parameters, choices, strict=True))) for choices in combinations)


def deciding(sets: Sequence[ParameterSet], agree: Sequence[bool]) -> tuple[str, ...]:
    """Return the parameters that decide whether a set agrees with the default set, the first; empty if all agree.

    Those decide of which another choice alone changes the result. If there are none, the nearest disagreeing sets
    name the parameters that decide together.

    >>> sets = parameter_sets(width=['MAD', 'quantiles'], lag=['0', 'window'])
    >>> deciding(sets, [True, True, False, False]), deciding(sets, [True, True, True, False])
    (('width',), ('width with lag',))
    """
    changed = [sets[0].differences(one) for one, agrees in zip(sets, agree, strict=True) if not agrees]
    nearest = min(map(len, changed), default=0)
    return tuple(dict.fromkeys(' with '.join(names) for names in changed if len(names) == nearest))
