"""Every page of the console on a small shop, in both languages, at three widths: nothing sticks out or complains."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from looking import Look, Site, window
from playwright.sync_api import Browser

from tags.conditions.compact import pack

SHOTS = Path(__file__).parents[2] / "shots"  # git-ignored; opened and looked at while working
DEEP = {"all": [
    {"orders": {"category": "咖啡豆", "within_days": 90, "count": {"gte": 2}, "net_fen": {"gte": 10_050}}},
    {"any": [{"tier": "金卡"}, {"balance": {"gte": 500}}, {"all": [
        {"rfm": {"r": [4, 5], "m": [3]}}, {"field": "city", "in": ["杭州", "上海"]},
        {"last_event": "order.paid", "where": {"pieces": 2}},
    ]}]},
    {"none": [{"tag": "1", "for_days": 30}, {"lifecycle": "lapsed"}, {"tag": "999999"}]},
]}  # fmt: skip
PAGES: dict[str, str] = {
    "customers": "/console/customers",
    "no-match": "/console/customers?q=没有这个人",
    **{
        f"her-{tab}": f"/console/customers/{{her}}?tab={tab}"
        for tab in ("timeline", "orders", "points", "groups", "consent")
    },
    "fields": "/console/fields",
    "leads": "/console/leads",
    "lead-share": "/console/leads/share-out",
    "why": "/console/customers/{her}/why?about=welcome",
    "bind": "/console/customers/{her}/bind",
    "tags": "/console/tags",
    "tag-rule": "/console/tags/rules/1",
    "tag-rule-new": "/console/tags/rules/new",
    "live-codes": "/console/live-codes",
    "live-code": "/console/live-codes/1",
    "import": "/console/import",
    "welcome": "/console/welcome",
    "materials": "/console/materials",
    "groups": "/console/groups",
    "group-chats": "/console/groups?view=chats",
    "group": "/console/groups/1",
    "group-edit": "/console/groups/1/edit",
    "staff": "/console/staff",
    "staff-awaiting": "/console/staff?view=awaiting",
    "transfers": "/console/staff?view=transfers",
    "welcome-new": "/console/welcome/new",
    "where": f"/console/customers/where?where={pack(DEEP)}",
    "narrowed": f"/console/customers?where={pack(DEEP['all'][0])}",
    "bulk": "/console/customers/bulk/tag_on/new?whole_filter=1",
    "segments": "/console/segments",
    "segment": "/console/segments/1",
    "segment-new": "/console/segments/new",
    "segment-edit": "/console/segments/1/edit",
    "failures": "/console/failures",
    "audit": "/console/audit",
    "operators": "/console/operators",
    "two-step": "/console/two-step",
    "missing": "/console/nowhere",
}
EMPTY = (
    "customers", "segments", "leads", "fields", "tags", "live-codes", "welcome", "materials", "groups", "staff",
    "failures",
)  # fmt: skip
WIDTHS = (1440, 820, 390)
ALL = os.environ.get("FUGOU_TESTS") == "all"
THEMES = ["light", "dark"] if ALL else ["light"]
LOOKED_INTO = {"zh": (1440,), "en": (390,)}  # the widths at which axe runs; all of them in `make test-all`


@pytest.fixture
def logged_in(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_fit_read_well_and_ask_nobody_else(
    logged_in: Look, site: Site, her: int, language: str, theme: str
) -> None:
    look = logged_in
    choose(look, "简体中文" if language == "zh" else "English")
    look.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for name, path in PAGES.items():
        look.page.goto(site.url + path.format(her=her))
        for width in WIDTHS:
            look.page.set_viewport_size({"width": width, "height": 900})
            assert look.overflow() == 0, f"{name} is too wide at {width}"
            keep(look, f"{name}-{language}-{theme}-{width}")
            if ALL or width in LOOKED_INTO[language]:
                assert look.findings() == [], f"{name} at {width}"
    assert [said for said in look.complaints if "404" not in said] == []  # Chromium reports the page that is missing


def test_a_shop_where_nothing_has_happened_is_told_what_to_do(bare: Look) -> None:
    for path in EMPTY:
        bare.page.goto(f"/console/{path}")
        empty = bare.page.locator(".empty strong")
        assert empty.count() == (2 if path == "tags" else 1), path  # tags at the left, rules at the right
        keep(bare, f"empty-{path}")
        assert bare.findings() == [], path
    assert bare.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_page_is_sound_in_both_themes(bare: Look, theme: str) -> None:
    bare.context.clear_cookies()
    bare.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for width in WIDTHS:
        bare.page.set_viewport_size({"width": width, "height": 800})
        bare.page.goto("/console/login")
        assert bare.overflow() == 0
        keep(bare, f"login-zh-{theme}-{width}")
    assert bare.findings() == []
    assert bare.complaints == []


@pytest.mark.parametrize("theme", THEMES)
def test_components_that_no_page_uses_yet_are_sound(browser: Browser, gallery: Site, theme: str) -> None:
    for look in window(browser, gallery.url):
        look.page.goto(gallery.operator("林晓", "owner"))
        look.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for name in ("", "/6", "/edit"):
            for width in WIDTHS:
                look.page.set_viewport_size({"width": width, "height": 900})
                look.page.goto(f"/console/gallery{name}")
                assert look.overflow() == 0
            assert look.findings() == []
        look.page.set_viewport_size({"width": 1440, "height": 900})
        look.page.goto("/console/gallery")
        look.page.locator("tbody [type=checkbox]").first.check()
        assert look.findings() == []
        assert look.complaints == []


def find(look: Look) -> None:
    look.page.keyboard.press("Control+k")
    look.page.locator("#found a").first.wait_for()


def make_a_live_code(look: Look) -> None:
    look.page.get_by_role("link", name="新建活码").click()
    look.page.locator("#drawer[open]").wait_for()


def scan_a_live_code(look: Look) -> None:
    look.page.get_by_role("link", name=re.compile("的二维码")).first.click()
    look.page.locator("#drawer[open] .qr").wait_for()


def delete_a_live_code(look: Look) -> None:
    look.page.get_by_role("button", name=re.compile("^删除「")).first.click()
    look.page.locator("dialog.confirm[open]").wait_for()


def open_account(look: Look) -> None:
    look.page.locator(".me").click()


@pytest.mark.parametrize("theme", THEMES)
def test_what_opens_over_a_page_is_sound_too(logged_in: Look, site: Site, theme: str) -> None:
    logged_in.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    acts: list[Callable[[Look], None]] = [
        find, make_a_live_code, scan_a_live_code, delete_a_live_code, open_account
    ]  # fmt: skip
    for act in acts:
        for width in (1440, 390):
            logged_in.page.set_viewport_size({"width": width, "height": 900})
            logged_in.page.goto(f"{site.url}/console/live-codes")
            act(logged_in)
            logged_in.page.wait_for_timeout(200)  # the dialog's own motion
            keep(logged_in, f"{act.__name__}-{theme}-{width}")
            assert logged_in.overflow() == 0
            assert logged_in.findings() == [], f"{act.__name__} at {width}"
    assert logged_in.complaints == []


def test_a_page_stays_within_its_weight(look: Look, site: Site) -> None:
    look.page.goto(site.operator("林晓", "owner"), wait_until="networkidle")  # ends on the list of customers
    first, look.bytes_loaded = look.bytes_loaded, 0
    look.page.reload(wait_until="networkidle")
    assert 60_000 < first <= 80_000
    assert 3_000 < look.bytes_loaded <= 8_000


def choose(look: Look, name: str) -> None:
    """Pick a theme or a language in the operator's menu."""
    look.page.locator(".me").click()
    look.page.get_by_role("button", name=name, exact=True).click()
    look.page.wait_for_load_state("networkidle")


def keep(look: Look, name: str) -> None:
    if os.environ.get("FUGOU_SHOTS"):
        look.page.screenshot(path=SHOTS / f"{name}.png")
