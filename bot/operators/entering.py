"""Entering the console: the session that begins, where it goes, and how often one may try."""

from flask import g, redirect, request, session, url_for
from flask_babel import refresh
from werkzeug.wrappers import Response as BaseResponse

from bot.core.installation import Installation
from bot.operators.audit import record_audit
from bot.operators.identify import of_operator
from bot.operators.models import Operator
from bot.operators.sessions import COOKIE, close_session, open_session
from bot.operators.throttle import Throttle
from bot.web import edge, headers
from bot.web.address import caller_address


def enter(operator: Operator, by: str) -> BaseResponse:
    """Start a session of its own: new row, new cookie, new form token; whatever the browser had before is ended."""
    former = request.cookies.get(COOKIE)
    if former:
        close_session(edge.session(), former)
    g.principal = of_operator(operator)
    edge.act_as(g.principal.actor)
    came = {"by": by, "from": caller_address()}
    record_audit(edge.session(), "operator.logged_in", g.principal.actor, None, came)
    goes_to = after_login()
    session.clear()
    refresh()
    response = redirect(goes_to, 303)
    token = open_session(edge.session(), operator)
    response.set_cookie(COOKIE, token, path="/console", httponly=True, samesite="Lax", secure=secure())
    return response


def after_login() -> str:
    """Where the login was asked for, or the console's first page."""
    return safe(request.args.get("next", ""))


def safe(path: str) -> str:
    """A path of the console to go to: never another site, never the login itself."""
    inside = path.startswith("/console/") and "//" not in path and "\\" not in path
    return path if inside and not path.startswith("/console/log") else url_for("shell.home")


def secure() -> bool:
    """Whether cookies are for https alone."""
    return headers.is_https(edge.installation().settings)


def throttle() -> Throttle:
    """The counts of this installation's logins."""
    installation: Installation = edge.installation()
    made: Throttle = installation.caches.setdefault("login_throttle", Throttle(installation))
    return made
