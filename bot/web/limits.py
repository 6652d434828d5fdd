"""Requests a minute per API key (or address, for a stranger), counted in Redis; without Redis, per process."""

import time

import structlog
from flask import Flask, Response, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError
from werkzeug.exceptions import TooManyRequests

from bot.core.installation import Installation
from bot.core.preferences import preference
from bot.web import edge, guard

log = structlog.get_logger(__name__)

requests_per_minute = preference(
    "api_requests_per_minute", int, default=1200, help="Requests a minute that one API key may make.", home=__name__
)


def install(app: Flask, installation: Installation) -> None:
    """Refuse what is over the limit with 429 and Retry-After, before anything else is done."""
    address = installation.redis_url.replace("unix://", "redis+unix://", 1)
    shared = FixedWindowRateLimiter(RedisStorage(address, key_prefix=installation.key("limit"), socket_timeout=1))
    own = FixedWindowRateLimiter(MemoryStorage())

    @app.before_request
    def count() -> None:
        if not request.path.startswith("/api/"):
            return
        who = guard.caller()
        caller = who.actor if who else request.remote_addr or "nowhere"
        limit = RateLimitItemPerMinute(requests_per_minute.of(edge.session()))
        try:
            allowed, window = shared.hit(limit, caller), shared.get_window_stats(limit, caller)
        except RedisError as error:
            log.warning("requests are counted per process", error=type(error).__name__)
            allowed, window = own.hit(limit, caller), own.get_window_stats(limit, caller)
        g.limit = {"Limit": limit.amount, "Remaining": window.remaining, "Reset": int(window.reset_time)}
        if not allowed:
            wait_s = max(1, int(window.reset_time - time.time()))
            raise TooManyRequests(f"at most {limit.amount} requests a minute", retry_after=wait_s)

    @app.after_request
    def tell(response: Response) -> Response:
        for name, value in g.get("limit", {}).items():
            response.headers[f"X-RateLimit-{name}"] = str(value)
        return response
