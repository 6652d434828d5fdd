"""Wrong passwords are counted per account and per address, in Redis; without Redis, in this process."""

import time
from dataclasses import dataclass, field

import redis
import structlog

from bot.core.installation import Installation

PER_ACCOUNT, PER_ADDRESS = 10, 30  # wrong passwords in a window, before further ones are not even looked at
WINDOW_SECONDS = 15 * 60

log = structlog.get_logger(__name__)


@dataclass
class Throttle:
    """Counts tries before they are made, so that many at once can't pass; a success forgets the account's."""

    installation: Installation
    own: dict[str, tuple[int, float]] = field(default_factory=dict)  # key -> count, when the window ends

    def admit(self, account: str, address: str) -> bool:
        """Count one more try; False where it must not be looked at."""
        tries = [self._count(f"account:{account.casefold()}"), self._count(f"address:{address}")]
        return tries[0] <= PER_ACCOUNT and tries[1] <= PER_ADDRESS

    def forget(self, account: str, address: str) -> None:
        """Forget the tries of an account that has logged in, and this one of the address."""
        names = [f"account:{account.casefold()}", f"address:{address}"]
        self.own.pop(names[0], None)
        try:
            self.installation.redis.delete(self._key(names[0]))
            self.installation.redis.decr(self._key(names[1]))
        except redis.RedisError as error:
            log.warning("login tries not forgotten", error=str(error))

    def _count(self, name: str) -> int:
        try:
            with self.installation.redis.pipeline() as pipe:
                pipe.incr(self._key(name))
                pipe.expire(self._key(name), WINDOW_SECONDS, nx=True)
                return int(pipe.execute()[0])
        except redis.RedisError as error:
            log.warning("login tries counted in this process only", error=str(error))
        now = time.monotonic()
        self.own = {key: kept for key, kept in self.own.items() if kept[1] > now}
        count, until = self.own.get(name, (0, now + WINDOW_SECONDS))
        self.own[name] = (count + 1, until)
        return count + 1

    def _key(self, name: str) -> str:
        return self.installation.key(f"login:{name}")
