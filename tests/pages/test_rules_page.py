"""标签与规则 under a person's hands: a rule is built, tried and saved; templates, switching, what is wrong (T3)."""

import os
from pathlib import Path

import pytest
from looking import Look, Site
from playwright.sync_api import expect

SHOTS = Path(__file__).parents[2] / "shots"


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def field(name: str) -> str:
    return f"[id='{name}']"


def keep(look: Look, name: str) -> None:
    if os.environ.get("FUGOU_SHOTS"):
        SHOTS.mkdir(exist_ok=True)
        look.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def test_a_rule_is_built_tried_and_saved_and_reads_as_a_sentence(look: Look) -> None:  # T3
    page = look.page
    page.goto("/console/tags")
    keep(look, "rules-list")
    page.get_by_role("link", name="新建规则").click()
    page.locator(field("name")).fill("大单")
    page.locator(field("when.which")).select_option("order.paid")
    expect(page.locator(field("when.category.0"))).to_be_visible()
    page.locator(field("when.total_fen.sign.0")).select_option("gte")
    page.locator(field("when.total_fen.number.0")).fill("200")
    page.locator(field("if")).get_by_role("button", name="条件", exact=True).click()
    page.locator(field("if.0.kind")).select_option("orders")
    page.locator(field("then.0.which")).select_option("add_tag")
    page.locator(field("then.0.add_tag")).select_option(label="买得多")
    expect(page.locator("#editor .sticky .sentence")).to_have_text(
        "当她下单付款，实付 ≥ 200 元，如果近 90 天下过单 ≥ 1 次，就打上「买得多」。"
    )
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#editor .sticky")).to_contain_text("会命中 3 人")
    keep(look, "rules-editor")
    page.get_by_role("button", name="保存规则").click()
    expect(page.locator(".toast")).to_contain_text("规则已保存")
    expect(page.locator(".c7 tbody tr", has_text="大单").first).to_contain_text("当她下单付款")
    assert look.findings() == []
    assert look.complaints == []


def test_what_is_missing_is_said_at_its_place_and_a_loop_names_its_rules(look: Look) -> None:  # T3
    page = look.page
    page.goto("/console/tags/rules/new")
    page.get_by_role("button", name="保存规则").click()
    expect(page.locator(".banner-bad")).to_contain_text("先选「当」什么发生")
    expect(page.locator(field("name-error"))).to_contain_text("请填写名称")
    assert look.findings() == []
    assert [one for one in look.complaints if "422" not in one] == []


def test_a_template_makes_a_rule_that_is_off_until_it_is_looked_at(bare: Look) -> None:  # T3
    page = bare.page
    page.goto("/console/tags")
    expect(page.locator(".empty strong", has_text="没有规则")).to_be_visible()
    keep(bare, "rules-empty")
    page.get_by_role("button", name="用模板", exact=True).click()
    expect(page.locator("h1")).to_have_text("修改规则")
    expect(page.locator("#editor .sticky .sentence")).to_have_text("当她下单付款，如果下过单 ≥ 2 次，就打上「复购」。")
    keep(bare, "rules-template")
    page.goto("/console/tags")
    row = page.locator("tbody tr", has_text="复购").last
    expect(row).to_contain_text("已停用")
    row.get_by_role("button", name="启用", exact=True).click()
    expect(page.locator("tbody tr", has_text="启用中")).to_contain_text("复购")
    assert bare.complaints == []
