"""Segments: trees counted, a tag changed under 300 segments, another process's change seen (quality.md, `segments`)."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlalchemy import text

from bot.app.bench import naive_segments, seeded
from bot.app.bench.harness import ROUNDS, Goal, Report, interleave, machine, percentile
from bot.core import clock
from bot.core.installation import Installation
from tags.conditions.tree import Tree, parse
from tags.people import finding
from tags.segments import keeping, service
from tags.segments.index import Index, index_of
from tags.segments.keeping import Keeper

SEED = 1
CUSTOMERS, SEGMENTS, CHANGES, COUNTS, SQL_TREES = 1_000_000, 300, 2_000, 200, 4
HELD = (3, 10, 40, 1)  # tags of the tree that is counted
WINDOW_DAYS, CATEGORY = 90, "类3"
MILLISECONDS, MICROSECONDS = 1e3, 1e6

TAG_SOME = """
INSERT INTO tag_assignments (customer_id, tag_id, source, at)
SELECT 1 + floor(random() * (SELECT max(id) FROM customers))::bigint, 1 + floor(random() * :tags)::bigint, 'bench', :now
FROM generate_series(1, :changes) ON CONFLICT DO NOTHING
""".replace("::", "\\:\\:")
TAG_ONE = """
INSERT INTO tag_assignments (customer_id, tag_id, source, at) SELECT id, 7, 'bench', :now FROM customers c
WHERE NOT EXISTS (SELECT 1 FROM tag_assignments t WHERE t.customer_id = c.id AND t.tag_id = 7) LIMIT 1
"""
GOALS = (
    Goal("count against EXISTS", "to_naive", at_least=1000.0),
    Goal("count of an order window never asked before, against EXISTS", "cold_to_naive", at_least=40.0),
    Goal("count against packed words in numpy", "of_limit", at_most=3.0),
    Goal("p99 of a count, ms", "count_p99_ms", at_most=100.0),
    Goal("one tag change under 300 segments, µs", "change_us", at_most=100.0),
    Goal("another process's change seen, s", "seen_s", at_most=1.0),
)


def bench(rounds: int = ROUNDS, customers: int = CUSTOMERS, shop: Path | None = None) -> Report:
    """Run it on private servers over so many customers, with ten tags and ten orders each."""
    with seeded.shop(customers, shop) as installation, machine(installation) as facts:
        work = Work(installation)
        warm = interleave({"naive": work.naive, "product": work.warm, "limit": work.limit}, rounds)
        cold = interleave({"naive_window": work.naive_window, "product_window": work.cold}, max(1, rounds // 2))
        once = {
            "count_p99_ms": [work.count_p99() for _ in range(rounds)], "change_us": work.changes(rounds),
            "seen_s": [work.seen() for _ in range(rounds)], "one": [1.0] * rounds,
        }  # fmt: skip
        checks = {"a count is SQL's": work.counts_right, "random trees mean whom SQL means": work.random_right()}
    return Report(
        bench="segments", seed=SEED, unit="s", machine=facts, checks=checks, goals=GOALS,
        workload={"customers": customers, "tags": seeded.TAGS, "segments": SEGMENTS, "changes": CHANGES},
        variants={**warm, **cold, **once},
        ratios={"to_naive": ("naive", "product"), "cold_to_naive": ("naive_window", "product_window"),
                "of_limit": ("product", "limit"), **{name: (name, "one") for name in once if name != "one"}},
    )  # fmt: skip


class Work:
    """The rounds; each returns seconds."""

    def __init__(self, installation: Installation) -> None:
        self._installation, self._random = installation, random.Random(SEED)
        self._index = index_of(installation)
        self.counts_right = True
        self._tree = self._parsed(tagged(HELD))
        self._index.count(self._tree)
        with self._index.view() as view:
            leaves = list(view.leaves(self._tree))
            size = int(view.everybody.max()) + 1
            self._words = [packed(view.held(leaf).members, size) for leaf in leaves]

    def naive(self) -> float:
        """The tree over tags, by SQL."""
        return self._timed(lambda: naive_segments.count_tags(self._installation.engine, HELD), self._tree)

    def warm(self) -> float:
        """The same by bitmaps that are there, as of one moment."""
        with self._index.view() as view:
            return min(timed(lambda: len(view.of(self._tree))) for _ in range(COUNTS))

    def limit(self) -> float:
        """The same on packed words."""
        a, b, c, d = self._words
        return min(timed(lambda: int(np.bitwise_count(a & (b | c) & ~d).sum())) for _ in range(COUNTS))

    def naive_window(self) -> float:
        """The tree over tags and an order window, by SQL."""
        since = clock.now() - timedelta(days=WINDOW_DAYS)
        return timed(lambda: naive_segments.count_window(self._installation.engine, HELD, CATEGORY, since))

    def cold(self) -> float:
        """The same with a window no bitmap is held of."""
        days = WINDOW_DAYS + self._random.randint(1, 9)
        window = {"orders": {"category": CATEGORY, "count": {"gte": 2}, "within_days": days}}
        tree = self._parsed({"all": [*tagged(HELD)["all"], window]})
        return timed(lambda: self._index.count(tree))

    def count_p99(self) -> float:
        """Milliseconds of a count as the API asks it, changes of others read first; the worst in a hundred."""
        return percentile([timed(lambda: self._index.count(self._tree)) for _ in range(COUNTS)], 0.99) * MILLISECONDS

    def changes(self, rounds: int) -> list[float]:
        """Microseconds a tag change costs the worker until it knows who came and who went, of 300 segments."""
        draw, keeper = self._random, Keeper()
        with self._installation.transaction("bench") as session:
            for left in session.scalars(service.listing()):  # in a shop that is kept
                service.remove(session, left.id)
            for n in range(SEGMENTS):
                service.make(session, f"S{n}", tagged(tuple(draw.sample(range(1, seeded.TAGS + 1), 4))))
        with self._installation.transaction("bench") as session:
            keeping.due(session, keeper)
        found = []
        for _ in range(rounds):
            with self._installation.transaction("bench") as session:
                session.execute(text(TAG_SOME), {"now": clock.now(), "tags": seeded.TAGS, "changes": CHANGES})
            with self._installation.transaction("bench") as session:
                found.append(timed(lambda: keeping.due(session, keeper)) / CHANGES * MICROSECONDS)
        return found

    def seen(self) -> float:
        """Seconds until another process's index counts a tag that was put on."""
        other = Index(self._installation)
        tree = self._parsed({"tag": "7"})
        before = other.count(tree)
        with self._installation.transaction("bench") as session:
            session.execute(text(TAG_ONE), {"now": clock.now()})
        begun = time.perf_counter()
        while other.count(tree) == before:
            pass
        return time.perf_counter() - begun

    def random_right(self) -> bool:
        """Whether random trees mean whom SQL says they mean."""
        right = []
        for _ in range(SQL_TREES):
            tree = self._parsed(drawn(self._random, 2))
            with self._index.view(exact=True) as view:  # in seconds of SQL an order leaves a window
                by_sql = BitMap(view.session.scalars(finding.meant(view.session, tree, view.now)))
                right.append(by_sql == view.of(tree))
        return all(right)

    def _parsed(self, tree: dict[str, Any]) -> Tree:
        with self._installation.transaction("bench") as session:
            return parse(session, tree, "")

    def _timed(self, count: Callable[[], int], tree: Tree) -> float:
        begun = time.perf_counter()
        counted = count()
        took = time.perf_counter() - begun
        self.counts_right = self.counts_right and counted == self._index.count(tree)
        return took


def tagged(tags: Sequence[int]) -> dict[str, Any]:
    """A has it, B or C too, D does not."""
    a, b, c, d = ({"tag": str(one)} for one in tags)
    return {"all": [a, {"any": [b, c]}, {"none": [d]}]}


def drawn(draw: random.Random, depth: int) -> dict[str, Any]:
    """A random tree over tags, profile and orders."""
    if depth:
        return {draw.choice(["all", "any", "none"]): [drawn(draw, depth - 1) for _ in range(2)]}
    orders = {"category": f"类{draw.randrange(seeded.CATEGORIES)}", "within_days": draw.randint(5, 200)}
    return draw.choice([
        {"tag": str(draw.randint(1, seeded.TAGS))}, {"field": "gender", "is": draw.choice(["female", "male"])},
        {"field": "birthday", "month": draw.randint(1, 12)},
        {"orders": {**orders, "count": {"gte": draw.randint(1, 3)}}},
    ])  # fmt: skip


def packed(members: BitMap, size: int) -> NDArray[np.uint64]:
    """The same set as one bit a customer."""
    bits = np.zeros(-(-size // 64) * 64, dtype=bool)
    bits[members.to_array()] = True
    return np.packbits(bits).view(np.uint64)


def timed(action: Callable[[], object]) -> float:
    """Seconds it took."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
