"""The condition builder under a person's hands: counts while she types, keeps the focus, names what is wrong."""

import re
import time

import pytest
from looking import Look, Site
from playwright.sync_api import Browser, Route, expect

from tags.conditions.compact import pack
from tags.tagging import groups

WHERE = "/console/customers/where"


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def slowly(route: Route) -> None:
    time.sleep(0.6)
    route.continue_()


def field(name: str) -> str:
    return f"[id='{name}']"


def test_a_condition_is_built_counted_and_becomes_the_list(look: Look) -> None:  # T4
    page = look.page
    page.goto("/console/customers")
    page.get_by_role("link", name="按条件筛选").click()
    expect(page.locator("#live")).to_contain_text("有条件还没填好")
    page.locator(field("t.0.kind")).select_option("orders")
    expect(page.locator("#live")).to_contain_text("占全部客户 100.0%")
    page.locator(field("t.0.orders.count.number.0")).fill("3")
    expect(page.locator("#live")).to_contain_text("3 人 · 占全部客户")
    expect(page.locator(".sentence")).to_have_text("读作：近 90 天下过单 ≥ 3 次")
    expect(page.locator(field("t.0")).locator(".hit")).to_have_text("3 人")
    page.get_by_role("button", name="看这些客户").click()
    expect(page).to_have_url(re.compile(r"/console/customers\?where="))
    expect(page.locator("#count")).to_have_text("3 位客户")
    expect(page.locator("#people")).to_contain_text("近 90 天下过单 ≥ 3 次")
    page.locator("#search-q").fill("陈静怡")
    expect(page.locator("#count")).to_have_text("1 位客户")
    page.get_by_role("link", name="改条件").click()
    expect(page.locator(field("t.0.orders.count.number.0"))).to_have_value("3")
    assert look.complaints == []


def test_what_is_typed_keeps_the_focus_and_its_place(look: Look) -> None:  # T4
    page = look.page
    page.goto(f"{WHERE}?where={pack({'all': [{'orders': {'count': {'gte': 1}}}, {'tier': '铂金'}]})}")
    number = page.locator(field("t.0.orders.within_days"))
    number.press_sequentially("30")
    expect(page.locator(".sentence")).to_contain_text("近 30 天")
    expect(number).to_be_focused()
    assert number.evaluate("input => input.selectionStart") == 2
    expect(page.locator(field("t.1.tier.error"))).to_have_text("没有这个等级了")
    expect(page.locator(field("t.1.tier"))).to_have_accessible_description("没有这个等级了")


def test_a_button_pressed_while_typing_is_not_lost(look: Look) -> None:  # T4
    page = look.page
    page.goto(f"{WHERE}?where={pack({'all': [{'balance': {'gte': 500}}]})}")
    page.route("**/customers/where**", slowly)
    page.locator(field("t.0.balance.number.0")).fill("5")
    page.locator(field("t.leaf")).click()
    expect(page.locator(field("t.1.kind"))).to_be_focused()
    expect(page.locator(field("t.0.balance.number.0"))).to_have_value("5")
    page.locator(field("t.1")).get_by_role("button", name="删除条件").click()
    expect(page.locator(field("t.1"))).to_have_count(0)


def test_groups_nest_five_deep_and_read_as_they_stand(look: Look) -> None:  # T4
    page = look.page
    page.goto(f"{WHERE}?where={pack({'all': [{'balance': {'gte': 500}}]})}")
    path = "t"
    for _ in range(4):
        page.locator(field(f"{path}.group")).click()
        path = f"{path}.1"
        page.locator(field(f"{path}.0.kind")).select_option("balance")
    expect(page.locator(field(f"{path}.group"))).to_have_count(0)
    page.locator(field(f"{path}.kind")).select_option("none")
    expect(page.locator(".sentence")).to_contain_text("并非（积分 ≥ 500）")
    assert look.complaints == []


def test_an_enter_in_a_field_counts_and_presses_no_button(look: Look) -> None:  # T4
    page = look.page
    page.goto(f"{WHERE}?where={pack({'all': [{'balance': {'gte': 500}}, {'tier': '普通'}]})}")
    page.locator(field("t.0.balance.number.0")).fill("1")
    page.keyboard.press("Enter")
    expect(page.locator(".sentence")).to_contain_text("积分 ≥ 1")
    expect(page.locator(".cond")).to_have_count(2)


def test_a_long_list_of_tags_is_searched_by_initials(look: Look, site: Site) -> None:  # T4
    with site.installation.transaction("test") as session:
        groups.create_group(session, "口味", "profile", False, [f"风味{n}" for n in range(60)] + ["手冲爱好者"])
    page = look.page
    page.goto(WHERE)
    page.locator(field("t.0.kind")).select_option("tag")
    picker = page.locator(field("t.0.tag"))
    picker.locator("summary").click()
    expect(picker.locator("label")).to_have_count(20)
    picker.get_by_role("searchbox").fill("scahz")
    expect(picker.locator("label")).to_have_count(1)
    picker.get_by_label("手冲爱好者").check()
    expect(page.locator("#live")).to_contain_text("0 人")
    expect(picker.locator("summary")).to_contain_text("手冲爱好者")
    page.locator("h1").click()
    expect(picker.get_by_role("searchbox")).to_be_hidden()
    assert look.findings() == []


def test_the_builder_works_without_script(browser: Browser, site: Site) -> None:  # T4
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", base_url=site.url)
    page = context.new_page()
    page.goto(site.operator("周岚", "owner"))
    page.goto(WHERE)
    page.locator(field("t.0.kind")).select_option("orders")
    page.get_by_role("button", name="重新计算").click()
    expect(page.locator("#live")).to_contain_text("占全部客户 100.0%")
    page.locator(field("t.leaf")).click()
    page.locator(field("t.1.kind")).select_option("balance")
    page.get_by_role("button", name="重新计算").click()
    expect(page.locator(".sentence")).to_contain_text("并且积分 ≥ 500")
    page.get_by_role("button", name="看这些客户").click()
    expect(page).to_have_url(re.compile(r"/console/customers\?where="))
    context.close()
