"""内容素材 and the editors that take from it: uploaded, looked at, used, deleted (W4 W1)."""

import io

import pytest
from looking import Look, Site
from PIL import Image
from playwright.sync_api import FilePayload, expect
from shop import Shop

MP4 = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + b"\0" * 100


def png(name: str = "秋季海报.png") -> FilePayload:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": made.getvalue()}


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def test_files_are_uploaded_looked_at_and_deleted_where_nothing_uses_them(look: Look, shop: Shop) -> None:  # W4
    page = look.page
    page.goto("/console/materials")
    expect(page.locator(".empty")).to_contain_text("还没有素材")
    film: FilePayload = {"name": "手冲教学.mp4", "mimeType": "video/mp4", "buffer": MP4}
    page.locator("#materials [type=file]").set_input_files([png(), film])
    expect(page.locator("tbody tr")).to_have_count(2)
    row = page.locator("tr", has_text="秋季海报")
    assert row.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    expect(row).to_contain_text("没有用到")
    row.get_by_role("link", name="秋季海报", exact=True).click()
    large = page.locator("#drawer .picture")
    assert large.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    expect(page.locator("#drawer .kv")).to_contain_text("操作员 林晓")
    poster, _ = shop.api.get("/materials")["data"][::-1]
    attachment = {"type": "image", "material_id": poster["id"]}
    shop.api.post("/welcome-rules", {"name": "早上", "text": "早", "attachments": [attachment], "enabled": False})
    page.reload()
    expect(row).to_contain_text("欢迎语「早上」")
    expect(row.get_by_role("button", name="正在用，不能删除「秋季海报」")).to_be_disabled()
    assert shop.api.call("DELETE", f"/materials/{poster['id']}").status_code == 409
    page.get_by_role("button", name="删除「手冲教学」").click()
    page.locator("dialog[open]").get_by_role("button", name="删除").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert [one["name"] for one in shop.api.get("/materials")["data"]] == ["秋季海报"]
    assert look.complaints == []


def test_what_wecom_would_not_take_is_refused_before_it_is_sent_or_kept(look: Look, shop: Shop) -> None:  # W4
    page = look.page
    page.goto("/console/materials")
    pick = page.locator("#materials [type=file]")
    large: FilePayload = {"name": "大图.png", "mimeType": "image/png", "buffer": b"\x89PNG" + b"\0" * 10_500_000}
    pick.set_input_files(large)
    expect(page.locator(".upload [role=alert]")).to_have_text("「大图.png」没有上传：图片最多 10 MB，它有 10.1 MB")
    pick.set_input_files({"name": "坏图.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nno picture at all"})
    expect(page.locator("#file-error")).to_have_text("「坏图.png」没有上传：图片打不开，请换一张 JPEG 或 PNG")
    assert shop.api.get("/materials")["data"] == []


def test_a_file_uploaded_in_the_editor_is_chosen_shown_and_sent(look: Look, shop: Shop) -> None:  # W1 W4
    page = look.page
    page.goto("/console/welcome/new")
    page.locator("#name").fill("带图")
    page.locator("#text").fill("{客户昵称}，看看新豆")
    page.locator("#materials [type=file]").set_input_files(png())
    expect(page.locator("#phone .bubble-pic img")).to_have_attribute("alt", "秋季海报")
    expect(page.locator("#phone .bubble").first).to_have_text("陈静怡，看看新豆")
    expect(page.get_by_role("checkbox", name="秋季海报")).to_be_checked()
    page.locator("summary", has_text="小程序卡片").click()
    page.locator("#mini_title").fill("门店商城")
    page.locator("#mini_appid").fill("wx0123456789abcdef")
    page.locator("#mini_page").fill("pages/index.html")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#mini_cover-error")).to_contain_text("选一张图片做封面")
    page.locator("#mini_cover").select_option(label="秋季海报")
    page.get_by_role("button", name="保存").click()
    expect(page).to_have_url(f"{shop.url}/console/welcome")
    rule = next(one for one in shop.api.get("/welcome-rules")["data"] if one["name"] == "带图")
    material = shop.api.get("/materials")["data"][0]["id"]
    assert rule["attachments"] == [
        {"type": "image", "material_id": material},
        {"type": "miniprogram", "title": "门店商城", "appid": "wx0123456789abcdef", "page": "pages/index.html",
         "material_id": material},
    ]  # fmt: skip
    page.goto(f"/console/welcome/{rule['id']}")
    expect(page.locator("#mini_appid")).to_have_value("wx0123456789abcdef")
    expect(page.locator("#mini_cover")).to_have_value(material)
