"""Points: orders posted one by one and 300 a commit; 50 threads spending of one customer (quality.md, `ledger`)."""

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bot.app.bench import naive_ledger
from bot.app.bench.harness import (
    ROUNDS,
    Goal,
    Report,
    interleave,
    machine,
    per_second,
    percentile,
    private_installation,
)
from bot.core import clock
from bot.core.checks import checks
from bot.core.installation import Installation
from handlers.points import adjust, due, earn, spend
from handlers.points.errors import TooFewPoints
from handlers.points.multipliers import Posting

SEED = 1
CUSTOMERS = 2_000  # of each variant: they must not see one another's orders
ORDERS = 300
THREADS, SPENDS, LOTS, LOT_POINTS, SPEND_POINTS = 50, 400, 60, 500, 100  # she can afford 300 of 400
LASTING = timedelta(days=365)  # the naive lots

GOALS = (
    Goal("post against naive", "to_naive", at_least=3.0),
    Goal("post against one row, one commit", "of_limit", at_least=0.40),
    Goal("300 a commit against naive", "batch_to_naive", at_least=40.0),
    Goal("contention against naive", "contention_to_naive", at_least=1.5),
)


def bench(rounds: int = ROUNDS, orders: int = ORDERS) -> Report:
    """Run it on private servers, with so many orders a round."""
    with private_installation(pool_size=THREADS) as installation, machine(installation) as facts:
        engine = naive_ledger.connect(installation.database_url, THREADS)
        posting, race = Orders(installation, engine, orders), Race(installation, engine)
        rates = interleave({
            "naive": posting.naive, "product": posting.one_by_one, "limit": posting.limit,
            "product_300": posting.at_once,
        }, rounds)  # fmt: skip
        contended = interleave({"contention_naive": race.naive, "contention": race.product}, rounds)
        found = {
            "every round sold what she could afford": race.sold_right,
            "naive sums are right": posting.naive_right(),
            **verify(installation),
        }
        engine.dispose()
    return Report(
        bench="ledger", seed=SEED, unit="orders/s, spends/s", machine=facts, checks=found, goals=GOALS,
        workload={"orders a round": orders, "customers": CUSTOMERS, "threads": THREADS, "spends": SPENDS,
                  "affordable": LOTS * LOT_POINTS // SPEND_POINTS},
        variants={**rates, **contended}, p99=race.p99(),
        ratios={"to_naive": ("product", "naive"), "of_limit": ("product", "limit"),
                "batch_to_naive": ("product_300", "naive"), "contention_to_naive": ("contention", "contention_naive")},
    )  # fmt: skip


def verify(installation: Installation) -> dict[str, bool]:
    """Every invariant of points, by name, recomputed from the records."""
    with installation.transaction("bench") as session:
        return {one.name: not list(one.run(session)) for one in checks if one.name.startswith("points")}


class Orders:
    """Rounds of posting orders; each variant has customers of its own, whose accounts exist."""

    def __init__(self, installation: Installation, engine: Engine, count: int) -> None:
        self._installation, self._engine, self._count = installation, engine, count
        self._random, self._serial = random.Random(SEED), 0
        self._now = clock.now()
        with installation.transaction("bench") as session:
            first = make_customers(session, 2 * CUSTOMERS)
            with due.opened(session, range(first, first + 2 * CUSTOMERS)):  # makes their accounts
                pass
            session.execute(text("CREATE TABLE bench_limit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                                 " name text UNIQUE, fen bigint)"))  # fmt: skip
            session.execute(text("INSERT INTO naive_accounts (balance, debt) SELECT 0, 0 FROM generate_series(1, :n)"),
                            {"n": CUSTOMERS})  # fmt: skip
        self._single, self._batch = first, first + CUSTOMERS

    def naive(self) -> float:
        """The frozen code, an order a commit."""
        ends_at = self._now + LASTING

        def post(order: Posting) -> None:
            naive_ledger.post(
                self._engine, order.order_id, order.customer_id, order.month, order.net_fen, self._now, ends_at
            )

        return self._timed(1, post)

    def one_by_one(self) -> float:
        """Ours, an order a commit."""
        return self._timed(self._single, lambda order: self._post([order]))

    def at_once(self) -> float:
        """Ours, all orders of the round in one commit."""
        orders = self._orders(self._batch)
        return per_second(self._count, lambda: self._post(orders))

    def limit(self) -> float:
        """One row, one commit, on a connection that is kept."""
        with self._installation.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None

            def write(order: Posting) -> None:
                raw.execute("INSERT INTO bench_limit (name, fen) VALUES (%s, %s)", (order.order_id, order.net_fen))
                raw.commit()

            return self._timed(0, write)

    def naive_right(self) -> bool:
        """Balances are lots are entries, and each month has what the rule says."""
        balances, lots, entries, months = naive_ledger.sums(self._engine)
        return balances == lots == entries and months

    def _timed(self, first: int, post: Callable[[Posting], None]) -> float:
        orders = self._orders(first)

        def all_of_them() -> None:
            for order in orders:
                post(order)

        return per_second(self._count, all_of_them)

    def _post(self, orders: list[Posting]) -> None:
        with self._installation.transaction("bench") as session:
            earn.earn(session, orders)

    def _orders(self, first: int) -> list[Posting]:
        self._serial += 1
        picked = self._random
        return [
            Posting(f"{self._serial}-{n}", first + picked.randrange(CUSTOMERS), picked.choice(("2026-10", "2026-11")),
                    self._now, picked.randrange(2_000, 60_000), f"order:{self._serial}-{n}")
            for n in range(self._count)
        ]  # fmt: skip


class Race:
    """Rounds of threads that spend the points of one customer, a new one each round."""

    def __init__(self, installation: Installation, engine: Engine) -> None:
        self._installation, self._engine, self._now = installation, engine, clock.now()
        self.sold_right = True
        self._latencies: dict[str, list[float]] = {}

    def naive(self) -> float:
        """The frozen code, which locks the account and its lots."""
        account = naive_ledger.stock(self._engine, LOTS, LOT_POINTS, self._now, self._now + LASTING)

        def buy(n: int) -> bool:
            return naive_ledger.spend(self._engine, account, SPEND_POINTS, f"race-{account}-{n}", self._now)

        return self._race("contention_naive", buy)

    def product(self) -> float:
        """Ours, each spend for an order of its own."""
        with self._installation.transaction("bench") as session:
            customer = make_customers(session, 1)
            for _ in range(LOTS):
                adjust.adjust(session, customer, LOT_POINTS, "bench")

        def buy(n: int) -> bool:
            try:
                with self._installation.transaction("bench") as session:
                    spend.spend(session, customer, SPEND_POINTS, order_id=f"race-{customer}-{n}")
            except TooFewPoints:
                return False
            return True

        return self._race("contention", buy)

    def p99(self) -> dict[str, float]:
        """Milliseconds within which 99 % of the spends were done."""
        return {name: percentile(found, 0.99) * 1000 for name, found in self._latencies.items()}

    def _race(self, name: str, buy: Callable[[int], bool]) -> float:
        waiting, sold = list(range(SPENDS)), []
        latencies = self._latencies[name] = []

        def shopper() -> None:
            while waiting:
                try:
                    n = waiting.pop()
                except IndexError:
                    return  # another took the last one
                begun = time.perf_counter()
                if buy(n):
                    sold.append(n)
                latencies.append(time.perf_counter() - begun)

        threads = [threading.Thread(target=shopper) for _ in range(THREADS)]

        def run() -> None:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        rate = per_second(SPENDS, run)
        self.sold_right &= len(sold) == LOTS * LOT_POINTS // SPEND_POINTS
        return rate


def make_customers(session: Session, count: int) -> int:
    """Make customers; the id of the first, the others follow."""
    made = session.execute(
        text(
            "INSERT INTO customers (name, name_key, avatar, gender, city, language, phone_tail, created_at, seen_at)"
            " SELECT '', '', '', '', '', '', '', :at, :at FROM generate_series(1, :count) RETURNING id"
        ),
        {"at": clock.now(), "count": count},
    )
    return int(min(made.scalars()))
