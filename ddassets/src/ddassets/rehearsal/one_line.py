"""YAML values on one line, for scenarios that are written."""

from collections.abc import Sequence

import yaml


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, quoted if necessary."""
    return _dump(text).removesuffix('...').rstrip()


def flow_list(texts: Sequence[str]) -> str:
    """Return texts as a YAML list in brackets."""
    return _dump(list(texts))


def _dump(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True).rstrip('\n')
