"""Generate the screenshots of the READMEs and the tile from the pages of my_metric's rehearsals, in the tests'
browser.
"""

import argparse
import base64
import io
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from chromium import Browser
from PIL import Image

from ddassets import assets as bundle
from ddassets import report
from ddassets.agent.scenario_check import simulate
from ddassets.rehearsal import Judgement, read, rehearse

WIDTH = 1200
# Bytes, of a picture in a repository that everybody clones.
LARGEST = 300_000


class Picture(NamedTuple):
    """A part of a rehearsal's page.

    `frame` is its first and last instant on the wall clock, None for the whole; `filters` are those of the inbox;
    `height` is in pixels, None for all of it.
    """

    name: str
    rehearsal: str
    fragment: str
    frame: tuple[str, str] | None = None
    filters: Mapping[str, str] | None = None
    height: int | None = None


ALERTS_SENT = {'state': 'Alert', 'delivery': 'sent'}
PICTURES = (
    Picture('overview', 'working_week', '#/dashboards/0', ('2027-01-08T12:00', '2027-01-08T16:00')),
    Picture('infrastructure_and_apm', 'busy_afternoon', '#/dashboards/1'),
    Picture('monitors', 'working_week', '#/monitors', ('2027-01-08T00:00', '2027-01-09T00:00')),
    Picture('inbox', 'working_week', '#/inbox', filters=ALERTS_SENT, height=880),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('integration', type=Path)
    folder = parser.parse_args().integration
    images = folder / 'images'
    images.mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch:
        names = sorted({picture.rehearsal for picture in PICTURES})
        assets = bundle.read(folder)
        results = {name: rehearse(read(folder / 'rehearsals' / f'{name}.yaml'), assets, simulate) for name in names}
        pages = {
            name: report.write(assets, [Judgement(result)], Path(scratch, name)) for name, result in results.items()
        }
        browser = Browser(Path(scratch, 'profile'))
        try:
            for picture in PICTURES:
                browser.open(pages[picture.rehearsal], picture.fragment)
                if picture.frame:
                    zone = results[picture.rehearsal].zone
                    instants = [datetime.fromisoformat(one).replace(tzinfo=zone).timestamp() for one in picture.frame]
                    browser.run('setFrame(...arguments)', *instants)
                    browser.settle()
                if picture.filters:
                    browser.run('state.filters = arguments[0]; render()', picture.filters)
                path = images / f'{picture.name}.png'
                path.write_bytes(shrunk(taken(browser, picture.height)))
                print(f'{path}: {path.stat().st_size:,} bytes')
                if path.stat().st_size > LARGEST:
                    print(f'{path}: expected at most {LARGEST:,} bytes', file=sys.stderr)
                    return 1
        finally:
            browser.driver.quit()
    return 0


def taken(browser: Browser, height: int | None) -> bytes:
    """Return the page from its top to the end of its main part, or to a given height."""
    browser.resize(WIDTH, height or 900)
    browser.settle()
    bottom = browser.run("return document.querySelector('main').getBoundingClientRect().bottom")
    clip = {'x': 0, 'y': 0, 'width': WIDTH, 'height': height or bottom, 'scale': 1}
    return base64.b64decode(
        str(browser.command('Page.captureScreenshot', format='png', clip=clip, captureBeyondViewport=True)['data'])
    )


def shrunk(png: bytes) -> bytes:
    """Return the picture with at most 256 colours."""
    packed = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert('RGB')
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(packed, 'PNG', optimize=True)
    return packed.getvalue()


if __name__ == '__main__':
    sys.exit(main())
