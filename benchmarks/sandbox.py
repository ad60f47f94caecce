"""The sandbox: points accepted per second, memory with 10 million points, and the time until the first answer.

Its peer is the same HTTP server that parses the same requests and stores nothing: what the store costs is the ratio.
Requests are like those of an Agent (a point of each series, deflate) or a backfill (several points of each). Every
request is acknowledged after a commit with fsync.
"""

import argparse
import http.client
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

START = 1_800_000_000
STEP = 15


class Peer(BaseHTTPRequestHandler):
    """Parses a request and stores nothing."""

    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(zlib.decompress(self.rfile.read(int(self.headers['Content-Length']))))
        answer = json.dumps({'status': 'ok', 'series': len(body['series'])}).encode()
        self.send_response(202)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def peer() -> None:
    """Serve the peer; print its address."""
    server = ThreadingHTTPServer(('127.0.0.1', 0), Peer)
    print(f'http://127.0.0.1:{server.server_port} DD_API_KEY={"0" * 32} DD_APP_KEY={"0" * 40}\nUntil', flush=True)
    server.serve_forever()


class Process:
    """A server in a process of its own. `seconds`: from the start of the process to the first answer."""

    def __init__(self, command: list[str], keys: tuple[str, str] | None = None) -> None:
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = ''
        assert self.process.stdout
        while 'Until' not in said:
            line = self.process.stdout.readline()
            if not line:
                sys.exit(f'{command}: ended: {said}')
            said += line
        self.address = urlsplit(re.findall(r'http://[\d.:]+', said)[0])
        found = re.search(r'DD_API_KEY=(\w+) DD_APP_KEY=(\w+)', said)
        self.keys = (found[1], found[2]) if found else keys or ('', '')
        if 'sandbox' in command:
            assert self.connect().send('GET', '/api/v1/validate') == 200
        self.seconds = time.perf_counter() - begun

    def connect(self) -> 'Connection':
        return Connection(self)

    def megabytes(self) -> tuple[float, float]:
        """Return the present and the highest resident memory."""
        text = Path(f'/proc/{self.process.pid}/status').read_text()
        now, most = (int(re.findall(rf'{name}:\s+(\d+)', text)[0]) / 1024 for name in ('VmRSS', 'VmHWM'))
        return now, most

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


class Connection:
    def __init__(self, server: Process) -> None:
        self._http = http.client.HTTPConnection(str(server.address.hostname), server.address.port, timeout=60)
        self._headers = {'DD-API-KEY': server.keys[0], 'DD-APPLICATION-KEY': server.keys[1]}

    def send(self, method: str, path: str, body: bytes | None = None, encoding: str = 'identity') -> int:
        self._http.request(method, path, body, {**self._headers, 'Content-Encoding': encoding})
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status >= 300:
            sys.exit(f'{method} {path}: {answer.status} {content!r}')
        return answer.status


def payload(sender: int, series: int, points: int, first: int) -> bytes:
    """Return the body of a request: `points` of each series, compressed."""
    body = {
        'series': [
            {
                'metric': f'bench.metric_{number % 10}',
                'points': [[START + STEP * (first + index), number + index / 7] for index in range(points)],
                'tags': [f'number:{number}', f'sender:{sender}', 'env:bench'],
                'host': f'host-{number % 50}',
                'type': 'gauge',
                'interval': STEP,
            }
            for number in range(series)
        ]
    }
    return zlib.compress(json.dumps(body).encode(), 1)


def rate(server: Process, senders: int, series: int, requests: int, first: int) -> float:
    """Return the points acknowledged per second."""
    bodies = [[payload(sender, series, 1, first + index) for index in range(requests)] for sender in range(senders)]

    def run(sender: int) -> None:
        connection = server.connect()
        for body in bodies[sender]:
            connection.send('POST', '/api/v1/series', body, 'deflate')

    threads = [threading.Thread(target=run, args=(sender,)) for sender in range(senders)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return senders * series * requests / (time.perf_counter() - begun)


def sandbox(folder: Path, keys: tuple[str, str] | None = None) -> Process:
    command = [sys.executable, '-m', 'ddassets', 'sandbox', '--data', str(folder), '--port', '0', '--quiet']
    return Process(command, keys)


def drive(server: Process, instant: int) -> None:
    server.connect().send('PUT', '/sandbox/clock', json.dumps({'now': instant}).encode())


def fill(server: Process, total: int) -> float:
    """Submit `total` points, 10 of each of 1,000 series at a time; return the points per second."""
    connection, sent, begun = server.connect(), 0, time.perf_counter()
    while sent < total:
        first = sent // 1000
        drive(server, START + STEP * (first + 10))
        connection.send('POST', '/api/v1/series', payload(9, 1000, 10, first), 'deflate')
        sent += 10_000
    return total / (time.perf_counter() - begun)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--peer', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--points', type=int, default=10_000_000)
    options = parser.parse_args()
    if options.peer:
        return peer()
    print(f'{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors\n')
    with tempfile.TemporaryDirectory() as scratch:
        started = sandbox(Path(scratch) / 'rates')
        other = Process([sys.executable, __file__, '--peer'])
        drive(started, START)
        print('| senders | points per request | points per second | stores nothing | ratio |\n|---|---|---|---|---|')
        first = 0
        for senders, series, requests in ((1, 1, 200), (4, 1, 200), (1, 100, 50), (4, 100, 50), (4, 1000, 5)):
            pairs = []
            for _ in range(options.rounds):
                drive(started, START + STEP * (first + requests))
                pairs.append([rate(server, senders, series, requests, first) for server in (started, other)])
                first += requests
            ours, theirs = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
            ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
            print(f'| {senders} | {series:,} | {ours:,.0f} | {theirs:,.0f} | {ratio:.2f} |', flush=True)
        started.end()
        other.end()
        folder = Path(scratch) / 'filled'
        started = sandbox(folder)
        keys = started.keys
        empty = started.megabytes()[0]
        speed = fill(started, options.points)
        now, most = started.megabytes()
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        print(
            f'\n{options.points:,} points: {speed:,.0f} per second; memory {now:.0f} MiB, at most {most:.0f} MiB',
            end='',
        )
        print(f' (empty: {empty:.0f} MiB); {size:.0f} MB on the disk')
        started.end()
        walls, processors = [], []
        for _ in range(options.rounds):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = sandbox(folder, keys)
            walls.append(started.seconds)
            started.end()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print(f'start with them: {statistics.median(walls):.2f} s to the first answer, ', end='')
        print(f'{statistics.median(processors):.2f} s of processor time with the end')


if __name__ == '__main__':
    main()
