"""Why, and why not: asked over the API, answered from the records, walked to the root (C9)."""

from typing import Any

import pytest
from shop import Shop


def why(shop: Shop, her: str, about: str, language: str = "zh-CN") -> Any:
    answer = shop.api.call(
        "GET", f"/customers/{her}/why", params={"about": about}, headers={"Accept-Language": language}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def ids(shop: Shop) -> dict[str, str]:
    """A rule that tags who bought, and a segment group for the tag, with an invitation."""
    group = shop.api.post(
        "/tag-groups", {"name": "关系", "kind": "profile", "single_choice": False, "tags": ["熟客", "贵宾"]}
    )
    known, guest = (tag["id"] for tag in group["tags"])
    rule = shop.api.post("/tag-rules", {
        "name": "买过就是熟客", "when": {"event": "order.paid"}, "if": None, "then": [{"add_tag": known}],
        "enabled": True,
    })["id"]  # fmt: skip
    shop.wecom.sim("POST", "group-chats", name="熟客一群", owner="lily")
    shop.run_jobs()
    chat = shop.wecom.sim("POST", "group-chats", name="熟客二群", owner="lily")["chat_id"]
    shop.run_jobs()
    made = shop.api.post("/segment-groups", {
        "name": "熟客群", "routes": [{"tag_id": known, "chats": [chat], "capacity": 200}],
        "invitation": {"text": "来熟客群吧"}, "remind_after_days": None,
    })  # fmt: skip
    shop.run_jobs()
    segment = shop.api.post("/segments", {"name": "熟客们", "where": {"all": [{"tag": known}, {"orders": {}}]}})
    return {"known": known, "guest": guest, "rule": rule, "group": made["id"], "segment": segment["id"]}


def test_an_invitation_is_walked_back_to_the_order_that_was_posted(shop: Shop, ids: dict[str, str]) -> None:  # C9 T3 T7
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    her = shop.api.customer(anna)["id"]
    assert why(shop, her, f"tag:{ids['known']}")["text"] == "她从来没有过标签「熟客」。"
    assert why(shop, her, f"invitation:{ids['group']}")["text"] == "没有邀请进「熟客群」：她没有对应的去处。"
    shop.api.order(anna, "D1", 10_000)
    shop.run_jobs()
    tag = why(shop, her, f"tag:{ids['known']}")
    assert tag["reasons"] == ["来源：规则「买过就是熟客」。"]
    assert [step["event"] for step in tag["chain"]] == ["tag.added", "order.paid"]
    assert tag["chain"][0]["address"] == f"/console/tags/rules/{ids['rule']}"
    assert tag["chain"][-1]["who"] == "接口 shop"
    waiting = why(shop, her, f"invitation:{ids['group']}")
    assert waiting["text"] == "「熟客群」的邀请在等一个能发给她的通道。"
    assert [step["event"] for step in waiting["chain"]][-2:] == ["tag.added", "order.paid"]
    shop.wecom.sim("POST", "kf/messages", open_kfid="wkshop", external_userid=anna, text="你好")
    shop.run_jobs()
    sent = why(shop, her, f"invitation:{ids['group']}", "en")
    assert sent["text"] == "She was invited to “熟客群”."
    group = why(shop, her, f"group:{ids['group']}")
    assert group["reasons"] == ["因为她有标签「熟客」。", "她还不在对应的群里。"]
    assert [step["event"] for step in group["chain"]] == ["group.assigned", "tag.added", "order.paid"]
    assert why(shop, her, f"rule:{ids['rule']}")["chain"][0]["event"] == "order.paid"


def test_the_way_from_the_order_to_the_invitation_leads_through_rule_tag_and_segment(
    shop: Shop, ids: dict[str, str]
) -> None:  # C9 T3 T4 T7
    chat = shop.wecom.sim("POST", "group-chats", name="贵宾群", owner="lily")["chat_id"]
    shop.run_jobs()
    group = shop.api.post("/segment-groups", {
        "name": "贵宾", "routes": [{"segment_id": ids["segment"], "chats": [chat], "capacity": 200}],
        "invitation": {"text": "来贵宾群吧"}, "remind_after_days": None,
    })["id"]  # fmt: skip
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    shop.api.order(anna, "D1", 10_000)
    shop.run_jobs()
    told = why(shop, shop.api.customer(anna)["id"], f"invitation:{group}")
    assert told["text"] == "「贵宾」的邀请在等一个能发给她的通道。"
    assert [step["event"] for step in told["chain"]] == [
        "group.assigned", "segment.entered", "tag.added", "order.paid",
    ]  # fmt: skip
    assert told["chain"][1]["address"] == f"/console/segments/{ids['segment']}"


def test_a_segment_says_which_of_its_conditions_hold(shop: Shop, ids: dict[str, str]) -> None:  # C9 T4
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    her = shop.api.customer(anna)["id"]
    shop.api.put(f"/customers/{her}/tags/{ids['known']}")
    out = why(shop, her, f"segment:{ids['segment']}")
    assert out["text"] == "她不在客群「熟客们」里。"
    assert out["reasons"][1:3] == ["符合：有标签「熟客」。", "不符合：下过单。"]
    shop.api.order(anna, "D1", 10_000)
    assert why(shop, her, f"segment:{ids['segment']}")["text"] == "她在客群「熟客们」里。"
    shop.api.delete(f"/customers/{her}/tags/{ids['known']}")
    gone = why(shop, her, f"tag:{ids['known']}")
    assert gone["text"] == "标签「熟客」她有过，后来去掉了。"
    assert gone["chain"][0]["event"] == "tag.removed"


def test_a_line_of_points_says_its_numbers_and_its_order(shop: Shop) -> None:  # C9 P2
    anna = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    shop.api.order(anna, "D1", 41_200)
    her = shop.api.customer(anna)["id"]
    shop.api.post(f"/customers/{her}/points/adjustments", {"points": 50, "reason": "道歉"})
    earned, adjusted = shop.api.get(f"/customers/{her}/ledger")["data"]
    told = why(shop, her, f"points:{earned['id']}")
    assert told["text"].startswith("+618 积分：")
    assert "净消费 ¥412.00，按 1.5% 计" in told["text"]
    assert [step["event"] for step in told["chain"]] == ["points.earned", "order.paid"]
    assert why(shop, her, f"points:{adjusted['id']}")["text"] == "+50 积分：道歉。"
    for about, status in (("points:999999", 404), ("weather", 422), ("tag:x", 422), ("tag:999", 404)):
        assert shop.api.call("GET", f"/customers/{her}/why", params={"about": about}).status_code == status


def test_a_missing_welcome_says_what_kept_it(shop: Shop) -> None:  # C9 W1
    stranger = shop.api.post("/orders", {
        "order_id": "D0", "customer": {"phone": "13800138000"}, "total_fen": 1, "items": [],
        "paid_at": "2026-11-01T00:00:00Z",
    })["customer_id"]  # fmt: skip
    assert why(shop, stranger, "welcome")["text"] == "没有欢迎语：她没有加过任何成员。"
    shop.wecom.sim("POST", "staff", userid="leo", native_welcome=True)  # his own 欢迎语 in the admin console
    good, own, first, late = (
        shop.wecom.sim("POST", "contacts", userid=userid, name=name) for userid, name in
        (("lily", "good"), ("leo", "own"), ("lily", "first"), ("lily", "late"))
    )  # fmt: skip
    shop.wecom.sim("POST", f"welcome-codes/{first['welcome_code']}", sending_s=0.001, delivers=True)
    shop.wecom.sim("POST", f"welcome-codes/{late['welcome_code']}", sending_s=19, delivers=False)
    shop.wecom.settled()
    shop.pass_time(seconds=1)
    shop.run_jobs()
    shop.pass_time(seconds=21)
    shop.run_jobs()
    for made, text in (
        (good, "欢迎语在添加时就发出了。"), (own, "没有在添加时欢迎：企业微信没有给凭证"),
        (first, "没有在添加时欢迎：别的应用先发了"), (late, "没有在添加时欢迎："),
    ):  # fmt: skip
        told = why(shop, shop.api.customer(made["external_userid"])["id"], "welcome")
        assert told["text"].startswith(text), told
        assert told["chain"][-1]["event"] == "contact.added"
        assert ("内容在等她打开微信客服" in told["reasons"][-1]) == (made is not good)
    half = shop.wecom.add_contact("half", half=True)
    shop.wecom.settled()
    shop.pass_time(seconds=21)
    shop.run_jobs()
    told = why(shop, shop.api.customer(half)["id"], "welcome")
    assert told["text"].startswith("没有在添加时欢迎：")
