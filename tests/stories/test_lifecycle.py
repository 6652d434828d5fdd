"""From stranger to won back: a customer's stages as her orders and her silence make them (T6)."""

from typing import Any

from shop import Shop

from bot.core import checks, clock
from tags.conditions.tree import parse
from tags.people import finding


def buy(shop: Shop, selector: dict[str, str], number: str) -> None:
    item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": 100}
    order = {"order_id": number, "customer": selector, "total_fen": 100, "items": [item]}
    shop.api.post("/orders", {**order, "paid_at": clock.now().isoformat()})


def hers(shop: Shop, selector: dict[str, str]) -> tuple[str, list[str]]:
    """Her stage, and her computed tag for it."""
    card = shop.api.get("/customers", **selector)
    return card["lifecycle"], [tag["name"] for tag in card["tags"] if tag["group"] == "生命周期"]


def meant(shop: Shop, tree: dict[str, Any]) -> int:
    with shop.installation.transaction("test") as session:
        return len(list(session.scalars(finding.meant(session, parse(session, tree, "")))))


def verified(shop: Shop) -> list[str]:
    with shop.installation.transaction("test") as session:
        return [f"{one.name}: {said}" for one in checks.checks for said in one.run(session)]


def pass_days(shop: Shop, days: int) -> None:
    shop.pass_time(days=days)
    shop.run_jobs()


def test_she_buys_falls_silent_and_comes_back(shop: Shop) -> None:  # T6 T4 T1
    anna = {"external_userid": shop.wecom.add_contact("Anna", staff="lily")}
    shop.run_jobs()
    assert hers(shop, anna) == ("contact", [])
    assert meant(shop, {"lifecycle": "contact"}) == 1
    for number, stage in enumerate(
        (("first_buyer", ["首购"]), ("repeat", ["复购"]), ("repeat", ["复购"]), ("loyal", ["忠诚"]))
    ):
        buy(shop, anna, f"D{number}")
        assert hers(shop, anna) == stage
        pass_days(shop, 10)
    pass_days(shop, 79)
    assert hers(shop, anna)[0] == "loyal"
    pass_days(shop, 1)
    assert hers(shop, anna) == ("at_risk", ["流失风险"])
    pass_days(shop, 90)
    assert hers(shop, anna) == ("lapsed", ["已流失"])
    assert meant(shop, {"lifecycle": "lapsed"}) == 1
    assert meant(shop, {"lifecycle": "lapsed", "for_days": 5}) == 0
    pass_days(shop, 5)
    assert meant(shop, {"lifecycle": "lapsed", "for_days": 5}) == 1
    buy(shop, anna, "D9")
    assert hers(shop, anna) == ("won_back", ["已召回"])
    buy(shop, anna, "D10")
    assert hers(shop, anna) == ("loyal", ["忠诚"])
    assert verified(shop) == []


def test_who_buys_without_being_a_contact_is_a_stranger_until_she_is_one(shop: Shop) -> None:  # T6 C2
    buy(shop, {"unionid": "oAnna"}, "D1")
    assert hers(shop, {"unionid": "oAnna"}) == ("stranger", [])
    assert meant(shop, {"lifecycle": "stranger"}) == 1
    shop.wecom.sim("POST", "contacts", userid="lily", name="Anna", unionid="oAnna")
    shop.run_jobs()
    assert hers(shop, {"unionid": "oAnna"}) == ("first_buyer", ["首购"])
    assert (meant(shop, {"lifecycle": "stranger"}), meant(shop, {"lifecycle": "contact"})) == (0, 0)
    assert verified(shop) == []


def test_what_is_refunded_in_full_counts_no_more(shop: Shop) -> None:  # T6 P2
    anna = {"external_userid": shop.wecom.add_contact("Anna", staff="lily")}
    shop.run_jobs()
    buy(shop, anna, "D1")
    shop.api.post("/orders/D1/refunds", {"refund_id": "R", "amount_fen": 100, "refunded_at": clock.now().isoformat()})
    assert hers(shop, anna) == ("contact", [])
    assert meant(shop, {"lifecycle": "contact"}) == 1
    assert verified(shop) == []


def test_a_merge_joins_their_orders_and_undoing_it_parts_them(shop: Shop) -> None:  # T6 C2
    anna = {"external_userid": shop.wecom.add_contact("Anna", staff="lily")}
    shop.run_jobs()
    for who in (anna, {"shop_customer_id": "U1"}):
        buy(shop, who, f"D-{len(who)}{next(iter(who))}")
    dan, hers_ = (shop.api.get("/customers", **who)["id"] for who in ({"shop_customer_id": "U1"}, anna))
    merge = shop.api.post(f"/customers/{dan}/merge", {"into": {"customer_id": hers_}})
    assert hers(shop, anna) == ("repeat", ["复购"])
    assert verified(shop) == []
    shop.api.post(f"/merges/{merge['id']}/undo")
    assert [hers(shop, who) for who in (anna, {"shop_customer_id": "U1"})] == [
        ("first_buyer", ["首购"]),
        ("stranger", []),
    ]
    assert verified(shop) == []


def test_what_silence_means_is_the_brands_and_holds_for_everybody_from_the_next_night(shop: Shop) -> None:  # T6
    anna = {"external_userid": shop.wecom.add_contact("Anna", staff="lily")}
    shop.run_jobs()
    buy(shop, anna, "D1")
    refused = shop.api.call(
        "PATCH", "/settings", {"lifecycle": {"at_risk_days": 9, "lapsed_days": 9, "loyal_orders": 4}}
    )
    assert refused.status_code == 422
    shop.api.patch("/settings", {"lifecycle": {"at_risk_days": 7, "lapsed_days": 14, "loyal_orders": 4}})
    pass_days(shop, 8)
    assert hers(shop, anna) == ("at_risk", ["流失风险"])
