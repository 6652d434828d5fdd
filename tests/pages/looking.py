"""What a test of pages looks with: a served console, and a browser window that notes what no page may do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from bot.core.installation import Installation
from bot.operators.accounts import add_operator, one_time_login

HERE = Path(__file__).parent


@dataclass
class Site:
    """A served console."""

    url: str
    installation: Installation

    def operator(self, name: str, role: str) -> str:
        """Open an account without a password, whose hash takes time, and return a one-time login for it."""
        with self.installation.transaction("test") as session:
            add_operator(session, name, role)
            return f"{self.url}/console/login/{one_time_login(session, name)}"


@dataclass
class Look:
    """A browser window that notes what no page may do: speak on the console, or ask another site."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    bytes_loaded: int = 0

    def watch(self, url: str) -> None:
        """Note from now on; `url` is the one site that may be asked."""
        self.page.on("console", lambda said: self.complaints.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda asked: self._check(asked.url, url))
        network = self.context.new_cdp_session(self.page)
        network.send("Network.enable")
        heads: dict[str, float] = {}
        network.on("Network.responseReceived", lambda got: heads.update({got["requestId"]: _head(got)}))
        network.on(
            "Network.loadingFinished", lambda got: self._weigh(got["encodedDataLength"] - heads[got["requestId"]])
        )

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def findings(self) -> list[str]:
        """axe's findings, WCAG 2.1 A and AA."""
        self.page.evaluate((HERE / "vendor" / "axe.min.js").read_text())
        run = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
        found = self.page.evaluate(run)["violations"]
        return [
            f"{each['id']}: {node['html'][:160]} {node['failureSummary']}" for each in found for node in each["nodes"]
        ]

    def _check(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:")):
            self.complaints.append(f"off-site: {asked}")

    def _weigh(self, body: float) -> None:
        self.bytes_loaded += max(0, int(body))  # what comes from the cache has a head and no bytes


def window(browser: Browser, url: str) -> Iterator[Look]:
    """A window on the site at `url`, addresses in it may be paths; closed afterwards."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="zh-CN", base_url=url)
    context.set_default_timeout(10_000)
    made = Look(context.new_page(), context)
    made.watch(url)
    yield made
    context.close()


def _head(got: Any) -> float:
    return float(got["response"]["encodedDataLength"])
