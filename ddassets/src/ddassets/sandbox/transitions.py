"""The event of a notification, with the field names that the v2 search of events was seen to return (B2.3)."""

from datetime import UTC, datetime

from ddassets.sandbox import events
from ddassets.sandbox.mailbox import Mail
from ddassets.sandbox.request import Json
from ddassets.sandbox.store import Change

_WORDS = {'Alert': 'alert', 'Warn': 'warning', 'No Data': 'no data', 'Unknown': 'unknown'}
_STATUSES = {'Alert': ('error', 'error'), 'Warn': ('warn', 'warning'), 'OK': ('success', 'success')}
# That of No Data was not seen.
_STATUS = ('error', 'error')


def add_event(change: Change, mail: Mail, monitor: Json, url: str) -> None:
    """Store the event of a sent notification. Its time is that of the evaluation."""
    status, kind = _STATUSES.get(mail.target, _STATUS)
    tags = ((mail.webhook or {}).get('$TAGS') or '').split(',')
    fields: Json = {
        'title': mail.title,
        'text': (mail.webhook or {}).get('$EVENT_MSG') or mail.text,
        'alert_type': kind,
        'event_type': 'query_alert_monitor',
        'source_type_name': 'Monitor Alert',
        'date_happened': mail.instant,
        'aggregation_key': f'{mail.monitor}:{mail.group}',
        'tags': [tag for tag in tags if tag],
        'attributes': _attributes(mail, monitor, status),
    }
    if host := (mail.webhook or {}).get('$HOSTNAME'):
        fields['host'] = host
    events.add_event(change, fields, datetime.fromtimestamp(mail.instant, UTC), url, str(mail.monitor))


def _attributes(mail: Mail, monitor: Json, status: str) -> Json:
    groups = [] if mail.group == '*' else mail.group.split(',')
    return {
        'timestamp': mail.instant * 1000,
        'title': mail.title,
        'status': status,
        'monitor_id': mail.monitor,
        'monitor_groups': groups,
        'sourcecategory': 'monitor_alert',
        'source_type_name_tag': 'alert',
        'monitor': {
            'id': mail.monitor,
            'name': monitor.get('name', ''),
            'templated_name': mail.title,
            'message': monitor.get('message', ''),
            'query': monitor.get('query', ''),
            'type': monitor.get('type', ''),
            'tags': monitor.get('tags', []),
            'groups': groups,
            'priority': monitor.get('priority'),
            'transition': {
                'source_state': mail.source,
                'destination_state': mail.target,
                'transition_type': transition_type(mail),
            },
            'result': {'result_ts': mail.instant, 'group_key': mail.group},
        },
    }


def transition_type(mail: Mail) -> str:
    """Return the type of a transition; that of Alert to Warn was not seen, and is taken as a warning."""
    if mail.reason == 'renotify':
        return 'renotify'
    if mail.target == 'OK':
        return f'{_WORDS.get(mail.source, "alert")} recovery'
    return _WORDS.get(mail.target, mail.target.lower())
