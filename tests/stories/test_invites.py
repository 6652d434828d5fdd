"""The invitation to her group: carried once, by the welcome or by 微信客服, reminded once (T7, C9)."""

from typing import Any

import pytest
import requests

from handlers.invites import jobs
from tests.shop import Shop
from tests.stories.test_chat import KF, hears
from tests.stories.test_groups import chat, events, joins, known, leaves, route, routes, tag, tags

TEXT = "进群领每周新豆试喝"


@pytest.fixture
def store(shop: Shop) -> dict[str, Any]:
    """A store: its tag, its chat, its segment group, a live code that tags."""
    one, (lake, river) = chat(shop), tags(shop, "西湖店", "滨江店")
    two = chat(shop, "二群")
    group = routes(shop, {"tag_id": lake, "chats": [one]}, {"tag_id": river, "chats": [two]}, text=TEXT)
    code = shop.api.post("/live-codes", {
        "name": "桌贴", "staff": ["lily"], "skip_verify": True, "tags": [lake], "segment_group_id": group["id"],
        "welcome": {"text": "欢迎"},
    })  # fmt: skip
    return {"group": group, "lake": lake, "river": river, "one": one, "two": two, "code": code}


def link(message: dict[str, Any]) -> str:
    return str(message["link"]["url"])


def cards(shop: Shop, who: str) -> list[str]:
    """The addresses of the invitations that reached her, by whatever carrier."""
    inbox = shop.wecom.inbox(who)
    found = [one["link"]["url"] for one in inbox if "link" in one]
    texts = [line for one in inbox if "text" in one for line in one["text"]["content"].splitlines()]
    return [one for one in [*found, *texts] if "/r/" in one]


def opened(shop: Shop, address: str, **headers: str) -> requests.Response:
    """The page behind a card, as it comes from the web server of this test."""
    return requests.get(address.replace("http://fugou.test", shop.url), timeout=20, headers=headers)


def scans(shop: Shop, store: dict[str, Any], name: str = "Anna") -> str:
    anna = str(shop.wecom.sim("POST", "scan", qr_code=store["code"]["qr_code"], name=name)["external_userid"])
    shop.run_jobs()
    return anna


def writes(shop: Shop, who: str) -> None:
    shop.wecom.say(who, "谢谢", KF)
    shop.run_jobs()


def test_the_welcome_carries_the_invitation_once(shop: Shop, store: dict[str, Any]) -> None:  # T7 W1
    anna = scans(shop, store)
    text, card = shop.wecom.inbox(anna)
    assert text["text"]["content"] == f"欢迎\n\n{TEXT}"
    assert (card["via"], card["link"]["title"]) == ("welcome", "点击进群")
    shop.wecom.repeat_last_callback()
    writes(shop, anna)
    assert len(cards(shop, anna)) == 1
    assert (route(shop, store["group"])["invited"], route(shop, store["group"])["waiting"]) == (1, 0)


def test_a_welcome_that_has_to_wait_keeps_its_invitation(shop: Shop, store: dict[str, Any]) -> None:  # T7 G5
    shop.wecom.sim("POST", "faults", path="externalcontact/send_welcome_msg", errcode=-1)
    anna = scans(shop, store)
    writes(shop, anna)
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert len(cards(shop, anna)) == 1


def test_a_tag_she_gets_later_invites_her_when_she_opens_the_chat(shop: Shop, store: dict[str, Any]) -> None:  # T7 C9
    anna = known(shop, "Anna")
    tag(shop, anna, store["lake"])
    assert (cards(shop, anna), route(shop, store["group"])["waiting"]) == ([], 1)
    assert events(shop, anna, "message.waiting") == ["message.waiting"]
    writes(shop, anna)
    assert hears(shop, anna)[0].startswith(TEXT) or hears(shop, anna)[1].startswith(TEXT)
    assert len(cards(shop, anna)) == 1
    assert (route(shop, store["group"])["invited"], route(shop, store["group"])["waiting"]) == (1, 0)


def test_an_open_window_carries_it_at_once(shop: Shop, store: dict[str, Any]) -> None:  # T7 W7
    anna = known(shop, "Anna")
    writes(shop, anna)
    tag(shop, anna, store["lake"])
    assert len(cards(shop, anna)) == 1


def test_the_page_shows_the_code_and_tells_nothing_about_her(shop: Shop, store: dict[str, Any]) -> None:  # T7
    anna = scans(shop, store)
    page = opened(shop, cards(shop, anna)[0])
    assert page.status_code == 200
    assert "邀请您加入群聊「一群」" in page.text
    assert "长按二维码，选择「识别图中的二维码」进群" in page.text
    assert "<script" not in page.text
    assert all(word not in page.text for word in ("Anna", anna, "西湖店", "莉莉"))
    picture = page.text.split('<img src="')[1].split('"')[0]
    assert picture.startswith("/pictures/")
    assert opened(shop, f"{shop.url}{picture}").content.startswith(b"\x89PNG")
    opened(shop, cards(shop, anna)[0])
    assert events(shop, anna, "link.clicked") == ["link.clicked"]
    shop.pass_time(minutes=1)
    opened(shop, cards(shop, anna)[0])
    assert events(shop, anna, "link.clicked") == ["link.clicked", "link.clicked"]


def test_the_page_speaks_her_language(shop: Shop, store: dict[str, Any]) -> None:  # T7 W2
    anna = scans(shop, store)
    english = opened(shop, cards(shop, anna)[0], **{"Accept-Language": "en-GB,en;q=0.9"})
    assert "You are invited to the group “一群”" in english.text
    assert "Press and hold the QR code" in english.text
    shop.wecom.say(anna, "謝謝您", KF)
    shop.run_jobs()
    assert "長按二維碼" in opened(shop, cards(shop, anna)[0], **{"Accept-Language": "en"}).text


def test_the_page_says_whose_group_it_is_and_what_to_do_whatever_became_of_it(
    shop: Shop, store: dict[str, Any]
) -> None:  # T7
    shop.api.patch("/settings", {"brand_name": "山野咖啡"})
    anna = scans(shop, store)
    card = cards(shop, anna)[0]
    assert "山野咖啡" in opened(shop, card).text
    joins(shop, anna, store["one"])
    page = opened(shop, card)
    assert (page.status_code, "您已经在群聊「一群」里了" in page.text, "<img" in page.text) == (200, True, False)
    leaves(shop, anna, store["one"])
    assert "邀请您加入群聊「一群」" in opened(shop, card).text
    tag(shop, anna, store["lake"], on=False)
    page = opened(shop, card)
    assert (page.status_code, "「门店社群」的邀请已经失效" in page.text, "山野咖啡" in page.text) == (410, True, True)
    page = opened(shop, f"{shop.url}/r/nobodysCode0")
    assert (page.status_code, "山野咖啡" in page.text) == (404, True)


def test_the_page_of_a_full_group_names_it_and_shows_nothing_to_scan(shop: Shop) -> None:  # T7
    anna, one = known(shop, "Anna"), chat(shop)
    lake = tags(shop, "西湖店")[0]
    routes(shop, {"tag_id": lake, "chats": [one], "capacity": 2}, text=TEXT)
    tag(shop, anna, lake)
    shop.wecom.say(anna, "你好", KF)
    shop.run_jobs()
    joins(shop, known(shop, "Bella"), one)  # with Lily that is two
    page = opened(shop, cards(shop, anna)[0])
    assert ("群聊「门店社群」暂时满了" in page.text, "<img" in page.text) == (True, False)


def test_an_address_that_is_nobodys_is_a_404_and_a_page(shop: Shop) -> None:  # T7
    page = opened(shop, f"{shop.url}/r/nobodysCode0")
    assert (page.status_code, "没有这个链接" in page.text) == (404, True)


def test_her_old_card_leads_to_the_group_that_is_hers_now(shop: Shop, store: dict[str, Any]) -> None:  # T7
    anna = scans(shop, store)
    first = cards(shop, anna)[0]
    before = opened(shop, first).text
    tag(shop, anna, store["river"])  # single choice: the other store takes its place
    assert opened(shop, first).text != before
    tag(shop, anna, store["river"], on=False)
    assert opened(shop, first).status_code == 410


def test_who_belongs_elsewhere_later_is_invited_there_once(shop: Shop, store: dict[str, Any]) -> None:  # T7
    anna = scans(shop, store)
    writes(shop, anna)
    tag(shop, anna, store["river"])
    tag(shop, anna, store["lake"])
    tag(shop, anna, store["river"])
    assert len(cards(shop, anna)) == 2


def test_what_has_not_left_when_she_belongs_elsewhere_does_not_leave(
    shop: Shop, store: dict[str, Any]
) -> None:  # T7 C9
    anna = known(shop, "Anna")
    tag(shop, anna, store["lake"])
    tag(shop, anna, store["river"])
    writes(shop, anna)
    assert len(cards(shop, anna)) == 1
    assert [route(shop, store["group"], n)["invited"] for n in (0, 1)] == [0, 1]
    tag(shop, anna, store["lake"])
    assert len(cards(shop, anna)) == 2


def test_who_is_in_the_group_already_is_not_invited(shop: Shop, store: dict[str, Any]) -> None:  # T7 C9
    anna = known(shop, "Anna")
    joins(shop, anna, store["one"])
    tag(shop, anna, store["lake"])
    writes(shop, anna)
    assert cards(shop, anna) == []
    assert events(shop, anna, "group.not_invited") == ["group.not_invited"]


def test_an_invitation_not_taken_up_is_reminded_of_once(shop: Shop, store: dict[str, Any]) -> None:  # T7
    anna = scans(shop, store)
    shop.pass_time(days=3, seconds=1)
    for _ in range(3):
        with shop.installation.transaction("test") as session:
            jobs.remind(session)
        writes(shop, anna)
    assert len(cards(shop, anna)) == 2
    assert len([one for one in hears(shop, anna) if one.startswith("您的专属群还给您留着位置。")]) == 1
    assert events(shop, anna, "group.invited") == ["group.invited", "group.invited"]


def test_a_code_that_ends_in_hyphens_is_found_in_what_left(
    shop: Shop, store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:  # T7
    monkeypatch.setattr("handlers.invites.service.secrets.token_urlsafe", lambda size: "tKXjKPhJTD--")
    anna = scans(shop, store)
    assert [one[-12:] for one in cards(shop, anna)] == ["tKXjKPhJTD--"]
    assert events(shop, anna, "group.invited") == ["group.invited"]


def test_nobody_is_reminded_before_the_days_are_over(shop: Shop, store: dict[str, Any]) -> None:  # T7
    anna = scans(shop, store)
    shop.pass_time(days=2, hours=23)
    writes(shop, anna)
    assert len(cards(shop, anna)) == 1


def test_who_has_joined_is_not_reminded(shop: Shop, store: dict[str, Any]) -> None:  # T7
    anna = scans(shop, store)
    joins(shop, anna, store["one"])
    shop.pass_time(days=4)
    writes(shop, anna)
    assert len(cards(shop, anna)) == 1


def test_an_invitation_that_nothing_could_carry_ends_after_seven_days(
    shop: Shop, store: dict[str, Any]
) -> None:  # T7 G6
    anna = known(shop, "Anna")
    tag(shop, anna, store["lake"])
    shop.pass_time(days=7, seconds=1)
    shop.run_jobs()
    assert events(shop, anna, "group.not_invited", "message.expired") == ["message.expired", "group.not_invited"]
    writes(shop, anna)
    assert cards(shop, anna) == []


def test_a_welcome_that_wecom_refuses_leaves_the_invitation_to_the_next_carrier(  # T7 C9
    shop: Shop, store: dict[str, Any]
) -> None:
    for errcode in (-1, 41065):  # busy, so that it is refused only after the invitation's own turn has gone by
        shop.wecom.sim("POST", "faults", path="externalcontact/send_welcome_msg", errcode=errcode)
    anna = scans(shop, store)
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert cards(shop, anna) == []
    writes(shop, anna)
    assert len(cards(shop, anna)) == 1


def test_a_late_welcome_takes_its_invitation_along(shop: Shop, store: dict[str, Any]) -> None:  # T7 W1
    shop.wecom.sim("POST", "faults", path="externalcontact/send_welcome_msg", errcode=41051)
    anna = scans(shop, store)
    writes(shop, anna)
    assert len(cards(shop, anna)) == 1
    assert route(shop, store["group"])["invited"] == 1


def test_one_merged_into_another_is_not_invited_a_second_time(shop: Shop, store: dict[str, Any]) -> None:  # T7 C2
    anna, bella = scans(shop, store), known(shop, "Bella")
    her, other = (shop.api.customer(who)["id"] for who in (anna, bella))
    shop.api.post(f"/customers/{her}/merge", {"into": {"customer_id": other}})
    writes(shop, bella)
    writes(shop, anna)
    assert len(cards(shop, anna)) + len(cards(shop, bella)) == 1
    assert events(shop, bella, "group.assigned") == ["group.assigned"]
