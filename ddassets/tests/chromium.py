"""Chromium or Chrome, driven by Selenium."""

import json
import shutil
from pathlib import Path
from typing import Any

# Every text that is hard to read on its ground, by WCAG 2.2, level AA: 4.5 to 1, and 3 to 1 for large text.
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const channels = (text) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
};
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
const ground = (one) => {
  const own = channels(getComputedStyle(one).backgroundColor);
  return own[3] === 1 ? own : over(own, one.parentElement ? ground(one.parentElement) : [255, 255, 255]);
};
const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => sum + part * linear(colour[i] / 255), 0);
const found = [];
for (const one of document.body.querySelectorAll('*')) {
  const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!said || !one.getClientRects().length || one.closest('script, :disabled, .skip')) continue;
  const style = getComputedStyle(one);
  const below = ground(one);
  const front = over(channels(one instanceof SVGElement ? style.fill : style.color), below);
  const [high, low] = [light(front), light(below)].sort((a, b) => b - a);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${one.textContent}`);
}
return found;
"""


def executable() -> str | None:
    """The path of the browser to drive: Debian's Chromium, or the Chrome of an Ubuntu machine."""
    return shutil.which('chromium') or shutil.which('google-chrome')


class Browser:
    """A browser without a window, with the queries of the tests."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = executable() or ''
        for flag in (
            'headless=new',
            'no-sandbox',
            'disable-gpu',
            'disable-dev-shm-usage',
            'no-first-run',
            'disable-background-networking',
            'disable-component-update',
            'disable-sync',
            'hide-scrollbars',
            f'user-data-dir={profile}',
        ):
            options.add_argument(f'--{flag}')
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        self.driver = webdriver.Chrome(options, Service(shutil.which('chromedriver')))
        self.driver.set_script_timeout(20)
        self.resize(1400, 900)

    def resize(self, width: int, height: int) -> None:
        size = {'width': width, 'height': height}
        self.command('Emulation.setDeviceMetricsOverride', **size, deviceScaleFactor=1, mobile=False)

    def theme(self, theme: str) -> None:
        self.command('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': theme}])

    def command(self, name: str, **parameters: object) -> dict[str, object]:
        return self.driver.execute_cdp_cmd(name, parameters)

    def open(self, path: Path, fragment: str = '#/dashboards/0') -> None:
        """Load a page at its first dashboard, and wait until its script has run and everything is drawn."""
        self.driver.get('about:blank')
        self.driver.get_log('browser')
        self.driver.get_log('performance')
        self.driver.get(f'{path.as_uri()}{fragment}')
        self.settle()

    def turn_to(self, fragment: str) -> None:
        """Switch to another part of the open page."""
        self.run('location.hash = arguments[0]', fragment)
        self.run('arrive()')
        self.settle()

    def settle(self) -> None:
        """Wait, at most 60 s, until every chart has been drawn."""
        self.driver.execute_async_script("""
            const [done] = arguments;
            const drawn = () => library && !queue.size && [...drawings.values()].every((one) => !one.stale);
            const look = () => (drawn() ? done() : setTimeout(look, 50));
            look();""")

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def choose(self, label: str) -> None:
        """Click the toolbar button with this label."""
        self.run("document.querySelector(`[data-choice='${arguments[0]}']`).click()", label)
        self.settle()

    def set(self, selector: str, value: str) -> None:
        """Choose a value in a select element."""
        self.run(
            """const control = document.querySelector(arguments[0]);
               control.value = arguments[1];
               control.dispatchEvent(new Event('change'));""",
            selector,
            value,
        )
        self.settle()

    def traces(self, shading: bool = False) -> list[list[float]]:
        """Return the values that the first chart draws, line by line; or the edges of the shading behind each line."""
        return self.run(
            """const {lines, chart} = document.querySelector('.chart');
               const values = (i) => chart.data[i + 1].filter((value) => Number.isFinite(value));
               const at = [...lines.keys()].filter((i) => lines[i].role === (arguments[0] ? 'low' : 'value'));
               return at.map((i) => (arguments[0] ? [...values(i), ...values(i + 1)] : values(i)));""",
            shading,
        )

    def widgets(self) -> list[tuple[str, str, str, str, int]]:
        """Title, kind, what it is drawn as, text and drawn points of each widget; none where no pixel has a hue."""
        found = self.run("""
            const hued = ({ctx, bbox: {left, top, width, height}}) => {
                const pixels = ctx.getImageData(left, top, width, height).data;
                for (let i = 0; i < pixels.length; i += 4) {
                    const colour = pixels.subarray(i, i + 3);
                    if (pixels[i + 3] > 128 && Math.max(...colour) - Math.min(...colour) > 40) return true;
                }
                return false;
            };
            const points = ({chart}) => (hued(chart)
                ? chart.data.slice(1).reduce((sum, values) => sum + values.filter(Number.isFinite).length, 0) : 0);
            return [...document.querySelectorAll('[data-widget]')].map((one) => [
                one.querySelector(':scope > h3')?.firstChild.textContent || one.dataset.widget, one.dataset.widget,
                one.dataset.drawnAs, one.textContent,
                [...one.querySelectorAll('.chart')].reduce((sum, box) => sum + points(box), 0)])""")
        return [tuple(one) for one in found]

    def numbers(self) -> dict[str, float]:
        """Return the values of the query value widgets, by title."""
        return dict(
            self.run(
                """return [...document.querySelectorAll('[data-widget=query_value]')].map((one) =>
                       [one.querySelector('h3').textContent, +one.querySelector('.figure').dataset.value]);"""
            )
        )

    def faint(self) -> list[str]:
        """The texts that do not stand out from their ground."""
        return list(self.run(CONTRAST))

    def press(self, key: str, code: int) -> None:
        text = '\r' if key == 'Enter' else ''
        self.command('Input.dispatchKeyEvent', type='keyDown', key=key, code=key, windowsVirtualKeyCode=code, text=text)
        self.command('Input.dispatchKeyEvent', type='keyUp', key=key, code=key, windowsVirtualKeyCode=code)

    def problems(self) -> list[str]:
        return [entry['message'] for entry in self.driver.get_log('browser') if entry['level'] in ('SEVERE', 'WARNING')]

    def requests(self) -> list[str]:
        """Return all requested addresses since the page was opened, without those of the browser's start page."""
        messages = (json.loads(entry['message'])['message'] for entry in self.driver.get_log('performance'))
        asked = [m['params']['request']['url'] for m in messages if m['method'] == 'Network.requestWillBeSent']
        return [url for url in asked if not url.startswith(('chrome:', 'about:'))]
