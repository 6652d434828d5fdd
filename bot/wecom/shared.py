"""What the processes of an installation know together, in Redis; each for itself while Redis is away."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

T = TypeVar("T")
AWAY_S = 1.0  # after a failure Redis is left alone this long, so that its time-out is not paid by every call


class Shared:
    """redis: one that decodes responses, or None. prefix: begins every key, as `Installation.key` makes it."""

    def __init__(self, redis: "Redis | None", prefix: str) -> None:
        self._redis, self._prefix = redis, prefix
        self._away_until = 0.0

    def key(self, name: str) -> str:
        return self._prefix + name

    def ask(self, step: "Callable[[Redis], T]", otherwise: Callable[[], T]) -> T:
        """What `step` does with Redis, or what `otherwise` does where there is none, or it fails now."""
        if self._redis is None or time.monotonic() < self._away_until:
            return otherwise()
        try:
            return step(self._redis)
        except RedisError as error:
            self._away_until = time.monotonic() + AWAY_S
            log.warning("Redis is away; this process goes on alone", error=type(error).__name__)
            return otherwise()
