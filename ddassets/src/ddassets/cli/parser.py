"""The argument parser of one command: unknown options are reported with the nearest known one."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from ddassets.cli.exit_code import UNUSABLE
from ddassets.nearest import did_you_mean
from ddassets.regex import regex

_OPTION = regex(r'--?[A-Za-z]')


class Parser(argparse.ArgumentParser):
    """Parses the options of one command. Exits with 2 and a single error line where they cannot be used."""

    def parse_command(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse the arguments after the command's name."""
        self._refuse_unknown_options(arguments)
        return self.parse_args(arguments)

    def error(self, message: str) -> NoReturn:
        print(f'{self.prog}: error: {message}\n{self.prog} --help lists the options', file=sys.stderr)
        raise SystemExit(UNUSABLE)

    def option_names(self) -> list[str]:
        """Long and short spellings of every option."""
        return sorted(self._option_string_actions)

    def _refuse_unknown_options(self, arguments: Sequence[str]) -> None:
        known = self.option_names()
        for argument in arguments:
            if argument == '--':
                return
            name = argument.partition('=')[0]
            # A unique beginning of an option's name is accepted, as argparse does.
            if _OPTION.match(argument) and not any(option.startswith(name) for option in known):
                self.error(f'unknown option {name}{did_you_mean(name, known)}')
