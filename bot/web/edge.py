"""The edge of a request: one database session, opened when first asked for, committed once before the answer leaves.

An answer of 400 and above, or an error, rolls back. Views hand `session()` to services, which never commit. Where WeCom
is told in the request, `commit` lets the effect stand before that.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import cast

from flask import Flask, Response, current_app, g
from sqlalchemy.orm import Session

from bot.core.installation import Installation


class _Refused(Exception):
    """Leaves the transaction's block, so that it rolls back."""


def install(app: Flask, installation: Installation) -> None:
    """Give each request of `app` its session of `installation`."""
    app.extensions["installation"] = installation
    app.after_request(_finish)
    app.teardown_request(_abandon)


def installation() -> Installation:
    """The installation this process serves."""
    return cast(Installation, current_app.extensions["installation"])


def session() -> Session:
    """The request's session. Its actor is `stranger` until whoever identifies the caller says `act_as`."""
    if "session" not in g:
        g.transaction = installation().transaction("stranger")
        g.session = g.transaction.__enter__()
    return cast(Session, g.session)


def act_as(actor: str) -> None:
    """Name who acts in this request, as kept with each event and audit row: `operator:12`, `api:3`, `customer:7`."""
    session().info["actor"] = actor


def commit() -> None:
    """Let stand what this request did so far; what follows is a transaction of its own, of the same actor."""
    actor = session().info["actor"]
    _leave(None)
    g.committed = True
    act_as(actor)


def committed() -> bool:
    """Whether a part of this request stands whatever is answered."""
    return "committed" in g


def after_rollback(step: Callable[[Session], object]) -> None:
    """Run `step` in a transaction of its own once this request was rolled back: what a refusal leaves behind."""
    g.after_rollback = step


def _finish(response: Response) -> Response:
    if response.status_code < 400:
        _leave(None)
        return response
    _leave(_Refused())
    step: Callable[[Session], object] | None = g.pop("after_rollback", None)
    if step is not None:
        with installation().transaction("stranger") as fresh:
            step(fresh)
    return response


def _abandon(error: BaseException | None) -> None:
    _leave(_Refused())


def _leave(error: _Refused | None) -> None:
    transaction: AbstractContextManager[Session] | None = g.pop("transaction", None)
    if transaction is None:
        return
    g.pop("session")
    with suppress(_Refused):
        transaction.__exit__(type(error) if error else None, error, None)
