"""Encrypted callbacks over 32 connections, each kept before its 200 (quality.md, `ingest`)."""

from contextlib import AbstractContextManager, ExitStack
from functools import partial

from sqlalchemy import text

from bot.app import serve
from bot.app.bench import naive_callbacks, processes
from bot.app.bench.callbacks import fire, sealed
from bot.app.bench.harness import ROUNDS, Goal, Report, interleave, machine, percentile, private_installation
from bot.core.installation import Installation

CONNECTIONS, PROCESSES = 32, 1  # the same for all four
GTHREADS = 16  # of gunicorn, as quality.md has the naive; Granian has the threads we serve with, whatever it serves
SECONDS = 3.0  # of each variant in each round
CALLBACKS = 40_000  # sealed beforehand; more than any machine answers in a variant's seconds ends it early
NOWHERE = "http://127.0.0.1:9/cgi-bin/"  # WeCom's address: keeping a callback asks nobody

GOALS = (
    Goal("callbacks against naive", "to_naive", at_least=3.5),
    Goal("p99 against naive", "p99_to_naive", at_most=0.333),
    Goal("against naive on the same server", "to_naive_on_granian", at_least=3.0),
    Goal("against a server that only reads the body", "of_limit", at_least=0.40),
)


def bench(rounds: int = ROUNDS, seconds: float = SECONDS, callbacks: int = CALLBACKS) -> Report:
    """Run it on private servers; two minutes on two cores."""
    with private_installation() as installation, machine(installation) as facts, ExitStack() as servers:
        naive_callbacks.Base.metadata.create_all(installation.engine)
        posts = Posts(installation, sealed(range(callbacks)), seconds)
        ports = {name: servers.enter_context(server) for name, server in _servers(installation).items()}
        rates = interleave({name: partial(posts.measure, name, port) for name, port in ports.items()}, rounds)
    waits = {f"{name}_p99": posts.p99_ms[name][1:] for name in ("naive", "product")}
    return Report(
        bench="ingest", seed=0, unit="callbacks/s, of _p99 ms", machine=facts, goals=GOALS,
        workload={"connections": CONNECTIONS, "processes": PROCESSES, "gunicorn_threads": GTHREADS,
                  "granian_threads": serve.THREADS, "seconds": seconds},
        variants={**rates, **waits}, p99={name: max(found[1:]) for name, found in posts.p99_ms.items()},
        checks={"rows kept are 200s answered": posts.kept, "every answer is a 200": posts.good},
        ratios={"to_naive": ("product", "naive"), "to_naive_on_granian": ("product", "naive_on_granian"),
                "of_limit": ("product", "limit"), "p99_to_naive": ("product_p99", "naive_p99")},
    )  # fmt: skip


def _servers(installation: Installation) -> dict[str, AbstractContextManager[int]]:
    return {
        "naive": processes.gunicorn(installation, "ingest", PROCESSES, GTHREADS),
        "naive_on_granian": processes.granian(installation, "ingest", PROCESSES, serve.THREADS),
        "product": processes.ours(installation, PROCESSES, serve.THREADS, NOWHERE),
        "limit": processes.granian(installation, "hello", PROCESSES, serve.THREADS),
    }


class Posts:
    """Rounds of posting to servers that all run; what each kept is counted, and cleared before the next."""

    def __init__(self, installation: Installation, requests: list[bytes], seconds: float) -> None:
        self._installation, self._requests, self._seconds = installation, requests, seconds
        self.p99_ms: dict[str, list[float]] = {}
        self.kept = self.good = True

    def measure(self, name: str, port: int) -> float:
        """Callbacks a second that the server at `port` answered."""
        self._clear()
        found = fire(port, self._requests, CONNECTIONS, self._seconds)
        self.good &= set(found.statuses) == {200}
        if name != "limit":
            self.kept &= self._count() == found.statuses[200]
        self.p99_ms.setdefault(name, []).append(percentile(found.latencies, 0.99) * 1000)
        return found.statuses[200] / found.seconds

    def _clear(self) -> None:
        with self._installation.engine.begin() as connection:
            connection.execute(text("TRUNCATE inbox, naive_callbacks"))

    def _count(self) -> int:
        with self._installation.engine.connect() as connection:
            both = text("SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM naive_callbacks)")
            return int(connection.execute(both).scalar_one())
