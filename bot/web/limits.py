"""Requests a minute per API key (or address, for a stranger), counted in Redis; without Redis, per process."""

from flask import Flask, request
from flask_limiter import Limiter

from bot.core.installation import Installation
from bot.core.preferences import preference
from bot.web import edge, guard

requests_per_minute = preference(
    "api_requests_per_minute", int, default=1200, help="Requests a minute that one API key may make.", home=__name__
)


def install(app: Flask, installation: Installation) -> None:
    """Refuse what is over the limit with 429 and Retry-After, before anything else is done."""
    limiter = Limiter(
        _caller,
        app=app,
        application_limits=[lambda: f"{requests_per_minute.of(edge.session())} per minute"],
        application_limits_exempt_when=lambda: not request.path.startswith("/api/"),
        application_limits_per_method=False,
        storage_uri=_storage(installation.redis_url),
        in_memory_fallback_enabled=True,
        key_prefix=installation.key("limit"),
        headers_enabled=True,
    )
    app.extensions["limiter_of_api"] = limiter


def _caller() -> str:
    who = guard.caller()
    return who.actor if who else request.remote_addr or "nowhere"


def _storage(redis_url: str) -> str:
    return redis_url.replace("unix://", "redis+unix://", 1)
