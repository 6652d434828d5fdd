"""The pages customers and members open on a phone: binding her orders, adding a lead (C7, C8)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import Look
from playwright.sync_api import Browser, expect

from handlers.binding import service as binding
from tests.shop import Shop

SHOTS = Path(__file__).parents[2] / "shots"
MOST_BYTES = 30_000  # of an H5 page without pictures (pages.md §1)


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, shop: Shop, request: pytest.FixtureRequest) -> Iterator[Look]:
    context = browser.new_context(viewport={"width": 390, "height": 780}, locale="zh-CN", color_scheme=request.param)
    made = Look(context.new_page(), context)
    made.watch(shop.url)
    yield made
    context.close()


@pytest.fixture
def link(shop: Shop) -> str:
    """The link of a friend whose brand has an SMS service."""
    object.__setattr__(shop.installation, "settings", shop.installation.settings.model_copy(
        update={"sms_url": "http://127.0.0.1:9/sms"}
    ))  # fmt: skip
    shop.api.patch("/settings", {"brand_name": "山野咖啡"})
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        return binding.link(session, int(shop.api.customer(anna)["id"]))


def sound(phone: Look, name: str) -> None:
    """Fits on narrow and wide, says nothing on the console, has no finding; is kept to be looked at."""
    SHOTS.mkdir(exist_ok=True)
    for width in (820, 320, 390):
        phone.page.set_viewport_size({"width": width, "height": 780})
        assert phone.overflow() == 0, width
    assert phone.findings() == []
    phone.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def test_she_binds_her_orders_with_her_thumb(phone: Look, shop: Shop, link: str) -> None:  # C7
    shop.api.post("/orders", {
        "order_id": "D20261124-1", "customer": {"shop_customer_id": "U1"}, "total_fen": 26_850, "items": [],
        "paid_at": "2026-11-20T00:00:00Z",
    })  # fmt: skip
    phone.page.goto(link)
    assert phone.bytes_loaded < MOST_BYTES
    sound(phone, "bind")
    phone.page.get_by_label("下单时填的手机号").fill("123")
    phone.page.get_by_role("button", name="发送验证码").click()
    expect(phone.page.locator("#phone-error")).to_be_visible()
    sound(phone, "bind-wrong")
    phone.page.get_by_label("订单号").fill("D20261124-1")
    phone.page.get_by_label("实付金额（元）").fill("268.5")
    phone.page.get_by_role("button", name="绑定这笔订单").click()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("绑定好了")
    sound(phone, "bind-done")
    phone.page.goto(link)
    phone.page.get_by_label("下单时填的手机号").fill("13800138000")
    phone.page.get_by_role("button", name="发送验证码").click()
    expect(phone.page.get_by_text("验证码发到了 138****8000")).to_be_visible()  # nobody answered: it may have left
    sound(phone, "bind-code")
    assert [said for said in phone.complaints if "422" not in said] == []  # Chromium reports the form that was refused


def test_a_member_sees_whom_to_add_and_says_what_came_of_it(phone: Look, shop: Shop) -> None:  # C8
    customer = shop.api.post("/orders", {
        "order_id": "D1", "customer": {"phone": "13800138000"}, "total_fen": 100, "items": [],
        "paid_at": "2026-11-20T00:00:00Z",
    })["customer_id"]  # fmt: skip
    shop.api.patch(f"/customers/{customer}", {"name": "陈静怡"})
    shop.api.post("/leads/share-out", {"staff": ["lily"]})
    shop.run_jobs()
    message = str(shop.wecom.sim("GET", "inbox?userid=lily")["data"][-1])
    found = re.search(r"http\S+?/h5/lead\?t=[\w.-]+", message)
    assert found
    phone.page.goto(found[0])
    assert phone.bytes_loaded < MOST_BYTES
    sound(phone, "lead")
    phone.page.get_by_role("button", name="没有回应").click()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("记下了：没有回应")
    sound(phone, "lead-done")
    assert phone.complaints == []
