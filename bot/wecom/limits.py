"""WeCom's limits on how often an endpoint is called, counted before the call; wecom.md §3.2.

Windows are whole minutes, hours, Chinese days and 30 days of system time. WeCom's own may begin elsewhere and other
programs of the corp count too, so it can still answer 45009: then every process leaves that endpoint alone for the
length of its shortest window, and of the next longer one if it happens again. Counts are shared through Redis; while
that is away each process counts for itself.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from redis import Redis

from bot.wecom.errors import TOO_OFTEN, Busy
from bot.wecom.shared import Shared

T = TypeVar("T")
MINUTE, HOUR, DAY, MONTH = 60, 3_600, 86_400, 30 * 86_400  # seconds
CHINA_S = 8 * HOUR  # WeCom's natural day begins at 00:00 +08:00
AGAIN_S = 5 * MINUTE  # refused again so soon after a block: it is a longer window that is full
LOOK_S = 1.0  # a block that another process met is seen within this
BLOCKS = "blocked"  # a hash: endpoint -> "until seconds"


@dataclass(frozen=True)
class Window:
    """At most `most` calls in `seconds`."""

    seconds: int
    most: int

    def name(self, now: float) -> str:
        """The hash that holds the counts of the window at `now` (unix seconds): endpoint -> calls."""
        return f"calls:{self.seconds}:{self._number(now)}"

    def ends(self, now: float) -> float:
        """Unix seconds."""
        return float((self._number(now) + 1) * self.seconds - CHINA_S)

    def _number(self, now: float) -> int:
        return int(now + CHINA_S) // self.seconds


USUAL = (Window(MINUTE, 10_000), Window(HOUR, 150_000))  # one endpoint, one corp
LIMITS: dict[str, tuple[Window, ...]] = {
    "message/send": (Window(MINUTE, 30), Window(HOUR, 1_000)),  # each member; what exceeds it is dropped without a word
    "gettoken": (Window(HOUR, 2_000),),  # wrong secrets from one address, after which it is banned for an hour
    "get_jsapi_ticket": (Window(HOUR, 100),),
    "ticket/get": (Window(HOUR, 100),),
    "media/uploadimg": (*USUAL, Window(DAY, 1_000), Window(MONTH, 3_000)),
    "externalcontact/add_moment_task": (Window(MINUTE, 10),),
}


@dataclass(frozen=True)
class Usage:
    """`used` of the `most` calls of an endpoint in the window of `seconds` that ends at `ends` (unix seconds)."""

    endpoint: str
    seconds: int
    used: int
    most: int
    ends: float


@dataclass(frozen=True)
class _Block:
    ends: float = 0.0  # unix seconds
    seconds: int = 0  # the window it stands for


class Limits:
    """The counts of one corp."""

    def __init__(self, shared: Shared) -> None:
        self._shared, self._own = shared, _OfProcess()
        self._blocks: dict[str, _Block] = {}
        self._looked = 0.0

    def take(self, endpoint: str, receivers: Sequence[str] = ()) -> None:
        """Count one call of `endpoint`, for each of `receivers` where the limit is theirs.

        Raises Busy with the seconds to wait, and counts nothing, where it is blocked or that is more than WeCom allows.
        """
        now = time.time()
        block = self._known_blocks(now).get(endpoint, _Block())
        if block.ends > now:
            raise Busy(endpoint, TOO_OFTEN, "left alone since it was called too often", block.ends - now)
        fields = [f"{endpoint}@{receiver}" for receiver in receivers] or [endpoint]
        rows = [(window, field) for window in LIMITS.get(endpoint, USUAL) for field in fields]
        used = self._do(lambda store: store.add(rows, now, 1))
        full = [window for (window, _), count in zip(rows, used, strict=True) if count > window.most]
        if full:
            self._do(lambda store: store.add(rows, now, -1))
            last = max(full, key=lambda window: window.ends(now))
            raise Busy(endpoint, TOO_OFTEN, f"all {last.most} in {last.seconds} s are used", last.ends(now) - now)

    def block(self, endpoint: str) -> float:
        """WeCom answered 45009: every process leaves `endpoint` alone. Returns for how many seconds."""
        now = time.time()
        before = self._known_blocks(now, fresh=True).get(endpoint, _Block())
        if before.ends > now:  # this call was under way when another met the limit
            return before.ends - now
        ladder = sorted(window.seconds for window in LIMITS.get(endpoint, USUAL))
        if now - before.ends < AGAIN_S:
            ladder = [seconds for seconds in ladder if seconds > before.seconds] or ladder[-1:]
        ends = Window(DAY, 0).ends(now) if ladder[0] == DAY else now + ladder[0]
        self._do(lambda store: store.put(BLOCKS, endpoint, f"{ends} {ladder[0]}"))
        self._looked = 0.0
        return ends - now

    def blocked(self) -> dict[str, float]:
        """The endpoints that are left alone, and for how many more seconds."""
        now = time.time()
        known = self._known_blocks(now, fresh=True)
        return {endpoint: block.ends - now for endpoint, block in known.items() if block.ends > now}

    def usage(self) -> list[Usage]:
        """What is used of the present windows, endpoint by endpoint; counts of single receivers are left out."""
        now = time.time()
        every = {window.seconds: window.name(now) for windows in (USUAL, *LIMITS.values()) for window in windows}
        counted = {seconds: self._read(name) for seconds, name in every.items()}
        return [
            Usage(endpoint, seconds, int(number), window.most, window.ends(now))
            for seconds, numbers in sorted(counted.items())
            for endpoint, number in sorted(numbers.items())
            for window in LIMITS.get(endpoint, USUAL)
            if window.seconds == seconds and "@" not in endpoint
        ]

    def _known_blocks(self, now: float, *, fresh: bool = False) -> dict[str, _Block]:
        if fresh or not 0 <= now - self._looked < LOOK_S:
            pairs = {endpoint: text.split() for endpoint, text in self._read(BLOCKS).items()}
            self._blocks = {endpoint: _Block(float(ends), int(length)) for endpoint, (ends, length) in pairs.items()}
            self._looked = now
        return self._blocks

    def _read(self, name: str) -> dict[str, str]:
        return self._do(lambda store: store.read(name))

    def _do(self, step: "Callable[[_Store], T]") -> T:
        return self._shared.ask(lambda redis: step(_OfAll(redis, self._shared.key)), lambda: step(self._own))


class _Store(Protocol):
    """Hashes by name."""

    def add(self, rows: Sequence[tuple[Window, str]], now: float, by: int) -> list[int]:
        """The new number of each field in the hash of its window."""

    def put(self, name: str, field: str, value: str) -> None: ...

    def read(self, name: str) -> dict[str, str]: ...


class _OfAll:
    """In Redis, for all processes."""

    def __init__(self, redis: Redis, key: Callable[[str], str]) -> None:
        self._redis, self._key = redis, key

    def add(self, rows: Sequence[tuple[Window, str]], now: float, by: int) -> list[int]:
        with self._redis.pipeline(transaction=False) as pipe:
            for window, field in rows:
                key = self._key(window.name(now))
                pipe.hincrby(key, field, by)
                pipe.expireat(key, int(window.ends(now)) + 1)
            return [int(number) for number in pipe.execute()[::2]]

    def put(self, name: str, field: str, value: str) -> None:
        self._redis.hset(self._key(name), field, value)

    def read(self, name: str) -> dict[str, str]:
        return {str(field): str(value) for field, value in self._redis.hgetall(self._key(name)).items()}


class _OfProcess:
    """In this process, while it is alone."""

    def __init__(self) -> None:
        self._hashes: dict[str, dict[str, str]] = {}
        self._ends: dict[str, float] = {}  # of those hashes that end
        self._lock = threading.Lock()

    def add(self, rows: Sequence[tuple[Window, str]], now: float, by: int) -> list[int]:
        with self._lock:
            for name in [name for name, ends in self._ends.items() if ends <= now]:
                del self._hashes[name], self._ends[name]
            sums = []
            for window, field in rows:
                name = window.name(now)
                numbers = self._hashes.setdefault(name, {})
                sums.append(int(numbers.get(field, "0")) + by)
                numbers[field], self._ends[name] = str(sums[-1]), window.ends(now)
            return sums

    def put(self, name: str, field: str, value: str) -> None:
        with self._lock:
            self._hashes.setdefault(name, {})[field] = value

    def read(self, name: str) -> dict[str, str]:
        with self._lock:
            return dict(self._hashes.get(name, {}))
