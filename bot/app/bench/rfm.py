"""RFM: everybody at night, one customer after her order (quality.md, `rfm`)."""

import random
import time
from pathlib import Path

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.app.bench import naive_rfm, seeded
from bot.app.bench.harness import ROUNDS, Goal, Report, interleave, machine, per_second
from bot.core import clock
from bot.core.installation import Installation
from bot.core.sets import run
from tags.people import service as people
from tags.rfm import rules, service

SEED = 1
CUSTOMERS, RESCORED = 1_000_000, 300

GOALS = (
    Goal("a night against read_sql, qcut, to_sql", "to_naive", at_least=10.0),
    Goal("a night against reading the sums", "of_limit", at_most=2.0),
    Goal("one order against aggregating hers again", "one_to_naive", at_least=1.5),
)
DAY_OF_ORDERS = """
UPDATE buyers SET orders = orders + 1, net_fen = net_fen + 5000, last_at = :now
WHERE customer_id % 200 = :turn
"""
INDEXED = "CREATE INDEX IF NOT EXISTS naive_rfm_customer ON naive_rfm (customer_id)"
KEPT = "SELECT s.r, s.f, s.m, b.last_at, b.orders, b.net_fen FROM rfm_scores s JOIN buyers b USING (customer_id)"


def bench(rounds: int = ROUNDS, customers: int = CUSTOMERS, shop: Path | None = None) -> Report:
    """Run it on private servers over so many customers with ten orders each."""
    with seeded.shop(customers, shop) as installation, machine(installation) as facts:
        nights = Nights(installation)
        found = interleave({"naive": nights.naive, "product": nights.product, "limit": nights.limit}, rounds)
        one = interleave({"naive_one": nights.naive_one, "product_one": nights.product_one}, rounds)
        checks = {"scores are ceil(5 x lowest rank / n)": nights.right()}
    return Report(
        bench="rfm", seed=SEED, unit="buyers/s, orders/s", machine=facts, checks=checks, goals=GOALS,
        workload={"customers": customers, "orders": customers * seeded.ORDERS_EACH, "rescored": RESCORED},
        variants={**found, **one},
        ratios={"to_naive": ("product", "naive"), "of_limit": ("limit", "product"),
                "one_to_naive": ("product_one", "naive_one")},
    )  # fmt: skip


class Nights:
    """The rounds; a round of ours comes after a day on which one buyer in 200 ordered."""

    def __init__(self, installation: Installation) -> None:
        self._installation, self._random, self._turn = installation, random.Random(SEED), 0
        with installation.engine.connect() as connection:
            self._buyers = list(connection.scalars(text("SELECT customer_id FROM buyers ORDER BY 1")))

    def naive(self) -> float:
        """The frozen code."""
        return per_second(len(self._buyers), lambda: naive_rfm.nightly(self._installation.engine))

    def product(self) -> float:
        """Ours."""
        self._turn += 1
        with self._installation.engine.begin() as connection:
            connection.execute(text(DAY_OF_ORDERS), {"now": clock.now(), "turn": self._turn})
        with self._installation.transaction("bench") as session:
            return per_second(len(self._buyers), lambda: service.recompute(session))

    def limit(self) -> float:
        """Reading the sums alone."""
        with self._installation.transaction("bench") as session:
            return per_second(len(self._buyers), lambda: _read(session))

    def naive_one(self) -> float:
        """Customers one by one, their orders aggregated again."""
        with self._installation.engine.begin() as connection:
            connection.execute(text(INDEXED))
        with self._installation.transaction("bench") as session:
            last = session.execute(text("SELECT r, f, m FROM rfm_runs ORDER BY id DESC LIMIT 1")).one()
        edges = ([at / 1e6 for at in last.r], last.f, last.m)
        drawn = self._random.choices(self._buyers, k=RESCORED)
        begun = time.perf_counter()
        for her in drawn:
            naive_rfm.rescore(self._installation.engine, her, edges)
        return RESCORED / (time.perf_counter() - begun)

    def product_one(self) -> float:
        """Customers one by one, from their sums; the tags of the night are given."""
        with self._installation.engine.begin() as connection:
            connection.execute(text("UPDATE rfm_scores SET tagged = named WHERE tagged <> named"))
        drawn = self._random.choices(self._buyers, k=RESCORED)
        begun = time.perf_counter()
        for her in drawn:
            self._rescore(her)
        return RESCORED / (time.perf_counter() - begun)

    def right(self) -> bool:
        """Whether the last night's scores are T5's, by ranks of our own."""
        with self._installation.transaction("bench") as session:
            service.recompute(session)
            rows = session.execute(text(KEPT)).all()
        columns = list(zip(*rows, strict=True))
        return all(
            np.array_equal(np.array(scores), _by_rank([value.timestamp() if n == 0 else value for value in values]))
            for n, (scores, values) in enumerate(zip(columns[:3], columns[3:], strict=True))
        )

    def _rescore(self, customer_id: int) -> None:
        with self._installation.transaction("bench") as session:
            people.lock(session, customer_id)
            service.rescore(session, [customer_id])


def _read(session: Session) -> None:
    packed = ", ".join(f"string_agg(int8send({name}), ''::bytea ORDER BY id)" for name in ("id", "r", "f", "m"))
    columns = run(session, f"WITH sums AS ({service.SUMS.format(whose='')}) SELECT {packed} FROM sums")[0]
    for column in columns:
        np.frombuffer(column, ">i8").astype(np.int64)


def _by_rank(values: list[float]) -> np.ndarray:
    """ceil(5 x rank / n), rank 1 the smallest, ties taking the lowest."""
    array = np.array(values)
    ranks = np.searchsorted(np.sort(array), array, side="left") + 1
    return -(-rules.SCORES * ranks // len(array))
