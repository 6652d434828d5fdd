"""Money and points under many hands at once: each effect once, nothing twice sold, `verify` clean (G5, P1, P2)."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from racing import refused, together
from sqlalchemy import func, select

from bot.core import clock
from bot.core.checks import checks
from bot.core.errors import Problem
from bot.core.installation import Installation
from handlers.points import adjust, due, hold, spend, statement
from tags.orders import place, refund
from tags.orders.models import Order
from tags.people import merge
from tags.people import service as people


@pytest.fixture(autouse=True)
def clean(installation: Installation) -> Iterator[None]:
    """Whatever happened, the books are right afterwards."""
    yield
    with installation.transaction("test") as session:
        assert [difference for one in checks for difference in one.run(session)] == []


def customer(installation: Installation, points: int = 0) -> int:
    with installation.transaction("test") as session:
        made = people.make(session)
        if points:
            adjust.adjust(session, made, points, "试验")
        return made


def doing(
    installation: Installation, service: Callable[..., object], *args: object, **more: object
) -> Callable[[], object]:
    """One request: `service` in a transaction of its own."""

    def act() -> object:
        with installation.transaction("test") as session:
            return service(session, *args, **more)

    return act


def order(order_id: str, customer_id: int, fen: int, **more: int) -> place.NewOrder:
    return place.NewOrder(order_id, customer_id, clock.now(), fen, (), **more)


def balance(installation: Installation, customer_id: int) -> int:
    with installation.transaction("test") as session:
        return statement.balance(session, customer_id)


def test_of_twenty_spends_of_the_whole_balance_one_wins(installation: Installation) -> None:  # P1
    anna = customer(installation, 100)
    got = together(*(doing(installation, spend.spend, anna, 100, order_id=f"o{n}") for n in range(20)))
    assert refused(got) == ["TooFewPoints"] * 19
    assert balance(installation, anna) == 0


def test_an_order_told_by_32_requests_at_once_is_one_order(installation: Installation) -> None:  # G5 P2
    anna = customer(installation)
    placed = order("A1", anna, 20_000)
    got = together(*(doing(installation, place.place, [placed]) for _ in range(32)))
    assert sorted(answer["A1"] for answer in got) == [False] * 31 + [True]
    assert balance(installation, anna) == 200


def test_the_points_of_an_order_are_spent_once_however_often_it_is_told(installation: Installation) -> None:  # P1 G5
    anna = customer(installation, 500)
    placed = order("A1", anna, 0, points_used=300)
    together(*(doing(installation, place.place, [placed]) for _ in range(8)))
    assert balance(installation, anna) == 200


def test_orders_of_one_month_posted_at_once_earn_as_their_sum(installation: Installation) -> None:  # P2
    anna = customer(installation)
    got = together(*(doing(installation, place.place, [order(f"A{n}", anna, 3_333)]) for n in range(16)))
    assert refused(got) == []
    assert balance(installation, anna) == 16 * 3_333 * 2 // 100


def test_the_same_order_twice_in_one_batch_is_one(installation: Installation) -> None:  # G5
    anna = customer(installation)
    batch = [order("A1", anna, 20_000), order("A2", anna, 20_000)]
    got = together(*(doing(installation, place.place, [*each, *each]) for each in (batch, batch[::-1], batch)))
    assert refused(got) == []
    assert balance(installation, anna) == 600


def test_of_refunds_that_exceed_an_order_together_only_what_fits_is_taken(installation: Installation) -> None:  # P1 G5
    anna = customer(installation)
    doing(installation, place.place, [order("A1", anna, 20_000)])()
    halves = [refund.NewRefund(f"R{n}", 10_000, clock.now()) for n in range(6)]
    got = together(*(doing(installation, refund.refund, "A1", each) for each in halves))
    assert refused(got) == ["MoreThanLeft"] * 4
    assert balance(installation, anna) == 0


def test_a_refund_told_by_many_at_once_is_one_refund(installation: Installation) -> None:  # G5
    anna = customer(installation)
    doing(installation, place.place, [order("A1", anna, 20_000)])()
    half = refund.NewRefund("R1", 10_000, clock.now())
    got = together(*(doing(installation, refund.refund, "A1", half) for _ in range(12)))
    assert sorted(got) == [False] * 11 + [True]
    assert balance(installation, anna) == 100


def test_holds_and_spends_never_promise_more_than_there_is(installation: Installation) -> None:  # P1
    anna = customer(installation, 1_000)
    requests = [doing(installation, hold.hold, anna, f"h{n}", 150) for n in range(8)]
    requests += [doing(installation, spend.spend, anna, 150, order_id=f"s{n}") for n in range(8)]
    got = together(*requests)
    assert refused(got) == ["TooFewPoints"] * 10


def test_a_hold_is_committed_or_released_by_one_of_many(installation: Installation) -> None:  # P1
    anna = customer(installation, 100)
    doing(installation, hold.hold, anna, "A1", 100)()
    got = together(*(doing(installation, step, "A1") for step in (hold.commit, hold.release) for _ in range(6)))
    state = {"committed": 0, "released": 100}
    won = "committed" if refused(got[6:]) else "released"
    assert refused(got) == ["HoldOver"] * 6
    assert balance(installation, anna) == state[won]


def test_a_commit_that_races_the_time_out_finds_the_hold_over(installation: Installation) -> None:  # P1
    anna = customer(installation, 100)
    doing(installation, hold.hold, anna, "A1", 100)()
    clock.advance(timedelta(minutes=31).total_seconds())
    got = together(*(doing(installation, step) for step in [partial(hold.commit, order_id="A1"), due.sweep] * 6))
    assert refused(got) == ["HoldOver"] * 6
    assert balance(installation, anna) == 100


def test_spending_while_a_merge_is_made_and_undone_loses_nothing(installation: Installation) -> None:  # C2 P1
    anna, bella = customer(installation, 300), customer(installation, 300)
    with installation.transaction("test") as session:
        merge_id = merge.merge(session, anna, bella, why="试验").id
    got = together(
        doing(installation, merge.undo, merge_id),
        *(doing(installation, spend.spend, who, 60, order_id=f"o{n}") for n, who in enumerate([anna, bella] * 4)),
    )
    too_late = refused(got)  # once they are two again, the points of one may be gone: she is told so
    assert set(too_late) <= {"TooFewPoints"}
    assert balance(installation, anna) + balance(installation, bella) == 600 - (8 - len(too_late)) * 60


def revert_storm(installation: Installation, transactions: int, workers: int) -> None:
    """Each of `transactions` orders is refunded whole by two requests, at random: exactly one of the two succeeds."""
    buyers = [customer(installation) for _ in range(5)]
    with installation.transaction("test") as session:
        place.place(session, [order(f"A{n}", buyers[n % 5], 10_000 + n) for n in range(transactions)])
    whole = [
        doing(installation, refund.refund, f"A{n}", refund.NewRefund(f"R{twin}", 10_000 + n, clock.now()))
        for n in range(transactions) for twin in range(2)
    ]  # fmt: skip
    random.Random(1).shuffle(whole)

    def run(revert: Callable[[], object]) -> bool:
        try:
            revert()
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(workers) as pool:
        assert sum(pool.map(run, whole)) == transactions
    with installation.transaction("test") as session:
        assert session.scalar(select(func.sum(Order.total_fen - Order.refunded_fen))) == 0
        assert [statement.balance(session, buyer) for buyer in buyers] == [0] * 5


def test_a_storm_of_double_refunds_takes_each_back_once(installation: Installation) -> None:  # P1 P2 G5
    revert_storm(installation, transactions=40, workers=20)


@pytest.mark.long
def test_a_storm_of_a_thousand_refunds_takes_each_back_once(installation: Installation) -> None:  # P1 P2 G5
    revert_storm(installation, transactions=500, workers=20)
