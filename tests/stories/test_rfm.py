"""Scores at night and per order: in her object, as a computed tag, in conditions, through refunds and merges (T5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import Shop
from sqlalchemy.orm import Session

from bot.core import checks, clock
from bot.core.installation import Installation
from bot.core.sets import run
from tags.conditions.tree import parse
from tags.orders import place
from tags.people import finding
from tags.people import service as people
from tags.rfm import service


def buy(shop: Shop, who: str, number: str, fen: int, days_ago: float = 0) -> None:
    paid_at = (clock.now() - timedelta(days=days_ago)).isoformat()
    item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": fen}
    order = {"order_id": number, "customer": {"shop_customer_id": who}, "total_fen": fen, "items": [item]}
    shop.api.post("/orders", {**order, "paid_at": paid_at})


def rfm(shop: Shop, who: str) -> Any:
    return shop.api.get("/customers", shop_customer_id=who)["rfm"]


def computed(shop: Shop, who: str) -> list[str]:
    tags = shop.api.get("/customers", shop_customer_id=who)["tags"]
    return [tag["name"] for tag in tags if tag["group"] == "RFM 分类"]


def meant(shop: Shop, tree: dict[str, Any]) -> list[str]:
    with shop.installation.transaction("test") as session:
        ids = list(session.scalars(finding.meant(session, parse(session, tree, ""))))
    return sorted(shop.api.get(f"/customers/{one}")["name"] or str(one) for one in ids)


def verified(shop: Shop) -> list[str]:
    with shop.installation.transaction("test") as session:
        return [f"{one.name}: {said}" for one in checks.checks for said in one.run(session)]


@pytest.fixture
def five(shop: Shop) -> Shop:
    """Five buyers: the n-th bought n times, lately, n × ¥100 each time; a night has passed."""
    for n in range(1, 6):
        for k in range(n):
            buy(shop, f"U{n}", f"D{n}-{k}", n * 10_000, days_ago=60 - 10 * n + k)
    shop.run_jobs()
    return shop


def test_the_first_orders_are_scored_at_once_and_tagged(five: Shop) -> None:  # T5 T1
    assert [rfm(five, f"U{n}") for n in (1, 3, 5)] == [
        {"r": 1, "f": 1, "m": 1, "class": "一般挽留"}, {"r": 3, "f": 3, "m": 3, "class": "一般挽留"},
        {"r": 5, "f": 5, "m": 5, "class": "重要价值"},
    ]  # fmt: skip
    assert computed(five, "U5") == ["重要价值"]
    assert verified(five) == []


def test_an_order_moves_its_buyer_between_the_edges_of_the_night(five: Shop) -> None:  # T5
    buy(five, "U1", "D1-new", 90_000)
    assert rfm(five, "U1") == {"r": 5, "f": 2, "m": 4, "class": "重要发展"}
    assert computed(five, "U1") == ["重要发展"]
    assert rfm(five, "U2") == {"r": 2, "f": 2, "m": 2, "class": "一般挽留"}
    assert verified(five) == []


def test_a_fully_refunded_order_counts_no_more(five: Shop) -> None:  # T5 P2
    refund = {"refund_id": "R1", "amount_fen": 10_000, "refunded_at": clock.now().isoformat()}
    five.api.post("/orders/D1-0/refunds", refund)
    assert rfm(five, "U1") is None
    assert computed(five, "U1") == []
    five.pass_time(days=1)
    five.run_jobs()
    assert rfm(five, "U2")["f"] == 2  # ceil(5 × 1 / 4)
    assert verified(five) == []


def test_a_merge_scores_both_sums_and_undoing_it_each_one_s(five: Shop) -> None:  # T5 C2
    ids = {n: five.api.get("/customers", shop_customer_id=f"U{n}")["id"] for n in (1, 4)}
    merge = five.api.post(f"/customers/{ids[1]}/merge", {"into": {"customer_id": ids[4]}})
    assert rfm(five, "U4") == {"r": 4, "f": 5, "m": 5, "class": "重要价值"}  # 5 orders, ¥1,700
    assert verified(five) == []
    five.api.post(f"/merges/{merge['id']}/undo")
    assert (rfm(five, "U1")["f"], rfm(five, "U4")["f"]) == (1, 4)
    assert (computed(five, "U1"), computed(five, "U4")) == (["一般挽留"], ["重要价值"])
    assert verified(five) == []


def test_conditions_ask_for_scores_and_classes(five: Shop) -> None:  # T4 T5
    five.api.post("/orders", {"order_id": "X", "customer": {"shop_customer_id": "U9"}, "total_fen": 0, "items": [],
                              "paid_at": clock.now().isoformat()})  # fmt: skip
    with five.installation.transaction("test") as session:
        nobody = people.make(session, name="新人")
    assert len(meant(five, {"rfm": {"r": [4, 5], "f": [5]}})) == 1
    assert len(meant(five, {"class": "重要价值"})) == 2
    assert meant(five, {"class": "未购"}) == ["新人"]
    assert nobody


def test_a_class_is_held_since_it_was_hers(five: Shop) -> None:  # T4 T5
    assert len(meant(five, {"class": "一般挽留"})) == 3
    assert meant(five, {"class": "一般挽留", "for_days": 3}) == []
    five.pass_time(days=3)
    five.run_jobs()
    assert len(meant(five, {"class": "一般挽留", "for_days": 3})) == 3
    buy(five, "U1", "D1-new", 90_000)
    assert len(meant(five, {"class": "一般挽留", "for_days": 3})) == 2
    assert meant(five, {"class": "重要发展", "for_days": 1}) == []
    with five.installation.transaction("test") as session:
        people.make(session, name="新人")
    assert meant(five, {"class": "未购", "for_days": 1}) == []
    five.pass_time(days=1)
    assert meant(five, {"class": "未购", "for_days": 1}) == ["新人"]


def test_thresholds_score_by_what_the_brand_decided(five: Shop) -> None:  # T5
    five.api.patch("/settings", {"rfm": {"by": "thresholds", "days": [15, 25, 35, 45], "orders": [2, 3, 4, 5],
                                         "net_fen": [20_000, 80_000, 100_000, 200_000]}})  # fmt: skip
    five.pass_time(days=1)
    five.run_jobs()
    assert rfm(five, "U5") == {"r": 5, "f": 5, "m": 5, "class": "重要价值"}
    assert rfm(five, "U3") == {"r": 3, "f": 3, "m": 3, "class": "一般挽留"}
    assert rfm(five, "U1") == {"r": 1, "f": 1, "m": 1, "class": "一般挽留"}


def test_an_order_under_way_while_the_first_edges_are_found_is_scored_too(installation: Installation) -> None:  # T5 G5
    def order(session: Session, name: str) -> int:
        her = people.make(session, name=name)
        place.place(session, [place.NewOrder(name, her, clock.now(), 100, ())])
        return her

    def night() -> None:
        with installation.transaction("night") as session:
            service.recompute(session)

    with installation.transaction("test") as session:
        first = order(session, "Anna")
    with ThreadPoolExecutor(1) as pool:
        with installation.transaction("test") as session:
            second = order(session, "Bella")
            finding_edges = pool.submit(night)
            with pytest.raises(TimeoutError):
                finding_edges.result(0.5)
        finding_edges.result(10)
    with installation.transaction("test") as session:
        assert set(service.scores(session, [first, second])) == {first, second}


def test_the_tags_of_a_night_and_an_order_of_the_same_buyer_do_not_wait_crosswise(five: Shop) -> None:  # T5 T1
    first, second = (int(five.api.get("/customers", shop_customer_id=who)["id"]) for who in ("U1", "U2"))
    with five.installation.transaction("test") as session:
        run(session, "UPDATE rfm_scores SET tagged = ''")

    def tag_everybody() -> int:
        with five.installation.transaction("test") as night:
            return service.retag(night)

    with ThreadPoolExecutor(1) as pool:
        with five.installation.transaction("test") as order:
            people.lock(order, first)
            tagging = pool.submit(tag_everybody)
            with pytest.raises(TimeoutError):
                tagging.result(0.5)
            run(order, "SET LOCAL lock_timeout = '5s'")
            assert service.retag(order, first) == 1
            with five.installation.transaction("test") as other:
                run(other, "SET LOCAL lock_timeout = '5s'")
                assert [one.id for one in people.lock(other, second)] == [second]
                assert service.retag(other, second) == 1
        assert tagging.result(10) == 5


Orders = list[tuple[int, int, int]]


@given(orders=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30), st.integers(0, 3)), max_size=30))
def test_a_night_scores_everybody_as_the_definition_says(installation: Installation, orders: Orders) -> None:  # T5
    now = clock.now()
    with installation.transaction("test") as session:
        example = session.begin_nested()
        ids = [people.make(session, name=str(n)) for n in range(9)]
        place.place(session, [
            place.NewOrder(f"D{n}", ids[who], now - timedelta(days=days), hundreds * 100, ())
            for n, (who, days, hundreds) in enumerate(orders)
        ])  # fmt: skip
        service.recompute(session)
        found = service.scores(session, ids)
        example.rollback()
    sums = {
        who: (-min(days for one, days, _ in orders if one == who), sum(one == who for one, *_ in orders),
              sum(hundreds for one, _, hundreds in orders if one == who))
        for who in {who for who, *_ in orders}
    }  # fmt: skip

    def score(measure: int, value: int) -> int:
        return -(-5 * (1 + sum(other[measure] < value for other in sums.values())) // len(sums))

    expected = {ids[who]: [score(n, value) for n, value in enumerate(hers)] for who, hers in sums.items()}
    assert {her: [one["r"], one["f"], one["m"]] for her, one in found.items()} == expected
