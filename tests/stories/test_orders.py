"""The shop's backend tells of orders and refunds; what they earn, and what is refused (P1, P2, G5)."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from shop import Shop

from bot.core import clock
from bot.core.checks import checks

Body = dict[str, Any]


@pytest.fixture(autouse=True)
def clean(shop: Shop) -> Iterator[None]:
    """Whatever happened, the books are right afterwards."""
    yield
    with shop.installation.transaction("test") as session:
        assert [difference for one in checks for difference in one.run(session)] == []


def order(order_id: str = "A1", total_fen: int = 26_800, **more: Any) -> Body:
    """What the shop posts: Anna, known by her phone, pays now for two bags."""
    item = {"sku": "bean", "name": "耶加雪菲", "category": "咖啡", "quantity": 2, "unit_price_fen": 13_400}
    return {"order_id": order_id, "customer": {"phone": "13800138000"}, "paid_at": clock.now().isoformat(),
            "total_fen": total_fen, "items": [item], **more}  # fmt: skip


def refund(refund_id: str = "R1", amount_fen: int = 26_800, **more: Any) -> Body:
    return {"refund_id": refund_id, "amount_fen": amount_fen, "refunded_at": clock.now().isoformat(), **more}


def refused(shop: Shop, path: str, body: Body, status: int) -> Any:
    """The problem document a request is answered with."""
    answer = shop.api.call("POST", path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_an_order_of_somebody_unknown_makes_a_stranger_who_earns(shop: Shop) -> None:  # P2 C2
    answer = shop.api.call("POST", "/orders", order())
    made = answer.json()
    assert answer.status_code == 201
    assert (made["points"], made["coupons_issued"]) == ({"base": 268, "bonus": 0}, [])
    customer = shop.api.get(f"/customers/{made['customer_id']}")
    assert (customer["lifecycle"], customer["points"], customer["tier"]) == ("stranger", {"balance": 268}, "普通")


def test_the_same_order_again_is_answered_as_the_first_time(shop: Shop) -> None:  # G5
    body = order()
    first, again = shop.api.post("/orders", body), shop.api.call("POST", "/orders", body)
    assert (again.status_code, again.json()) == (200, first)
    zulu = body["paid_at"].replace("+00:00", "Z")
    assert shop.api.call("POST", "/orders", {**body, "paid_at": zulu, "points_used": 0}).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"total_fen": 26_801}, "total_fen"),
        ({"items": []}, "items"),
        ({"customer": {"phone": "13900139000"}}, "customer"),
        ({"paid_at": "2026-11-01T00:00:00Z"}, "paid_at"),
        ({"points_used": 1}, "points_used"),
    ],
)
def test_the_same_id_with_other_content_is_refused_and_named(shop: Shop, change: Body, field: str) -> None:  # G5
    body = order()
    shop.api.post("/orders", body)
    assert refused(shop, "/orders", {**body, **change}, 409)["fields"] == [field]
    assert shop.api.call("GET", "/customers", params={"phone": "13900139000"}).status_code == 404


def test_an_order_is_known_by_any_of_her_identities(shop: Shop) -> None:  # C2 G5
    anna = shop.wecom.add_contact("Anna", staff="lily", unionid="o-anna")
    shop.run_jobs()
    body = order(customer={"external_userid": anna})
    shop.api.post("/orders", body)
    assert shop.api.call("POST", "/orders", {**body, "customer": {"unionid": "o-anna"}}).status_code == 200


def test_crossing_a_threshold_grants_the_difference_and_a_refund_takes_it_back(shop: Shop) -> None:  # P2
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    crossing = shop.api.post("/orders", order("A2", 26_800))
    assert crossing["points"] == {"base": 1_072 - 268, "bonus": 0}  # 2 % of ¥536, 1 % of ¥268 was there
    points = shop.api.get(f"/customers/{who}/points")
    assert points["balance"] == 1_072
    assert points["month"] == {"net_spend_fen": 53_600, "rate": "0.02", "base_points": 1_072}
    shop.api.post("/orders/A1/refunds", refund("R1", 10_000))
    assert shop.api.get(f"/customers/{who}/points")["balance"] == 654  # 1.5 % of ¥436
    lines = shop.api.get(f"/customers/{who}/ledger")["data"]
    assert [(line["kind"], line["points"], line["cause"]) for line in lines] == [
        ("earn", 268, "order:A1"), ("earn", 804, "order:A2"), ("claw_back", -418, "refund:A1/R1"),
    ]  # fmt: skip
    assert lines[-1]["reason"].endswith("净消费 ¥436.00，按 1.5% 计")


def test_each_line_of_an_order_can_be_given_back_and_no_more_than_it_had(shop: Shop) -> None:  # P1 P2
    lines = [
        {"sku": sku, "name": sku, "category": "咖啡", "quantity": 2, "unit_price_fen": 10_000} for sku in ("one", "two")
    ]
    who = shop.api.post("/orders", order(total_fen=40_000, items=lines))["customer_id"]
    shop.api.post("/orders/A1/refunds", refund("R1", 10_000, items=[{"sku": "one", "quantity": 1}]))
    shop.api.post("/orders/A1/refunds", refund("R2", 20_000, items=[{"sku": "two", "quantity": 2}]))
    assert shop.api.get(f"/customers/{who}/points")["balance"] == 100
    problem = refused(shop, "/orders/A1/refunds", refund("R3", 1, items=[{"sku": "two", "quantity": 1}]), 422)
    assert problem["errors"][0]["pointer"] == "/items/0/quantity"


def test_a_refund_again_is_a_200_other_content_a_409_and_more_than_left_a_422(shop: Shop) -> None:  # G5
    shop.api.post("/orders", order())
    body = refund("R1", 20_000)
    assert shop.api.call("POST", "/orders/A1/refunds", body).status_code == 201
    assert shop.api.call("POST", "/orders/A1/refunds", body).status_code == 200
    assert refused(shop, "/orders/A1/refunds", {**body, "amount_fen": 1}, 409)["fields"] == ["amount_fen"]
    problem = refused(shop, "/orders/A1/refunds", refund("R2", 6_801), 422)
    assert (problem["errors"][0]["pointer"], problem["left"]) == ("/amount_fen", 6_800)
    refused(shop, "/orders/A2/refunds", body, 404)


def test_a_refund_belongs_to_its_orders_month_however_late(shop: Shop) -> None:  # P2
    paid_at = "2026-09-30T15:59:59Z"  # 23:59:59 in Shanghai
    who = shop.api.post("/orders", order(paid_at=paid_at))["customer_id"]
    shop.api.post("/orders/A1/refunds", refund("R1", 16_800))
    september, october = (
        shop.api.get(f"/customers/{who}/points", month=month)["month"] for month in ("2026-09", "2026-10")
    )
    assert september == {"net_spend_fen": 10_000, "rate": "0.01", "base_points": 100}
    assert october == {"net_spend_fen": 0, "rate": "0", "base_points": 0}


def test_points_pay_a_part_of_an_order_if_she_has_enough(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    problem = refused(shop, "/orders", order("A2", 100, points_used=269), 422)
    assert (problem["errors"][0]["pointer"], problem["spendable"]) == ("/points_used", 268)
    paid = shop.api.post("/orders", order("A2", 13_400, points_used=200))
    assert paid["points"] == {"base": 603 - 268, "bonus": 0}
    assert shop.api.get(f"/customers/{who}/points")["balance"] == 268 - 200 + 335
    shop.api.post("/orders/A2/refunds", refund("R1", 13_400))
    assert shop.api.get(f"/customers/{who}/points")["balance"] == 268


def test_an_order_paid_with_points_alone_is_given_back_by_a_refund_of_no_money(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    shop.api.post("/orders", order("A2", 0, points_used=200))
    refused(shop, "/orders/A1/refunds", refund("R1", 0), 422)
    shop.api.post("/orders/A2/refunds", refund("R1", 0))
    assert shop.api.get(f"/customers/{who}/points")["balance"] == 268


def test_a_claw_back_of_spent_points_is_a_debt_that_the_next_order_pays(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    shop.api.post("/orders", order("A2", 0, points_used=268))
    shop.api.post("/orders/A1/refunds", refund("R1", 26_800))
    points = shop.api.get(f"/customers/{who}/points")
    assert (points["balance"], points["debt"], points["lots"]) == (0, 268, [])
    shop.api.post("/orders", order("A3", 30_000))
    points = shop.api.get(f"/customers/{who}/points")
    assert (points["balance"], points["debt"]) == (450 - 268, 0)
    assert sum(line["points"] for line in shop.api.get(f"/customers/{who}/ledger")["data"]) == 182


def test_coupons_in_an_order_are_refused_until_there_are_coupons(shop: Shop) -> None:
    problem = refused(shop, "/orders", order(coupon_codes=["SUMMER"]), 422)
    assert problem["errors"][0]["pointer"] == "/coupon_codes"
    assert shop.api.call("POST", "/orders", order(coupon_codes=[])).status_code == 201


def test_what_is_not_an_order_is_refused_with_the_place(shop: Shop) -> None:  # G1 G2
    for change, pointer in (
        ({"total_fen": -1}, "/total_fen"), ({"total_fen": 1.5}, "/total_fen"), ({"order_id": "a/b"}, "/order_id"),
        ({"paid_at": "2026-11-05T10:00:00"}, "/paid_at"), ({"paid_at": "1899-01-01T00:00:00Z"}, "/paid_at"),
        ({"paid_at": 1_763_600_000}, "/paid_at"), ({"paid_at": "1763600000"}, "/paid_at"),
        ({"tip_fen": 3}, "/tip_fen"), ({"customer": {}}, "/customer"),
    ):  # fmt: skip
        problem = refused(shop, "/orders", {**order(), **change}, 422)
        assert problem["errors"][0]["pointer"] == pointer


def test_orders_and_their_points_stand_in_her_timeline(shop: Shop) -> None:  # C4 G2
    paid_at = clock.now().replace(microsecond=0)
    shanghai = paid_at.astimezone(timezone(timedelta(hours=8))).isoformat()
    who = shop.api.post("/orders", order("A1", 26_800, paid_at=shanghai))["customer_id"]
    shop.api.post("/orders/A1/refunds", refund("R1", 26_800))
    found = shop.api.get(f"/customers/{who}/timeline")["data"]
    assert (found[0]["at"], found[0]["data"]["paid_at"]) == (f"{paid_at:%Y-%m-%dT%H:%M:%SZ}",) * 2
    told = [(one["event"], one["text"]) for one in found]
    assert told == [
        ("order.paid", "下单 ¥268.00：耶加雪菲 等 2 件"), ("points.earned", "获得 268 积分"),
        ("order.refunded", "退款 ¥268.00"), ("points.taken_back", "退款扣回 268 积分"),
    ]  # fmt: skip


def test_an_order_told_late_stands_where_it_was_paid_and_makes_nobody_seen_today(shop: Shop) -> None:  # C4 G5
    bella = shop.api.post("/orders", order("B1", customer={"phone": "13900139000"}))["customer_id"]
    now = order("A3")
    days = {"A1": "2025-03-01T08:00:00Z", "A2": "2026-05-01T08:00:00Z"}
    for order_id in ("A2", "A1"):
        shop.api.post("/orders", order(order_id, paid_at=days[order_id]))
    shop.api.post("/orders/A1/refunds", refund(refunded_at="2025-03-04T08:00:00Z"))
    who = shop.api.get("/customers", phone="13800138000")["id"]
    listed = [one["id"] for one in shop.api.get("/customers")["data"]]
    assert listed == [bella, who]
    assert shop.api.get(f"/customers/{who}")["seen_at"] == days["A2"]
    shop.api.post("/orders", now)
    told = shop.api.get(f"/customers/{who}/timeline")["data"]
    placed = [(one["at"], one["data"]["order_id"]) for one in told if one["event"].startswith("order.")]
    assert placed[:3] == [(days["A1"], "A1"), ("2025-03-04T08:00:00Z", "A1"), (days["A2"], "A2")]
    assert datetime.fromisoformat(placed[3][0]) == datetime.fromisoformat(now["paid_at"])
    assert [one["id"] for one in shop.api.get("/customers")["data"]] == [who, bella]


def test_what_has_not_happened_yet_is_refused_with_the_field_and_the_time_it_is(shop: Shop) -> None:  # G2 P2
    soon, late = ((clock.now() + timedelta(minutes=minutes)).isoformat() for minutes in (4, 6))
    who = shop.api.post("/orders", order("A1", paid_at=soon))["customer_id"]  # a shop's clock may be a little ahead
    for path, body, field in (
        ("/orders", order("A2", paid_at=late), "paid_at"),
        ("/orders", order("A2", paid_at="2999-01-01T00:00:00Z"), "paid_at"),
        ("/orders/A1/refunds", refund("R1", refunded_at=late), "refunded_at"),
    ):
        problem = refused(shop, path, body, 422)
        assert [one["pointer"] for one in problem["errors"]] == [f"/{field}"]
        assert "not in the future (it is 20" in problem["errors"][0]["detail"]
    born = {"birthday": (clock.now() + timedelta(days=2)).date().isoformat()}
    answer = shop.api.call("PATCH", f"/customers/{who}", born)
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, ["/birthday"])
