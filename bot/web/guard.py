"""The guard: every route names a permission, and one hook asks whether the caller has it.

    @pages.get("/customers")
    @needs("customers:read")
    def index(): ...

A permission is `<resource>:read` or `<resource>:write`, the same words as the scopes of API keys; `PUBLIC` marks what
anybody may call. Who the caller is, `bot/operators` says: it gives `install` the function that reads a session or a
key. A route without a permission answers nobody; a test walks them all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from flask import Flask, current_app, g, request
from werkzeug.exceptions import Unauthorized

from bot.core.errors import Forbidden

PUBLIC = "public"

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Principal:
    """Who is calling. `actor` is kept with each event and audit row (`operator:12`, `api:3`)."""

    actor: str
    name: str
    allows: Callable[[str], bool]
    language: str | None = None
    facts: dict[str, object] = field(default_factory=dict)


Identify = Callable[[], Principal | None]


def needs(permission: str) -> Callable[[View], View]:
    """Name the permission of a route; goes under the route's own decorator."""

    def mark(view: View) -> View:
        view.__permission__ = permission  # type: ignore[attr-defined]
        return view

    return mark


def permission_of(view: Callable[..., object] | None) -> str | None:
    """The permission a view names, or None."""
    return getattr(view, "__permission__", None)


def install(app: Flask, identify: Identify) -> None:
    """Ask before each request; `identify` reads who is calling out of the request, None for a stranger."""
    app.extensions["identify"] = identify
    app.before_request(_ask)


def principal() -> Principal:
    """Who is calling; only on routes that need a permission. Raises Unauthorized for a stranger."""
    who = caller()
    if who is None:
        raise Unauthorized
    return who


def caller() -> Principal | None:
    """Who is calling, None for a stranger; read once a request."""
    if "principal" not in g:
        identify = cast(Identify, current_app.extensions["identify"])
        g.principal = identify()
    return cast(Principal | None, g.principal)


def allowed(permission: str) -> bool:
    """Whether the caller may; what a page shows depends on it."""
    who = caller()
    return who is not None and who.allows(permission)


def _ask() -> None:
    if request.endpoint is None:
        return  # nothing matches the address: the 404 or 405 follows
    permission = permission_of(current_app.view_functions[request.endpoint])
    if permission is None:
        raise LookupError(f"the route {request.endpoint} names no permission")
    if permission != PUBLIC and not principal().allows(permission):
        raise Forbidden(f"{permission} is needed for this, and {principal().name} does not have it")
