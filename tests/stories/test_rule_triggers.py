"""What rules wait for, and what they do: chats, groups, links, points, silence, hours, messages (T3)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.core import clock
from bot.core.events import EventRow
from tags.autotag.events import CustomerSilent
from tests.shop import Shop
from tests.stories.test_chat import ask, hears
from tests.stories.test_groups import chat, joins, leaves, routes
from tests.stories.test_invites import cards, opened, scans, store
from tests.stories.test_segments import refused, segment
from tests.stories.test_tag_rules import friend, here, order, rule, tags

__all__ = ["store", "tags"]  # fixtures


def hits(shop: Shop, made: Any) -> tuple[int, int]:
    """How often a rule was done in the last week, and could not be."""
    kept = shop.api.get(f"/tag-rules/{made['id']}")
    return kept["hits_7_days"], kept["failed_7_days"]


@pytest.mark.parametrize(
    ("match", "said", "found"),
    [
        ({"kind": "contains", "words": ["退货", "退款"]}, "請問怎麼 退貨?", True),
        ({"kind": "contains", "words": ["ＶＩＰ"]}, "is there a vip-day", True),
        ({"kind": "contains", "words": ["hi"]}, "this one", False),
        ({"kind": "exact", "words": ["集合"]}, "集合！", True),
        ({"kind": "exact", "words": ["集合"]}, "集合了", False),
        ({"kind": "regex", "words": [r"^订单\s*\d{3}$"]}, "订单 123", True),
        ({"kind": "regex", "words": ["(a+)+$"]}, "a" * 2_000 + "b", False),
    ],
)
def test_a_message_is_understood_in_any_script_now_and_in_history(  # T3 W2
    shop: Shop, tags: dict[str, str], match: dict[str, Any], said: str, found: bool
) -> None:
    when = {"event": "message.received", "match": match}
    rule(shop, "词", when, {"add_tag": tags["甲"]})
    anna = friend(shop, "Anna")
    ask(shop, anna, said)
    assert here(shop, anna) == (["甲"] if found else [])
    body = {"rule": {"name": "词", "when": when, "then": [{"add_tag": tags["乙"]}]}, "days": 7}
    seen = shop.api.post("/tag-rules/preview", body)
    assert (seen["count"], [one["name"] for one in seen["sample"]]) == ((1, ["Anna"]) if found else (0, []))


def test_a_pattern_that_re2_refuses_is_refused_with_its_words(shop: Shop, tags: dict[str, str]) -> None:  # T3
    when = {"event": "message.received", "match": {"kind": "regex", "words": ["(?=a)b"]}}
    answer = refused(shop, "POST", "/tag-rules", 422, {"name": "x", "when": when, "then": [{"add_tag": tags["甲"]}]})
    assert answer["errors"][0]["pointer"] == "/when/match"
    assert "invalid perl operator" in answer["errors"][0]["detail"]


def test_who_joins_a_chat_is_tagged_and_who_leaves_is_told_of(shop: Shop, tags: dict[str, str]) -> None:  # T3 T7
    one, other = chat(shop), chat(shop, "二群")
    shop.run_jobs()
    rule(shop, "进群", {"event": "group.joined", "chats": [one]}, {"add_tag": tags["甲"]})
    rule(shop, "退群", {"event": "group.left"}, {"remove_tag": tags["甲"]}, {"notify_staff": "她退群了"})
    anna = friend(shop, "Anna")
    joins(shop, anna, other)
    assert here(shop, anna) == []
    joins(shop, anna, one)
    assert here(shop, anna) == ["甲"]
    leaves(shop, anna, one)
    assert here(shop, anna) == []
    assert [one["text"]["content"] for one in shop.wecom.inbox(userid="lily")] == [
        "客户「Anna」：她退群了\n\n（规则「退群」）"
    ]


def test_points_and_clicks_set_rules_off(shop: Shop, store: dict[str, Any], tags: dict[str, str]) -> None:  # T3
    rule(shop, "积分", {"event": "points.earned", "points": {"gte": 100}}, {"add_tag": tags["甲"]})
    rule(shop, "点击", {"event": "link.clicked", "kind": "invitation"}, {"add_tag": tags["乙"]})
    anna = scans(shop, store)
    order(shop, anna, "D1", 9_900)
    assert "甲" not in here(shop, anna)
    order(shop, anna, "D2", 1_000)  # ¥109 in the month: 1 % of all of it (P2)
    assert "甲" in here(shop, anna)
    assert "乙" not in here(shop, anna)
    opened(shop, cards(shop, anna)[0])
    assert "乙" in here(shop, anna)


def test_a_rule_tags_routes_and_the_invitation_goes_out_of_one_order(
    shop: Shop, store: dict[str, Any], tags: dict[str, str]
) -> None:  # T3 T7
    made = rule(
        shop, "滨江", {"event": "order.paid", "category": ["咖啡"]}, {"add_tag": store["river"]},
        {"route_to_group": store["group"]["id"]},
    )  # fmt: skip
    anna = friend(shop, "Anna")
    ask(shop, anna, "你好")
    order(shop, anna, "D1")
    shop.run_jobs()
    assert hits(shop, made) == (1, 0)
    assert len(cards(shop, anna)) == 1


def test_a_rule_invites_who_was_placed_without_a_word_and_once(
    shop: Shop, store: dict[str, Any], tags: dict[str, str]
) -> None:  # T3 T7
    anna = friend(shop, "Anna")
    ask(shop, anna, "你好")
    shop.api.put(f"/customers/{shop.api.customer(anna)['id']}/tags/{tags['甲']}")
    made = routes(shop, {"tag_id": tags["甲"], "chats": [store["one"]]})
    shop.run_jobs()
    assert cards(shop, anna) == []
    rule(shop, "下单", {"event": "order.paid"}, {"route_to_group": made["id"]})
    for number in ("D1", "D2"):
        order(shop, anna, number)
        shop.run_jobs()
    assert len(cards(shop, anna)) == 1


def test_what_cant_be_done_undoes_the_rule_alone_and_is_kept_with_its_reason(
    shop: Shop, store: dict[str, Any], tags: dict[str, str]
) -> None:  # T3 G6
    then = [{"add_tag": tags["甲"]}, {"route_to_group": store["group"]["id"]}]
    failing = rule(shop, "分流", {"event": "order.paid"}, *then)
    other = rule(shop, "下单", {"event": "order.paid"}, {"add_tag": tags["乙"]})
    anna = friend(shop, "Anna")
    order(shop, anna, "D1")
    assert here(shop, anna) == ["乙"]
    assert (hits(shop, failing), hits(shop, other)) == ((0, 1), (1, 0))


def test_a_rule_sends_unless_she_wants_no_marketing(shop: Shop, tags: dict[str, str]) -> None:  # T3 W7 S1 C9
    made = rule(shop, "谢谢", {"event": "order.paid"}, {"send": {"text": "{name}，谢谢您的订单"}})
    anna = friend(shop, "Anna")
    ask(shop, anna, "你好")
    order(shop, anna, "D1")
    shop.run_jobs()
    assert hears(shop, anna)[-1] == "Anna，谢谢您的订单"
    ask(shop, anna, "退订")
    before = hears(shop, anna)
    order(shop, anna, "D2")
    shop.run_jobs()
    assert hears(shop, anna) == before
    timeline = shop.api.get(f"/customers/{shop.api.customer(anna)['id']}/timeline", limit=200)["data"]
    assert [one["data"]["reason"] for one in timeline if one["event"] == "message.refused"] == ["consent_withdrawn"]
    assert hits(shop, made) == (2, 0)


def silences(shop: Shop) -> int:
    with shop.installation.transaction("test") as session:
        return len(session.scalars(select(EventRow.id).where(EventRow.name == CustomerSilent.name)).all())


def test_a_silence_is_told_once_and_the_next_one_again(shop: Shop, tags: dict[str, str]) -> None:  # T3 G5
    bella = friend(shop, "Bella")
    shop.pass_time(days=40)
    made = rule(shop, "沉默", {"event": "customer.silent", "days": 30}, {"add_tag": tags["甲"]})
    anna = friend(shop, "Anna")
    shop.pass_time(days=29)
    shop.run_jobs()
    assert hits(shop, made) == (0, 0)
    shop.pass_time(days=1, minutes=2)
    shop.run_jobs()
    assert (here(shop, anna), here(shop, bella)) == (["甲"], [])  # Bella was silent before anybody asked
    shop.pass_time(days=1)
    shop.run_jobs()
    assert hits(shop, made) == (1, 0)
    ask(shop, anna, "在吗")
    order(shop, bella, "D1")
    shop.pass_time(days=30, minutes=2)
    shop.run_jobs()
    assert (here(shop, bella), silences(shop)) == (["甲"], 3)
    body = {"name": "x", "when": {"event": "customer.silent", "days": 20}, "then": [{"add_tag": tags["乙"]}]}
    assert shop.api.post("/tag-rules/preview", {"rule": body, "days": 11})["count"] == 2


def test_an_hour_comes_for_those_it_would_change_something_for(shop: Shop, tags: dict[str, str]) -> None:  # T3 G2
    refused(shop, "POST", "/tag-rules", 422, {
        "name": "x", "when": {"event": "schedule", "at": "09:00"}, "then": [{"add_tag": tags["甲"]}],
    })  # fmt: skip
    often = {"event": "schedule", "cron": "*/20 * * * *"}
    asks = {"if": {"tag": tags["咖啡"]}}
    refused(shop, "POST", "/tag-rules", 422, {"name": "x", "when": often, "then": [{"add_tag": tags["甲"]}], **asks})
    made = rule(shop, "每天", {"event": "schedule", "at": "09:00"}, {"add_tag": tags["甲"]}, **asks)
    anna, bella = friend(shop, "Anna"), friend(shop, "Bella")
    for who in (anna, bella):
        shop.api.put(f"/customers/{shop.api.customer(who)['id']}/tags/{tags['咖啡']}")
    local = clock.now() + timedelta(hours=8)  # Shanghai has no summer time
    till_nine = (timedelta(hours=33) - timedelta(hours=local.hour, minutes=local.minute)) % timedelta(days=1)
    shop.pass_time(seconds=till_nine.total_seconds() - 300)
    shop.run_jobs()
    assert hits(shop, made) == (0, 0)
    shop.pass_time(minutes=6)
    shop.run_jobs()
    assert (here(shop, anna), here(shop, bella)) == (["咖啡", "甲"], ["咖啡", "甲"])
    shop.pass_time(days=3)
    shop.run_jobs()
    assert hits(shop, made) == (2, 0)
    shop.api.delete(f"/customers/{shop.api.customer(anna)['id']}/tags/{tags['甲']}")
    shop.api.patch(f"/tag-rules/{made['id']}", {"enabled": False})
    shop.pass_time(days=2)
    shop.run_jobs()
    assert here(shop, anna) == ["咖啡"]


def test_one_order_tags_enters_the_segment_and_what_waits_for_that_is_done(  # T3 T4
    shop: Shop, store: dict[str, Any], tags: dict[str, str]
) -> None:
    loves = segment(shop, "爱咖啡", {"tag": tags["咖啡"]})
    rule(shop, "买咖啡", {"event": "order.paid", "category": ["咖啡"]}, {"add_tag": tags["咖啡"]})
    when = {"event": "segment.entered", "segment": loves["id"]}
    made = rule(shop, "进客群", when, {"add_tag": store["river"]}, {"route_to_group": store["group"]["id"]})
    anna = friend(shop, "Anna")
    ask(shop, anna, "你好")
    order(shop, anna, "D1")
    shop.run_jobs()
    assert hits(shop, made) == (1, 0)
    assert len(cards(shop, anna)) == 1
    assert "进客群" in refused(shop, "DELETE", f"/segments/{loves['id']}", 409)["detail"]
