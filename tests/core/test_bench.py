"""The benches with little work: their checks hold and their JSON is whole."""

from typing import Any

import pytest

from bot.app.bench import ingest, ledger, welcome
from bot.app.bench.harness import Report

FIELDS = {
    "bench", "schema", "version", "seed", "workload", "machine", "rounds", "variants", "ratios", "goals", "checks",
    "noisy",
}  # fmt: skip


def whole(report: Report) -> dict[str, Any]:
    """The JSON line of a bench whose answers were right, with every variant, ratio and goal in it."""
    line = report.line()
    assert set(line) == FIELDS
    assert line["checks"]
    assert all(line["checks"].values())
    assert {"naive", "product", "limit"} <= set(line["variants"])
    assert [goal["ratio"] for goal in line["goals"]] == [goal.ratio for goal in report.goals]
    assert set(line["ratios"]) == {goal.ratio for goal in report.goals}
    return line


@pytest.mark.long
def test_the_ingest_bench_keeps_what_it_answers() -> None:  # G5
    line = whole(ingest.bench(rounds=1, seconds=0.3, callbacks=200))
    assert line["workload"]["connections"] == 32


@pytest.mark.long
def test_the_welcome_bench_welcomes_everybody_once() -> None:  # W1 G5
    line = whole(welcome.bench(rounds=1, contacts=20, naive=10, latency_s=0.01))
    assert line["variants"]["naive"]["scaled_from"] == 10


@pytest.mark.long
def test_the_ledger_bench_sells_what_she_can_afford_and_its_sums_are_exact() -> None:  # P1 P2 G5
    line = whole(ledger.bench(rounds=1, orders=20))
    assert line["workload"]["affordable"] == 300
    assert line["checks"]["every round sold what she could afford"]
