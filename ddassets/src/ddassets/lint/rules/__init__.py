"""One rule per file, named after the rule with `_` for `/` and `-`. New files are discovered automatically."""

import functools
import importlib
import pkgutil
from typing import Any

from ddassets.lint.rule import Rule


@functools.cache
def all_rules(without: frozenset[str] = frozenset()) -> dict[str, Rule[Any]]:
    """Return every rule by id, sorted. The modules of the groups `without`, such as `downtime`, are not imported."""
    left_out = tuple(f'{group.replace("-", "_")}_' for group in without)
    names = (found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith(left_out))
    rules = [importlib.import_module(f'{__name__}.{name}').RULE for name in names]
    return {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
