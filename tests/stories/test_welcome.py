"""What a new friend is told: in time, late, once, and why not (W1, G5, G6, C9)."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from shop import Shop
from sqlalchemy import select

from bot.core import clock, ticks
from bot.core.events import EventRow, announce
from bot.wecom import inbox, kf, outbox
from tags.people.events import ContactAdded


def rule(shop: Shop, text: str, **more: Any) -> Any:
    return shop.api.post("/welcome-rules", {"name": text[:20], "text": text, **more})


def told(shop: Shop, name: str) -> list[dict[str, Any]]:
    """The data of all events of that name, oldest first."""
    with shop.installation.transaction("test") as session:
        return list(session.scalars(select(EventRow.data).where(EventRow.name == name).order_by(EventRow.id)))


def sends(shop: Shop) -> int:
    return len(shop.wecom.calls("externalcontact/send_welcome_msg"))


def test_a_new_friend_is_welcomed_once_by_name_however_often_wecom_says_so(shop: Shop) -> None:  # W1 G5
    rule(shop, "欢迎,{name},我是{员工}")
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎,Anna,我是莉莉"]
    for _ in range(3):  # a slow handler made WeCom deliver three times: three welcomes, elsewhere
        shop.wecom.repeat_last_callback()
        shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎,Anna,我是莉莉"]
    assert sends(shop) == 1
    assert [one["rule"] for one in told(shop, "welcome.sent")] == ["欢迎,{name},我是{员工}"]


def test_an_adding_that_is_announced_again_says_nothing_more(shop: Shop) -> None:  # W1 G5
    rule(shop, "欢迎,{name}")
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        row = session.scalars(select(EventRow).where(EventRow.name == "contact.added")).one()
        again = {**row.data, "added_at": datetime.fromisoformat(row.data["added_at"])}
        announce(session, ContactAdded(customer_id=row.customer_id, **again))
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎,Anna"]
    assert told(shop, "message.waiting") == []


def test_without_any_rule_the_built_in_welcome_speaks(shop: Shop) -> None:  # W1
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    (text,) = shop.wecom.texts_to(anna)
    assert "Anna" in text
    assert "{" not in text


def test_the_built_in_welcome_leads_to_the_chat_that_answers_with_her_signed_id(shop: Shop) -> None:  # W1 C1
    shop.wecom.sim("POST", "kf/accounts", name="客服", open_kfid="wkshop")
    shop.run_jobs()
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    (text,) = shop.wecom.texts_to(anna)
    address = text[text.index("http") :]
    shop.wecom.sim("POST", "kf/sessions", url=address, external_userid=anna)
    shop.run_jobs()
    (scene,) = parse_qs(urlsplit(address).query)["scene_param"]
    with shop.installation.transaction("test") as session:
        assert str(kf.whose(session, scene)) == shop.api.customer(anna)["id"]


def test_points_and_tier_are_filled_with_hers(shop: Shop) -> None:  # W1 P1 P3
    rule(shop, "{name}有 {积分} 积分,是{等级}")
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    shop.api.order(anna, "D1", 12_345_600)
    bella = shop.wecom.sim("POST", "contacts", userid="leo", name="Anna", external_userid=anna)["external_userid"]
    shop.run_jobs()
    assert shop.wecom.texts_to(bella) == ["Anna有 0 积分,是普通", "Anna有 246,912 积分,是钻石"]


def test_a_half_friend_without_a_name_is_welcomed_as_nin_and_the_full_event_sends_nothing(shop: Shop) -> None:  # W1 C5
    rule(shop, "欢迎{name}")
    anna = shop.wecom.add_contact("Anna", half=True)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎您"]
    shop.wecom.add_contact("Anna", external_userid=anna)  # the member adds her back
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎您"]
    assert sends(shop) == 1


def test_a_code_that_comes_with_the_full_event_is_used_where_the_first_one_was_over(shop: Shop) -> None:  # W1
    rule(shop, "欢迎{name}")
    anna = shop.wecom.add_contact("Anna", half=True)
    shop.wecom.settled()
    shop.pass_time(seconds=21)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == []
    shop.wecom.add_contact("Anna", external_userid=anna)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎Anna"]
    shop.pass_time(days=8)
    ticks.run(shop.installation)
    assert told(shop, "message.expired") == []


def test_past_its_20_seconds_the_welcome_waits_for_her_and_the_member_is_told(shop: Shop) -> None:  # W1 W7 C9 G6
    rule(shop, "欢迎,{name}")
    anna = shop.wecom.add_contact("Anna")
    shop.wecom.settled()
    shop.pass_time(seconds=21)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == []
    assert sends(shop) == 0
    assert [one["reason"] for one in told(shop, "welcome.late")] == ["late"]
    assert [(one["purpose"], one["reason"]) for one in told(shop, "message.waiting")] == [("welcome", "no_open_window")]
    shop.pass_time(seconds=20)
    shop.run_jobs()
    (note,) = [one["text"]["content"] for one in shop.wecom.inbox(userid="lily")]
    assert "欢迎,Anna" in note


def test_a_process_that_dies_before_its_call_leaves_a_welcome_that_is_late_and_not_two(shop: Shop) -> None:  # W1 G5 G6
    rule(shop, "欢迎,{name}")
    anna = shop.wecom.add_contact("Anna")
    shop.wecom.settled()
    with shop.installation.transaction("test") as session:
        (row,) = inbox.due(session, 10)
    (claimed,) = inbox.process(shop.installation, shop.client, row)
    assert (claimed.call, outbox.send(shop.installation, shop.client, claimed.id)) == ("send_welcome_msg", None)
    shop.pass_time(seconds=31)
    outbox.settle_lost(shop.installation, shop.client)
    shop.run_jobs()
    assert (sends(shop), shop.wecom.texts_to(anna)) == (0, [])
    assert [one["reason"] for one in told(shop, "welcome.late")] == ["late"]


def test_another_app_that_was_first_is_the_reason_and_the_welcome_waits(shop: Shop) -> None:  # W1 C9
    rule(shop, "欢迎,{name}")
    made = shop.wecom.sim("POST", "contacts", userid="lily", name="Anna")
    shop.wecom.sim("POST", f"welcome-codes/{made['welcome_code']}", sending_s=0.001, delivers=True)
    shop.wecom.settled()
    shop.pass_time(seconds=1)
    shop.run_jobs()
    assert [(one["reason"], one["errcode"]) for one in told(shop, "welcome.late")] == [("another_first", 41051)]
    assert len(told(shop, "message.waiting")) == 1


def test_while_another_app_is_sending_and_fails_we_try_again_within_the_20_seconds(shop: Shop) -> None:  # W1
    rule(shop, "欢迎,{name}")
    made = shop.wecom.sim("POST", "contacts", userid="lily", name="Anna")
    shop.wecom.sim("POST", f"welcome-codes/{made['welcome_code']}", sending_s=3, delivers=False)
    shop.run_jobs()
    assert shop.wecom.texts_to(made["external_userid"]) == []
    shop.pass_time(seconds=4)
    shop.run_jobs()
    assert shop.wecom.texts_to(made["external_userid"]) == ["欢迎,Anna"]


def test_a_busy_wecom_and_a_lost_answer_make_one_welcome(shop: Shop) -> None:  # W1 G5
    rule(shop, "欢迎,{name}")
    shop.wecom.sim("POST", "faults", path="externalcontact/send_welcome_msg", errcode=-1)
    shop.wecom.sim("POST", "faults", path="externalcontact/send_welcome_msg", drop="after")
    anna = shop.wecom.add_contact("Anna")
    for _ in range(8):
        shop.run_jobs()
        outbox.settle_lost(shop.installation, shop.client)
        shop.pass_time(seconds=2)
    assert shop.wecom.texts_to(anna) == ["欢迎,Anna"]
    assert len(told(shop, "welcome.sent")) == 1
    assert told(shop, "welcome.late") == []


def test_a_relation_without_a_code_says_why_there_is_no_welcome(shop: Shop) -> None:  # W1 C9
    shop.wecom.sim("POST", "staff", userid="leo", native_welcome=True)  # his own 欢迎语 in the admin console
    rule(shop, "欢迎,{name}")
    anna = shop.wecom.add_contact("Anna", staff="leo")
    shop.run_jobs()
    assert [one["reason"] for one in told(shop, "welcome.late")] == ["no_code"]
    assert "欢迎,Anna" not in shop.wecom.texts_to(anna)


def test_who_queued_too_long_is_welcomed_without_her_name_and_known_afterwards(shop: Shop) -> None:  # W1
    rule(shop, "欢迎{name}")
    anna = shop.wecom.add_contact("Anna")
    shop.wecom.settled()
    shop.pass_time(seconds=9)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎您"]
    assert shop.api.customer(anna)["name"] == "Anna"


def test_the_closest_rule_speaks(shop: Shop) -> None:  # W1
    code = shop.api.post("/live-codes", {"name": "门店A", "staff": ["lily"], "welcome": {"text": "门店A欢迎{name}"}})
    rule(shop, "任何人")
    rule(shop, "李奥的", when={"staff": ["leo"]})
    rule(shop, "老朋友", when={"customer": "returning"})
    anna = shop.wecom.add_contact("Anna", state=code["state"])
    bella = shop.wecom.add_contact("Bella", staff="leo")
    cora = shop.wecom.add_contact("Cora")
    shop.run_jobs()
    shop.wecom.add_contact("Bella", external_userid=bella)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["门店A欢迎Anna"]
    assert shop.wecom.texts_to(bella) == ["李奥的", "老朋友"]
    assert shop.wecom.texts_to(cora) == ["任何人"]


def test_who_comes_back_after_her_orders_lapsed_is_told_so(shop: Shop) -> None:  # W1 T6
    rule(shop, "老朋友", when={"customer": "returning"})
    rule(shop, "好久不见", when={"customer": "lapsed"})
    anna, bella = (shop.wecom.add_contact(name) for name in ("Anna", "Bella"))
    shop.run_jobs()
    order = {"order_id": "D1", "customer": {"external_userid": anna}, "total_fen": 100, "items": []}
    shop.api.post("/orders", {**order, "paid_at": (clock.now() - timedelta(days=200)).isoformat()})
    for who in (anna, bella):
        shop.wecom.add_contact("她", staff="leo", external_userid=who)
    shop.run_jobs()
    assert shop.wecom.texts_to(anna)[-1] == "好久不见"
    assert shop.wecom.texts_to(bella)[-1] == "老朋友"


def test_a_rule_that_is_off_or_out_of_its_hours_is_silent(shop: Shop) -> None:  # W1 G2
    local = clock.now().astimezone(shop.installation.settings.timezone)
    other = "00:00" if 2 <= local.hour < 23 else "12:00"
    rule(shop, "都可以")
    rule(shop, "关着的", enabled=False)
    rule(shop, "别的时间", when={"hours": {"from": other, "until": f"{other[:3]}30"}})
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["都可以"]


def test_a_state_that_strangers_made_up_is_no_live_code(shop: Shop) -> None:  # W1 F1
    rule(shop, "都可以")
    anna = shop.wecom.add_contact("Anna", state="wb:1:4285486")
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["都可以"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "你好{姓名}"}, "/text"),
        ({"text": ""}, ""),
        ({"text": "汉" * 1334}, "/text"),
        ({"text": "汉" * 1320 + "{name}"}, "/text"),
        ({"text": "好", "attachments": [{"type": "image", "material_id": "999"}]}, "/attachments/0/material_id"),
        ({"text": "好", "attachments": [{"type": "link", "title": "商城", "url": "ftp://x"}]}, "/attachments/0/url"),
        ({"text": "好", "attachments": [{"type": "link", "url": "https://x.cn"}]}, "/attachments/0/title"),
        ({"text": "好", "attachments": [{"type": "voice", "material_id": "1"}]}, "/attachments/0"),
        ({"attachments": [{"type": "link", "title": "汉" * 43, "url": "https://x.cn"}]}, "/attachments/0/title"),
        ({"text": "好", "when": {"hours": {"from": "25:00", "until": "02:00"}}}, "/when/hours/from"),
        ({"text": "好", "when": {"hours": {"from": "09:00", "until": "09:00"}}}, "/when/hours"),
        ({"text": "好", "when": {"weekdays": [0]}}, "/when/weekdays/0"),
        ({"text": "好", "when": {"live_code_id": "999"}}, "/when/live_code_id"),
    ],
)  # fmt: skip
def test_a_rule_that_could_not_be_sent_is_refused_when_it_is_saved(shop: Shop, body: Any, pointer: str) -> None:  # W1
    answer = shop.api.call("POST", "/welcome-rules", {"name": "规则", **body})
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_a_rule_is_listed_changed_and_deleted(shop: Shop) -> None:  # W1
    made = rule(shop, "欢迎", when={"weekdays": [6, 7], "hours": {"from": "21:00", "until": "02:00"}})
    assert shop.api.get("/welcome-rules")["data"] == [made]
    changed = shop.api.patch(f"/welcome-rules/{made['id']}", {"enabled": False, "text": "再见"})
    assert changed == {**made, "enabled": False, "text": "再见"}
    assert shop.api.call("PATCH", f"/welcome-rules/{made['id']}", {"text": ""}).status_code == 422
    shop.api.delete(f"/welcome-rules/{made['id']}")
    assert shop.api.get("/welcome-rules")["data"] == []
