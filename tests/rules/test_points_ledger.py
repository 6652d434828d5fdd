"""The ledger in PostgreSQL against a customer in memory, over random lives; `verify` is clean after each."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import count

import pytest
import time_machine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from points_model import SHANGHAI, Customer, TooFew
from sqlalchemy.orm import Session

from bot.core import clock, preferences
from bot.core.checks import checks
from bot.core.installation import Installation
from handlers.points import adjust, due, hold, statement
from handlers.points.errors import TooFewPoints
from handlers.points.multipliers import Factor, Posting, multipliers
from tags.orders import place, refund
from tags.people import service as people

BEGIN = datetime(2026, 11, 20, 4, tzinfo=UTC)
TIMES: dict[str, Fraction] = {}  # what the test's multiplier says of an order


def test_multiplier(session: Session, orders: Sequence[Posting]) -> Mapping[str, Factor]:
    return {one.order_id: Factor(int(TIMES[one.order_id] * 10_000), "试验") for one in orders if one.order_id in TIMES}


test_multiplier.__test__ = False  # type: ignore[attr-defined]  # a multiplier, not a test


@pytest.fixture
def multiplied(installation: Installation) -> Iterator[None]:
    """A multiplier is registered, as a tier or a campaign would be."""
    multipliers.entries.append(("test", test_multiplier))
    yield
    multipliers.entries.remove(("test", test_multiplier))


def verified(installation: Installation) -> list[str]:
    """What `fugou verify` finds."""
    with installation.transaction("test") as session:
        return [f"{one.name}: {difference}" for one in checks for difference in one.run(session)]


class Life(RuleBasedStateMachine):
    """One customer buys, returns, spends, holds, waits; the ledger and the model say the same after every step."""

    installation: Installation

    def __init__(self) -> None:
        super().__init__()
        self.time = time_machine.travel(BEGIN, tick=False)
        self.traveller = self.time.start()
        with self.installation.transaction("test") as session:
            self.id = people.make(session)
        self.model = Customer(0)
        self.names = count()

    def named(self, name: str) -> str:
        """An order's name in the shop, which no other example has used."""
        return f"{self.id}-{name}"

    @initialize(days=st.sampled_from([0, 10]))
    def decide(self, days: int) -> None:
        """The brand makes points wait for the return window, or not."""
        self.model.pending_days = days
        with self.installation.transaction("test") as session:
            preferences.change(session, "points_pending_days", days)

    def teardown(self) -> None:
        try:
            assert verified(self.installation) == []
        finally:
            self.time.stop()

    def now(self) -> datetime:
        """The moment of this step, for which the model is brought up to date."""
        self.model.live(clock.now())
        return clock.now()

    @rule(
        fen=st.sampled_from([0, 990, 5_000, 9_999, 10_000, 20_001, 30_000, 77_777]),
        days_ago=st.sampled_from([0, 0, 0, 3, 25, 200, 380, 420]),
        used=st.sampled_from([0, 0, 0, 1, 100, 450]),
        times=st.sampled_from([Fraction(1), Fraction(1), Fraction(3, 2), Fraction(2)]),
    )
    def buy(self, fen: int, days_ago: int, used: int, times: Fraction) -> None:
        now = self.now()
        name, paid_at = str(next(self.names)), now - timedelta(days=days_ago, hours=1)
        TIMES[self.named(name)] = times
        order = place.NewOrder(self.named(name), self.id, paid_at, fen, (), used)
        try:
            self.model.place(name, paid_at, fen, used, times, now)
        except TooFew:
            with pytest.raises(TooFewPoints), self.installation.transaction("test") as session:
                place.place(session, [order])
            return
        with self.installation.transaction("test") as session:
            assert place.place(session, [order]) == {order.order_id: True}
        with self.installation.transaction("test") as session:  # the shop tells it again
            assert place.place(session, [order, order]) == {order.order_id: False}

    @precondition(lambda self: any(order.net for order in self.model.orders.values()))
    @rule(data=st.data(), share=st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2), Fraction(1, 7)]))
    def give_back(self, data: st.DataObject, share: Fraction) -> None:
        now = self.now()
        name = data.draw(st.sampled_from([name for name, order in self.model.orders.items() if order.net]))
        fen = max(1, int(self.model.orders[name].net * share))
        new = refund.NewRefund(f"r{next(self.names)}", fen, now)
        self.model.refund(name, fen, now)
        with self.installation.transaction("test") as session:
            assert refund.refund(session, self.named(name), new)
        with self.installation.transaction("test") as session:
            assert not refund.refund(session, self.named(name), new)

    @rule(points=st.sampled_from([-1_000, -120, -1, 1, 60, 500]))
    def adjust(self, points: int) -> None:
        now = self.now()
        try:
            self.model.adjust(points, now)
        except TooFew:
            with pytest.raises(TooFewPoints), self.installation.transaction("test") as session:
                adjust.adjust(session, self.id, points, "试验")
            return
        with self.installation.transaction("test") as session:
            adjust.adjust(session, self.id, points, "试验")

    @precondition(lambda self: self.model.spendable > 0)
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        now = self.now()
        if self.model.spendable == 0:
            return
        points = data.draw(st.integers(1, self.model.spendable))
        name = str(next(self.names))
        self.model.hold(name, points, now + timedelta(minutes=30))
        with self.installation.transaction("test") as session:
            hold.hold(session, self.id, self.named(name), points)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), commit=st.booleans())
    def resolve(self, data: st.DataObject, commit: bool) -> None:
        name, held = data.draw(st.sampled_from(list(self.model.holds.items())))
        self.now()
        over = name not in self.model.holds
        points = data.draw(st.integers(1, sum(part for _, part in held.parts)))
        with self.installation.transaction("test") as session:
            if not commit:
                hold.release(session, self.named(name))
            elif over:
                with pytest.raises(hold.HoldOver):
                    hold.commit(session, self.named(name), points)
            else:
                hold.commit(session, self.named(name), points)
        if not over:
            self.model.commit(name, points) if commit else self.model.release(name)

    @rule(days=st.sampled_from([0.03, 9.2, 40.0, 200.0, 390.0]), swept=st.booleans())
    def wait(self, days: float, swept: bool) -> None:
        self.traveller.shift(timedelta(days=days))
        if swept:
            with self.installation.transaction("test") as session:
                due.sweep(session)

    @invariant()
    def the_ledger_agrees(self) -> None:
        self.model.live(clock.now())
        month = f"{clock.now().astimezone(SHANGHAI):%Y-%m}"
        with self.installation.transaction("test") as session:
            said = statement.statement(session, self.id)
            lines, _ = statement.ledger(session, self.id, limit=200)
        model = self.model
        held = sum(lot.held for lot in model.lots)
        assert (said.balance, said.held, said.debt, said.pending) == (model.balance, held, model.debt, model.pending)
        ends: dict[datetime, int] = {}
        for lot in model.lots:
            ends[lot.ends] = ends.get(lot.ends, 0) + lot.left
        told: dict[datetime, int] = {}
        for lot in said.lots:
            told[lot.expires_at] = told.get(lot.expires_at, 0) + lot.points
        assert told == {end: points for end, points in ends.items() if points}
        assert (said.month.net_spend_fen, said.month.base_points) == (model.net(month), model.base(month))
        assert sum(line.points for line in lines) == said.balance - said.debt


def test_a_customers_points_are_what_the_rules_say_over_any_life(
    installation: Installation, multiplied: None
) -> None:  # P1 P2 G5
    class Here(Life):
        pass

    Here.installation = installation
    steps = 20 if settings().max_examples <= 20 else 60
    run_state_machine_as_test(Here, settings=settings(settings(), stateful_step_count=steps))
