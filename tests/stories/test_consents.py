"""Consent: stated in the chat, over the API, at the console; the newest is in force, and conditions ask for it (S1)."""

from datetime import timedelta
from typing import Any

import pytest
from shop import Shop

from bot.core import clock
from tags.conditions.tree import parse
from tags.people import finding


def asks(shop: Shop, her: str, text: str) -> str:
    """What the chat answers."""
    shop.wecom.sim("POST", "kf/messages", open_kfid="wkshop", external_userid=her, text=text)
    shop.run_jobs()
    return str(shop.wecom.texts_to(her)[-1])


def meant(shop: Shop, tree: dict[str, Any]) -> set[str]:
    with shop.installation.transaction("test") as session:
        return {str(one) for one in session.scalars(finding.meant(session, parse(session, tree, "")))}


@pytest.fixture
def anna(shop: Shop) -> str:
    her: str = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    return her


def test_one_word_ends_the_marketing_and_another_lets_it_begin_again(shop: Shop, anna: str) -> None:  # S1 W2 T4
    her = shop.api.customer(anna)["id"]
    assert meant(shop, {"consent": "marketing", "is": "unknown"}) == {her}
    assert asks(shop, anna, "退訂").startswith("已經為您退訂")
    assert shop.api.customer(anna)["consent"] == {"marketing": "withdrawn", "personalisation": "unknown"}
    assert meant(shop, {"consent": "marketing", "is": "withdrawn"}) == {her}
    asks(shop, anna, "退订")
    assert asks(shop, anna, "恢复").startswith("已经恢复")
    assert meant(
        shop, {"all": [{"consent": "marketing", "is": "given"}, {"consent": "personalisation", "is": "unknown"}]}
    )
    kept = shop.api.get(f"/customers/{her}/consents")
    assert [(one["state"], one["how"], one["version"]) for one in kept["data"]] == [
        ("given", "chat", "chat-1"), ("withdrawn", "chat", ""),
    ]  # fmt: skip
    told = [
        one["text"] for one in shop.api.get(f"/customers/{her}/timeline")["data"] if one["event"] == "consent.changed"
    ]
    assert told == ["退订了营销消息", "同意营销消息"]


@pytest.mark.parametrize("text", ["我要退订", "TD", "unsubscribe", "please stop", "别再发了"])
def test_opting_out_is_understood_as_people_say_it(shop: Shop, anna: str, text: str) -> None:  # S1 W2
    asks(shop, anna, text)
    assert shop.api.customer(anna)["consent"]["marketing"] == "withdrawn"


@pytest.mark.parametrize("text", ["退订单", "我的积分恢复了吗", "订阅号在哪", "恢复出厂设置"])
def test_what_only_sounds_like_it_changes_nothing(shop: Shop, anna: str, text: str) -> None:  # S1
    asks(shop, anna, text)
    assert shop.api.customer(anna)["consent"]["marketing"] == "unknown"


def test_opting_out_counts_while_a_person_has_the_conversation(shop: Shop, anna: str) -> None:  # S1 W3
    asks(shop, anna, "人工")
    asks(shop, anna, "退订")
    assert shop.api.customer(anna)["consent"]["marketing"] == "withdrawn"


def test_the_newest_statement_is_in_force_whatever_comes_late_or_is_merged(shop: Shop, anna: str) -> None:  # S1 C2 G5
    her, now = shop.api.customer(anna)["id"], clock.now()
    for state, days in (("withdrawn", 1), ("given", 2), ("given", 2)):
        body = {"purpose": "marketing", "state": state, "at": (now - timedelta(days=days)).isoformat()}
        shop.api.post(f"/customers/{her}/consents", body)
    assert shop.api.get(f"/customers/{her}/consents")["in_force"]["marketing"] == "withdrawn"
    shop.wecom.add_contact("Bella", staff="leo")
    shop.run_jobs()
    bella = shop.api.get("/customers", q="Bella")["data"][0]["id"]
    shop.api.post(f"/customers/{bella}/consents", {"purpose": "marketing", "state": "given", "version": "2026-11"})
    merge = shop.api.post(f"/customers/{bella}/merge", {"into": {"customer_id": her}})["id"]
    assert shop.api.customer(anna)["consent"]["marketing"] == "given"
    assert meant(shop, {"consent": "marketing", "is": "given"}) == {her}
    shop.api.post(f"/merges/{merge}/undo")
    assert meant(shop, {"consent": "marketing", "is": "withdrawn"}) == {her}
    assert meant(shop, {"consent": "marketing", "is": "given"}) == {bella}
