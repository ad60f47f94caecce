"""The arguments of anomalies(), forecast() and outliers(), and what of them is refused by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddassets.diagnostic import Unsupported
from ddassets.language.query import tree
from ddassets.nearest import did_you_mean, joined


@dataclass(frozen=True)
class Arguments:
    """The operand of a call, its positional arguments after the operand, and its named ones."""

    call: tree.Call
    operand: tree.Expression
    positional: Sequence[tree.Argument]
    named: Mapping[str, tree.Argument]

    @property
    def column(self) -> int:
        return self.call.span.start + 1

    def word(self, number: int, allowed: Sequence[str], refused: Mapping[str, str]) -> str:
        """Return a positional argument as a word in lower case. Raises Unsupported for a `refused` or unknown word."""
        argument = self._argument(number, f'one of {joined(allowed)}')
        word = argument.value.lower() if isinstance(argument, tree.Text | tree.Word) else ''
        column = argument.span.start + 1
        if word in refused:
            raise Unsupported(f"{self.call.name} '{word}'", column, refused[word])
        if word not in allowed:
            reason = f'is not approximated, only {joined(allowed)}{did_you_mean(word, allowed)}'
            raise Unsupported(f"{self.call.name} '{word}'", column, reason)
        return word

    def number(self, number: int, what: str) -> float:
        """Return a positional argument as a number above 0. Raises Unsupported."""
        argument = self._argument(number, what)
        if not isinstance(argument, tree.Number) or not argument.value > 0:
            raise Unsupported(f'{self.call.name}()', argument.span.start + 1, f'expected {what}: a number above 0')
        return argument.value

    def text(self, name: str) -> str | None:
        """Return a named argument as a text; None if it is missing."""
        argument = self.named.get(name)
        return argument.value if isinstance(argument, tree.Text | tree.Word) else None

    def whole(self, name: str) -> int | None:
        """Return a named argument as a whole number of seconds; None if it is missing or no number."""
        argument = self.named.get(name)
        return int(argument.value) if isinstance(argument, tree.Number) and argument.value >= 1 else None

    def _argument(self, number: int, what: str) -> tree.Argument:
        if number >= len(self.positional):
            raise Unsupported(f'{self.call.name}()', self.column, f'lacks argument {number + 2}: {what}')
        return self.positional[number]


def arguments(call: tree.Call) -> Arguments:
    """Return the arguments of a call. Raises Unsupported if the first one is not a query."""
    given = [one for one in call.arguments if not isinstance(one, tree.Named)]
    named = {one.name: one.value for one in call.arguments if isinstance(one, tree.Named)}
    if not given or isinstance(given[0], tree.Text | tree.Word | tree.Tags | tree.Named):
        raise Unsupported(f'{call.name}()', call.span.start + 1, 'takes a query as its first argument')
    return Arguments(call, given[0], given[1:], named)
