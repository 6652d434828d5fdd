"""A small shop behind its console, the gallery of components on a port of its own, and Chromium to look at them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import seeded
from consoles import console_app
from looking import Look, Site, window
from places import copied, set_up, shop_of
from playwright.sync_api import Browser, sync_playwright
from shop import Shop, listening, served
from sqlalchemy import func, make_url, update

from bot.core.installation import Installation
from bot.core.servers import Servers
from bot.core.settings import Settings
from handlers.livecodes.models import LiveCode

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


class Filled(NamedTuple):
    """A shop in which something happened, put away: a database, its WeCom's file and address, a customer's id."""

    database: str
    corp: Path
    wecom: str
    her: int


@pytest.fixture(scope="session")
def filled(servers: Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Made once a worker: most of a page's test would go into it."""
    corp = tmp_path_factory.mktemp("filled") / "corp.json"
    with copied(servers, template) as database, set_up() as settings:
        with shop_of(servers, database, settings, corp) as made:
            her, wecom = seeded.fill(made), made.wecom.url
        yield Filled(make_url(database).database or "", corp, wecom, her)


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, servers: Servers, template: str, settings: Settings, tmp_path: Path
) -> Iterator[Shop]:
    """A shop of a test's own: a copy of the filled one for who asks for `her` or the `site`, else an empty one."""
    if "her" not in request.fixturenames:
        with copied(servers, template) as database, shop_of(servers, database, settings) as made:
            yield made
        return
    filled: Filled = request.getfixturevalue("filled")
    corp = Path(shutil.copy(filled.corp, tmp_path))
    with copied(servers, filled.database) as database, shop_of(servers, database, settings, corp) as made:
        # WeCom is at another address now, and so are its pictures.
        moved = func.replace(LiveCode.qr_code, filled.wecom, made.wecom.url)
        with made.installation.transaction("test") as session:
            session.execute(update(LiveCode).values(qr_code=moved))
        yield made


@pytest.fixture
def her(shop: Shop, filled: Filled) -> int:
    """The id of a customer of the shop, which is filled."""
    return filled.her


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
