"""客群 as an operator makes, changes, finds and deletes them (T4)."""

import re

import pytest
from looking import Look, Site
from playwright.sync_api import expect
from racing import waited_for
from shop import Shop

from tags.segments import service


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def field(name: str) -> str:
    return f"[id='{name}']"


def test_a_segment_is_made_counted_and_listed_with_its_words(look: Look, shop: Shop) -> None:  # T4
    page = look.page
    page.goto("/console/segments")
    page.get_by_role("link", name="新建客群").first.click()
    expect(page.locator("#live")).to_have_text("加第一个条件，右边马上显示有多少人。")
    page.locator(field("t.leaf")).click()
    page.locator(field("t.0.kind")).select_option("orders")
    page.locator(field("t.0.orders.count.number.0")).fill("3")
    expect(page.locator("#live")).to_contain_text("3 人 · 占全部客户")
    page.get_by_role("button", name="保存客群").click()
    expect(page.locator("#name-error")).to_have_text("请填写名称")
    page.locator("#name").fill("三单以上")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("三单以上")
    expect(page.locator("#members tbody tr")).to_have_count(3)
    made = next(one for one in shop.api.get("/segments")["data"] if one["name"] == "三单以上")
    assert made["where"] == {"all": [{"orders": {"within_days": 90, "count": {"gte": 3}}}]}
    page.goto("/console/segments")
    row = page.locator("tbody tr", has_text="三单以上")
    expect(row).to_contain_text("近 90 天下过单 ≥ 3 次")
    expect(row).to_contain_text("林晓")
    expect(row.locator("td.num").first).to_have_text("3")
    assert [said for said in look.complaints if "422" not in said] == []  # Chromium reports the refused one


def test_what_uses_a_segment_is_shown_and_keeps_it(look: Look, shop: Shop) -> None:  # T4
    inner = shop.api.post("/segments", {"name": "买过的", "where": {"orders": {}}})
    shop.api.post("/segments", {"name": "买过又有积分的", "where": {"all": [
        {"segment": inner["id"]}, {"balance": {"gte": 1}},
    ]}})  # fmt: skip
    page = look.page
    page.goto("/console/segments")
    used = page.locator("tbody tr", has=page.get_by_role("link", name="买过的", exact=True))
    expect(used).to_contain_text("客群「买过又有积分的」")
    expect(used.get_by_role("button", name="正在用，不能删除：客群「买过又有积分的」")).to_be_disabled()
    free = page.locator("tbody tr", has=page.get_by_role("link", name="买过又有积分的", exact=True))
    free.get_by_role("button", name="删除「买过又有积分的」").click()
    page.locator("dialog[open]").get_by_role("button", name="删除", exact=True).click()
    expect(free).to_have_count(0)
    expect(used.get_by_role("button", name="删除「买过的」")).to_be_enabled()


def test_who_saves_a_moment_later_is_told_that_and_not_that_the_name_is_taken(look: Look, shop: Shop) -> None:  # T4
    made = shop.api.post("/segments", {"name": "老客", "where": {"balance": {"gte": 1}}})
    look.page.goto(f"/console/segments/{made['id']}/edit")
    with shop.installation.transaction("test") as session:
        service.change(session, int(made["id"]), where={"balance": {"gte": 2}})
        look.page.get_by_role("button", name="保存客群").click()
        assert waited_for(session)
    expect(look.page.locator("#segment")).to_contain_text("有人先保存了")


def test_who_saves_second_sees_both_versions_and_chooses(look: Look, shop: Shop) -> None:  # T4
    made = shop.api.post("/segments", {"name": "老客", "where": {"balance": {"gte": 1}}})
    page = look.page
    page.goto(f"/console/segments/{made['id']}/edit")
    shop.api.patch(f"/segments/{made['id']}", {"where": {"balance": {"gte": 5_000_000}}})
    page.locator(field("t.0.balance.number.0")).fill("2")
    page.get_by_role("button", name="保存客群").click()
    expect(page.locator("#segment")).to_contain_text("有人先保存了")
    expect(page.locator(".card", has_text="别人保存的版本")).to_contain_text("积分 ≥ 5,000,000")
    expect(page.locator(field("t.0.balance.number.0"))).to_have_value("2")
    page.get_by_role("button", name="用我的盖过去").click()
    expect(page).to_have_url(f"{shop.url}/console/segments/{made['id']}")
    kept = shop.api.get(f"/segments/{made['id']}")
    assert (kept["where"], kept["version"]) == ({"all": [{"balance": {"gte": 2}}]}, 3)


def test_a_filter_of_the_list_becomes_a_segment_and_a_segment_a_filter(look: Look, shop: Shop) -> None:  # T4
    page = look.page
    page.goto("/console/customers/where")
    page.locator(field("t.0.kind")).select_option("balance")
    page.get_by_role("button", name="存成客群").click()
    expect(page).to_have_url(re.compile("/console/segments/new"))
    page.locator("#name").fill("有积分")
    page.get_by_role("button", name="保存客群").click()
    page.get_by_role("link", name="在客户列表里看").click()
    expect(page.locator("#count")).to_have_text("3 位客户")


def test_her_page_shows_scores_stage_and_segments(look: Look, shop: Shop, her: int) -> None:  # T4 T5 T6
    shop.api.post("/segments", {"name": "买过的", "where": {"orders": {}}})
    page = look.page
    page.goto(f"/console/customers/{her}")
    card = page.locator(".card", has=page.get_by_role("heading", name="RFM", exact=True))
    expect(card.locator(".pips")).to_have_count(3)
    expect(page.locator(".card", has_text="生命周期").locator("[aria-current=step]")).to_have_text("复购")
    expect(page.locator(".card", has_text="所在客群")).to_contain_text("买过的")
