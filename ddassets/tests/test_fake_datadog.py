import http.client
import json
import urllib.error
import urllib.request

import pytest
from loopback.organisation import API_KEY, APP_KEY
from loopback.server import FAULTS, WITHOUT_EFFECT

DASHBOARD = {
    'title': 'Load',
    'layout_type': 'ordered',
    'widgets': [{'definition': {'type': 'note', 'content': 'a note'}}],
}


def call(fake, method, path, body=None, *, timeout=1.0, keys=(API_KEY, APP_KEY)):
    request = urllib.request.Request(
        fake.url + path,
        None if body is None else json.dumps(body).encode(),
        {'DD-API-KEY': keys[0], 'DD-APPLICATION-KEY': keys[1], 'Content-Type': 'application/json'},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            content = answer.read()
            return answer.status, json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize('kind', FAULTS)
def test_a_fault_hides_from_the_client_what_became_of_its_request(datadog, kind):
    datadog.inject(1, kind)
    datadog.patience = 0.4
    with pytest.raises((OSError, ValueError, AssertionError, http.client.HTTPException)):
        status, _ = call(datadog, 'POST', '/api/v1/dashboard', DASHBOARD, timeout=0.2)
        assert status == 200
    _, listed = call(datadog, 'GET', '/api/v1/dashboard')
    assert len(listed['dashboards']) == (0 if kind in WITHOUT_EFFECT else 1)
