"""Read a source from a path: read the bytes, parse them, and recognise the form."""

import functools
import importlib
import json
import os
import pkgutil
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ddassets import boundary
from ddassets.assets.composer import YamlError, compose_stream
from ddassets.assets.document import MAX_FILE_SIZE, fault, parse_document, read_text
from ddassets.assets.source_document import Base
from ddassets.assets.yaml_document import YamlDocument, duplicate_keys
from ddassets.boundary import STANDARD_INPUT
from ddassets.diagnostic import Diagnostic, Position, Severity, UnusableInputError
from ddassets.regex import regex
from ddassets.sources import hcl, terraform
from ddassets.sources.likeness import is_of_other_tool, resembles_assets
from ddassets.sources.model import Form, Inventory, SourceAsset

# In a folder: files that may contain assets, and folders with third-party files.
SUFFIXES = ('.json', '.yaml', '.yml', '.tf', '.tfstate')
_SKIPPED = frozenset(('node_modules', '__pycache__', 'vendor', 'rehearsals'))
_TERRAFORM = ('.tf', '.tfstate')
MAX_FILES = 20_000
# In a message.
_MAX_NAMED = 5
# Helm templates. Message templates never look like this.
_HELM = regex(
    r'\{\{-?\s*(?:[("`]|/\*|\$|\.(?:Values|Release|Chart|Capabilities|Files|Template)\b'
    r'|(?:include|template|define|if|else|end|range|with|toYaml|tpl|printf|default|required|quote)\b(?!\.))'
)
_HELM_PIPE = regex(r'\{\{[^{}]*\|\s*(?:quote|indent|nindent|default|toYaml|trim)\b')


@functools.cache
def forms() -> Sequence[Form]:
    """Return the `FORMS` of every module of this package, in the order in which a text is compared with them.

    A module that reads another form needs no registration here.
    """
    package = __name__.rpartition('.')[0]
    names = (found.name for found in pkgutil.iter_modules([os.path.dirname(__file__)]))
    modules = [importlib.import_module(f'{package}.{name}') for name in sorted(names)]
    found = [form for module in modules for form in getattr(module, 'FORMS', ())]
    return sorted(found, key=lambda form: form.precedence)


def read(path: Path) -> Inventory:
    """Read the assets of a file, of standard input (`-`), or of the files of a folder.

    Raises UnusableInputError if a path does not exist or cannot be listed, or if an extra is missing.
    """
    if path == STANDARD_INPUT:
        return _read_standard_input()
    if os.path.isdir(path):
        return _read_folder(path)
    problems: list[Diagnostic] = []
    if kind := _magic(path):
        inventory = Inventory(path, kind[0])
        inventory.refuse(*kind)
        return inventory
    text = read_text(path, problems)
    if text is None:
        raise UnusableInputError(f'{path}: {problems[0].message}')
    inventory = read_text_as(text, path)
    inventory.problems[:0] = problems
    return inventory


def _read_standard_input() -> Inventory:
    content = sys.stdin.buffer.read(MAX_FILE_SIZE + 1)
    if len(content) > MAX_FILE_SIZE:
        raise UnusableInputError(f'standard input: larger than {MAX_FILE_SIZE} bytes')
    try:
        return read_text_as(content.decode('utf-8-sig'), STANDARD_INPUT)
    except UnicodeDecodeError as error:
        raise UnusableInputError(f'standard input is not valid UTF-8: {error.reason} at byte {error.start}') from None


def _magic(path: Path) -> tuple[str, str] | None:
    """Return the kind of a binary file, and an alternative."""
    try:
        boundary.check(path)
        # Opening a pipe would wait for its writer.
        if not os.path.isfile(path):
            return None
        with open(path, 'rb') as file:
            head = file.read(4)
    except (OSError, ValueError):
        return None
    if head == b'PK\x03\x04':
        return 'a binary Terraform plan', f'print it as JSON: `terraform show -json {path.name} > plan.json`'
    if head.startswith(b'\x1f\x8b'):
        return 'a compressed file', 'decompress it first'
    return None


def read_text_as(text: str, path: Path) -> Inventory:
    """Read the assets of a text named `path`. Raises UnusableInputError if an extra is missing."""
    inventory = Inventory(path)
    bases = _parse(text, path, inventory)
    if not bases and text.strip():
        inventory.unparsed, inventory.resembles_assets = True, resembles_assets(text)
    for base in bases:
        form = next((each for each in forms() if each.recognise(base.data)), None)
        if form is not None:
            inventory.form = inventory.form or form.name
            form.read(base, inventory)
    return inventory


def _parse(text: str, path: Path, inventory: Inventory) -> list[Base]:
    if path.suffix == '.tf':
        document = hcl.parse_hcl(path, text, inventory.problems)
        return [document] if document else []
    start = text.lstrip()[:1]
    if path.suffix in ('.json', '.tfstate') or start in ('{', '['):
        problems: list[Diagnostic] = []
        parsed = parse_document(path, text, problems)
        if parsed is not None:
            inventory.problems += problems
            return [parsed]
        if _is_log(text):
            inventory.form = 'log of terraform plan'
            inventory.refuse(
                'the log stream of `terraform plan -json`, which contains no values',
                'save the plan and print it: `terraform plan -out=p.bin && terraform show -json p.bin > plan.json`',
            )
            return []
        if path.suffix in ('.json', '.tfstate') and not _HELM.search(text):
            inventory.problems += problems
            return []
    return _parse_yaml(text, path, inventory)


def _is_log(text: str) -> bool:
    lines = [line for line in text.splitlines()[:2] if line.strip()]
    try:
        return bool(lines) and all('@level' in json.loads(line) for line in lines)
    except (ValueError, TypeError, RecursionError):
        return False


def _parse_yaml(text: str, path: Path, inventory: Inventory) -> list[Base]:
    helm = _HELM.search(text) or _HELM_PIPE.search(text)
    if helm:
        inventory.form = 'Helm template'
        line = text.count('\n', 0, helm.start())
        inventory.refuse(
            'a Helm template, which is not YAML until it is rendered',
            'render it first: `helm template CHART | ddassets lint -`',
            Position(line + 1, helm.start() - text.rfind('\n', 0, helm.start())),
        )
        return []
    if text.startswith(('Terraform will perform', 'Terraform used the selected')) or re.match(
        r'# \S*datadog_\w+\.', text
    ):
        inventory.form = 'text of terraform show'
        inventory.refuse('the text output of `terraform show`', 'print it as JSON: `terraform show -json`')
        return []
    try:
        nodes = compose_stream(text)
    except YamlError as error:
        inventory.problems.append(fault('file/syntax', path, error.position, error.message))
        return []
    for node in nodes:
        for key, position in duplicate_keys(node):
            message = f'the key {key!r} is duplicated in one object; the last value is used'
            inventory.problems.append(fault('file/duplicate-key', path, position, message))
    return [YamlDocument(path, text, node) for node in nodes]


def _read_folder(folder: Path) -> Inventory:
    """Read all recognised files of a folder, at any depth; other files are ignored.

    A file that cannot be parsed is reported if it is meant as assets; the others are counted in one note.
    A Terraform resource in several files is read once: from a plan, else from a state, else from the configuration.
    """
    found = Inventory(folder)
    files = [read(path) for path in _files(folder)]
    # The folders and suffixes of which all readable files are assets.
    pure: dict[tuple[Path, str], bool] = {}
    for part in files:
        if not part.unparsed:
            key = part.path.parent, part.path.suffix
            pure[key] = pure.get(key, True) and bool(part.assets)
    unread = [part for part in files if part.unparsed and not _is_meant(part, pure)]
    if unread:
        names = ', '.join(str(part.path.relative_to(folder)) for part in unread[:_MAX_NAMED])
        more = f' and {len(unread) - _MAX_NAMED} more' if len(unread) > _MAX_NAMED else ''
        subject = '1 file is' if len(unread) == 1 else f'{len(unread)} files are'
        found.report(
            'unread',
            Severity.NOTE,
            f'{subject} not valid JSON or YAML and not read: {names}{more}',
            hint='nothing in the text resembles a monitor, a dashboard or a downtime',
        )
    ignored = set(map(id, unread))
    parts = [
        part
        for part in files
        if id(part) not in ignored and (part.form or part.unparsed or part.path.suffix in _TERRAFORM)
    ]
    taken: set[tuple[Path, str | int]] = set()
    for part in sorted(parts, key=_rank):
        found.form = found.form or part.form
        managed = (each for each in part.assets if each.document.manager == terraform.MANAGER)
        resources = [each for each in managed if each.document.address]
        doubled = {id(each) for each in resources if taken & _identities(each)}
        found.assets += [each for each in part.assets if id(each) not in doubled]
        found.diagnostics += [each for each in part.diagnostics if (part.path.parent, each.object) not in taken]
        found.problems += part.problems
        taken |= {identity for each in resources for identity in _identities(each)}
    if found.problems or any(note.severity is Severity.ERROR for note in found.diagnostics):
        found.form = found.form or 'files with errors'
    return found


def _is_meant(part: Inventory, pure: Mapping[tuple[Path, str], bool]) -> bool:
    """Whether a file that cannot be parsed is meant as assets.

    It is Terraform, its text resembles assets, or it lies in a folder in which all other files of its kind are assets.
    """
    path = part.path
    if path.suffix in _TERRAFORM or part.resembles_assets or part.form not in ('', 'Helm template'):
        return True
    if part.form or is_of_other_tool(path.name):
        return False
    return pure.get((path.parent, path.suffix), False)


def _identities(resource: SourceAsset) -> set[tuple[Path, str | int]]:
    """Return the identities of a resource across files: folder and address, or its place in the configuration."""
    document = resource.document
    folder, address = (document.origin or document.path).parent, document.address
    plain = terraform.INDEX.sub('', address)
    return {(folder, address), (folder, plain), (document.path, document.position().line)}


def _rank(part: Inventory) -> int:
    names = [form.name for form in terraform.FORMS]
    return names.index(part.form) if part.form in names else len(names)


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise UnusableInputError(f'{error.filename}: {error.strerror}') from None

    try:
        boundary.check(folder)
    except OSError as error:
        refuse(error)
    for name, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(each for each in folders if not each.startswith('.') and each not in _SKIPPED)
        found += (Path(name) / each for each in sorted(files) if each.endswith(SUFFIXES) and not each.startswith('.'))
        if len(found) > MAX_FILES:
            raise UnusableInputError(f'{folder}: more than {MAX_FILES:,} files; pass the folder of the monitors')
    return [path for path in found if os.path.isfile(path) and boundary.is_inside(path)]
