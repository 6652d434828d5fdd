"""A console on a port of its own with a gallery of pages, and Chromium to look at it."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from consoles import console_app
from looking import Look, Site
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from bot.core.installation import Installation

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


@pytest.fixture
def site(installation: Installation) -> Iterator[Site]:
    server = make_server("127.0.0.1", 0, console_app(installation, "gallery"), threaded=True)
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


@pytest.fixture
def look(browser: Browser, site: Site) -> Iterator[Look]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="zh-CN")
    context.set_default_timeout(10_000)
    made = Look(context.new_page(), context)
    made.watch(site.url)
    yield made
    context.close()
