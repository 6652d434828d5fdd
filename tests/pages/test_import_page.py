"""导入 walked by an operator, and lists taken out as files (S2, G6)."""

import csv
import io
import os
from pathlib import Path

import pytest
from looking import Look, Site
from playwright.sync_api import FilePayload, expect
from python_calamine import CalamineWorkbook
from shop import Shop
from sqlalchemy import text

from bot.core.errors import Refusal
from tags.imports.files import BadFile

SHOTS = Path(__file__).parents[2] / "shots"
ORDERS = "订单号,会员号,成交时间,实付金额,商品名称\n" + "".join(
    f"T{n},U{n % 7},2026-{n % 9 + 1:02}-11 10:00,{n * 37}.50,耶加雪菲 {n}\n" for n in range(1, 40)
) + "T40,U1,昨天,12,挂耳\nT41,,2026-10-01,-3,挂耳\n"  # fmt: skip


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    return look


def file(name: str, content: str | bytes) -> FilePayload:
    body = content if isinstance(content, bytes) else content.encode("gb18030")
    return {"name": name, "mimeType": "text/csv", "buffer": body}


def keep(look: Look, name: str) -> None:
    if os.environ.get("FUGOU_SHOTS"):
        for width in (1440, 390):
            look.page.set_viewport_size({"width": width, "height": 1000})
            look.page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
        look.page.set_viewport_size({"width": 1440, "height": 1000})
    assert look.findings() == []
    assert look.overflow() == 0


def test_a_file_is_sent_matched_checked_and_taken_in(look: Look, shop: Shop) -> None:  # G5 G6
    page = look.page
    page.goto("/console/import")
    keep(look, "import-empty")
    page.get_by_label("要导入的内容").select_option("orders")
    page.get_by_label("文件", exact=True).set_input_files(file("十月订单.csv", ORDERS))
    page.get_by_role("button", name="上传并看列").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("十月订单.csv")
    expect(page.locator("tbody tr")).to_have_count(10)
    expect(page.get_by_label("商城客户号")).to_have_value("1")
    page.get_by_role("button", name="检查文件").click()
    expect(page.locator("#columns .error")).to_contain_text("请选择一列作为 付款时间")
    page.get_by_label("付款时间").select_option(label="成交时间")
    keep(look, "import-columns")
    page.get_by_role("button", name="检查文件").click()
    expect(page.locator("#progress h2")).to_have_text("检查中")
    keep(look, "import-checking")
    shop.run_jobs()
    expect(page.locator("#progress h2")).to_have_text("已检查", timeout=10_000)
    expect(page.locator("#progress")).to_contain_text("「昨天」")
    keep(look, "import-checked")
    with shop.installation.transaction("test") as session:
        assert session.execute(text("SELECT count(*) FROM orders WHERE order_id = 'T1'")).scalar_one() == 0
    page.get_by_role("button", name="开始导入").click()
    expect(page.locator("#progress h2")).to_have_text("导入中")
    shop.run_jobs()
    expect(page.locator("#progress h2")).to_have_text("已完成", timeout=10_000)
    keep(look, "import-done")
    page.locator("summary", has_text="导出退回的行").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(taken.value.path()).read_text("utf-8-sig"))))
    assert [row[0] for row in rows] == ["订单号", "T40", "T41"]
    assert rows[1][:-1] == ["T40", "U1", "昨天", "12", "挂耳"]
    page.goto("/console/import")
    expect(page.locator("tbody tr")).to_contain_text(["39"])
    keep(look, "import-list")
    assert [said for said in look.complaints if "422" not in said] == []  # the refusal above, as Chromium tells it


def test_an_import_that_gives_up_says_why_and_one_that_runs_is_stopped(look: Look, shop: Shop) -> None:  # G6
    page = look.page
    page.goto("/console/import")
    page.get_by_label("要导入的内容").select_option("orders")
    same = "订单号,会员号,付款时间,实付金额\n" + "T1,U1,2026-10-01,1\n" * 10_001
    page.get_by_label("文件", exact=True).set_input_files(file("同号.csv", same))
    page.get_by_role("button", name="上传并看列").click()
    page.get_by_role("button", name="检查文件").click()
    expect(page.locator("#progress h2")).to_have_text("检查中")
    with pytest.raises(BadFile):
        shop.run_jobs()
    expect(page.locator("#progress h2")).to_have_text("出错停下了", timeout=10_000)
    expect(page.locator("#progress .banner")).to_contain_text("all say T1 in the column 订单号")
    keep(look, "import-failed")
    page.get_by_label("订单号").select_option(label="会员号")
    page.get_by_label("商城客户号").select_option(label="订单号")
    page.get_by_role("button", name="开始导入").click()
    expect(page.locator("#progress h2")).to_have_text("导入中")
    page.get_by_role("button", name="停止").click()
    page.get_by_role("button", name="停止导入").click()
    expect(page.locator("#progress h2")).to_have_text("已停止")
    keep(look, "import-stopped")
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        assert session.execute(text("SELECT state, read FROM imports ORDER BY id DESC")).first() == ("stopped", 0)
    page.get_by_role("button", name="开始导入").click()
    expect(page.locator("#progress h2")).to_have_text("导入中")
    for kept in (shop.installation.settings.data_dir / "imports").iterdir():
        kept.unlink()  # as in a shop restored from a backup
    with pytest.raises(Refusal):
        shop.run_jobs()
    expect(page.locator("#progress h2")).to_have_text("出错停下了", timeout=10_000)
    expect(page.locator("#progress")).to_contain_text("请重新上传")
    expect(page.locator("#columns")).to_have_count(0)
    assert look.complaints == []


def test_what_is_no_file_of_rows_is_refused_in_one_sentence(look: Look) -> None:  # quality.md, Security
    page = look.page
    neither = "既不是 CSV 也不是 XLSX"
    picture, archive = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, b"PK\x03\x04" + b"\0" * 99
    for content, words in ((picture, neither), (b"", "文件是空的"), (archive, neither)):
        page.goto("/console/import")
        page.get_by_label("文件", exact=True).set_input_files(file("x.csv", content))
        page.get_by_role("button", name="上传并看列").click()
        expect(page.locator("#file-error")).to_have_text(words)
    assert [said for said in look.complaints if "422" not in said] == []


def test_of_anothers_file_phones_are_shown_masked_and_who_takes_rows_out_is_kept(
    look: Look, shop: Shop, site: Site
) -> None:  # S1 S2
    page = look.page
    page.goto("/console/import")
    page.get_by_label("要导入的内容").select_option("customers")
    rows = "手机,姓名,备注\n1380013800012345,=1+1,打 13900139000\n+8613700137000,周子墨,\n"
    page.get_by_label("文件", exact=True).set_input_files(file("客户.csv", rows))
    page.get_by_role("button", name="上传并看列").click()
    expect(page.locator("tbody")).to_contain_text("1380013800012345")
    where = page.url
    page.get_by_role("button", name="检查文件").click()
    expect(page.locator("#progress h2")).to_have_text("检查中")
    shop.run_jobs()
    expect(page.locator("#progress h2")).to_have_text("已检查", timeout=10_000)
    page.goto(site.operator("苏晴", "operator"))
    page.goto(where)
    keep(look, "import-masked")
    shown = page.locator("main").inner_text()
    assert [hers in shown for hers in ("1380013800012345", "13900139000", "13700137000")] == [False] * 3
    assert "****2345" in shown
    page.locator("summary", has_text="导出退回的行").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    [heads, row] = csv.reader(io.StringIO(Path(taken.value.path()).read_text("utf-8-sig")))
    assert (heads[-1], row[:3]) == ("原因", ["****2345", "'=1+1", "打 139****9000"])
    assert "1380013800012345" not in row[3]
    with shop.installation.transaction("test") as session:
        trail = session.execute(text("SELECT actor, after FROM audit WHERE action = 'import.exported'")).all()
    assert [(row.actor.partition(":")[0], row.after["rows"]) for row in trail] == [("operator", 1)]


def test_the_list_goes_out_masked_but_for_the_owner(look: Look, shop: Shop, site: Site) -> None:  # S2
    shop.api.post("/orders", {
        "order_id": "E1", "customer": {"phone": "13800138000"}, "paid_at": "2026-11-01T00:00:00Z", "total_fen": 100,
        "items": [],
    })  # fmt: skip
    [customer] = [shop.api.get("/customers", phone="13800138000")]
    shop.api.patch(f"/customers/{customer['id']}", {"name": "=1+1"})
    page = look.page
    page.goto("/console/customers?q=8000")
    page.locator("summary", has_text="导出").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    [heads, row] = csv.reader(io.StringIO(Path(taken.value.path()).read_text("utf-8-sig")))
    assert dict(zip(heads, row, strict=True))["手机号"] == "'+8613800138000"
    assert dict(zip(heads, row, strict=True))["姓名"] == "'=1+1"
    with page.expect_download() as taken:
        page.get_by_role("link", name="XLSX").click()
    sheet = CalamineWorkbook.from_path(str(taken.value.path())).get_sheet_by_index(0).to_python()
    assert sheet[1][1:3] == ["=1+1", "+8613800138000"]
    page.goto(site.operator("苏晴", "operator"))
    page.goto("/console/customers?q=8000")
    page.locator("summary", has_text="导出").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    assert "138****8000" in Path(taken.value.path()).read_text("utf-8-sig")
    with shop.installation.transaction("test") as session:
        trail = session.execute(text("SELECT actor, after FROM audit WHERE action = 'customer.exported'")).all()
    assert [(row.after["form"], row.after["rows"], row.after["q"]) for row in trail] == [
        ("csv", 1, "8000"), ("xlsx", 1, "8000"), ("csv", 1, "8000"),
    ]  # fmt: skip
