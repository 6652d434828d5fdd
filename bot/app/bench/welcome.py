"""1,000 contacts added in one burst while WeCom takes 500 ms for each answer (quality.md, `welcome`).

naive: the handler itself asks who she is and welcomes her, in gunicorn's 2 processes of 8 threads. Two calls a contact
in 16 threads take 62.5 s. Ours in 64 slots would take 15.6 s, a ratio of 1/4; but who has queued for 8 s is welcomed
without waiting for her name, which is read afterwards (`tags/people/listeners.py`), and that makes it some 12 s.
"""

import time
from contextlib import ExitStack

import requests

from bot.app.bench import naive_callbacks, processes
from bot.app.bench.callbacks import Fired, fire, sealed
from bot.app.bench.harness import ROUNDS, Goal, Report, interleave, machine, percentile, private_installation
from bot.app.serve import THREADS, WORKERS
from bot.wecom.lane import PROCESSES
from bot.wecom.transport import SLOTS as SLOTS_EACH

CONTACTS, NAIVE_CONTACTS, LATENCY_S = 1_000, 200, 0.5
SLOTS = PROCESSES * SLOTS_EACH
CALLS = 2  # to WeCom for each contact: who she is, and the welcome
CONNECTIONS = 100  # WeCom does not wait for one callback's answer before it posts the next
NAIVE_PROCESSES, NAIVE_THREADS = 2, 8
IN_TIME_S, PATIENCE_S = 20.0, 60.0
LOOK_S = 0.3

GOALS = (
    Goal("last welcome against the 20 s", "of_20_s", at_most=1.0),
    Goal("p99 against naive", "to_naive", at_most=0.2),
    Goal("p99 against the slots", "of_limit", at_most=1.5),
    Goal("callbacks answered, p99 against 1 s", "answered_of_1_s", at_most=1.0),
)


def bench(
    rounds: int = ROUNDS, contacts: int = CONTACTS, naive: int = NAIVE_CONTACTS, latency_s: float = LATENCY_S
) -> Report:
    """Run it on private servers; five minutes. naive: contacts of its burst, whose times are scaled to `contacts`."""
    limit = contacts * CALLS * latency_s / SLOTS
    with private_installation() as installation, machine(installation) as facts, ExitStack() as servers:
        naive_callbacks.Base.metadata.create_all(installation.engine)
        stub = servers.enter_context(processes.stub_wecom(latency_s))
        inline = processes.gunicorn(installation, "welcome", NAIVE_PROCESSES, NAIVE_THREADS, stub)
        ours = processes.ours(installation, WORKERS, THREADS, f"{stub}/cgi-bin/", hot=True)
        bursts = Bursts(stub, servers.enter_context(inline), servers.enter_context(ours))
        found = interleave({
            "naive": lambda: bursts.naive(naive) * contacts / naive,
            "product": lambda: bursts.product(contacts),
            "limit": lambda: limit,
        }, rounds)  # fmt: skip
    seconds = {name: values[1:] for name, values in (("last", bursts.last), ("answered", bursts.answered))}
    return Report(
        bench="welcome", seed=0, unit="seconds from the burst's start", machine=facts, goals=GOALS,
        workload={"contacts": contacts, "latency_s": latency_s, "connections": CONNECTIONS, "slots": SLOTS,
                  "naive_processes": NAIVE_PROCESSES, "naive_threads": NAIVE_THREADS},
        variants={**found, **seconds, "20_s": [IN_TIME_S] * rounds, "1_s": [1.0] * rounds},
        scaled_from={"naive": naive},
        checks={"everybody is welcomed": bursts.all, "nobody is welcomed twice": bursts.once},
        ratios={"of_20_s": ("last", "20_s"), "to_naive": ("product", "naive"), "of_limit": ("product", "limit"),
                "answered_of_1_s": ("answered", "1_s")},
    )  # fmt: skip


class Bursts:
    """Rounds of contacts that nobody has seen before; `last` and `answered` are ours, in seconds a round."""

    def __init__(self, stub: str, naive_port: int, port: int) -> None:
        self._stub, self._naive_port, self._port, self._number = stub, naive_port, port, 0
        self.last: list[float] = []
        self.answered: list[float] = []
        self.all = self.once = True

    def naive(self, count: int) -> float:
        """Seconds within which 99 % were welcomed by the handlers themselves."""
        return percentile(self._burst(self._naive_port, count)[0], 0.99)

    def product(self, count: int) -> float:
        """Seconds within which 99 % were welcomed by our web part and hot lane."""
        late, fired = self._burst(self._port, count)
        self.last.append(max(late))
        self.answered.append(percentile(fired.latencies, 0.99))
        return percentile(late, 0.99)

    def _burst(self, port: int, count: int) -> tuple[list[float], Fired]:
        posts, begun = sealed(self._numbers(count)), time.time()
        fired = fire(port, posts, CONNECTIONS)
        return self._welcomed(fired, count, begun), fired

    def _numbers(self, count: int) -> range:
        self._number += count
        return range(self._number - count, self._number)

    def _welcomed(self, fired: Fired, count: int, begun: float) -> list[float]:
        """Seconds after `begun` at which WeCom had taken each welcome; waits until all are there or time is over."""
        taken: list[tuple[str, float]] = []
        while len(taken) < count and time.time() < begun + PATIENCE_S:
            time.sleep(LOOK_S)
            taken += requests.get(f"{self._stub}/welcomed", timeout=10).json()["welcomed"]
        self.all &= set(fired.statuses) == {200} and len({code for code, _ in taken}) == count
        self.once &= len({code for code, _ in taken}) == len(taken)
        return [at - begun for _, at in taken]
