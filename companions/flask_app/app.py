"""A small web service that is worth tracing: routes that answer, fail and are slow, and logs with their trace's id.

Run it as `ddtrace-run python app.py`. HOST and PORT say where it listens: 127.0.0.1 and 5050 by default.
Exit codes: 0 stopped by a signal, 2 an address that it can't listen on.
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

# ddtrace puts the dd.* attributes on each record; the defaults serve records made outside it.
FORMAT = (
    '%(asctime)s %(levelname)s [%(name)s] '
    '[dd.service=%(dd.service)s dd.env=%(dd.env)s dd.version=%(dd.version)s '
    'dd.trace_id=%(dd.trace_id)s dd.span_id=%(dd.span_id)s] %(message)s'
)
DEFAULTS = {'dd.service': '', 'dd.env': '', 'dd.version': '', 'dd.trace_id': '0', 'dd.span_id': '0'}
THREADS = 8
HEALTH = 'GET /health'
# Seconds that the slow route takes.
DELAY = 0.8

app = Flask(__name__)
log = logging.getLogger('flask_app')


class DropHealth(TraceFilter):
    """Drop the traces of the health route: a probe every few seconds would bury the requests of users."""

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
    """Show up in the latency percentiles."""
    time.sleep(DELAY)
    return 'Slow Response'


@app.get('/api/error')
def error() -> NoReturn:
    """Show up as an error: Flask answers 500, and the span carries the exception."""
    raise RuntimeError('this route always fails')


@app.get('/health')
def health() -> dict[str, str]:
    return {'status': 'ok'}


@app.after_request
def log_request(response: Response) -> Response:
    # Still inside the span of the request, so that the line carries its ids. %r keeps a hostile path on one line.
    log.info('%s %r %d', request.method, request.path, response.status_code)
    return response


def refuse(message: str) -> NoReturn:
    """Say in one line why the app can't start, and leave with exit code 2."""
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
        taken = getattr(error, 'errno', None) == errno.EADDRINUSE
        refuse(f'cannot listen on {host}:{port}: ' + ('the port is taken; PORT names another' if taken else str(error)))
    log.info('listening on http://%s:%s', host, port)
    server.run()


if __name__ == '__main__':
    main()
