"""Custom resources of Datadog's operator: DatadogMonitor, DatadogSLO, DatadogDashboard, DatadogGenericResource."""

from collections.abc import Mapping
from typing import Any

from ddassets.assets.asset import mapping
from ddassets.assets.document import fault, parse_document
from ddassets.assets.source import Place, dotted
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.nearest import suggestion
from ddassets.sources.model import BodyBuilder, Form, Inventory, Kind
from ddassets.sources.resource import add_built, add_embedded
from ddassets.sources.terraform_monitor import number

MANAGER = 'Kubernetes'
GROUP = 'datadoghq.com/'
# Fields of `spec.options` and options of the API. The operator has no defaults: it sends the fields that are set.
OPTIONS = {
    'enableLogsSample': 'enable_logs_sample',
    'escalationMessage': 'escalation_message',
    'evaluationDelay': 'evaluation_delay',
    'groupRetentionDuration': 'group_retention_duration',
    'groupbySimpleMonitor': 'groupby_simple_monitor',
    'includeTags': 'include_tags',
    'locked': 'locked',
    'newGroupDelay': 'new_group_delay',
    'noDataTimeframe': 'no_data_timeframe',
    'notificationPresetName': 'notification_preset_name',
    'notifyAudit': 'notify_audit',
    'notifyBy': 'notify_by',
    'notifyNoData': 'notify_no_data',
    'onMissingData': 'on_missing_data',
    'renotifyInterval': 'renotify_interval',
    'renotifyOccurrences': 'renotify_occurrences',
    'renotifyStatuses': 'renotify_statuses',
    'requireFullWindow': 'require_full_window',
    'timeoutH': 'timeout_h',
}
THRESHOLDS = {
    'critical': 'critical',
    'criticalRecovery': 'critical_recovery',
    'ok': 'ok',
    'unknown': 'unknown',
    'warning': 'warning',
    'warningRecovery': 'warning_recovery',
}
WINDOWS = {'recoveryWindow': 'recovery_window', 'triggerWindow': 'trigger_window'}
EVALUATION_WINDOW = {'dayStarts': 'day_starts', 'hourStarts': 'hour_starts', 'monthStarts': 'month_starts'}
RECURRENCE = {'rrule': 'rrule', 'start': 'start', 'timezone': 'timezone'}
_OBJECTS = ('thresholds', 'thresholdWindows', 'schedulingOptions')
_MONITOR = ('name', 'message', 'query', 'type', 'priority', 'tags')
# Fields of the resource that configure the operator, or that it sends only on an update.
_SILENT = ('controllerOptions', 'restrictedRoles')
_GENERIC: dict[str, Kind] = {
    'monitor': 'monitor',
    'dashboard': 'dashboard',
    'downtime': 'downtime',
    'slo': 'slo',
    'monitor_notification_rule': 'notification_rule',
}


def is_resource(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and str(data.get('kind')).startswith('Datadog')
        and str(data.get('apiVersion')).startswith(GROUP)
    )


def is_list(data: Any) -> bool:
    """Whether this is the output of `kubectl get -o json` or `-o yaml` for several resources."""
    items = data.get('items') if isinstance(data, dict) else None
    return isinstance(items, list) and any(map(is_resource, items))


def _read_list(base: Base, inventory: Inventory) -> None:
    for index, item in enumerate(base.data['items']):
        if is_resource(item):
            _Reader(base, inventory, ('items', index), item).read()


def _read(base: Base, inventory: Inventory) -> None:
    _Reader(base, inventory, (), base.data).read()


class _Reader:
    def __init__(self, base: Base, inventory: Inventory, place: Place, data: Mapping[str, Any]) -> None:
        self.base = base
        self.inventory = inventory
        self.data = data
        self.kind = str(data['kind'])
        self.spec = mapping(data.get('spec'))
        self.place: Place = (*place, 'spec')
        metadata = mapping(data.get('metadata'))
        self.address = '/'.join(
            str(each) for each in (self.kind, metadata.get('namespace'), metadata.get('name')) if each
        )

    def read(self) -> None:
        match self.kind:
            case 'DatadogMonitor':
                self._add('monitor', self._monitor())
            case 'DatadogSLO':
                self._add('slo', self._slo())
            case 'DatadogDashboard':
                self._dashboard()
            case 'DatadogGenericResource':
                self._generic()
            case _:
                self.inventory.report(
                    'unread',
                    Severity.NOTE,
                    f'{self.kind} contains no monitor, dashboard, downtime or SLO',
                    self.base.position(self.place),
                    object=self.address,
                )

    def _add(self, kind: Kind, builder: BodyBuilder) -> None:
        add_built(self.inventory, kind, self.base, builder, self.address, MANAGER)

    def _drop(self, place: Place, known: Any, what: str = '') -> None:
        """Report a field that the resource does not define: the cluster silently drops it."""
        name = dotted(place)
        self.inventory.report(
            'ignored-field',
            Severity.WARNING,
            what or f'{name} is not a field of {self.kind}: the cluster drops it, and Datadog uses the default',
            self.base.position((*self.place, *place[1:])),
            suggestion(str(place[-1]), known),
            self.address,
        )

    def _copy(
        self, builder: BodyBuilder, place: Place, target: Place, names: Mapping[str, str], more: Any = ()
    ) -> None:
        """Copy the known fields from an object of the spec to an object of the body, and report others."""
        values = self._at(place)
        for key, value in values.items():
            if key in names and value is not None:
                builder.put((*target, names[key]), value, (*self.place, *place, key))
            elif key not in names and key not in more:
                self._drop(('spec', *place, key), [*names, *more])

    def _at(self, place: Place) -> Mapping[str, Any]:
        value: Any = self.spec
        for step in place:
            value = mapping(value).get(str(step))
        return mapping(value)

    def _monitor(self) -> BodyBuilder:
        builder = BodyBuilder(places={(): self.place})
        names = {name: name for name in _MONITOR}
        self._copy(builder, (), (), names, (*_SILENT, 'options'))
        # The operator sends an absent priority as 0, which means no priority, so it is omitted here.
        if builder.body.get('priority') == 0:
            del builder.body['priority']
        self._tags(builder)
        builder.put(('options',), {}, (*self.place, 'options') if 'options' in self.spec else self.place)
        self._copy(builder, ('options',), ('options',), OPTIONS, _OBJECTS)
        self._thresholds(builder)
        target: Place = ('options', 'threshold_windows')
        self._copy(builder, ('options', 'thresholdWindows'), target, WINDOWS)
        self._scheduling(builder)
        return builder

    def _tags(self, builder: BodyBuilder) -> None:
        tags = builder.body.get('tags')
        found = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
        if mapping(self.spec.get('controllerOptions')).get('disableRequiredTags') is not True:
            # Downtimes and notification rules may match by the tag that the operator adds.
            found.append('generated:kubernetes')
        builder.put(('tags',), sorted(set(found)), (*self.place, 'tags') if 'tags' in self.spec else self.place)

    def _thresholds(self, builder: BodyBuilder) -> None:
        place: Place = ('options', 'thresholds')
        self._copy(builder, place, place, THRESHOLDS)
        found = mapping(mapping(builder.body.get('options')).get('thresholds'))
        for key in list(found):
            value = number(found[key])
            if isinstance(value, str):
                origin = builder.places[(*place, key)][len(self.place) :]
                message = f'{dotted(("spec", *origin))}: {value!r} is not a number: the operator logs and drops it'
                self._drop(('spec', *origin), (), message)
                value = None
            if value is None:
                del builder.body['options']['thresholds'][key]
            else:
                builder.body['options']['thresholds'][key] = value

    def _scheduling(self, builder: BodyBuilder) -> None:
        options: Place = ('options', 'schedulingOptions')
        target: Place = ('options', 'scheduling_options')
        self._copy(builder, options, target, {}, ('evaluationWindow', 'customSchedule'))
        self._copy(builder, (*options, 'evaluationWindow'), (*target, 'evaluation_window'), EVALUATION_WINDOW)
        schedule: Place = (*options, 'customSchedule')
        self._copy(builder, schedule, target, {}, ('recurrence',))
        if recurrence := mapping(self._at(schedule).get('recurrence')):
            at: Place = (*target, 'custom_schedule', 'recurrences')
            found = {RECURRENCE[key]: value for key, value in recurrence.items() if key in RECURRENCE and value}
            builder.put(at, [found], (*self.place, *schedule, 'recurrence'))
            builder.places[(*at, 0)] = (*self.place, *schedule, 'recurrence')

    def _slo(self) -> BodyBuilder:
        builder = BodyBuilder(places={(): self.place})
        more = (
            'monitorIDs',
            'query',
            'timeSlice',
            'timeframe',
            'targetThreshold',
            'warningThreshold',
            'controllerOptions',
        )
        names = {name: name for name in ('name', 'description', 'tags', 'type', 'groups')}
        self._copy(builder, (), (), names, more)
        self._copy(builder, ('query',), ('query',), {'numerator': 'numerator', 'denominator': 'denominator'})
        if 'monitorIDs' in self.spec:
            builder.put(('monitor_ids',), self.spec['monitorIDs'], (*self.place, 'monitorIDs'))
        if part := self._at(('timeSlice',)):
            found = {key: number(part[key]) for key in ('comparator', 'threshold') if key in part}
            if isinstance(part.get('query'), str):
                queries = [{'data_source': 'metrics', 'name': 'query1', 'query': part['query']}]
                found['query'] = {'formulas': [{'formula': 'query1'}], 'queries': queries}
                origin: Place = (*self.place, 'timeSlice', 'query')
                builder.places[('sli_specification', 'time_slice', 'query', 'queries', 0, 'query')] = origin
            builder.put(('sli_specification', 'time_slice'), found, (*self.place, 'timeSlice'))
        threshold: dict[str, Any] = {}
        for key, name in (('timeframe', 'timeframe'), ('targetThreshold', 'target'), ('warningThreshold', 'warning')):
            if self.spec.get(key) is not None:
                threshold[name] = self.spec[key] if key == 'timeframe' else number(self.spec[key])
                builder.places[('thresholds', 0, name)] = (*self.place, key)
        builder.put(('thresholds',), [threshold], None)
        return builder

    def _dashboard(self) -> None:
        builder = BodyBuilder(places={(): self.place})
        names = {
            'title': 'title',
            'layoutType': 'layout_type',
            'description': 'description',
            'reflowType': 'reflow_type',
        }
        names |= {'notifyList': 'notify_list', 'tags': 'tags'}
        more = ('templateVariables', 'templateVariablePresets', 'widgets', 'controllerOptions')
        self._copy(builder, (), (), names, more)
        variables = self.spec.get('templateVariables')
        found = []
        for index, variable in enumerate(variables if isinstance(variables, list) else ()):
            spelt = {'availableValues': 'available_values'}
            found.append({spelt.get(key, key): value for key, value in mapping(variable).items()})
            builder.places[('template_variables', index)] = (*self.place, 'templateVariables', index)
        if found:
            builder.put(('template_variables',), found, (*self.place, 'templateVariables'))
        if presets := self.spec.get('templateVariablePresets'):
            spelt_presets = [
                {
                    'template_variables' if key == 'templateVariables' else key: value
                    for key, value in mapping(each).items()
                }
                for each in (presets if isinstance(presets, list) else ())
            ]
            builder.put(('template_variable_presets',), spelt_presets, (*self.place, 'templateVariablePresets'))
        widgets = self._widgets()
        if widgets is not None:
            builder.put(('widgets',), widgets, (*self.place, 'widgets'))
        self._add('dashboard', builder)

    def _widgets(self) -> Any:
        text = self.spec.get('widgets')
        if not isinstance(text, str):
            return text
        problems: list[Diagnostic] = []
        inner = parse_document(self.base.path, text, problems)
        position = self.base.position((*self.place, 'widgets'))
        for problem in problems:
            message = f'{self.address}: spec.widgets: {problem.message}'
            self.inventory.problems.append(fault(problem.code, self.base.path, position, message))
        return inner.data if inner is not None else None

    def _generic(self) -> None:
        name = str(self.spec.get('type'))
        kind = _GENERIC.get(name)
        text = self.spec.get('jsonSpec')
        position = self.base.position((*self.place, 'type'))
        if kind is None:
            self.inventory.report('unread', Severity.NOTE, f'{name} is not read', position, object=self.address)
        elif isinstance(text, str):
            add_embedded(self.inventory, kind, self.base, (*self.place, 'jsonSpec'), text, self.address, MANAGER)
        else:
            message = f'{self.address}: spec.jsonSpec: expected JSON in a text'
            self.inventory.problems.append(fault('file/shape', self.base.path, position, message))


FORMS = (
    Form('custom resource of the Datadog operator', is_resource, _read),
    Form('list of custom resources', is_list, _read_list),
)
