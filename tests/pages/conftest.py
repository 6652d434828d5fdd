"""A console on a port of its own with a gallery of pages, and Chromium to look at it."""

import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from bot.core import feature
from bot.core.installation import Installation
from bot.operators.accounts import add_operator, one_time_login
from bot.operators.identify import identify
from bot.web import api, console, problems

HERE = Path(__file__).parent
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
PASSWORD = "open sesame 2026"

sys.path.insert(0, str(HERE))


@dataclass
class Site:
    """A served console; `operator` makes an account and returns a one-time login for it."""

    url: str
    installation: Installation

    def operator(self, name: str, role: str) -> str:
        with self.installation.transaction("test") as session:
            add_operator(session, name, role, PASSWORD)
            return f"{self.url}/console/login/{one_time_login(session, name)}"


@pytest.fixture
def app(installation: Installation) -> Flask:
    feature.load(["bot.operators", "gallery"])
    made = api.application("fugou", "0", static_folder=None)
    problems.install(made)
    console.install(made, installation, identify)
    made.debug = False
    return made


@pytest.fixture
def site(app: Flask, installation: Installation) -> Iterator[Site]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", installation)
    server.shutdown()
    thread.join(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; `make setup-browser` installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@dataclass
class Look:
    """A browser window that notes what no page may do: speak on the console, or ask another site."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    bytes_loaded: int = 0

    def watch(self, url: str) -> None:
        self.page.on("console", lambda said: self.complaints.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on(
            "request", lambda asked: None if asked.url.startswith((url, "data:")) else self._off_site(asked.url)
        )
        self.page.on("requestfinished", lambda done: self._weigh(done))

    def _off_site(self, url: str) -> None:
        self.complaints.append(f"off-site: {url}")

    def _weigh(self, done: object) -> None:
        sizes = done.sizes()  # type: ignore[attr-defined]
        self.bytes_loaded += sizes["responseBodySize"]

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def findings(self) -> list[str]:
        """axe's findings, WCAG 2 A and AA."""
        self.page.evaluate((HERE / "vendor" / "axe.min.js").read_text())
        run = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']})"
        found = self.page.evaluate(run)["violations"]
        return [
            f"{each['id']}: {node['html'][:160]} {node['failureSummary']}" for each in found for node in each["nodes"]
        ]


@pytest.fixture
def look(browser: Browser, site: Site) -> Iterator[Look]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="zh-CN")
    context.set_default_timeout(10_000)
    made = Look(context.new_page(), context)
    made.watch(site.url)
    yield made
    context.close()
