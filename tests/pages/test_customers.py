"""客户列表 and 客户 360 as an operator reads them: how many, where from, whose face (C1, C3)."""

import pytest
from looking import Look, Site
from playwright.sync_api import expect
from shop import Shop


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def test_the_count_is_of_what_the_filter_finds(look: Look) -> None:  # C3
    page = look.page
    page.goto("/console/customers")
    expect(page.locator("#count")).to_have_text("8 位客户")
    page.locator("#search-q").fill("陈静怡")
    expect(page.locator("#count")).to_have_text("1 位客户")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto("/console/customers?q=没有这个人")
    expect(page.locator("#count")).to_have_text("0 位客户")


def test_her_source_names_the_code_and_the_member(look: Look, shop: Shop, her: int) -> None:  # C1
    page = look.page
    page.goto("/console/customers?q=陈静怡")
    expect(page.locator("tbody tr")).to_contain_text("渠道活码「西湖店桌贴」 · 王敏")
    page.goto(f"/console/customers/{her}")
    expect(page.locator(".who")).to_contain_text("来自 渠道活码「西湖店桌贴」 · 王敏")
    shop.wecom.add_contact("Anna", staff="linxiao")
    shop.run_jobs()
    page.goto("/console/customers?q=Anna")
    expect(page.locator("tbody tr small").first).to_have_text("搜索手机号 · 林晓")


def test_the_crumbs_say_no_word_twice(look: Look, her: int) -> None:
    page = look.page
    page.locator(".me").click()
    page.get_by_role("button", name="English", exact=True).click()
    page.goto("/console/customers")
    expect(page.locator(".crumbs")).to_have_text("Customers")
    page.goto(f"/console/customers/{her}")
    expect(page.locator(".crumbs")).to_have_text("Customers/陈静怡")


def test_her_face_comes_from_our_own_address_and_her_initial_stands_in_for_it(look: Look, shop: Shop) -> None:  # C3
    code = shop.api.get("/live-codes")["data"][0]["qr_code"].rpartition("/")[2]  # a PNG of WeCom's, as good as a face
    shop.wecom.add_contact("Anna", avatar=f"{shop.wecom.url}/qr/{code}")
    shop.wecom.add_contact("Bella", avatar=f"{shop.wecom.url}/gone.png")
    shop.run_jobs()
    page = look.page
    page.goto("/console/customers")
    face = page.locator("tr", has_text="Anna").locator(".av img")
    assert face.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    path = str(face.get_attribute("src"))
    assert path.startswith("/pictures/")
    expect(page.locator("tr", has_text="Bella").locator(".av")).to_have_text("B")
    page.locator("tr", has_text="Anna").get_by_role("link").click()
    expect(page.locator(".who .av-lg img")).to_have_attribute("src", path)
    assert [said for said in look.complaints if "502" not in said] == []  # Chromium reports the face that is gone


def test_all_whom_the_filter_means_are_tagged_and_the_run_is_undone(look: Look, shop: Shop, her: int) -> None:  # T2 T4
    page = look.page
    page.goto("/console/customers?tier=普通")
    page.locator("tbody [type=checkbox]").first.check()
    expect(page.locator(".bulk b")).to_have_text("已选 1 人")
    whole = page.locator(".bulk").get_by_label("选中符合条件的全部")
    whole.check()
    page.locator(".bulk").get_by_role("button", name="打标签").click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("位客户")
    drawer.get_by_role("button", name="打标签").click()
    expect(page.locator("#tag-error, #bulk .error")).to_be_visible()
    drawer.locator("label.pick").last.click()
    drawer.get_by_role("button", name="打标签").click()
    expect(page.locator("#run")).to_contain_text("排队中", timeout=15_000)
    shop.run_jobs()
    expect(page.locator("#run")).to_contain_text("做完了", timeout=20_000)
    page.reload()
    page.get_by_role("button", name="整批撤销").click()
    confirm = page.locator("dialog.confirm[open]")
    expect(confirm).to_contain_text("位客户回到这次操作以前的样子")
    confirm.get_by_role("button", name="整批撤销").click()
    shop.run_jobs()
    expect(page.locator("#run")).to_contain_text("已撤销", timeout=20_000)
