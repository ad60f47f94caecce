"""One rule per file, named after the rule with `_` for `/` and `-`. New files are discovered automatically."""

import functools
import importlib
import pkgutil
from typing import Any

from ddassets.lint.rule import Rule


@functools.cache
def all_rules() -> dict[str, Rule[Any]]:
    """Return every rule by id, sorted."""
    modules = (importlib.import_module(f'{__name__}.{found.name}') for found in pkgutil.iter_modules(__path__))
    rules = [module.RULE for module in modules]
    return {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
