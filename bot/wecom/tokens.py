"""Access tokens and tickets: WeCom lends each for two hours, and one of a kind serves the whole installation.

In the process, else in Redis, else fetched by one process under one lock; without Redis each process fetches its own. A
value that WeCom rejects is replaced once, and only if nobody has done so before. wecom.md §3.1, §3.19.
"""

import hashlib
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis
from redis.lock import Lock

from bot.core.clock import monotonic
from bot.wecom.errors import TokenRejected, WeComError
from bot.wecom.shared import Shared

Fetch = Callable[[], tuple[str, float]]  # asks WeCom: the value, and the seconds it is good for

MARGIN_S = 60.0  # a value is given up so long before it ends, so that none ends on its way
LOCK_S = 10.0  # longer than a fetch may take (3 s to connect, 5 s to answer); a killed holder costs so much
REJECTED_HOLD_S = 10.0  # a wrong secret is tried 360 times an hour, far from the 2,000 that get an address banned
FAILED_HOLD_S = 1.0  # threads that queued behind a failed fetch share its failure instead of failing one by one
RENEWED_S = 1.0  # a replacement that is rejected so soon is not replaced: the next would fare no better


@dataclass(frozen=True)
class _Held:
    value: str = ""
    ends: float = -math.inf  # monotonic seconds of the shared clock
    renewed: float = -math.inf  # when it was fetched to replace a rejected one


class Lease:
    """One value on loan. kind: what it is; owner: whose it is, hashed into the key of Redis since it holds a secret."""

    def __init__(self, kind: str, owner: str, fetch: Fetch, shared: Shared) -> None:
        self._fetch, self._shared = fetch, shared
        self._key = shared.key(f"{kind}:{hashlib.sha256(owner.encode()).hexdigest()}")
        self._held = _Held()
        self._turn = threading.Lock()
        self._failure: tuple[WeComError, float] | None = None

    def get(self) -> str:
        """The value, fetched where none is known. Raises what asking WeCom for one raises."""
        held = self._held
        return held.value if monotonic() < held.ends else self._take("")

    def renew(self, rejected: str) -> str:
        """What has replaced `rejected`, asking WeCom if nobody has; the same again where WeCom lends it again, or
        did a moment ago. Raises as `get`.
        """
        return self._take(rejected)

    def _take(self, rejected: str) -> str:
        with self._turn:
            now, held = monotonic(), self._held
            if now < held.ends and (held.value != rejected or now < held.renewed + RENEWED_S):
                return held.value
            self._held = self._stored(rejected) or self._fetched(rejected)
            return self._held.value

    def _fetched(self, rejected: str) -> _Held:
        self._raise_recent_failure()
        with self._turn_of_all():
            if stored := self._stored(rejected):
                return stored
            try:
                value, seconds = self._fetch()
            except WeComError as error:
                hold = REJECTED_HOLD_S if isinstance(error, TokenRejected) else error.wait_s or FAILED_HOLD_S
                self._failure = error, monotonic() + hold
                raise
            life = max(seconds - MARGIN_S, 0.9 * seconds, 1.0)  # near its end WeCom may lend what is left of a value
            now = monotonic()
            self._shared.ask(lambda redis: redis.set(self._key, value, px=int(life * 1000)), lambda: None)
            return _Held(value, now + life, now if rejected else -math.inf)

    def _raise_recent_failure(self) -> None:
        if self._failure is not None and monotonic() < self._failure[1]:
            known = self._failure[0]
            raise type(known)(*known.args)  # a new one: a raised exception gathers the traceback of each raise

    def _stored(self, rejected: str) -> _Held | None:
        def read(redis: Redis) -> _Held | None:
            with redis.pipeline() as pipe:
                pipe.get(self._key)
                pipe.pttl(self._key)
                value, life_ms = pipe.execute()
            usable = value is not None and value != rejected and life_ms > 0
            return _Held(value, monotonic() + life_ms / 1000) if usable else None

        return self._shared.ask(read, lambda: None)

    @contextmanager
    def _turn_of_all(self) -> Iterator[None]:
        """One process at a time. Where the lock can't be had all go on: WeCom lends the same value twice."""

        def acquired(redis: Redis) -> Lock | None:
            lock = redis.lock(f"{self._key}:lock", timeout=LOCK_S, blocking_timeout=LOCK_S, sleep=0.02)
            return lock if lock.acquire() else None

        lock = self._shared.ask(acquired, lambda: None)
        try:
            yield
        finally:
            if lock is not None:
                self._shared.ask(lambda _: lock.release(), lambda: None)
