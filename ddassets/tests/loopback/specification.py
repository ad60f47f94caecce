"""What the official OpenAPI documents say about a request and its answer.

Requests are held to closed schemas: an object that lists its keys allows no other, though the documents rarely say so.
Answers are held to open ones: the real server adds keys that no document names.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jsonschema_rs

from loopback import source

OPERATIONS = {
    'v1': [
        '/api/v1/dashboard',
        '/api/v1/dashboard/{dashboard_id}',
        '/api/v1/monitor',
        '/api/v1/monitor/validate',
        '/api/v1/monitor/search',
        '/api/v1/monitor/{monitor_id}',
        '/api/v1/monitor/{monitor_id}/validate',
        '/api/v1/slo',
        '/api/v1/slo/{slo_id}',
        '/api/v1/events',
        '/api/v1/graph/snapshot',
        '/api/v1/query',
        '/api/v1/validate',
    ],
    'v2': [
        '/api/v2/downtime',
        '/api/v2/downtime/{downtime_id}',
        '/api/v2/monitor/notification_rule',
        '/api/v2/monitor/notification_rule/{rule_id}',
        '/api/v2/validate_keys',
    ],
}
# What only the sandbox answers: `plan`, `apply` and the like do not ask for it.
INTAKE = {
    'v1': ['/api/v1/series', '/api/v1/check_run', '/api/v1/hosts', '/api/v1/metrics/{metric_name}'],
    'v2': [
        '/api/v2/series',
        '/api/v2/events',
        '/api/v2/events/search',
        '/api/v2/metrics',
        '/api/v2/metrics/{metric_name}/all-tags',
        '/api/v2/query/timeseries',
    ],
}
METHODS = ('get', 'post', 'put', 'patch', 'delete')
# The bulk delete and restore of dashboards are not used.
LEFT_OUT = {('/api/v1/dashboard', 'delete'), ('/api/v1/dashboard', 'patch')}
ASSERTIONS = (
    *('type', 'format', 'enum', 'required', 'pattern', 'uniqueItems'),
    *('minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'),
)


@dataclass(frozen=True)
class Fault:
    """A fault: where (`a.b[0].c`, empty for the whole body) and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f'{self.path}: {self.message}' if self.path else self.message


@dataclass(frozen=True)
class Document:
    """The components that the operations reach, as JSON Schema."""

    components: Mapping[str, Any] = field(repr=False)

    @cached_property
    def closed(self) -> dict[str, Any]:
        return {name: convert(schema, closed=True) for name, schema in self.components.items()}

    @cached_property
    def open(self) -> dict[str, Any]:
        return {name: convert(schema, closed=False) for name, schema in self.components.items()}

    def validator(self, schema: Mapping[str, Any], closed: bool) -> jsonschema_rs.Draft202012Validator:
        whole = {**convert(schema, closed), '$defs': self.closed if closed else self.open}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    definition: Mapping[str, Any] = field(repr=False)
    document: Document = field(repr=False)
    _validators: dict[Any, jsonschema_rs.Draft202012Validator | None] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return str(self.definition['operationId'])

    @cached_property
    def expression(self) -> re.Pattern[str]:
        def group(match: re.Match[str]) -> str:
            schema = next(p['schema'] for p in self.definition['parameters'] if p['name'] == match[1])
            return r'(?P<id>\d+)' if schema['type'] == 'integer' else '(?P<id>[^/]+)'

        return re.compile(re.sub(r'\{(\w+)\}', group, self.path))

    def request_faults(self, query: Mapping[str, Sequence[str]], body: bytes) -> list[Fault]:
        return [*self._query_faults(query), *self._body_faults(body)]

    def answer_faults(self, status: int, body: bytes) -> list[Fault]:
        responses = self.definition['responses']
        if str(status) not in responses:
            return [Fault('', f'status {status} is not among {", ".join(responses)}')]
        validator = self._validator(status, responses[str(status)].get('content'), closed=False)
        return self._content_faults(validator, body)

    def _body_faults(self, body: bytes) -> list[Fault]:
        request = self.definition.get('requestBody')
        return self._content_faults(self._validator('request', request and request['content'], closed=True), body)

    def _validator(self, key: Any, content: Any, closed: bool) -> jsonschema_rs.Draft202012Validator | None:
        if key not in self._validators:
            # Where there are several types, one is JSON.
            kinds = content or {}
            schema = kinds.get('application/json', next(iter(kinds.values()), {})).get('schema')
            self._validators[key] = None if schema is None else self.document.validator(schema, closed)
        return self._validators[key]

    def _content_faults(self, validator: jsonschema_rs.Draft202012Validator | None, body: bytes) -> list[Fault]:
        if validator is None:
            return [Fault('', f'a body of {len(body)} bytes where none is allowed')] if body else []
        try:
            return faults(validator, json.loads(body))
        except ValueError as error:
            return [Fault('', f'not JSON: {error}')]

    def _query_faults(self, query: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
        known = {p['name']: p for p in self.definition.get('parameters', ()) if p['in'] == 'query'}
        for name, values in query.items():
            if name not in known:
                yield Fault(f'?{name}', f'unknown parameter{nearest(name, known)}')
                continue
            schema = known[name]['schema']
            for value in values:
                if not isinstance(_typed(value, schema.get('type')), _TYPES.get(schema.get('type'), object)):
                    yield Fault(f'?{name}', f'{value!r} is no {schema["type"]}')
        for name, parameter in known.items():
            if parameter.get('required') and name not in query:
                yield Fault(f'?{name}', 'the parameter is required')


_TYPES: dict[Any, type] = {'integer': int, 'boolean': bool, 'number': float}


def _typed(value: str, type_name: str | None) -> Any:
    try:
        match type_name:
            case 'integer':
                return int(value)
            case 'number':
                return float(value)
            case 'boolean':
                return {'true': True, 'false': False}.get(value, value)
    except ValueError:
        pass
    return value


class Specification:
    def __init__(self, trimmed: Mapping[str, Any]) -> None:
        self.documents = {version: Document(part['components']) for version, part in trimmed.items()}
        self.operations = [
            Operation(method, path, definition, self.documents[version])
            for version, part in trimmed.items()
            for path, methods in part['paths'].items()
            for method, definition in methods.items()
        ]

    @classmethod
    def load(cls, name: str = 'openapi', operations: Mapping[str, Sequence[str]] = OPERATIONS) -> 'Specification':
        """Return the documents, from the cache or the package index; raises `source.Unreachable`.

        `name` is that of the cache for `operations`.
        """
        members = r'\.generator/schemas/v[12]/openapi\.yaml'
        return cls(source.derived(name, Path(__file__), partial(_trim, operations), members))

    def operation(self, method: str, path: str) -> Operation | None:
        for operation in self.operations:
            if operation.method == method.lower() and operation.expression.fullmatch(path):
                return operation
        return None


def _trim(operations: Mapping[str, Sequence[str]], files: Mapping[str, bytes]) -> dict[str, Any]:
    """Keep only what the operations use, and resolve references except those to schemas."""
    trimmed = {}
    for version, paths in operations.items():
        document = source.load_yaml(files[f'.generator/schemas/{version}/openapi.yaml'])
        components: dict[str, Any] = {}

        def resolve(node: Any, document: Any = document, components: dict[str, Any] = components) -> Any:
            if isinstance(node, list):
                return [resolve(item) for item in node]
            if not isinstance(node, dict):
                return node
            if isinstance(reference := node.get('$ref'), str):
                _, _, kind, name = reference.split('/')
                target = document['components'][kind][name]
                if kind != 'schemas':
                    return resolve(target)
                if name not in components:
                    components[name] = None
                    components[name] = resolve(target)
                return dict(node)
            return {key: resolve(value) for key, value in node.items()}

        kept = {
            path: {
                method: resolve({k: v for k, v in definition.items() if k not in ('security', 'x-given', 'x-undo')})
                for method, definition in document['paths'][path].items()
                if method in METHODS and (path, method) not in LEFT_OUT
            }
            for path in paths
        }
        trimmed[version] = {'paths': kept, 'components': components}
    return trimmed


def convert(schema: Mapping[str, Any], closed: bool) -> dict[str, Any]:
    """OpenAPI 3.0 to JSON Schema 2020-12. `nullable` beside a reference counts, as the authors mean it."""
    result: dict[str, Any] = {key: schema[key] for key in ASSERTIONS if key in schema}
    if 'properties' in schema:
        result['properties'] = {key: convert(value, closed) for key, value in schema['properties'].items()}
    if 'items' in schema:
        result['items'] = convert(schema['items'], closed)
    if 'oneOf' in schema:
        # Open branches overlap, closed ones do not.
        result['oneOf' if closed else 'anyOf'] = [convert(branch, closed) for branch in schema['oneOf']]
    extra = schema.get('additionalProperties')
    if isinstance(extra, dict):
        result['additionalProperties'] = convert(extra, closed)
    elif closed and (extra is False or (extra is None and 'properties' in schema)):
        result['additionalProperties'] = False
    if '$ref' in schema:
        result = {'$ref': '#/$defs/' + schema['$ref'].rpartition('/')[2]}
    if schema.get('nullable'):
        result = {'anyOf': [result, {'type': 'null'}]}
    return result


def faults(validator: jsonschema_rs.Draft202012Validator, body: Any) -> list[Fault]:
    return [fault for error in validator.iter_errors(body) for fault in _explain(error)]


def _explain(error: jsonschema_rs.ValidationError) -> Iterator[Fault]:
    """Return, for a choice between schemas, the faults of the schema that `type`, `data_source` or a similar key
    selects.
    """
    kind = error.kind
    if branches := list(_branches(error)):
        selectors = [selector for branch in branches for selector in _selectors(branch)]
        if all(map(_selectors, branches)) and len({str(one.instance_path) for one in selectors}) == 1:
            # It selects none of them, so what any of them lacks besides is no matter.
            kinds: list[Any] = [one.kind for one in selectors]
            yield _not_allowed(selectors[0], [option for each in kinds for option in each.options])
        else:
            yield from (fault for inner in min(branches, key=_distance) for fault in _explain(inner))
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
        yield _not_allowed(error, kind.options)
    else:
        yield Fault(_path(error), error.message)


def _path(error: jsonschema_rs.ValidationError) -> str:
    return ''.join(f'[{step}]' if isinstance(step, int) else f'.{step}' for step in error.instance_path).lstrip('.')


def _not_allowed(error: jsonschema_rs.ValidationError, options: Sequence[Any]) -> Fault:
    return Fault(_path(error), f'{error.instance!r} is not allowed{nearest(error.instance, options)}')


def _branches(error: jsonschema_rs.ValidationError) -> Iterator[Sequence[jsonschema_rs.ValidationError]]:
    """Return the errors of each schema of a choice, with nested choices flattened."""
    for branch in getattr(error.kind, 'context', None) or ():
        if len(branch) == 1 and (inner := list(_branches(branch[0]))):
            yield from inner
        elif branch:
            yield branch


def _selectors(errors: Sequence[jsonschema_rs.ValidationError]) -> list[jsonschema_rs.ValidationError]:
    """Return the errors which show that the body is meant for another schema."""
    depth = min(len(error.instance_path) for error in errors)
    return [
        error
        for error in errors
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Enum) and len(error.instance_path) <= depth + 1
    ]


def _distance(errors: Sequence[jsonschema_rs.ValidationError]) -> tuple[int, int, int]:
    wrong_type = sum(isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type) for error in errors)
    return len(_selectors(errors)), wrong_type, len(errors)


def nearest(found: Any, allowed: Any) -> str:
    close = difflib.get_close_matches(str(found), [str(value) for value in allowed], n=1)
    return f'; did you mean {close[0]!r}?' if close else ''
