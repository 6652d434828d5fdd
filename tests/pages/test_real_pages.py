"""What an operator does on the pages of live codes, welcomes and failures reaches people, and stands in the audit."""

import pytest
from looking import Look, Site
from playwright.sync_api import expect
from shop import Shop
from sqlalchemy import select

from bot.operators.models import AuditRow
from bot.wecom.inbox import InboxRow


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def test_a_code_made_in_the_drawer_welcomes_who_scans_it(look: Look, shop: Shop) -> None:  # F1 W1
    page = look.page
    page.goto("/console/live-codes")
    page.get_by_role("link", name="新建活码").click()
    page.locator("#name").fill("秋季市集")
    page.locator("label.pick", has_text="赵磊").click()
    page.locator("label.pick", has_text="冷萃").click()
    page.locator("#text").fill("{客户昵称}，市集见")
    expect(page.locator("#phone .bubble")).to_have_text("陈静怡，市集见")
    expect(page.locator("#phone .ph")).to_have_attribute("title", "{客户昵称}")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("tbody tr", has_text="秋季市集")).to_contain_text("可以扫")
    code = next(one for one in shop.api.get("/live-codes")["data"] if one["name"] == "秋季市集")
    assert (code["staff"], code["skip_verify"]) == (["zhaolei"], True)
    bella = shop.wecom.sim("POST", "scan", qr_code=code["qr_code"], name="Bella")["external_userid"]
    shop.run_jobs()
    assert shop.wecom.texts_to(bella) == ["Bella，市集见"]
    page.reload()
    expect(page.locator("tbody tr", has_text="秋季市集").locator("td.num").nth(1)).to_have_text("1")
    page.get_by_role("link", name="「秋季市集」的二维码").click()
    assert page.locator("#drawer .qr").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert look.complaints == []


def test_what_the_editor_has_no_field_for_survives_a_change(look: Look, shop: Shop) -> None:  # W1
    cards = [{"type": "link", "title": title, "url": "https://shop.example"} for title in ("新豆", "课程")]
    rule = shop.api.post("/welcome-rules", {"name": "两张卡", "text": "你好", "attachments": cards})
    look.page.goto(f"/console/welcome/{rule['id']}")
    expect(look.page.locator("#phone .bubble-card")).to_have_count(2)
    look.page.locator("#text").fill("您好")
    look.page.get_by_role("button", name="保存").click()
    expect(look.page).to_have_url(f"{shop.url}/console/welcome")
    kept = shop.api.get(f"/welcome-rules/{rule['id']}")
    assert kept["text"] == "您好"
    assert [one["title"] for one in kept["attachments"]] == ["新豆", "课程"]


def test_a_word_in_braces_that_nobody_fills_is_refused_under_the_text(look: Look) -> None:  # W1
    look.page.goto("/console/welcome/new")
    look.page.locator("#name").fill("夜里")
    look.page.locator("#text").fill("{昵称}，你好")
    look.page.get_by_role("button", name="保存").click()
    expect(look.page.locator("#text-error")).to_contain_text("没有 {昵称} 这个占位符，可以用 {客户昵称}、")


def test_a_parked_callback_is_retried_and_the_audit_says_by_whom(look: Look, shop: Shop) -> None:  # G5 S2
    look.page.goto("/console/failures")
    row = look.page.locator("tr", has_text="expected a list of followers")
    row.get_by_role("button", name="重试").click()
    expect(look.page.locator(".toast", has_text="正在重试")).to_be_visible()
    expect(row).to_have_count(0)
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        [retried] = session.scalars(select(AuditRow).where(AuditRow.action == "callback.retried"))
        assert retried.actor.startswith("operator:")
        assert session.get_one(InboxRow, int(retried.target)).done_at is not None


def test_what_may_have_arrived_or_is_too_late_offers_no_retry(look: Look) -> None:  # G5
    look.page.goto("/console/failures")
    sent = look.page.locator("section", has_text="发给企业微信")
    expect(sent.locator("tbody tr")).to_have_count(3)
    expect(sent.get_by_role("button", name="重试")).to_have_count(1)
    expect(sent.locator("tr", has_text="发微信客服欢迎")).to_contain_text("可能已送达，不重发")
    expect(sent.locator("tr", has_text="改备注")).to_contain_text("她不是这位成员的客户 (84061)")
    expect(sent.locator("tr", has_text="改备注")).to_contain_text("客户「陈静怡」")


def test_the_audit_names_who_changed_what_also_when_that_is_gone(look: Look, shop: Shop) -> None:  # S2 G4
    page = look.page
    page.goto("/console/welcome/new")
    page.locator("#name").fill("早上")
    page.locator("#text").fill("早")
    page.get_by_role("button", name="保存").click()
    mine = page.locator("tr", has=page.get_by_text("早上", exact=True))
    mine.get_by_role("button", name="停用").click()
    expect(mine).to_contain_text("已停用")
    page.goto("/console/audit")
    rows = page.locator("tbody tr")
    expect(rows.nth(1).locator("td")).to_contain_text(["", "操作员 林晓", "新建 欢迎语「早上」", "启用: 是"])
    changed = ["", "操作员 林晓", "修改 欢迎语「早上」", "启用: 是 → 否"]
    expect(rows.nth(0).locator("td")).to_contain_text(changed)
    rule = next(one for one in shop.api.get("/welcome-rules")["data"] if one["name"] == "早上")
    shop.api.delete(f"/welcome-rules/{rule['id']}")
    page.reload()
    expect(rows.nth(0).locator("td")).to_contain_text(["", "接口 shop", "删除 「早上」", ""])
    assert look.complaints == []
