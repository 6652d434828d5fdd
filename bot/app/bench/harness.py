"""What all benches share: a private installation, interleaved rounds, ratios within a round, machine facts, the JSON.

def bench() -> Report:
    with private_installation() as installation:
        rates = interleave({"naive": …, "product": …, "limit": …}, rounds)
        return Report(…)
"""

import gc
import importlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.app import house
from bot.core import settings
from bot.core.installation import Installation

BENCHES = ("ingest", "welcome", "ledger", "segments", "import", "rfm")
SEEDED = ("segments", "rfm")  # those over a shop with customers and orders, which may be kept
SCHEMA = 1  # of the JSON line
ROUNDS = 5  # counted; one more goes before them and is thrown away
SECRET_KEY = "bench" * 8
NOISE = 1.5  # spread of the limit above which the machine was not quiet enough to believe a miss

Round = Callable[[], float]


@dataclass(frozen=True)
class Goal:
    """A ratio the bench must reach; exactly one of the two bounds is set."""

    id: str
    ratio: str
    at_least: float | None = None
    at_most: float | None = None

    def judged(self, reached: float) -> dict[str, Any]:
        """The goal as the JSON line tells it."""
        bound = {"at_least": self.at_least} if self.at_least is not None else {"at_most": self.at_most}
        met = reached >= self.at_least if self.at_least is not None else reached <= (self.at_most or 0.0)
        return {"id": self.id, "ratio": self.ratio, **bound, "reached": round(reached, 3), "met": met}


@dataclass
class Report:
    """What a bench found. variants: name -> one value a counted round, in `unit`; ratios: name -> (over, under).

    checks: name -> whether it holds. p99: name -> worst latencies in ms, where they matter. scaled_from: name -> the
    smaller work that was measured, where the values are scaled to the whole.
    """

    bench: str
    seed: int
    workload: dict[str, Any]
    unit: str
    variants: Mapping[str, Sequence[float]]
    ratios: Mapping[str, tuple[str, str]]
    goals: Sequence[Goal]
    checks: Mapping[str, bool]
    machine: dict[str, Any]
    p99: Mapping[str, float] = field(default_factory=dict)
    scaled_from: Mapping[str, int] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether every answer was right."""
        return all(self.checks.values())

    def line(self) -> dict[str, Any]:
        """The JSON object of the last line (quality.md, Speed); without ratios where an answer was wrong."""
        ratios = {name: within_rounds(self.variants[over], self.variants[under])
                  for name, (over, under) in self.ratios.items()} if self.right else {}  # fmt: skip
        limit = self.variants.get("limit", (1.0,))
        return {
            "bench": self.bench, "schema": SCHEMA, "version": version("fugou"), "seed": self.seed,
            "workload": self.workload, "machine": self.machine, "rounds": len(next(iter(self.variants.values()))),
            "variants": {name: self._spread(name, values) for name, values in self.variants.items()},
            "ratios": ratios,
            "goals": [goal.judged(ratios[goal.ratio]["median"]) for goal in self.goals if ratios],
            "checks": dict(self.checks), "noisy": max(limit) / min(limit) > NOISE,
        }  # fmt: skip

    def _spread(self, name: str, values: Sequence[float]) -> dict[str, Any]:
        more = {"p99": round(self.p99[name], 2)} if name in self.p99 else {}
        more |= {"scaled_from": self.scaled_from[name]} if name in self.scaled_from else {}
        spread = {"median": statistics.median(values), "min": min(values), "max": max(values)}
        return {"unit": self.unit, **{key: round(value, 2) for key, value in spread.items()}, **more}


def run(name: str, **chosen: Any) -> int:
    """Run the bench `name`, print its JSON on the last line; 0, or 1 where an answer was wrong or a goal was missed.

    chosen: what its `bench` takes.
    """
    if name not in BENCHES:
        print(f"there is no bench {name}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    report: Report = importlib.import_module(f"bot.app.bench.{name}").bench(**chosen)
    line = report.line()
    for goal in line["goals"]:
        bound = f"at least {goal['at_least']}" if "at_least" in goal else f"at most {goal['at_most']}"
        print(f"{goal['id']}: {goal['reached']} ({bound}) {'met' if goal['met'] else 'MISSED'}")
    for check, holds in report.checks.items():
        print(f"{check}: {'yes' if holds else 'NO'}")
    print(json.dumps(line))
    return 0 if report.right and all(goal["met"] for goal in line["goals"]) else 1


@contextmanager
def private_installation(pool_size: int = 10, folder: Path | None = None) -> Iterator[Installation]:
    """An installation on private, durable servers, in `folder` or in one that is removed afterwards."""
    with nullcontext(folder) if folder else _passing_folder() as data_dir:
        made = settings.load(data_dir=data_dir, database_url=None, redis_url=None, secret_key=SECRET_KEY)
        with house.opened(made, pool_size=pool_size, migrated=False) as installation:
            house.prepare(installation)
            yield installation


@contextmanager
def _passing_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fugou-bench-") as folder:
        Path(folder).chmod(0o711)  # the user PostgreSQL runs as goes through it
        yield Path(folder) / "data"


def interleave(variants: Mapping[str, Round], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Call each variant once a round, A B C A B C …, so that noise falls on all alike; the first round is dropped."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds + 1):
        for name, variant in variants.items():
            gc.collect()
            found[name].append(variant())
    return {name: values[1:] for name, values in found.items()}


def per_second(work: int, action: Callable[[], object]) -> float:
    """How many of `work` things a second `action` did."""
    begun = time.perf_counter()
    action()
    return work / (time.perf_counter() - begun)


def within_rounds(over: Sequence[float], under: Sequence[float]) -> dict[str, float]:
    """The ratio in each round: median, lowest, highest."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    spread = {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
    return {name: round(value, 3) for name, value in spread.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def machine(installation: Installation) -> Iterator[dict[str, Any]]:
    """Facts of the machine and its servers; the load after is filled in when the block ends."""
    with installation.engine.connect() as connection:
        postgresql = connection.execute(text("SHOW server_version")).scalar_one()
    info: Any = installation.redis.info("server")
    facts = {
        "cores": os.cpu_count(), "cpu": _cpu(), "ram": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(), "postgresql": postgresql,
        "redis": info.get("valkey_version") or info["redis_version"],
        "fdatasync_per_s": _fdatasync_per_second(installation.settings.data_dir),
        "load_before": round(os.getloadavg()[0], 2), "load_after": None,
    }  # fmt: skip
    yield facts
    facts["load_after"] = round(os.getloadavg()[0], 2)


def _cpu() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _fdatasync_per_second(folder: Path, seconds: float = 0.5) -> int:
    sync = getattr(os, "fdatasync", os.fsync)  # macOS has none
    with tempfile.TemporaryFile(dir=folder) as file:
        begun, count = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            os.pwrite(file.fileno(), b"\0" * 8192, 0)
            sync(file.fileno())
            count += 1
    return int(count / seconds)
