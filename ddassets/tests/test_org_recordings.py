"""Recorded changes of a body by the server, none of which may count as a change. The bodies are those that the real API
accepted, so the canonical forms are checked against the server.
"""

from collections import Counter

import pytest
from loopback.recordings import parsed

from ddassets.org.difference import differences
from ddassets.org.kinds import DASHBOARDS, DOWNTIMES, MONITORS
from ddassets.org.marker import Marker, fingerprint, in_tags, in_text

KINDS = {'Dashboard': DASHBOARDS, 'Monitor': MONITORS, 'Downtime': DOWNTIMES}


@pytest.fixture(scope='module')
def accepted(specification, cassettes):
    """(kind, verb, cassette, body that was sent, body that was answered)."""
    found = []
    for cassette, recordings in cassettes.items():
        for recording in recordings:
            operation = specification.operation(recording.method, recording.path)
            verb, name = (operation.name[:6], operation.name[6:]) if operation else ('', '')
            if verb in ('Create', 'Update') and name in KINDS and recording.status == 200:
                sent, answered = parsed(recording.body), parsed(recording.answer)
                if name == 'Downtime':
                    sent, answered = sent['data']['attributes'], answered['data']['attributes']
                found.append((KINDS[name], verb, cassette, sent, answered))
    return found


def test_keys_added_by_the_server_are_not_changes(accepted):
    counted = Counter()
    for kind, verb, cassette, sent, answered in accepted:
        # What an update leaves out stays as it was: the answer alone tells what that is.
        before = answered if verb == 'Update' else {}
        canonical = kind.canonical(kind.merged(before, sent))
        assert list(differences(canonical, kind.canonical(answered))) == [], cassette
        assert fingerprint(canonical) == fingerprint(kind.canonical(answered)), cassette
        counted[kind.name] += 1
    assert counted == {'dashboard': 135, 'monitor': 28, 'downtime': 6}


def test_canary_a_real_change_is_detected(accepted):
    for kind, _, cassette, _, answered in accepted:
        key = {'dashboard': 'title', 'monitor': 'query', 'downtime': 'scope'}[kind.name]
        changed = {**answered, key: f'{answered[key]} '.replace('e', 'a') + 'x'}
        assert [one.path for one in differences(kind.canonical(answered), kind.canonical(changed))] == [key], cassette


def test_a_marker_survives_the_server_and_is_not_part_of_the_body(accepted):
    for kind, _, cassette, _, answered in accepted:
        marker = Marker('my-metric', 'spool_full', fingerprint(kind.canonical(answered)))
        marked = kind.mark(answered, marker)
        assert kind.canonical(marked) == kind.canonical(answered), cassette
        # Marked anew, the old marker is gone.
        twice = kind.mark(kind.mark(answered, Marker('other', 'other', '0' * 12)), marker)
        assert twice == marked, cassette
        texts = {'dashboard': 'description', 'downtime': 'message'}
        read = in_text(marked[texts[kind.name]]) if kind.name in texts else in_tags(marked['tags'])
        assert read == marker, cassette


def test_our_validation_accepts_the_recorded_bodies(accepted):
    """Our validation accepts all recorded bodies except those that the server no longer accepts."""
    refused = {
        cassette: [str(fault) for fault in kind.faults(sent)]
        for kind, verb, cassette, sent, _ in accepted
        if verb == 'Create' and any(True for _ in kind.faults(sent))
    }
    assert refused == {}
