"""Terraform: `terraform show -json` of a plan or a state, and the raw state file of version 4."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ddassets.assets.asset import mapping
from ddassets.assets.source import Place
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Severity
from ddassets.regex import regex
from ddassets.sources import terraform_downtime
from ddassets.sources.model import Form, Inventory
from ddassets.sources.resource import Resource, add_resource
from ddassets.sources.terraform_files import ResourceBlock, TerraformFiles
from ddassets.sources.terraform_references import follows, written
from ddassets.sources.values import Withheld, list_or_empty

MANAGER = 'Terraform'
# Computed if the configuration does not set them: the API's defaults apply.
_COMPUTED = ('id', 'evaluation_delay', 'restricted_roles', 'tags', 'display_timezone', 'effective_tags')
# The primary timeframe of an SLO is that of a threshold; alerts do not use it.
_COMPUTED_OF_SLOS = ('timeframe', 'target_threshold', 'warning_threshold')
# The same for attributes of the blocks of a downtime and of the blocks in them.
_COMPUTED_NESTED = {'one_time_schedule': ('start',), 'recurring_schedule': ('start', 'timezone')}
INDEX = regex(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]')


def is_plan(data: Any) -> bool:
    return isinstance(data, dict) and 'planned_values' in data


def is_state(data: Any) -> bool:
    if not isinstance(data, dict) or is_plan(data) or not isinstance(data.get('format_version'), str):
        return False
    # The keys that the output for an empty state has.
    return 'values' in data or data.keys() <= {'format_version', 'terraform_version', 'checks'}


def is_raw_state(data: Any) -> bool:
    return isinstance(data, dict) and data.get('version') == 4 and 'lineage' in data


def is_old_state(data: Any) -> bool:
    return isinstance(data, dict) and data.get('version') in (1, 2, 3) and isinstance(data.get('modules'), list)


def is_encrypted(data: Any) -> bool:
    return isinstance(data, dict) and 'encrypted_data' in data


@dataclass(frozen=True)
class _Module:
    """The resources of a module: its path from the root, their place, and their configuration."""

    path: tuple[str, ...]
    place: Place
    resources: list[Any]
    written: Mapping[tuple[str, str], Mapping[str, Any]]


def read_plan(base: Base, inventory: Inventory) -> None:
    data = base.data
    if data.get('errored') is True or data.get('complete') is False:
        inventory.report(
            'partial',
            Severity.WARNING,
            'the plan is incomplete: resources or values may be missing',
            base.position(('errored' if data.get('errored') is True else 'complete',)),
        )
    root = mapping(mapping(data.get('planned_values')).get('root_module'))
    configuration = mapping(mapping(data.get('configuration')).get('root_module'))
    changes = {
        str(change.get('address')): mapping(change.get('change'))
        for change in list_or_empty(data.get('resource_changes'))
        if isinstance(change, dict)
    }
    reader = _Reader(base, inventory, changes, TerraformFiles(base.path.parent, configuration))
    reader.read(root, ('planned_values', 'root_module'), configuration)
    reader.finish()


def read_state(base: Base, inventory: Inventory) -> None:
    root = mapping(mapping(base.data.get('values')).get('root_module'))
    _Reader(base, inventory, {}, TerraformFiles(base.path.parent, {})).read(root, ('values', 'root_module'), {})


@dataclass
class _Reader:
    """Reads the resources of a plan or state. `changes` are the changes of a plan by address."""

    base: Base
    inventory: Inventory
    changes: Mapping[Any, Mapping[str, Any]]
    files: TerraformFiles
    assumed: set[str] = field(default_factory=set)

    def read(self, root: Mapping[str, Any], place: Place, configuration: Mapping[str, Any]) -> None:
        for module in _modules(root, place, configuration):
            for index, resource in enumerate(module.resources):
                if isinstance(resource, dict) and resource.get('mode') == 'managed':
                    self._read(resource, (*module.place, 'resources', index), module)

    def _read(self, resource: Mapping[str, Any], place: Place, module: _Module) -> None:
        type, name, address = (str(resource.get(key) or '') for key in ('type', 'name', 'address'))
        if not type.startswith('datadog_'):
            return
        expressions = module.written.get((type, name), {})
        unknown = mapping(self.changes.get(address, {}).get('after_unknown'))
        sensitive = resource.get('sensitive_values')
        values = _overlaid(mapping(resource.get('values')), self._reasons(unknown, expressions, type), sensitive)
        tags = mapping(expressions.get('tags')).get('constant_value')
        block = self.files.block(module.path, type, name, mapping(values))
        if block:
            _follow(values, block, type)
        base, place = (block, ()) if block else (self.base, (*place, 'values'))
        add_resource(self.inventory, Resource(type, address, values, base, place, MANAGER, tags if tags else None))

    def _reasons(self, unknown: Mapping[str, Any], expressions: Mapping[str, Any], type: str) -> dict[str, Any]:
        """Return the unknown values with the reason, without those that the configuration does not set."""
        of_slos = _COMPUTED_OF_SLOS if type == 'datadog_service_level_objective' else ()
        of_downtimes = terraform_downtime.COMPUTED if type == 'datadog_downtime_schedule' else ()
        computed = (*_COMPUTED, *of_slos, *of_downtimes)
        found = {}
        for name, part in unknown.items():
            if name in computed and name not in expressions:
                if part is True and name not in ('id', 'restricted_roles', 'effective_tags', *of_slos):
                    self.assumed.add(name)
                continue
            if type == 'datadog_downtime_schedule' and name in _COMPUTED_NESTED:
                part = self._written(part, expressions.get(name), name)
            found[name] = _with_reason(part, _known_after(expressions.get(name)))
        return found

    def _written(self, unknown: Any, expression: Any, block: str) -> Any:
        """Return the unknown values of a block without the computed ones that the configuration does not set."""
        match unknown, expression:
            case dict(), dict():
                unset = {name for name in _COMPUTED_NESTED[block] if unknown.get(name) is True} - expression.keys()
                self.assumed.update(f'{block}.{name}' for name in unset)
                return {
                    name: self._written(part, expression.get(name), block)
                    for name, part in unknown.items()
                    if name not in unset
                }
            case list(), list() if len(unknown) == len(expression):
                return [self._written(*both, block) for both in zip(unknown, expression, strict=True)]
        return unknown

    def finish(self) -> None:
        if self.assumed:
            names = ', '.join(sorted(self.assumed))
            self.inventory.report(
                'withheld',
                Severity.NOTE,
                f'{names}: not set and known only after apply; read as unset, so the API defaults apply',
            )


def _follow(values: Any, block: ResourceBlock, type: str) -> None:
    """Replace unknown values by the references in the configuration, where these are all followed."""
    for name, value in values.items() if isinstance(values, dict) else ():
        if follows(type, name) and any(isinstance(each, Withheld) for each in (value, *list_or_empty(value))):
            found = written(block.lines, type, name)
            values[name] = value if found is None else found


def _modules(root: Mapping[str, Any], place: Place, configuration: Mapping[str, Any]) -> Iterator[_Module]:
    """Yield the root module and its children at any depth, each with its configuration."""
    pending: list[tuple[Mapping[str, Any], Place, Mapping[str, Any], tuple[str, ...]]] = [
        (root, place, configuration, ())
    ]
    while pending:
        module, place, configuration, path = pending.pop()
        written = {
            (str(each.get('type')), str(each.get('name'))): mapping(each.get('expressions'))
            for each in list_or_empty(configuration.get('resources'))
            if isinstance(each, dict)
        }
        yield _Module(path, place, list_or_empty(module.get('resources')), written)
        calls = mapping(configuration.get('module_calls'))
        for index, child in reversed(list(enumerate(list_or_empty(module.get('child_modules'))))):
            if isinstance(child, dict):
                name = INDEX.sub('', str(child.get('address'))).rpartition('module.')[2]
                inner = mapping(mapping(calls.get(name)).get('module'))
                pending.append((child, (*place, 'child_modules', index), inner, (*path, name)))


def _known_after(expression: Any) -> str:
    references = sorted(set(_references(expression)), key=str)
    # Terraform also lists the parents of a referenced attribute.
    leaves = [
        each
        for each in references
        if not any(other != each and re.match(re.escape(each) + r'[.\[]', other) for other in references)
    ]
    return 'known after apply' + (f' ({", ".join(leaves)})' if leaves else '')


def _references(expression: Any) -> Iterator[str]:
    pending = [expression]
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            references = found.get('references')
            if isinstance(references, list):
                yield from (each for each in references if isinstance(each, str))
            pending += [value for key, value in found.items() if key != 'references']
        elif isinstance(found, list):
            pending += found


def _with_reason(unknown: Any, reason: str) -> Any:
    match unknown:
        case True:
            return Withheld(reason)
        case dict():
            return {key: _with_reason(value, reason) for key, value in unknown.items()}
        case list():
            return [_with_reason(value, reason) for value in unknown]
    return None


def _overlaid(value: Any, unknown: Any, sensitive: Any) -> Any:
    """Return a value with its unknown and sensitive parts replaced by `Withheld`."""
    if isinstance(unknown, Withheld):
        return unknown
    if sensitive is True:
        return Withheld('marked as sensitive')
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict) and unknown):
        value, unknown, sensitive = value or {}, mapping(unknown), mapping(sensitive)
        keys = [*value, *(key for key, part in unknown.items() if key not in value and _holds(part))]
        return {key: _overlaid(value.get(key), unknown.get(key), sensitive.get(key)) for key in keys}
    if isinstance(value, list):
        return [_overlaid(item, _item(unknown, index), _item(sensitive, index)) for index, item in enumerate(value)]
    return value


def _holds(unknown: Any) -> bool:
    """Whether an unknown part contains an unknown value: `[{}]` and `[false]` do not."""
    match unknown:
        case Withheld():
            return True
        case dict():
            return any(map(_holds, unknown.values()))
        case list():
            return any(map(_holds, unknown))
    return False


def _item(value: Any, index: int) -> Any:
    return value[index] if isinstance(value, list) and index < len(value) else None


def read_raw_state(base: Base, inventory: Inventory) -> None:
    files = TerraformFiles(base.path.parent, {})
    for number, resource in enumerate(list_or_empty(base.data.get('resources'))):
        if not isinstance(resource, dict) or resource.get('mode') != 'managed':
            continue
        type = str(resource.get('type'))
        if not type.startswith('datadog_'):
            continue
        for index, instance in enumerate(list_or_empty(resource.get('instances'))):
            if not isinstance(instance, dict) or 'deposed' in instance:
                continue
            place: Place = ('resources', number, 'instances', index, 'attributes')
            sensitive = _sensitive_paths(instance.get('sensitive_attributes'))
            values = _overlaid(mapping(instance.get('attributes')), None, sensitive)
            block = None
            if not resource.get('module'):
                block = files.block((), type, str(resource.get('name')), mapping(values))
            source, place = (block, ()) if block else (base, place)
            add_resource(inventory, Resource(type, _address(resource, instance), values, source, place, MANAGER))


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    key = instance.get('index_key')
    index = '' if key is None else f'[{key}]' if isinstance(key, int) else f'["{key}"]'
    parts = [resource.get('module'), resource.get('type'), resource.get('name')]
    return '.'.join(str(part) for part in parts if part) + index


def _sensitive_paths(paths: Any) -> dict[str, Any]:
    """Return the first steps of the paths that a raw state marks as sensitive. Everything below a marked block is."""
    found: dict[str, Any] = {}
    for path in list_or_empty(paths):
        first = path[0] if isinstance(path, list) and path else None
        if isinstance(first, dict) and isinstance(first.get('value'), str):
            found[first['value']] = True
    return found


def _refuse_old_state(base: Base, inventory: Inventory) -> None:
    inventory.refuse(
        f'a Terraform state of version {base.data["version"]}, written by Terraform before 0.12',
        'upgrade it with a current Terraform, or make a plan: `terraform show -json PLAN > plan.json`',
    )


def _refuse_encrypted(base: Base, inventory: Inventory) -> None:
    inventory.refuse(
        'a state or plan encrypted by OpenTofu',
        'decrypt it with OpenTofu: `tofu show -json > state.json`',
        base.position(('encrypted_data',)),
    )


FORMS = (
    Form('Terraform plan', is_plan, read_plan),
    Form('Terraform state', is_state, read_state),
    Form('Terraform state file', is_raw_state, read_raw_state),
    Form('Terraform state of an old version', is_old_state, _refuse_old_state),
    Form('encrypted OpenTofu state', is_encrypted, _refuse_encrypted),
)
