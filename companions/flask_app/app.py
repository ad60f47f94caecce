"""A small web service to trace: routes that succeed, fail or are slow, and logs with trace ids.

Run it as `ddtrace-run python app.py`. It listens on HOST and PORT, by default 127.0.0.1 and 5050.
Exit codes: 0 stopped by a signal, 2 the address cannot be used.
"""

import errno
import logging
import os
import signal
import sys
import time
from typing import NoReturn

import waitress
from ddtrace.trace import Span, TraceFilter, tracer
from flask import Flask, Response, request

# ddtrace adds the dd.* attributes to each record; the defaults are for records without a span.
FORMAT = (
    '%(asctime)s %(levelname)s [%(name)s] '
    '[dd.service=%(dd.service)s dd.env=%(dd.env)s dd.version=%(dd.version)s '
    'dd.trace_id=%(dd.trace_id)s dd.span_id=%(dd.span_id)s] %(message)s'
)
DEFAULTS = {'dd.service': '', 'dd.env': '', 'dd.version': '', 'dd.trace_id': '0', 'dd.span_id': '0'}
THREADS = 8
HEALTH = 'GET /health'
# Duration of the slow route in seconds.
DELAY = 0.8

app = Flask(__name__)
log = logging.getLogger('flask_app')


class DropHealth(TraceFilter):
    """Drop the traces of the health route: frequent probes would outnumber the users' requests."""

    def process_trace(self, trace: list[Span]) -> list[Span] | None:
        return None if any(span.resource == HEALTH for span in trace) else trace


@app.get('/')
def entrypoint() -> str:
    return 'Entrypoint to the Application'


@app.get('/api/apm')
def apm() -> str:
    return 'Getting APM Started'


@app.get('/api/trace')
def trace() -> str:
    return 'Posting Traces'


@app.get('/api/slow')
def slow() -> str:
    """Respond slowly, to appear in the latency percentiles."""
    time.sleep(DELAY)
    return 'Slow Response'


@app.get('/api/error')
def error() -> NoReturn:
    """Raise, to appear as an error: Flask returns 500, and the span has the exception."""
    raise RuntimeError('this route always fails')


@app.get('/health')
def health() -> dict[str, str]:
    return {'status': 'ok'}


@app.after_request
def log_request(response: Response) -> Response:
    # Still inside the span of the request, so the line has its ids. %r keeps a hostile path on one line.
    log.info('%s %r %d', request.method, request.path, response.status_code)
    return response


def refuse(message: str) -> NoReturn:
    """Print in one line why the app cannot start, and exit with code 2."""
    print(f'error: {message}', file=sys.stderr)
    sys.exit(2)


def main() -> None:
    """Listen and serve until a signal."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(FORMAT, defaults=DEFAULTS))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    host, port = os.environ.get('HOST') or '127.0.0.1', os.environ.get('PORT') or '5050'
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        refuse(f'PORT is {port!r}; allowed is a number from 1 to 65535')
    tracer.configure(trace_processors=[DropHealth()])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = waitress.create_server(app, host=host, port=int(port), threads=THREADS)
    except (OSError, ValueError) as error:
        in_use = getattr(error, 'errno', None) == errno.EADDRINUSE
        refuse(
            f'cannot listen on {host}:{port}: '
            + ('the port is in use; set PORT to another one' if in_use else str(error))
        )
    log.info('listening on http://%s:%s', host, port)
    server.run()


if __name__ == '__main__':
    main()
