"""Requests a minute per API key (or address, for a stranger), and the counting that holds up guessed passwords too."""

import math
import threading
import time

from flask import Flask, Response, g, request
from redis import Redis
from werkzeug.exceptions import TooManyRequests

from bot.core.installation import Installation
from bot.core.preferences import preference
from bot.web import edge, guard
from bot.web.address import caller_address
from bot.wecom.shared import Shared

MINUTE = 60

requests_per_minute = preference(
    "api_requests_per_minute", int, default=1200, help="Requests a minute that one API key may make.", home=__name__
)


class Counts:
    """How often each of many things was done within `seconds` of its first time, by all processes.

    Counted in Redis; while that is away, each process counts for itself.
    """

    def __init__(self, installation: Installation, name: str, seconds: int) -> None:
        self._shared, self._seconds = Shared(installation.redis, installation.key(f"{name}:")), seconds
        self._own: dict[str, tuple[int, float]] = {}  # the number, and when it is forgotten by the monotonic clock
        self._lock = threading.Lock()

    def add(self, what: str, by: int = 1) -> tuple[int, int]:
        """Count `what`; returns the number with this time, and the whole seconds until it is forgotten."""
        return self._shared.ask(lambda redis: self._add(redis, what, by), lambda: self._add_own(what, by))

    def forget(self, what: str) -> None:
        """As if it had never been done."""
        self._own.pop(what, None)
        self._shared.ask(lambda redis: redis.delete(self._shared.key(what)), lambda: None)

    def _add(self, redis: Redis, what: str, by: int) -> tuple[int, int]:
        key = self._shared.key(what)
        with redis.pipeline() as pipe:
            pipe.incrby(key, by)
            pipe.expire(key, self._seconds, nx=True)
            pipe.ttl(key)
            number, _, left_s = pipe.execute()
        return int(number), int(left_s)

    def _add_own(self, what: str, by: int) -> tuple[int, int]:
        now = time.monotonic()
        with self._lock:
            self._own = {one: counted for one, counted in self._own.items() if counted[1] > now}
            number, until = self._own.get(what, (0, now + self._seconds))
            self._own[what] = number + by, until
        return number + by, math.ceil(until - now)


def install(app: Flask, installation: Installation) -> None:
    """Refuse what is over the limit with 429 and Retry-After, before anything else is done."""
    made = Counts(installation, "limit", MINUTE)

    @app.before_request
    def count() -> None:
        if not request.path.startswith("/api/"):
            return
        who = guard.caller()
        most = requests_per_minute.of(edge.session())
        number, left_s = made.add(who.actor if who else caller_address())
        g.limit = {"Limit": most, "Remaining": max(0, most - number), "Reset": int(time.time()) + left_s}
        if number > most:
            raise TooManyRequests(f"at most {most} requests a minute", retry_after=max(1, left_s))

    @app.after_request
    def tell(response: Response) -> Response:
        for name, value in g.get("limit", {}).items():
            response.headers[f"X-RateLimit-{name}"] = str(value)
        return response
