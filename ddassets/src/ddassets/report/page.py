"""Build the page: a single file with its style, its script, the chart library and the data."""

import base64
import gzip
import hashlib
import html
from importlib.resources import files
from pathlib import Path

from ddassets.diagnostic import UnusableInputError
from ddassets.report.model import Page

NAME = 'index.html'
# One script in parts: each may use what stands in those before it while it loads, and all of them afterwards.
SCRIPTS = (
    *('elements', 'clock', 'points', 'charts', 'widgets', 'address'),
    *('start', 'surveys', 'messages', 'monitors', 'pages'),
)


def render(page: Page) -> str:
    """Return the HTML document. It requests nothing over a network, and its content security policy forbids it."""
    own = files('ddassets.report')
    style = own.joinpath('page.css').read_text(encoding='utf-8')
    script = '\n'.join(own.joinpath('script', f'{name}.js').read_text(encoding='utf-8') for name in SCRIPTS)
    library = _chart_library('uPlot.iife.min.js')
    # The library's own script sets styles at run time, so styles cannot be bound to a hash; scripts are.
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src '{_hash(script)}' '{_hash(library)}'"
    )
    pieces = {
        'policy': html.escape(policy),
        'title': html.escape(f'Rehearsal of {page.integration}'),
        'style': f'{_chart_library("uPlot.min.css")}\n{style}',
        # Stored compressed, for they are nearly all of the page's size.
        'data': _packed(page.document()),
        'charts': _packed(library.encode()),
        'script': script,
    }
    text, *rest = own.joinpath('page.html').read_text(encoding='utf-8').split('{{')
    for part in rest:
        name, _, after = part.partition('}}')
        text += pieces[name] + after
    return text


def write(page: Page, folder: Path) -> Path:
    """Write the page into the folder, which is created if necessary, and return its path."""
    path = folder / NAME
    text = render(page)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise UnusableInputError(f'{path}: cannot be written: {error.strerror}') from error
    return path


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, compresslevel=6, mtime=0)).decode()


def _hash(script: str) -> str:
    return 'sha256-' + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _chart_library(name: str) -> str:
    try:
        return files('ddassets.report').joinpath('library', name).read_text(encoding='utf-8')
    except FileNotFoundError:
        raise UnusableInputError(
            'the chart library is missing from this installation of ddassets; building it needs npm. '
            'In a checkout: uv sync --reinstall-package ddassets'
        ) from None
