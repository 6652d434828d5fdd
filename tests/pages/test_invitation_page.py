"""The page behind an invitation's card, as a phone shows it (T7)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import Look
from playwright.sync_api import Browser

from tests.shop import Shop
from tests.stories.test_groups import chat, routes, tags

SHOTS = Path(__file__).parents[2] / "shots"
MOST_BYTES = 30_000  # of an H5 page without pictures (pages.md §1)


@pytest.fixture
def card(shop: Shop) -> str:
    """The address on the card of somebody who has just been welcomed."""
    tag_id = tags(shop, "西湖店")[0]
    group = routes(shop, {"tag_id": tag_id, "chats": [chat(shop)]})
    code = shop.api.post("/live-codes", {
        "name": "桌贴", "staff": ["lily"], "skip_verify": True, "tags": [tag_id], "segment_group_id": group["id"],
    })  # fmt: skip
    anna = shop.wecom.sim("POST", "scan", qr_code=code["qr_code"], name="Anna")["external_userid"]
    shop.run_jobs()
    return next(str(one["link"]["url"]) for one in shop.wecom.inbox(anna) if "link" in one)


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, shop: Shop, request: pytest.FixtureRequest) -> Iterator[Look]:
    context = browser.new_context(viewport={"width": 390, "height": 780}, locale="zh-CN", color_scheme=request.param)
    made = Look(context.new_page(), context)
    made.watch(shop.url)
    yield made
    context.close()


@pytest.mark.parametrize("width", [320, 390, 820])
def test_the_invitation_is_a_code_to_scan_on_any_phone(phone: Look, card: str, width: int) -> None:  # T7
    phone.page.set_viewport_size({"width": width, "height": 780})
    phone.page.goto(card)
    picture = phone.page.get_by_role("img", name="长按二维码，选择「识别图中的二维码」进群")
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert phone.overflow() == 0
    assert phone.findings() == []
    SHOTS.mkdir(exist_ok=True)
    phone.page.screenshot(path=SHOTS / f"invitation-{width}.png")
    assert phone.complaints == []


def test_the_page_is_light(phone: Look, card: str) -> None:
    phone.page.route("**/*.png", lambda route: route.abort())
    phone.page.goto(card)
    assert phone.bytes_loaded < MOST_BYTES
