"""Debian's Chromium, driven by Selenium."""

import json
import shutil
from pathlib import Path


class Browser:
    """Debian's Chromium without a window, and what the tests ask of it."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which('chromium')
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
        """Load a page anew, at its first dashboard, and wait until its script has run and nothing is left to draw."""
        self.driver.get('about:blank')
        self.driver.get_log('browser')
        self.driver.get_log('performance')
        self.driver.get(f'{path.as_uri()}{fragment}')
        self.settle()

    def turn_to(self, fragment: str) -> None:
        """Go to another part of the page that is open."""
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

    def run(self, script: str, *arguments: object) -> object:
        return self.driver.execute_script(script, *arguments)

    def choose(self, label: str) -> None:
        """Press the button of the toolbar with this label."""
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
        """The values that the first chart draws, line by line; or the corners of the shading behind each line."""
        return self.run(
            """const all = document.querySelector('.chart').data;
               const some = all.filter((trace) => (trace.fill === 'toself') === arguments[0]);
               return some.map((trace) => trace.y.filter((value) => value !== null));""",
            shading,
        )

    def numbers(self) -> dict[str, float]:
        """What each query value shows, by its title."""
        return dict(
            self.run(
                """return [...document.querySelectorAll('[data-widget=query_value]')].map((one) =>
                       [one.querySelector('h3').textContent, +one.querySelector('.figure').dataset.value]);"""
            )
        )

    def press(self, key: str, code: int) -> None:
        text = '\r' if key == 'Enter' else ''
        self.command('Input.dispatchKeyEvent', type='keyDown', key=key, code=key, windowsVirtualKeyCode=code, text=text)
        self.command('Input.dispatchKeyEvent', type='keyUp', key=key, code=key, windowsVirtualKeyCode=code)

    def problems(self) -> list[str]:
        return [entry['message'] for entry in self.driver.get_log('browser') if entry['level'] in ('SEVERE', 'WARNING')]

    def requests(self) -> list[str]:
        """Every address asked for since the page was opened, those of the browser's own start page left out."""
        messages = (json.loads(entry['message'])['message'] for entry in self.driver.get_log('performance'))
        asked = [m['params']['request']['url'] for m in messages if m['method'] == 'Network.requestWillBeSent']
        return [url for url in asked if not url.startswith(('chrome:', 'about:'))]
