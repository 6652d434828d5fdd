"""Points of merged customers and of those taken apart again (C2, P1)."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.checks import checks
from bot.core.installation import Installation
from handlers.points import adjust, hold, spend, statement
from handlers.points.errors import TooFewPoints
from tags.orders import place, refund
from tags.people import merge
from tags.people import service as people

_names = (f"m{n}" for n in count())


@pytest.fixture(autouse=True)
def clean(installation: Installation) -> Iterator[None]:
    """Whatever happened, the books are right afterwards."""
    yield
    with installation.transaction("test") as session:
        assert [difference for one in checks for difference in one.run(session)] == []


def buy(session: Session, customer_id: int, fen: int, days_ago: int = 0) -> str:
    name = next(_names)
    paid_at = clock.now() - timedelta(days=days_ago)
    place.place(session, [place.NewOrder(name, customer_id, paid_at, fen, ())])
    return name


def give_back(session: Session, order_id: str, fen: int) -> None:
    refund.refund(session, order_id, refund.NewRefund(next(_names), fen, clock.now()))


def owned(session: Session, customer_id: int) -> int:
    """Her ledger's sum: balance less debt."""
    found = statement.statement(session, customer_id)
    return found.balance - found.debt


KIND = st.sampled_from(["buy", "buy", "give", "take", "spend", "refund"])
STEP = st.tuples(KIND, st.integers(1, 40_000), st.sampled_from([0, 30, 60]))


def live(session: Session, customer_id: int, steps: list[tuple[str, int, int]]) -> int:
    """Let her do things; returns what they changed in her sum. `refund`: of an order whose points are spent."""
    before = owned(session, customer_id)
    for what, amount, days_ago in steps:
        try:
            if what == "buy":
                buy(session, customer_id, amount, days_ago)
            elif what == "spend":
                spend.spend(session, customer_id, amount // 40, order_id=next(_names))
            elif what == "refund":
                name = buy(session, customer_id, 40_000, days_ago)
                spend.spend(session, customer_id, statement.balance(session, customer_id), order_id=next(_names))
                give_back(session, name, amount)
            else:
                adjust.adjust(session, customer_id, (1 if what == "give" else -1) * (amount // 40 or 1), "试验")
        except TooFewPoints:
            continue
    return owned(session, customer_id) - before


@given(st.lists(STEP, max_size=4), st.lists(STEP, max_size=4), st.lists(STEP, max_size=4))
def test_undoing_a_merge_gives_back_what_was_booked_before_and_leaves_the_rest(
    installation: Installation, hers: list[tuple[str, int, int]], others: list[tuple[str, int, int]],
    later: list[tuple[str, int, int]],
) -> None:  # C2 P1 # fmt: skip
    with installation.transaction("test") as session:
        anna, bella = people.make(session), people.make(session)
        annas, bellas = live(session, anna, hers), live(session, bella, others)
        merged = merge.merge(session, anna, bella, why="试验")
        assert owned(session, bella) == owned(session, anna) == annas + bellas
        since = live(session, bella, later)
        merge.undo(session, merged.id)
        assert owned(session, anna) + owned(session, bella) == annas + bellas + since
        assert owned(session, anna) <= annas
        if bellas + since >= 0:
            assert owned(session, anna) == annas


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.lists(STEP, max_size=2)), max_size=8))
def test_merges_in_any_order_and_back_keep_the_sum_of_all(
    installation: Installation, moves: list[tuple[int, int, list[tuple[str, int, int]]]]
) -> None:  # C2 P1
    with installation.transaction("test") as session:
        cast = [people.make(session) for _ in range(3)]
        standing: list[int] = []
        whole = 0
        for at, (one, other, steps) in enumerate(moves):
            whole += live(session, cast[one], steps)
            if at % 3 == 2 and standing:
                merge.undo(session, standing.pop(one % len(standing)))
            elif people.survivor(session, cast[one]) != people.survivor(session, cast[other]):
                standing.append(merge.merge(session, cast[one], cast[other], why="试验").id)
            survivors = {people.survivor(session, each) for each in cast}
            assert sum(owned(session, each) for each in survivors) == whole


@pytest.fixture
def pair(installation: Installation) -> tuple[int, int]:
    with installation.transaction("test") as session:
        return people.make(session), people.make(session)


def test_orders_stay_in_their_month_and_later_ones_go_to_the_survivors(
    installation: Installation, pair: tuple[int, int]
) -> None:  # C2 P2
    anna, bella = pair
    with installation.transaction("test") as session:
        first = buy(session, anna, 20_000)
        buy(session, bella, 20_000)
        merge.merge(session, anna, bella, why="试验")
        later = buy(session, anna, 20_000)
        assert statement.of_order(session, later) == {"base": 400, "bonus": 0}  # with Bella's ¥200: 1.5 % of ¥400
        assert statement.balance(session, anna) == 200 + 600
        give_back(session, first, 20_000)
        assert statement.balance(session, bella) == 600
        found = statement.statement(session, anna).month
        assert (found.net_spend_fen, found.base_points) == (40_000, 600)


def test_a_debt_of_one_is_paid_from_the_points_of_the_other(
    installation: Installation, pair: tuple[int, int]
) -> None:  # C2 P1
    anna, bella = pair
    with installation.transaction("test") as session:
        order = buy(session, anna, 20_000)
        spend.spend(session, anna, 200)
        give_back(session, order, 20_000)
        adjust.adjust(session, bella, 500, "试验")
        assert (owned(session, anna), owned(session, bella)) == (-200, 500)
        merged = merge.merge(session, anna, bella, why="试验")
        found = statement.statement(session, bella)
        assert (found.balance, found.debt) == (300, 0)
        merge.undo(session, merged.id)
        assert (owned(session, anna), owned(session, bella)) == (-200, 500)


def test_what_the_survivor_spent_of_the_others_points_is_moved_back(
    installation: Installation, pair: tuple[int, int]
) -> None:  # C2 P1
    anna, bella = pair
    with installation.transaction("test") as session:
        buy(session, anna, 20_000, days_ago=60)  # ends first, so it is spent first
        buy(session, bella, 30_000)
        merged = merge.merge(session, anna, bella, why="试验")
        spend.spend(session, bella, 250, order_id="X1")
        merge.undo(session, merged.id)
        assert (owned(session, anna), owned(session, bella)) == (200, 200)


def test_a_hold_across_both_is_let_go_when_they_part(
    installation: Installation, pair: tuple[int, int]
) -> None:  # C2 P1
    anna, bella = pair
    with installation.transaction("test") as session:
        adjust.adjust(session, anna, 100, "试验")
        adjust.adjust(session, bella, 100, "试验")
        merged = merge.merge(session, anna, bella, why="试验")
        hold.hold(session, bella, "across", 150)
        merge.undo(session, merged.id)
        with pytest.raises(hold.HoldOver):
            hold.commit(session, "across")
        assert (owned(session, anna), owned(session, bella)) == (100, 100)


def test_points_spent_together_return_to_the_spender_once_they_have_parted(
    installation: Installation, pair: tuple[int, int]
) -> None:  # C2 P1
    anna, bella = pair
    with installation.transaction("test") as session:
        buy(session, anna, 20_000, days_ago=60)
        adjust.adjust(session, bella, 300, "试验")
        merged = merge.merge(session, anna, bella, why="试验")
        name = next(_names)
        place.place(session, [place.NewOrder(name, bella, clock.now(), 100, (), points_used=250)])
        merge.undo(session, merged.id)
        assert (owned(session, anna), owned(session, bella)) == (200, 50)
        give_back(session, name, 100)
        assert (owned(session, anna), owned(session, bella)) == (200, 300)


def test_a_merged_customer_who_never_had_points_is_given_some_through_her_survivor(
    installation: Installation, pair: tuple[int, int]
) -> None:  # C2 P1
    anna, bella = pair
    with installation.transaction("test") as session:
        merge.merge(session, anna, bella, why="试验")
        adjust.adjust(session, anna, 100, "试验")
        assert owned(session, bella) == 100
