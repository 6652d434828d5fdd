"""The menu shows what the caller may open, and nothing else; a finder she may not use is not asked (S2)."""

import pytest
from consoles import console_app
from looking import Site

from bot.core.installation import Installation


@pytest.mark.parametrize("role", ["owner", "operator", "analyst", "staff"])
def test_entries_a_role_may_not_open_are_absent(installation: Installation, role: str) -> None:  # S2
    client = console_app(installation, "gallery").test_client()
    client.get(Site("", installation).operator("林晓", role))
    page = client.get("/console/gallery").get_data(as_text=True)
    menu = page.partition('<nav class="side"')[2].partition("</nav>")[0]
    assert "客户列表" in menu
    assert ("设置" in menu) == (role != "staff")
    found = client.get("/console/find?q=失败").get_data(as_text=True)
    assert ("失败与重试" in found) == (role != "staff")
    assert client.get("/console/failures").status_code == (403 if role == "staff" else 200)


def test_the_console_opens_at_the_first_page_of_the_menu(installation: Installation) -> None:
    client = console_app(installation, "gallery").test_client()
    client.get(Site("", installation).operator("林晓", "owner"))
    assert client.get("/console/").location == "/console/gallery"
    assert client.get("/console/settings").location == "/console/failures"


def test_the_foot_of_the_side_bar_tells_callbacks_queue_and_version(installation: Installation) -> None:
    client = console_app(installation, "gallery").test_client()
    client.get(Site("", installation).operator("林晓", "staff"))
    page = client.get("/console/gallery").get_data(as_text=True)
    foot = page.partition('class="side-foot"')[2].partition("</nav>")[0]
    assert [words in foot for words in ("还没有收到过回调", "队列没有积压", "版本 0.")] == [True, True, True]
