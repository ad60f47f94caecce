"""The app under the real tracer, against Datadog's own test agent."""

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
UNIFIED = {'DD_SERVICE': 'flask-app', 'DD_ENV': 'dev', 'DD_VERSION': '1.0.0'}
RUN = 'DD_SERVICE=flask-app DD_ENV=dev DD_VERSION=1.0.0 ddtrace-run python app.py'


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class App:
    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def get(self, path: str) -> tuple[int, bytes]:
        return get(f'http://127.0.0.1:{self.port}{path}')


def environment(agent: int, port: object, **changes: str) -> dict[str, str]:
    return {
        **os.environ,
        'PATH': f'{BIN}{os.pathsep}{os.environ["PATH"]}',
        'DD_TRACE_AGENT_URL': f'http://127.0.0.1:{agent}',
        'DD_INSTRUMENTATION_TELEMETRY_ENABLED': 'false',
        'DD_REMOTE_CONFIGURATION_ENABLED': 'false',
        'PORT': str(port),
        'PYTHONUNBUFFERED': '1',
        **changes,
    }


@pytest.fixture(scope='module')
def agent(tmp_path_factory, free_port, wait_for_port):
    root = tmp_path_factory.mktemp('agent')
    port = free_port()
    command = [BIN / 'ddapm-test-agent', '--port', str(port), '--host', '127.0.0.1', '--snapshot-dir', root]
    command += ['--otlp-http-port', str(free_port()), '--otlp-grpc-port', str(free_port())]
    with open(root / 'log', 'w') as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope='module')
def start(tmp_path_factory, free_port, wait_for_port):
    """Start the README's command in its own process group; the fixture ends every app after the module."""
    started = []

    def run(agent: int, interpreter: Path = Path(sys.executable), **changes: str) -> App:
        app = App(free_port(), tmp_path_factory.mktemp('app') / 'log')
        with open(app.log, 'w') as log:
            process = subprocess.Popen(
                RUN,
                shell=True,
                cwd=FOLDER,
                env=environment(
                    agent, app.port, PATH=f'{interpreter.parent}{os.pathsep}{os.environ["PATH"]}', **changes
                ),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        started.append(process)
        wait_for_port(app.port, process)
        return app

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope='module')
def app(agent, start):
    return start(agent)


def traces(agent: int, count: int) -> list[list[dict]]:
    """Return the traces: wait for at least `count`, then a moment longer for surplus traces."""
    end, found = time.monotonic() + 15, []
    while time.monotonic() < end and len(found) < count:
        time.sleep(0.2)
        found = json.loads(get(f'http://127.0.0.1:{agent}/test/traces')[1])
    time.sleep(1.5)
    return json.loads(get(f'http://127.0.0.1:{agent}/test/traces')[1])


@pytest.fixture
def clean(agent, app):
    traces(agent, 0)
    get(f'http://127.0.0.1:{agent}/test/session/clear')
    return agent


@pytest.mark.parametrize(
    'path, text',
    [
        pytest.param('/', b'Entrypoint to the Application', id='entrypoint'),
        pytest.param('/api/apm', b'Getting APM Started', id='apm'),
        pytest.param('/api/trace', b'Posting Traces', id='trace'),
    ],
)
def test_one_trace_per_request_and_its_log_line(clean, app, path, text):
    assert app.get(path) == (200, text)
    [spans] = traces(clean, 1)
    [root] = [span for span in spans if not span.get('parent_id')]
    assert {span['service'] for span in spans} == {'flask-app'}
    assert (root['name'], root['resource'], root['type']) == ('flask.request', f'GET {path}', 'web')
    assert root['error'] == 0
    expected = {'http.route': path, 'http.status_code': '200', 'env': 'dev', 'version': '1.0.0'}
    assert {key: root['meta'].get(key) for key in expected} == expected

    line = [line for line in app.log.read_text().splitlines() if f"GET '{path}' 200" in line][-1]
    fields = dict(re.findall(r'dd\.(\w+)=(\S+?)(?=[\s\]])', line))
    trace_id = f'{int(root["meta"]["_dd.p.tid"], 16):016x}{root["trace_id"]:016x}'
    assert fields['trace_id'] == trace_id
    assert int(fields['span_id']) in {span['span_id'] for span in spans}
    assert (fields['service'], fields['env'], fields['version']) == ('flask-app', 'dev', '1.0.0')


def test_the_failing_route_is_an_error_of_its_resource(clean, app):
    assert app.get('/api/error')[0] == 500
    [spans] = traces(clean, 1)
    [root] = [span for span in spans if not span.get('parent_id')]
    assert (root['resource'], root['meta']['http.status_code'], root['error']) == ('GET /api/error', '500', 1)
    assert 'this route always fails' in json.dumps(spans)
    assert any("GET '/api/error' 500" in line for line in app.log.read_text().splitlines())


def test_the_slow_route_is_slow_and_not_an_error(clean, app):
    assert app.get('/api/slow') == (200, b'Slow Response')
    [spans] = traces(clean, 1)
    [root] = [span for span in spans if not span.get('parent_id')]
    assert (root['resource'], root['error']) == ('GET /api/slow', 0)
    # In nanoseconds.
    assert root['duration'] >= 0.8e9


def test_unknown_route_is_404_and_not_an_error(clean, app):
    assert app.get('/no/such')[0] == 404
    [spans] = traces(clean, 1)
    [root] = [span for span in spans if not span.get('parent_id')]
    assert (root['resource'], root['meta']['http.status_code'], root['error']) == ('GET 404', '404', 0)
    assert not any(span.get('error') for span in spans)


def test_health_route_makes_no_trace(clean, app):
    assert app.get('/health') == (200, b'{"status":"ok"}\n')
    assert app.get('/')[0] == 200
    [spans] = traces(clean, 1)
    assert spans[0]['resource'] == 'GET /'


class SilentAgent(http.server.BaseHTTPRequestHandler):
    """Answers what the tracer asks at its start, and takes traces without ever answering."""

    got_traces, ended = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        self.send_error(404)

    def do_PUT(self) -> None:
        self.got_traces.set()
        self.ended.wait()

    do_POST = do_PUT

    def log_message(self, *_: object) -> None:
        pass


def test_requests_never_wait_for_an_agent_that_does_not_answer(start):
    """The tracer waits for an hour, so a request that waited for it would not be answered within `get`'s 10 s."""
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), SilentAgent) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            app = start(server.server_port, DD_TRACE_AGENT_TIMEOUT_SECONDS='3600')
            for _ in range(100):
                assert app.get('/')[0] == 200
            assert SilentAgent.got_traces.wait(30)
            for _ in range(100):
                assert app.get('/')[0] == 200
        finally:
            SilentAgent.ended.set()
            server.shutdown()


def test_requests_never_wait_for_an_absent_agent(start, free_port):
    """A request that sent its own trace would leave a failure for each in the log."""
    app = start(free_port())
    for _ in range(100):
        assert app.get('/')[0] == 200
    end = time.monotonic() + 30
    while not (failures := app.log.read_text().count('failed to send')) and time.monotonic() < end:
        time.sleep(0.2)
    assert 0 < failures < 100, app.log.read_text()[-2000:]


def test_every_command_of_the_readme_runs(agent, start, commands, interpreter):
    assert commands('flask_app')[0] == RUN  # `start` runs it.
    app = start(agent, interpreter)
    texts = []
    for line in commands('flask_app')[1:]:
        done = subprocess.run(
            line, shell=True, env=os.environ | {'PORT': str(app.port)}, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        texts.append(done.stdout.strip())
    replies = ['Entrypoint to the Application', 'Getting APM Started', 'Posting Traces', 'Slow Response', '500']
    assert texts == [*replies, '{"status":"ok"}']


def test_listens_on_loopback_by_default(app):
    listening = Path('/proc/net/tcp').read_text()
    assert re.search(rf' 0100007F:{app.port:04X} 00000000:0000 0A ', listening)
    assert not re.search(rf' 00000000:{app.port:04X} 00000000:0000 0A ', listening)


@pytest.mark.parametrize(
    'changes, message',
    [
        pytest.param({}, 'the port is in use', id='in-use'),
        pytest.param({'PORT': 'x'}, "PORT is 'x'", id='word'),
        pytest.param({'PORT': '0'}, "PORT is '0'", id='zero'),
        pytest.param({'PORT': '70000'}, "PORT is '70000'", id='too-high'),
        pytest.param({'HOST': '203.0.113.9'}, 'cannot listen on 203.0.113.9', id='foreign-address'),
        pytest.param({'HOST': 'no.such.invalid'}, 'cannot listen on no.such.invalid', id='unknown-host'),
    ],
)
def test_address_that_cannot_be_used(app, agent, changes, message):
    done = subprocess.run(
        [BIN / 'ddtrace-run', 'python', 'app.py'],
        cwd=FOLDER,
        env=environment(agent, app.port, **changes),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert 'Traceback' not in done.stderr + done.stdout
