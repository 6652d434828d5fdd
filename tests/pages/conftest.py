"""A small shop behind its console, the gallery of components on a port of its own, and Chromium to look at them."""

import shutil
from collections.abc import Iterator

import pytest
import seeded
from consoles import console_app
from looking import Look, Site, window
from playwright.sync_api import Browser, sync_playwright
from shop import Shop, listening, served

from bot.core.installation import Installation

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


@pytest.fixture
def her(shop: Shop) -> int:
    """The id of a customer of the shop, which is filled."""
    return seeded.fill(shop)


@pytest.fixture
def site(shop: Shop, her: int) -> Site:
    """The console of a shop in which something happened."""
    return Site(shop.url, shop.installation)


@pytest.fixture
def gallery(installation: Installation) -> Iterator[Site]:
    with listening() as (listener, url), served(console_app(installation, "gallery"), listener):
        yield Site(url, installation)


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
    yield from window(browser, site.url)


@pytest.fixture
def bare(browser: Browser, shop: Shop) -> Iterator[Look]:
    """The owner's window on a shop in which nothing has happened."""
    for made in window(browser, shop.url):
        made.page.goto(Site(shop.url, shop.installation).operator("林晓", "owner"))
        yield made
