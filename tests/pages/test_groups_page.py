"""客户群与社群 and 成员与继承 under a person's hands: a segment group made and changed, customers handed over."""

import re

import pytest
from looking import Look, Site
from playwright.sync_api import Page, expect
from shop import Shop

from tags.people import sync


@pytest.fixture
def logged_in(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def pick(page: Page, name: str, words: str) -> None:
    page.locator(".pick", has_text=words).locator(f"[name={name}]").check()


def test_a_segment_group_is_made_with_routes_in_order_and_a_preview(logged_in: Look, site: Site, shop: Shop) -> None:
    page = logged_in.page
    page.goto(f"{site.url}/console/groups/new")
    page.get_by_label("名称", exact=True).fill("口味群")
    page.get_by_label("她看到的话").fill("{客户昵称}，来一起喝")
    expect(page.locator("#preview .bubble").first).to_contain_text("来一起喝")
    page.locator("#r0_by").select_option(label="标签 兴趣 · 手冲")
    pick(page, "r0_chats", "西湖店手冲一群")
    page.get_by_role("button", name="加一条路线").click()
    page.locator("#r1_by").select_option(label="标签 门店 · 西湖店")
    expect(page.locator("#preview .kv")).to_contain_text("3 人，3 人要请")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".error")).to_contain_text("至少选一个群")
    pick(page, "r1_chats", "滨江店手冲一群")
    page.get_by_role("button", name="路线 2 上移").click()
    expect(page.locator("#r0_by")).to_have_value(re.compile("tag:"))
    page.get_by_role("button", name="保存").click()
    expect(page.locator("h1")).to_contain_text("口味群")
    rows = page.get_by_role("region", name="路线").locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("西湖店")
    expect(rows.nth(1)).to_contain_text("手冲")
    shop.run_jobs()
    page.reload()
    expect(page.locator("#people tbody tr")).to_have_count(3)
    page.locator("#facet-status summary").click()
    page.locator("#facet-status").get_by_label("在群里").check()
    expect(page.locator("#people .empty strong")).to_have_text("没有符合这些条件的人")
    replaced = ("htmx:afterRequest", "htmx:sendAbort")  # a preview that the next key made stale
    assert [
        said for said in logged_in.complaints if "422" not in said and not any(one in said for one in replaced)
    ] == []


def test_who_was_there_before_is_invited_by_a_button(logged_in: Look, site: Site, shop: Shop) -> None:  # T7
    group = shop.api.get("/segment-groups")["data"][0]
    tag = next(one["id"] for one in shop.api.get("/tag-groups")["data"] if one["name"] == "兴趣")
    interests = next(one for one in shop.api.get("/tag-groups")["data"] if one["id"] == tag)
    for her in shop.api.get("/customers")["data"]:
        shop.api.put(f"/customers/{her['id']}/tags/{interests['tags'][0]['id']}")
    chat = group["routes"][0]["chats"][0]
    made = shop.api.post("/segment-groups", {
        "name": "兴趣群", "routes": [{"tag_id": interests["tags"][0]["id"], "chats": [chat]}],
        "invitation": {"text": "来"},
    })  # fmt: skip
    shop.run_jobs()
    page = logged_in.page
    page.goto(f"{site.url}/console/groups/{made['id']}")
    page.get_by_role("button", name=re.compile("^邀请其余")).click()
    page.locator("dialog[open]").get_by_role("button", name="邀请").click()
    expect(page.locator(".toast")).to_contain_text("正在邀请")
    shop.run_jobs()
    assert shop.api.get(f"/segment-groups/{made['id']}/members", status="not_invited")["data"] == []


def test_a_members_customers_are_handed_over_in_a_drawer(logged_in: Look, site: Site, shop: Shop) -> None:  # C5
    sync.members(shop.installation, shop.client, lambda done, total: None)
    page = logged_in.page
    page.goto(f"{site.url}/console/staff")
    page.get_by_role("link", name="转给同事").click()
    drawer = page.locator("#drawer[open]")
    drawer.get_by_role("button", name="提交").click()
    expect(drawer.locator(".error").first).to_contain_text("请选择接替成员")
    drawer.get_by_label("接替成员").select_option(label="赵磊")
    drawer.get_by_label("只转勾选的").check()
    pick(page, "customers", "陈静怡")
    drawer.get_by_role("button", name="提交").click()
    expect(page.locator("#transfers tbody tr")).to_have_count(1)
    expect(page.locator("#transfers tbody tr")).to_contain_text("等企业微信")
    shop.run_jobs()
    page.reload()
    expect(page.locator("#transfers tbody tr")).to_contain_text("等 24 小时")
    assert [said for said in logged_in.complaints if "422" not in said] == []
