"""A rule in words: what `ddassets explain` prints, and the page of all rules in the documentation."""

import json
from collections.abc import Mapping
from typing import Any

from ddassets.lint.rule import Files, Rule
from ddassets.lint.rules import all_rules

INTRODUCTION = """\
# Rules of `ddassets lint`

Written by `ddassets explain --all` from the rules themselves: change them in `src/ddassets/lint/rules/`, not here.

An **error** cannot work or is refused by Datadog, a **warning** is nearly certainly not meant so, and a **note** may be
as it should be. The examples change one small integration, `acme`, that is clean otherwise: of JSON they show the keys
that differ, where `null` stands for a key that is left out.
"""


def explain(rule: Rule[Any]) -> str:
    """One rule, as Markdown."""
    parts = [f'## {rule.id}', f'*{str(rule.severity).capitalize()}.* {rule.reason}', rule.explanation]
    if rule.emission:
        emitted = '; '.join(
            f'`{name}`, a {kind}, with {", ".join(tags)}' for name, (kind, tags) in rule.emission.items()
        )
        parts.append(f'In the examples the check submits {emitted}.')
    parts += ['Bad:', *_files(rule.bad), 'Good:', *_files(rule.good)]
    if rule.semantics:
        word = 'Rule' if len(rule.semantics) == 1 else 'Rules'
        parts.append(f'{word} {", ".join(rule.semantics)} of the semantics.')
    return '\n\n'.join(parts) + '\n'


def page() -> str:
    """All rules on one page, with a table on top."""
    rules = all_rules().values()
    table = '\n'.join(f'| [{rule.id}](#{rule.anchor}) | {rule.severity} | {rule.reason} |' for rule in rules)
    head = f'{INTRODUCTION}\n| Rule | Severity | Reason |\n|---|---|---|\n{table}\n'
    return '\n'.join([head, *map(explain, rules)])


def _files(files: Files) -> list[str]:
    shown = []
    for name, content in files.items():
        if content is None:
            shown.append(f'`{name}` is not there.')
        elif isinstance(content, Mapping):
            shown.append(f'`{name}`\n\n```json\n{json.dumps(content, indent=2, ensure_ascii=False)}\n```')
        else:
            plain = content.decode('latin-1') if isinstance(content, bytes) else content
            plain = plain.replace('\ufeff', '\\ufeff')
            kind = name.rpartition('.')[2]
            shown.append(f'`{name}`\n\n```{kind if kind in ("json", "csv", "yaml") else ""}\n{plain.rstrip()}\n```')
    return shown or ['The example integration as it is.']
