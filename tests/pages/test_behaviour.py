"""How pages behave under a person's hands: filters, drawers, forms, toasts, keys, and without script."""

import re

import pytest
from looking import Look, Site
from playwright.sync_api import expect


@pytest.fixture
def site(gallery: Site) -> Site:
    return gallery


@pytest.fixture
def look(look: Look, site: Site) -> Look:
    look.page.goto(site.operator("林晓", "owner"))
    look.page.goto(f"{site.url}/console/gallery")
    return look


def test_typing_in_the_search_filters_keeps_the_focus_and_changes_the_address(look: Look) -> None:
    search = look.page.get_by_placeholder("姓名、备注、手机后四位")
    search.press_sequentially("周子墨")
    expect(look.page.locator("tbody tr")).to_have_count(7)
    expect(search).to_be_focused()
    expect(look.page).to_have_url(re.compile(r"\?q=%E5%91%A8"))
    look.page.reload()
    expect(look.page.locator("tbody tr")).to_have_count(7)


def test_a_facet_stays_open_while_its_choices_are_made(look: Look) -> None:
    look.page.locator("#facet-tier summary").click()
    look.page.locator("#facet-tier").get_by_label("金卡").check()
    expect(look.page.locator("tbody tr")).to_have_count(17)
    expect(look.page.locator("#facet-tier")).to_have_attribute("open", "")
    expect(look.page.locator("#facet-tier summary")).to_contain_text("等级：金卡")
    look.page.locator("h1").click()
    expect(look.page.locator("#facet-tier")).not_to_have_attribute("open", "")


def test_no_match_says_so_and_offers_the_way_back(look: Look) -> None:
    look.page.get_by_placeholder("姓名、备注、手机后四位").fill("没有这个人")
    look.page.get_by_role("link", name="清空条件").click()
    expect(look.page.locator("tbody tr")).to_have_count(50)


def test_a_refused_form_shows_words_under_the_field_and_focuses_it(look: Look) -> None:
    look.page.get_by_role("link", name="新建欢迎语").click()
    look.page.locator("#days").fill("-3")
    look.page.get_by_role("button", name="保存").click()
    expect(look.page.locator("#name-error")).to_have_text("请填写名称")
    expect(look.page.locator("#days-error")).to_have_text("天数要在 1 到 3,650 之间，现在是 -3")
    expect(look.page.locator("#days")).to_have_accessible_description("天数要在 1 到 3,650 之间，现在是 -3")
    expect(look.page.locator("#name")).to_be_focused()
    assert look.findings() == []


def test_a_saved_form_closes_the_drawer_and_offers_to_undo(look: Look) -> None:
    look.page.get_by_role("link", name="新建欢迎语").click()
    look.page.locator("#name").fill("桌贴")
    look.page.keyboard.press("Control+Enter")
    toast = look.page.locator(".toast", has_text="已保存")
    expect(toast).to_be_visible()
    expect(look.page.locator("#drawer")).not_to_have_attribute("open", "")
    toast.get_by_role("button", name="撤销").click()
    expect(look.page.locator(".toast", has_text="已撤销")).to_be_visible()
    assert look.complaints == []


def test_a_conflict_is_a_toast_that_stays_until_closed(look: Look) -> None:
    look.page.clock.install()
    look.page.reload()
    look.page.locator("tbody [type=checkbox]").first.check()
    expect(look.page.locator(".bulk b")).to_have_text("已选 1 人")
    look.page.locator(".bulk").get_by_role("button", name="打标签").click()
    expect(look.page.get_by_role("button", name="再看看")).to_be_focused()
    look.page.locator("#sure").get_by_role("button", name="打标签").click()
    toast = look.page.get_by_role("alert")
    expect(toast).to_contain_text("现在不能这样做")
    look.page.clock.fast_forward(60_000)  # a good one goes after 5 s
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="关闭").click()
    expect(toast).to_have_count(0)


def test_the_keyboard_finds_a_customer_and_opens_her(look: Look) -> None:
    look.page.keyboard.press("Control+k")
    look.page.keyboard.type("何雨桐")
    expect(look.page.locator("#found a")).to_have_count(5)
    look.page.keyboard.press("ArrowDown")
    look.page.keyboard.press("ArrowDown")
    expect(look.page.locator("#found a").nth(1)).to_be_focused()
    look.page.keyboard.press("Enter")
    expect(look.page).to_have_url(re.compile("/console/gallery/10$"))
    expect(look.page.locator("h1")).to_contain_text("何雨桐")


def test_enter_in_the_find_box_opens_the_first_answer(look: Look) -> None:
    look.page.keyboard.press("Control+k")
    look.page.keyboard.type("沈一鸣")
    expect(look.page.locator("#found a")).to_have_count(5)
    look.page.keyboard.press("Enter")
    expect(look.page).to_have_url(re.compile("/console/gallery/4$"))


def test_slash_goes_to_the_search_and_escape_closes_what_is_open(look: Look) -> None:
    look.page.keyboard.press("/")
    expect(look.page.get_by_placeholder("姓名、备注、手机后四位")).to_be_focused()
    look.page.locator(".me").click()
    look.page.keyboard.press("Escape")
    expect(look.page.locator(".me-pop")).to_be_hidden()


def test_a_click_on_a_row_opens_it(look: Look) -> None:
    look.page.locator("tbody tr").nth(3).locator("td").last.click()
    expect(look.page).to_have_url(re.compile("/console/gallery/3$"))


def test_a_single_choice_group_of_tags_keeps_one_and_the_search_knows_initials(look: Look) -> None:
    look.page.get_by_role("link", name="新建欢迎语").click()
    for taste in ("浅烘", "深烘"):
        look.page.get_by_label(taste).check()
    expect(look.page.get_by_label("浅烘")).not_to_be_checked()
    look.page.get_by_label("自动打标签").fill("sca")
    expect(look.page.locator(".pick:visible")).to_have_text(["手冲爱好者"])


def test_the_theme_changes_at_once_and_the_next_page_has_it(look: Look) -> None:
    body = look.page.locator("body")
    look.page.locator(".me").click()
    look.page.get_by_role("button", name="深色").click()
    expect(body).to_have_css("background-color", "rgb(14, 17, 23)")
    look.page.reload()
    expect(look.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(body).to_have_css("background-color", "rgb(14, 17, 23)")


def test_a_toast_can_be_reached_while_a_drawer_is_open(look: Look) -> None:
    look.page.get_by_role("link", name="新建欢迎语").click()
    look.context.set_offline(True)
    look.page.get_by_role("button", name="保存").click()
    look.page.get_by_role("alert").get_by_role("button", name="关闭").click()
    expect(look.page.locator("#drawer")).to_have_attribute("open", "")


def test_offline_is_said_on_the_page_and_a_lost_answer_in_a_toast(look: Look) -> None:
    look.context.set_offline(True)
    expect(look.page.locator("#offline")).to_be_visible()
    look.page.get_by_role("link", name="新建欢迎语").click()
    expect(look.page.get_by_role("alert")).to_contain_text("没有连上服务器")
    look.context.set_offline(False)
    expect(look.page.locator("#offline")).to_be_hidden()


def test_on_a_phone_the_menu_opens_over_the_page(look: Look) -> None:
    look.page.set_viewport_size({"width": 390, "height": 800})
    expect(look.page.locator("#side")).to_be_hidden()
    look.page.get_by_role("button", name="菜单").click()
    expect(look.page.locator("#side").get_by_role("link", name="客户列表")).to_be_visible()


def test_a_broken_page_says_so_without_its_frame_and_names_the_request(look: Look, site: Site) -> None:
    answer = look.page.goto(f"{site.url}/console/gallery/broken")
    assert answer is not None
    assert answer.status == 500
    expect(look.page.locator("h1")).to_have_text("出错了")
    expect(look.page.locator("main")).to_contain_text(answer.headers["x-request-id"])


def test_pages_work_without_script(browser: object, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(site.operator("周岚", "owner"))
    page.goto(f"{site.url}/console/gallery?tier=gold")
    expect(page.locator("tbody tr")).to_have_count(17)
    page.get_by_role("link", name="新建欢迎语").click()
    page.locator("#days").fill("0")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#days-error")).to_be_visible()
    page.locator("#name").fill("桌贴")
    page.locator("#days").fill("30")
    page.get_by_role("button", name="保存").click()
    expect(page).to_have_url(f"{site.url}/console/gallery")
    expect(page.get_by_text("已保存")).to_be_visible()
    context.close()


def test_a_form_sent_twice_is_done_once(look: Look, site: Site) -> None:  # G5
    look.page.goto(f"{site.url}/console/gallery/edit")
    look.page.locator("#name").fill("桌贴")
    form = look.page.locator("#edit form")
    sent = {str(field[0]): str(field[1]) for field in form.evaluate("form => [...new FormData(form)]")}
    for expected in ("第 1 次", "没有再做一次"):
        answer = look.context.request.post(f"{site.url}/console/gallery/edit", form=sent)
        assert expected in answer.text()
