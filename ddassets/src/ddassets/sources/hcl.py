"""Plain Terraform configuration (`.tf`, `.tf.json`). Only literal values are read, no expressions."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ddassets.assets.asset import mapping
from ddassets.assets.document import fault
from ddassets.assets.source import Place
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Diagnostic, Position, Severity
from ddassets.output.terminal import shorten
from ddassets.regex import regex
from ddassets.sources.model import Form, Inventory, Precedence
from ddassets.sources.resource import TYPES, Resource, add_resource
from ddassets.sources.terraform_references import follows, is_followed
from ddassets.sources.terraform_schema import misspelt_type, report_arguments, report_type
from ddassets.sources.values import Withheld

MANAGER = 'Terraform'
_MAX_SHOWN = 40
PLAN = 'read a plan instead: `terraform plan -out=p.bin && terraform show -json p.bin > plan.json`'
_HEREDOC = regex(r'<<(-?)\s*(\w+)\n(.*?)\n?[ \t]*\2[ \t]*$', re.DOTALL)
# `$${` and `%%{` escape Terraform's own templates.
_EXPRESSION = regex(r'(?<!\$)\$\{|(?<!%)%\{')
_JSONENCODE = regex(r'\$\{jsonencode\((.*)\)\}', re.DOTALL)
_REFERENCE = regex(r'\b(?:(?:var|local|each|count|data|module|path|self)\.|datadog_\w+\.)[\w*-]+(?:\.[\w*-]+)*')


@dataclass(frozen=True)
class HclDocument:
    """A parsed `.tf` file. Places refer to the parsed data; positions are searched in the text, line by line."""

    path: Path
    text: str = field(repr=False)
    data: Any = field(repr=False)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split('\n')

    def position(self, place: Place = (), column: int | None = None) -> Position:
        """Return the position of the attribute or the innermost block at `place`; the parser does not record lines."""
        value, found = self.data, Position(1, 1)
        first, names = 0, list(place)
        while names:
            step = names.pop(0)
            if step == 'resource' and len(names) >= 2:
                # A resource block: its labels are the type and the name.
                index = names.pop(0) if isinstance(names[0], int) else None
                labels = [str(names.pop(0)), str(names.pop(0))]
                value = value['resource'] if index is None else value['resource'][index]
                value = value[labels[0]][labels[1]]
                pattern = rf'\s*resource\s+"?{re.escape(labels[0])}"?\s+"?{re.escape(labels[1])}"?'
            else:
                try:
                    value = value[step]
                except (LookupError, TypeError):
                    return found
                if isinstance(step, int):
                    continue
                pattern = rf'\s*"?{re.escape(str(step))}"?\s*(?:[=:]\s*|(?=\{{))'
            repeat = names[0] if names and isinstance(names[0], int) and isinstance(value, list) else 0
            for _ in range(int(repeat) + 1):
                at = self._find(pattern, first)
                if at is None:
                    return found
                found, first = at, at.line
        if column is None or not isinstance(value, str):
            return found
        return self._inside(found, value, column)

    def _find(self, pattern: str, first: int) -> Position | None:
        """Return the position of the value in the first matching line from `first` (counted from 0)."""
        compiled = re.compile(pattern)
        for number in range(first, len(self._lines)):
            if match := compiled.match(self._lines[number]):
                indent = len(match[0]) - len(match[0].lstrip())
                return Position(number + 1, (match.end() if match[0].rstrip()[-1:] in '=:' else indent) + 1)
        return None

    def _inside(self, start: Position, value: str, column: int) -> Position:
        line = self._lines[start.line - 1]
        if line[start.column - 1 : start.column] == '"':
            offset = start.column
            for _ in range(column):
                offset += 2 if line[offset : offset + 1] == '\\' else 1
            return Position(start.line, offset + 1)
        # A heredoc: its lines were dedented, so search for the line.
        shown = _literal(value)
        said = _without_escapes(shown)
        row = said.count('\n', 0, column)
        number = min(start.line + 1 + row, len(self._lines))
        within = column - (said.rfind('\n', 0, column) + 1)
        return Position(number, max(self._lines[number - 1].find(shown.split('\n')[row]), 0) + within + 1)


def parse_hcl(path: Path, text: str, problems: list[Diagnostic]) -> HclDocument | None:
    """Parse a `.tf` file; returns None and adds a problem if it is not HCL."""
    import hcl2

    # The parser is recursive: report a diagnostic for a hostile file before Python's recursion limit.
    try:
        data = hcl2.loads(
            text if text.endswith('\n') else f'{text}\n',
            serialization_options=hcl2.SerializationOptions(
                strip_string_quotes=True, explicit_blocks=False, with_comments=False
            ),
        )
    except RecursionError:
        problems.append(fault('file/syntax', path, Position(1, 1), 'nested too deeply'))
        return None
    except Exception as error:  # noqa: BLE001 - the errors of the parser have no common base class
        line, column = getattr(error, 'line', None), getattr(error, 'column', None)
        position = Position(line, column) if isinstance(line, int) and isinstance(column, int) and line > 0 else None
        problems.append(fault('file/syntax', path, position, f'not HCL: {_described(error)}'))
        return None
    return HclDocument(path, text, data)


_SIGNS = {'RBRACE': '}', 'RPAR': ')', 'RSQB': ']', 'EQ': '=', 'DBLQUOTE': '"'}


def _described(error: Exception) -> str:
    """Return what the parser found and what is missing, without the names of its tokens."""
    found, expected = getattr(error, 'token', getattr(error, 'char', None)), getattr(error, 'expected', None) or ()
    if not isinstance(found, str):
        return 'the text cannot be parsed'
    ends = getattr(found, 'type', '') == '$END'
    if ends and 'STRING_CHARS' in expected:
        return 'a text in quotes does not end'
    shown = shorten(found.strip().partition('\n')[0].strip(), _MAX_SHOWN)
    what = 'end of the file' if ends else 'end of the line' if not found[:1].strip(' \t\n') else repr(shown)
    missing = [_SIGNS[name] for name in expected] if all(name in _SIGNS for name in expected) else []
    return f'unexpected {what}' + (f'; expected {" or ".join(map(repr, missing))}' if missing else '')


def is_configuration(data: Any) -> bool:
    """Whether this is a `.tf` or a `.tf.json` file: a map of resources by type, or a list of such maps."""
    if not isinstance(data, dict) or 'resource' not in data:
        return False
    resources = data['resource']
    return all(isinstance(each, dict) for each in (resources if isinstance(resources, list) else [resources]))


def read_configuration(base: Base, inventory: Inventory) -> None:
    resources = base.data['resource']
    for index, each in enumerate(resources if isinstance(resources, list) else [resources]):
        top: Place = ('resource', index) if isinstance(resources, list) else ('resource',)
        for type, named in each.items():
            for name, body in mapping(named).items() if type in TYPES or misspelt_type(type) else ():
                bodies = body if isinstance(body, list) else [body]
                for number, inner in enumerate(bodies):
                    place: Place = (*top, type, name, number) if isinstance(body, list) else (*top, type, name)
                    if isinstance(inner, dict):
                        _read_resource(base, inventory, type, name, inner, place)


def _read_resource(base: Base, inventory: Inventory, type: str, name: str, body: dict[str, Any], place: Place) -> None:
    address = f'{type}.{name}'
    written = Resource(type, address, body, base, place, MANAGER)
    report_type(inventory, written)
    report_arguments(inventory, written)
    for repeated in ('count', 'for_each', 'dynamic'):
        if repeated in body:
            inventory.report(
                'withheld',
                Severity.NOTE,
                f'the resource has {repeated}, which is not evaluated, so the resource is not read',
                base.position((*place, repeated)),
                PLAN,
                address,
            )
            return
    values = {key: _followed(value, type, key) for key, value in body.items()}
    add_resource(inventory, Resource(type, address, values, base, place, MANAGER))


def _followed(value: Any, type: str, name: str) -> Any:
    """Return the value of an attribute; an id of another resource that is known by reference stays a reference."""
    if not follows(type, name):
        return _value(value)
    if isinstance(value, list):
        return [_followed(item, type, name) for item in value]
    if isinstance(value, str) and is_followed(text := _literal(value), type, name):
        return _without_escapes(text)
    return _value(value)


def _value(value: Any) -> Any:
    """Return a literal value; an expression becomes `Withheld` with its references."""
    match value:
        case dict():
            if 'dynamic' in value:
                return Withheld(f'a dynamic block; {PLAN}')
            return {key.strip('"'): _value(inner) for key, inner in value.items()}
        case list():
            return [_value(inner) for inner in value]
        case str():
            return _text(value)
    return value


def _text(value: str) -> Any:
    text = _literal(value)
    if encoded := _JSONENCODE.fullmatch(value.strip()):
        return _encoded(encoded[1])
    if match := _EXPRESSION.search(text):
        references = dict.fromkeys(_REFERENCE.findall(text[match.start() :]))
        named = f' of {", ".join(references)}' if references else ''
        return Withheld(f'an expression{named}; {PLAN}')
    return _without_escapes(text)


def _without_escapes(text: str) -> str:
    return text.replace('$${', '${').replace('%%{', '%{')


def _literal(value: str) -> str:
    """Return the content of a quoted text or a heredoc, with expressions unchanged."""
    heredoc = _HEREDOC.match(value.strip('"'))
    if heredoc is None:
        return _unescaped(value)
    text = heredoc[3] + '\n'
    return textwrap.dedent(text) if heredoc[1] else text


def _encoded(text: str) -> Any:
    """Return the JSON that `jsonencode` produces for a literal."""
    parsed = parse_hcl(Path(), f'value = {text}', [])
    value = _value(parsed.data.get('value')) if parsed else None
    if value is None or any(isinstance(each, Withheld) for each in _leaves(value)):
        return Withheld(f'an expression; {PLAN}')
    return json.dumps(value)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    else:
        yield value


_ESCAPES = {'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\'}


def _unescaped(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        found = match[1]
        return chr(int(found[1:], 16)) if found[0] in 'uU' else _ESCAPES.get(found, match[0])

    return re.sub(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)', replace, text)


FORMS = (Form('Terraform configuration', is_configuration, read_configuration, Precedence.OBJECT),)
