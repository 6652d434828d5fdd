"""Access tokens and tickets: WeCom lends each for two hours, and one of a kind serves the whole installation.

In the process, else in Redis, else fetched by one process under one lock; without Redis each process fetches its own. A
value that WeCom rejects is replaced once, and only if nobody has done so before. wecom.md §3.1, §3.19.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis

from bot.wecom.errors import TokenRejected, WeComError
from bot.wecom.shared import Shared

Fetch = Callable[[], tuple[str, float]]  # asks WeCom: the value, and the seconds it is good for

MARGIN_S = 60.0  # a value is given up so long before it ends, so that none ends on its way
LOCK_S = 10.0  # longer than a fetch may take (3 s to connect, 5 s to answer); a killed holder costs so much
REJECTED_HOLD_S = 10.0  # a wrong secret is tried 360 times an hour, far from the 2,000 that get an address banned
FAILED_HOLD_S = 1.0  # threads that queued behind a failed fetch share its failure instead of failing one by one
FRESH_S = 5.0  # a value rejected so soon after it was fetched is not replaced: another would fare no better


@dataclass(frozen=True)
class _Held:
    value: str = ""
    ends: float = 0.0  # monotonic seconds
    fetched: float = 0.0  # monotonic seconds; 0: by another process


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
        return held.value if time.monotonic() < held.ends else self._take("")

    def renew(self, rejected: str) -> str:
        """A value other than `rejected`; `rejected` itself where that has just been fetched. Raises as `get`."""
        return self._take(rejected)

    def _take(self, rejected: str) -> str:
        with self._turn:
            now, held = time.monotonic(), self._held
            if now < held.ends and (held.value != rejected or now < held.fetched + FRESH_S):
                return held.value
            self._raise_recent_failure(now)
            try:
                self._held = self._stored(rejected) or self._fetched(rejected)
            except WeComError as error:
                hold = REJECTED_HOLD_S if isinstance(error, TokenRejected) else error.wait_s or FAILED_HOLD_S
                self._failure = error, time.monotonic() + hold
                raise
            return self._held.value

    def _raise_recent_failure(self, now: float) -> None:
        if self._failure is not None and now < self._failure[1]:
            known = self._failure[0]
            raise type(known)(*known.args)  # a new one: a raised exception gathers the traceback of each raise

    def _fetched(self, rejected: str) -> _Held:
        with self._turn_of_all():
            stored = self._stored(rejected)
            if stored is not None:
                return stored
            value, seconds = self._fetch()
            life = max(seconds - MARGIN_S, 0.9 * seconds, 1.0)  # near its end WeCom may lend what is left of a value
            now = time.monotonic()
            self._shared.ask(lambda redis: redis.set(self._key, value, px=int(life * 1000)), lambda: None)
            return _Held(value, now + life, now)

    def _stored(self, rejected: str) -> _Held | None:
        def read(redis: Redis) -> _Held | None:
            with redis.pipeline() as pipe:
                pipe.get(self._key)
                pipe.pttl(self._key)
                value, life_ms = pipe.execute()
            usable = value is not None and value != rejected and life_ms > 0
            return _Held(value, time.monotonic() + life_ms / 1000) if usable else None

        return self._shared.ask(read, lambda: None)

    @contextmanager
    def _turn_of_all(self) -> Iterator[None]:
        """One process at a time. Where the lock can't be had all go on: WeCom lends the same value twice."""
        lock = self._shared.ask(
            lambda redis: redis.lock(f"{self._key}:lock", timeout=LOCK_S, blocking_timeout=LOCK_S, sleep=0.02),
            lambda: None,
        )
        held = lock is not None and self._shared.ask(lambda _: lock.acquire(), lambda: False)
        try:
            yield
        finally:
            if lock is not None and held:
                self._shared.ask(lambda _: lock.release(), lambda: None)
