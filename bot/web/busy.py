"""Overload is refused early: pages and API get at most `PLACES` threads of a process, so callbacks find one."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

PLACES = 24  # of 32 blocking threads; a callback that finds none waits, and WeCom gives up after 5 s
RETRY_AFTER_SECONDS = 2
WAIT_SECONDS = 1.0  # a place is often free at once; a refusal costs the caller more than this

Application = Callable[..., Iterable[bytes]]


def middleware(app: Application, places: int = PLACES) -> Application:
    """WSGI in front of `app`: 503 with Retry-After when `places` requests are under way and none ends in time."""
    free = threading.BoundedSemaphore(places)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(("/wecom/", "/healthz", "/readyz")):
            return app(environ, start_response)
        if not free.acquire(timeout=WAIT_SECONDS):
            said = b"busy; try again in a few seconds"
            headers = [("Retry-After", str(RETRY_AFTER_SECONDS)), ("Content-Length", str(len(said)))]
            start_response("503 Service Unavailable", [*headers, ("Content-Type", "text/plain; charset=utf-8")])
            return [said]
        try:
            return app(environ, start_response)
        finally:
            free.release()

    return answer
