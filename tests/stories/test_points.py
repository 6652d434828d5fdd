"""What a customer's points are, when they end, and what people do to them by hand (P1)."""

from datetime import timedelta
from typing import Any

import pytest
from shop import Shop
from test_orders import clean, order, refund, refused

from bot.core import clock

__all__ = ["clean"]  # the books are right after each of these stories too


def points(shop: Shop, who: str) -> Any:
    return shop.api.get(f"/customers/{who}/points")


def prefer(shop: Shop, **values: Any) -> None:
    """Change what the brand decides."""
    shop.api.patch("/settings", values)


def test_a_lot_ends_with_the_month_twelve_months_later(shop: Shop) -> None:  # P1 G2
    who = shop.api.post("/orders", order(paid_at="2026-10-31T15:59:59Z"))["customer_id"]
    assert points(shop, who)["lots"] == [{"points": 268, "expires_at": "2027-10-31T16:00:00Z"}]
    late = shop.api.post("/orders", order("A2", paid_at="2026-10-31T16:00:00Z", customer={"phone": "13900139000"}))
    assert points(shop, late["customer_id"])["lots"][0]["expires_at"] == "2027-11-30T16:00:00Z"


def test_what_has_ended_is_gone_before_any_sweep_and_stands_in_the_ledger_once(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order())["customer_id"]
    shop.pass_time(days=400)
    refused(shop, "/orders", order("A2", 0, points_used=1), 422)
    assert (points(shop, who)["balance"], points(shop, who)["lots"]) == (0, [])
    shop.run_jobs()
    lines = shop.api.get(f"/customers/{who}/ledger")["data"]
    assert [(line["kind"], line["points"], line["balance_after"]) for line in lines] == [
        ("earn", 268, 268), ("expire", -268, 0),
    ]  # fmt: skip


def test_an_order_so_old_that_its_lot_has_ended_earns_and_expires_in_one_booking(shop: Shop) -> None:  # P1
    long_ago = (clock.now() - timedelta(days=420)).isoformat()
    made = shop.api.post("/orders", order(paid_at=long_ago))
    assert made["points"]["base"] == 268
    lines = shop.api.get(f"/customers/{made['customer_id']}/ledger")["data"]
    assert [line["points"] for line in lines] == [268, -268]


def test_points_wait_for_the_return_window_where_the_brand_says_so(shop: Shop) -> None:  # P1
    prefer(shop, points_pending_days=7)
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    assert (points(shop, who)["balance"], points(shop, who)["pending"]) == (0, 268)
    shop.api.post("/orders/A1/refunds", refund("R1", 6_800))
    assert (points(shop, who)["balance"], points(shop, who)["pending"]) == (0, 200)
    shop.pass_time(days=7, seconds=1)
    assert (points(shop, who)["balance"], points(shop, who)["pending"]) == (200, 0)


def test_points_given_back_after_their_end_last_seven_days_more(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    shop.api.post("/orders", order("A2", 0, points_used=268))
    shop.pass_time(days=400)
    shop.api.post("/orders/A2/refunds", refund("R1", 0))
    [lot] = points(shop, who)["lots"]
    assert lot["points"] == 268
    shop.pass_time(days=6, hours=23)
    assert points(shop, who)["balance"] == 268
    shop.pass_time(hours=2)
    assert points(shop, who)["balance"] == 0


def test_months_that_have_begun_keep_their_rates_and_lots_their_end(shop: Shop) -> None:  # P1 P2
    who = shop.api.post("/orders", order("A1", 10_000))["customer_id"]
    prefer(
        shop, earning_steps=[{"from_fen": 0, "rate": "0.05"}], points_expiry={"months": 1, "until_end_of": "day"}
    )  # fmt: skip
    assert shop.api.post("/orders", order("A2", 10_000))["points"]["base"] == 100
    fresh = shop.api.post("/orders", order("A3", 10_000, customer={"phone": "13900139000"}))
    assert fresh["points"]["base"] == 500
    ends = {lot["expires_at"] for lot in points(shop, who)["lots"]}
    shop.pass_time(days=32)
    assert points(shop, who)["balance"] == 100
    assert {lot["expires_at"] for lot in points(shop, who)["lots"]} < ends


def test_an_adjustment_gives_or_takes_and_says_why(shop: Shop) -> None:  # G4 P1
    who = shop.api.post("/orders", order("A1", 26_800))["customer_id"]
    made = shop.api.call("POST", f"/customers/{who}/points/adjustments", {"points": 32, "reason": "补偿"})
    line = made.json()
    assert made.status_code == 201
    assert (line["points"], line["kind"], line["reason"], line["balance_after"]) == (32, "adjust", "补偿", 300)
    shop.api.post(f"/customers/{who}/points/adjustments", {"points": -300, "reason": "更正"})
    problem = refused(shop, f"/customers/{who}/points/adjustments", {"points": -1, "reason": "更正"}, 422)
    assert problem["errors"][0]["pointer"] == "/points"
    refused(shop, f"/customers/{who}/points/adjustments", {"points": 0, "reason": "更正"}, 422)
    assert points(shop, who)["balance"] == 0


def test_an_adjustment_with_an_idempotency_key_happens_once(shop: Shop) -> None:  # G5
    who = shop.api.post("/orders", order())["customer_id"]
    body, key = {"points": -200, "reason": "更正"}, {"Idempotency-Key": "k1"}
    first, again = (shop.api.call("POST", f"/customers/{who}/points/adjustments", body, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert points(shop, who)["balance"] == 68


def test_the_ledger_pages_by_cursor_and_its_last_line_is_the_balance(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order("A0", 10_000))["customer_id"]
    for n in range(1, 6):
        shop.api.post(f"/customers/{who}/points/adjustments", {"points": n, "reason": "试验"})
    lines, cursor = [], None
    while True:
        page = shop.api.get(f"/customers/{who}/ledger", limit=2, **({"cursor": cursor} if cursor else {}))
        lines += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [line["balance_after"] for line in lines] == [100, 101, 103, 106, 110, 115]
    assert points(shop, who)["balance"] == 115


def test_a_clock_that_jumps_back_takes_nothing_away_and_brings_nothing_back(shop: Shop) -> None:  # P1
    who = shop.api.post("/orders", order())["customer_id"]
    shop.pass_time(days=400)
    assert points(shop, who)["balance"] == 0
    clock.advance(timedelta(days=-400).total_seconds())
    assert points(shop, who)["balance"] == 0
    shop.api.post("/orders", order("A2", 26_800))
    assert points(shop, who)["balance"] == 804


def test_her_tier_is_what_twelve_months_of_net_spend_reach(shop: Shop) -> None:  # P3
    long_ago = (clock.now() - timedelta(days=367)).isoformat()
    who = shop.api.post("/orders", order("A0", 900_000, paid_at=long_ago))["customer_id"]
    assert points(shop, who)["tier"] == "普通"
    shop.api.post("/orders", order("A1", 100_000))
    assert points(shop, who)["tier"] == "银卡"
    shop.api.post("/orders", order("A2", 200_000))
    assert points(shop, who)["tier"] == "金卡"
    shop.api.post("/orders/A2/refunds", refund("R1", 1))
    assert points(shop, who)["tier"] == "银卡"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("earning_steps", [{"from_fen": 30_000, "rate": "0.02"}, {"from_fen": 10_000, "rate": "0.03"}]),
        ("earning_steps", [{"from_fen": 0, "rate": "0.02"}, {"from_fen": 10_000, "rate": "0.01"}]),
        ("earning_steps", [{"from_fen": 0, "rate": "1.01"}]),
        ("tiers", []),
        ("tiers", [{"name": "普通", "from_fen": 1}]),
        ("tiers", [{"name": "普通", "from_fen": 0}, {"name": "普通", "from_fen": 5}]),
        ("points_expiry", {"months": 0, "until_end_of": "month"}),
    ],
)
def test_what_a_brand_can_not_decide_is_refused(shop: Shop, name: str, value: Any) -> None:  # P1 P2 P3
    answer = shop.api.call("PATCH", "/settings", {name: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{name}")
