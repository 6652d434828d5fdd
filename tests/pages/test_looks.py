"""Every page of the shell, in both languages and themes, at three widths: nothing sticks out, nothing complains."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from looking import Look, Site

SHOTS = Path(__file__).parents[2] / "shots"  # git-ignored; opened and looked at while working
PAGES: dict[str, str] = {
    "list": "/console/gallery",
    "person": "/console/gallery/6",
    "editor": "/console/gallery/edit",
    "settings": "/console/gallery/failures",
    "missing": "/console/nowhere",
}
WIDTHS = (1440, 820, 390)
THEMES = ["light", "dark"] if os.environ.get("FUGOU_TESTS") == "all" else ["light"]


@pytest.fixture
def logged_in(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


@pytest.mark.parametrize(("language", "theme"), [("zh", "dark"), ("en", "light")])
def test_pages_fit_read_well_and_ask_nobody_else(logged_in: Look, site: Site, language: str, theme: str) -> None:
    look = logged_in
    choose(look, "简体中文" if language == "zh" else "English")
    dark = {"zh": "深色", "en": "Dark"}[language] if theme == "dark" else {"zh": "浅色", "en": "Light"}[language]
    choose(look, dark)
    for name, path in PAGES.items():
        for width in WIDTHS:
            look.page.set_viewport_size({"width": width, "height": 900})
            look.page.goto(site.url + path)
            assert look.overflow() == 0, f"{name} is too wide at {width}"
            keep(look, f"{name}-{language}-{theme}-{width}")
            if width != 820:
                assert look.findings() == [], f"{name} at {width}"
    assert [said for said in look.complaints if "404" not in said] == []  # Chromium reports the page that is missing


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_page_is_sound_in_both_themes(look: Look, site: Site, theme: str) -> None:
    look.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for width in WIDTHS:
        look.page.set_viewport_size({"width": width, "height": 800})
        look.page.goto(f"{site.url}/console/login")
        assert look.overflow() == 0
        keep(look, f"login-zh-{theme}-{width}")
    assert look.findings() == []
    assert look.complaints == []


def open_find(look: Look) -> None:
    look.page.keyboard.press("Control+k")
    look.page.locator("#found a").first.wait_for()


def open_drawer(look: Look) -> None:
    look.page.get_by_role("link", name="新建欢迎语").click()
    look.page.locator("#drawer[open]").wait_for()


def open_confirm(look: Look) -> None:
    look.page.locator("tbody [type=checkbox]").first.check()
    look.page.get_by_role("button", name="打标签").first.click()
    look.page.locator("#sure[open]").wait_for()


def open_account(look: Look) -> None:
    look.page.locator(".me").click()


def open_facet(look: Look) -> None:
    look.page.locator("#facet-tier summary").click()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("act", [open_find, open_drawer, open_confirm, open_account, open_facet])
def test_what_opens_over_a_page_is_sound_too(
    logged_in: Look, site: Site, act: Callable[[Look], None], width: int, theme: str
) -> None:
    logged_in.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    logged_in.page.set_viewport_size({"width": width, "height": 900})
    logged_in.page.goto(f"{site.url}/console/gallery")
    act(logged_in)
    logged_in.page.wait_for_timeout(200)  # the dialog's own motion
    keep(logged_in, f"{act.__name__}-{theme}-{width}")
    assert logged_in.overflow() == 0
    assert logged_in.findings() == []
    assert logged_in.complaints == []


def test_a_page_stays_within_its_weight(look: Look, site: Site) -> None:
    look.page.goto(site.operator("林晓", "owner"), wait_until="networkidle")  # ends on the list
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
