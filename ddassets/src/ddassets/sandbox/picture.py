"""The picture of a snapshot: the graph of a query over the stored points, as a PNG."""

import io
from datetime import UTC, datetime

from ddassets.diagnostic import UnusableInputError
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.syntax import parse_queries
from ddassets.sandbox.queries import evaluate
from ddassets.sandbox.store import Store

_INCHES, _DPI = (6.0, 2.4), 100
# Maximum of lines that the legend names.
_NAMED = 8


def draw(store: Store, query: str, start: int, end: int) -> bytes:
    """Draw a query over [start, end), in seconds. A query that cannot be evaluated is named in an empty graph."""
    # Neither is needed by anything else, and both load slowly.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DPI, layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(_plain(query), fontsize=8, loc='left')
    axes.grid(alpha=0.3)
    axes.set_xlim(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))  # type: ignore[arg-type]
    formatter = ConciseDateFormatter(axes.xaxis.get_major_locator(), tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.tick_params(labelsize=8)
    number, problem = 0, ''
    try:
        for expression in parse_queries(query):
            for tags, times, values in evaluate(store, expression, start, end).lines:
                moments = [datetime.fromtimestamp(time, UTC) for time in times.tolist()]
                label = _plain(','.join(tags) or '*') if number < _NAMED else None
                axes.plot(moments, values, linewidth=1.2, label=label)  # type: ignore[arg-type]
                number += 1
    except (QuerySyntaxError, UnusableInputError) as error:
        problem = str(error)
    if number:
        figure.legend(fontsize=7, loc='outside lower left', ncols=4, frameon=False)
    else:
        text = _plain(problem or 'no points in this time')
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha='center', va='center', fontsize=8, wrap=True)
    out = io.BytesIO()
    figure.savefig(out, format='png')
    return out.getvalue()


def _plain(text: str) -> str:
    """Return text without characters that have no shape, and without the signs of formulas."""
    shown = ''.join(one if one.isprintable() else ' ' for one in text)
    return shown.replace('$', r'\$')[:110]
